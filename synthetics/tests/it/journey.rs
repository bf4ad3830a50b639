//! Journeys: sign in, carry what was handed out, find it again.

use std::time::Duration;

use http::{HeaderName, Method};
use synthetics::probe::check::{Address, Capture, CaptureFrom, Step};
use synthetics::probe::{Assertion, Check, FailureKind, Kind, Prober, Request, Template, TextTest};

use crate::probe::{check, guard, kind};
use crate::server::{Handler, answer, serve};

/// A site with a form that has a token in it, a session cookie, and a page for who signed in.
const SITE: Handler = |request, body| {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    match (request.method().as_str(), request.uri().path()) {
        ("GET", "/form") => answer(
            200,
            &[("x-form", "f7")],
            r#"<input name="token" value="t 42"> {"id": 5}"#,
        ),
        ("POST", "/login") if body == "user=ada&token=t 42" && header("x-form") == "f7" => answer(
            302,
            &[
                ("set-cookie", "session=s1; Path=/; HttpOnly"),
                ("location", "/me"),
            ],
            "",
        ),
        ("GET", "/me") if header("cookie") == "session=s1" => {
            answer(200, &[], r#"{"name": "ada"}"#)
        }
        ("GET", "/users/ada") => answer(200, &[], "ada's page"),
        _ => answer(403, &[], "who are you?"),
    }
};

fn parse(text: &str) -> Template {
    Template::parse(text, &|_| None).expect("a template")
}

fn step(name: &str, base: &str, path: &str, captures: Vec<Capture>) -> Step {
    let url = format!("{base}{path}");
    let mut request = Request::get("http://unused.invalid".parse().expect("an address"));
    request.address = Address::Template(parse(&url));
    Step {
        name: name.into(),
        request,
        captures,
    }
}

fn capture(name: &str, from: CaptureFrom) -> Capture {
    let name = name.to_owned();
    Capture { name, from }
}

fn journey(base: &str, token: &str) -> Vec<Step> {
    let regex = |text| CaptureFrom::Body(regex::bytes::Regex::new(text).expect("an expression"));
    let form = step(
        "form",
        base,
        "/form",
        vec![
            capture("token", regex(token)),
            capture(
                "form",
                CaptureFrom::Header(HeaderName::from_static("x-form")),
            ),
        ],
    );
    let name = CaptureFrom::Json("$.name".parse().expect("a path"));
    let mut login = step("sign-in", base, "/login", vec![capture("name", name)]);
    login.request.method = Method::POST;
    login.request.body = Some(parse("user=ada&token={{token}}"));
    login.request.headers = vec![(HeaderName::from_static("x-form"), parse("{{form}}"))];
    login.request.redirects = 1;
    let mut page = step("page", base, "/users/{{name}}", Vec::new());
    let test = TextTest::Contains(parse("{{name}}'s page"));
    page.request.assertions.push(Assertion::Body(test));
    vec![form, login, page]
}

fn walk(steps: Vec<Step>) -> Check {
    check(Kind::Journey(steps.into()))
}

#[tokio::test]
async fn cookies_and_values_are_carried() {
    let base = format!("http://{}", serve(SITE).await);
    let steps = journey(&base, r#"name="token" value="([^"]+)""#);
    let measurement = Prober::new(guard()).probe(&walk(steps)).await;
    assert!(measurement.is_good(), "{measurement:?}");
    let names: Vec<_> = measurement.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(names, ["form", "sign-in", "page"]);
    let sum: Duration = measurement
        .steps
        .iter()
        .map(|step| step.phases.total())
        .sum();
    assert_eq!(measurement.duration, sum);
    assert_eq!(measurement.phases.total(), sum);
}

#[tokio::test]
async fn the_step_that_fails_is_named_and_ends_it() {
    let base = format!("http://{}", serve(SITE).await);
    // The token is cut, so that the site does not take it.
    let steps = journey(&base, r#"name="token" value="([^" ]+)"#);
    let measurement = Prober::new(guard()).probe(&walk(steps)).await;
    assert_eq!(kind(&measurement), Some(FailureKind::Status));
    let failure = measurement.failure.as_ref().expect("it failed");
    assert_eq!(failure.detail, "step sign-in: status 403, expected 200");
    assert_eq!((measurement.steps.len(), measurement.answered), (1, true));
    assert_eq!(measurement.status, Some(403));
    assert!(measurement.phases.total() > measurement.steps[0].phases.total());

    let steps = journey(&base, "no such thing");
    let measurement = Prober::new(guard()).probe(&walk(steps)).await;
    let failure = measurement.failure.as_ref().expect("it failed");
    assert_eq!(failure.detail, "step form: there is no `token` to pick up");
}

#[tokio::test]
async fn each_probe_starts_without_the_cookies_of_the_last() {
    let base = format!("http://{}", serve(SITE).await);
    let prober = Prober::new(guard());
    let whole = walk(journey(&base, r#"value="([^"]+)""#));
    assert!(prober.probe(&whole).await.is_good());
    let alone = walk(vec![step("me", &base, "/me", Vec::new())]);
    assert_eq!(kind(&prober.probe(&alone).await), Some(FailureKind::Status));
}
