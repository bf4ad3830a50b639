//! Journeys: several requests, with cookies and values carried from one to the next.

use std::sync::Arc;

use cookie_store::CookieStore;

use super::assertion::Answer;
use super::check::{CaptureFrom, Request, Step};
use super::http::{Exchange, Progress, Reply};
use super::template::Variables;
use super::{Failure, FailureKind};

/// Longest value that is carried.
const LONGEST_VALUE: usize = 8 * 1024;

/// Makes the request and judges the answer.
pub(crate) async fn ask(
    exchange: &Exchange<'_>,
    request: &Request,
    cookies: &mut CookieStore,
    progress: &mut Progress,
) -> Result<(Reply, Result<(), Failure>), Failure> {
    let reply = exchange.run(request, cookies, progress).await?;
    let mut answer = Answer::new(reply.status, &reply.headers, &reply.body);
    answer.duration = progress.watch.stop().total();
    answer.certificate_days = progress.certificate_days;
    let verdict = answer.satisfies(&request.assertions, exchange.variables);
    Ok((reply, verdict))
}

/// Picks up the values of `step` from its answer.
pub(crate) fn pick_up(
    step: &Step,
    reply: &Reply,
    variables: &mut Variables,
) -> Result<(), Failure> {
    for capture in &step.captures {
        let name = &capture.name;
        let (kind, found) = match &capture.from {
            CaptureFrom::Header(header) => {
                let value = reply.headers.get(header);
                let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
                (FailureKind::Header, value.map(|text| text.into_owned()))
            }
            CaptureFrom::Body(regex) => {
                let found = regex.captures(&reply.body);
                let group = found.and_then(|found| found.get(1).or_else(|| found.get(0)));
                let text = group.map(|group| String::from_utf8_lossy(group.as_bytes()));
                (FailureKind::Body, text.map(|text| text.into_owned()))
            }
            CaptureFrom::Json(path) => {
                let answer = Answer::new(reply.status, &reply.headers, &reply.body);
                let value = answer.json().ok().and_then(|root| {
                    let value = path.find(root).into_iter().next()?;
                    Some(
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    )
                });
                (FailureKind::Json, value)
            }
        };
        match found {
            Some(value) if value.len() <= LONGEST_VALUE => {
                variables.insert(name.clone(), value);
            }
            Some(_) => {
                let detail = format!("`{name}` has more than {LONGEST_VALUE} bytes");
                return Err(Failure::new(kind, &detail));
            }
            None => {
                return Err(Failure::new(
                    kind,
                    &format!("there is no `{name}` to pick up"),
                ));
            }
        }
    }
    Ok(())
}

/// Says which step failed.
pub(crate) fn at(step: &Arc<str>, failure: &Failure) -> Failure {
    Failure::new(failure.kind, &format!("step {step}: {}", failure.detail))
}
