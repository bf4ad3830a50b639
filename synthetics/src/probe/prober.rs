//! Running checks: attempts, time-outs, and a trace for each attempt that the target joins.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cookie_store::CookieStore;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::TraceContextExt as _;
use telemetry::names::attribute;
use tracing::Instrument as _;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use url::{Position, Url};

use super::check::{Address, Check, Endpoint, Kind, Request, Step};
use super::dial::{Dialer, Far};
use super::guard::Guard;
use super::http::{Exchange, Progress};
use super::phases::Phases;
use super::template::Variables;
use super::tls::{TlsClient, Trust};
use super::{Attempt, Failure, FailureKind, Measurement, StepTime, journey, socket};
use crate::clock::{Clock as _, SystemClock};

/// Runs checks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prober {
    dialer: Dialer,
    clock: SystemClock,
    name_server: Option<SocketAddr>,
}

/// What one attempt has found so far; it outlives a time-out.
struct Attempted {
    progress: Progress,
    steps: Vec<StepTime>,
    answered: bool,
}

impl Prober {
    /// A prober that asks what `guard` permits. It opens a connection of its own for each
    /// request, as a new visitor does, and takes no notice of proxy settings.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self {
            dialer: Dialer {
                guard: Arc::new(guard),
                system: TlsClient::new(Trust::System),
                far: None,
            },
            clock: SystemClock::new(),
            name_server: name_server(),
        }
    }

    /// The same, playing a location that is far away. Its results are simulated, and must be
    /// labelled so wherever they show.
    #[must_use]
    pub fn far(mut self, far: Far) -> Self {
        self.dialer.far = Some(far);
        self
    }

    /// Probes: tries again after a failure as often as the check has it, and tells the last
    /// attempt. Every way to fail is a result; this has no error of its own.
    pub async fn probe(&self, check: &Check) -> Measurement {
        let mut earlier = Vec::new();
        loop {
            let mut measurement = self.attempt(check).await;
            let again = (earlier.len() as u64) < u64::from(check.retries.most);
            match measurement.failure {
                Some(failure) if again => earlier.push(Attempt {
                    duration: measurement.duration,
                    failure,
                    trace_id: measurement.trace_id,
                }),
                failure => {
                    measurement.failure = failure;
                    measurement.earlier = earlier;
                    return measurement;
                }
            }
            tokio::time::sleep(check.retries.pause).await;
        }
    }

    async fn attempt(&self, check: &Check) -> Measurement {
        let span = tracing::info_span!(
            "probe",
            otel.name = %format_args!("probe {}", check.name),
            otel.kind = "client",
            otel.status_code = Empty,
            { attribute::HTTP_REQUEST_METHOD } = Empty,
            { attribute::URL_FULL } = Empty,
            { attribute::SERVER_ADDRESS } = Empty,
            { attribute::SERVER_PORT } = Empty,
            { attribute::HTTP_RESPONSE_STATUS_CODE } = Empty,
            { attribute::ERROR_TYPE } = Empty,
        );
        describe(&span, &check.kind);
        let context = span.context();
        let span_context = context.span().span_context().clone();
        let trace_id = span_context
            .is_valid()
            .then(|| span_context.trace_id().to_string());
        let mut attempted = Attempted {
            progress: Progress::start(),
            steps: Vec::new(),
            answered: false,
        };
        let asked = self.ask(check, &mut attempted).instrument(span.clone());
        let result = tokio::time::timeout(check.timeout, asked).await;
        let Attempted {
            progress,
            steps,
            answered,
        } = attempted;
        let failure = match result {
            Ok(result) => result.err(),
            Err(_) => Some(timed_out(check, &progress)),
        };
        let last = progress.watch.stop();
        let done = steps
            .iter()
            .fold(Phases::default(), |sum, step| sum.plus(&step.phases));
        // The last step of a journey is among the steps already, if it came to its end.
        let phases = if matches!(check.kind, Kind::Journey(_)) && failure.is_none() {
            done
        } else {
            done.plus(&last)
        };
        if let Some(status) = progress.status {
            span.record(attribute::HTTP_RESPONSE_STATUS_CODE, status);
        }
        if let Some(failure) = &failure {
            span.record("otel.status_code", "ERROR");
            span.record(attribute::ERROR_TYPE, failure.kind.name());
        }
        Measurement {
            duration: phases.total(),
            phases,
            answered: answered
                && failure
                    .as_ref()
                    .is_none_or(|f| f.kind != FailureKind::Timeout),
            status: progress.status,
            failure,
            trace_id,
            earlier: Vec::new(),
            steps,
            certificate_days: progress.certificate_days,
        }
    }

    async fn ask(&self, check: &Check, attempted: &mut Attempted) -> Result<(), Failure> {
        let (dialer, timeout) = (&self.dialer, check.timeout);
        let now = self.clock.now();
        let progress = &mut attempted.progress;
        let result = match &check.kind {
            Kind::Http(request) => return self.http(check, request, attempted).await,
            Kind::Journey(steps) => return self.journey(check, steps, attempted).await,
            Kind::Tcp(tcp) => socket::tcp(dialer, tcp, timeout, progress).await,
            Kind::Tls(tls) => socket::tls(dialer, tls, timeout, now, progress).await,
            Kind::Dns(dns) => socket::dns(dialer, dns, self.name_server, progress).await,
        };
        attempted.answered = result.as_ref().err().is_none_or(|failure| {
            matches!(
                failure.kind,
                FailureKind::Status
                    | FailureKind::Body
                    | FailureKind::Latency
                    | FailureKind::Certificate
            )
        });
        result
    }

    async fn http(
        &self,
        check: &Check,
        request: &Request,
        attempted: &mut Attempted,
    ) -> Result<(), Failure> {
        let mut cookies = CookieStore::default();
        let exchange = Exchange {
            dialer: &self.dialer,
            variables: &Variables::new(),
            trace: &trace_headers(),
            timeout: check.timeout,
            now: self.clock.now(),
        };
        let asked = journey::ask(&exchange, request, &mut cookies, &mut attempted.progress);
        let (_, verdict) = asked.await?;
        attempted.answered = true;
        verdict
    }

    async fn journey(
        &self,
        check: &Check,
        steps: &[Step],
        attempted: &mut Attempted,
    ) -> Result<(), Failure> {
        let mut cookies = CookieStore::default();
        let mut variables = Variables::new();
        for step in steps {
            attempted.progress = Progress {
                status: attempted.progress.status,
                ..Progress::start()
            };
            let span = tracing::info_span!(
                "step",
                otel.name = %format_args!("step {}", step.name),
                otel.kind = "client",
            );
            let taken = async {
                let exchange = Exchange {
                    dialer: &self.dialer,
                    variables: &variables,
                    trace: &trace_headers(),
                    timeout: check.timeout,
                    now: self.clock.now(),
                };
                let progress = &mut attempted.progress;
                journey::ask(&exchange, &step.request, &mut cookies, progress).await
            };
            let (reply, verdict) = taken
                .instrument(span)
                .await
                .map_err(|failure| journey::at(&step.name, &failure))?;
            let picked = verdict.and_then(|()| journey::pick_up(step, &reply, &mut variables));
            if let Err(failure) = picked {
                attempted.answered = true;
                return Err(journey::at(&step.name, &failure));
            }
            attempted.steps.push(StepTime {
                name: Arc::clone(&step.name),
                phases: attempted.progress.watch.stop(),
            });
        }
        attempted.answered = true;
        Ok(())
    }
}

fn timed_out(check: &Check, progress: &Progress) -> Failure {
    let limit = humantime::format_duration(check.timeout);
    let during = progress.watch.phase().name();
    let detail = format!("no whole answer within {limit} (it was in `{during}`)");
    Failure::new(FailureKind::Timeout, &detail)
}

/// Says in the span what is asked, without what may be a secret.
fn describe(span: &tracing::Span, kind: &Kind) {
    let endpoint = |endpoint: &Endpoint| {
        span.record(attribute::SERVER_ADDRESS, endpoint.host.as_str());
        span.record(attribute::SERVER_PORT, endpoint.port);
    };
    match kind {
        Kind::Http(request) => {
            span.record(attribute::HTTP_REQUEST_METHOD, request.method.as_str());
            match &request.address {
                Address::Fixed(url) => {
                    span.record(attribute::URL_FULL, shown(url));
                    span.record(attribute::SERVER_ADDRESS, url.host_str());
                    span.record(attribute::SERVER_PORT, url.port_or_known_default());
                }
                Address::Template(template) => {
                    span.record(attribute::URL_FULL, tracing::field::display(template));
                }
            }
        }
        Kind::Tcp(check) => endpoint(&check.endpoint),
        Kind::Tls(check) => endpoint(&check.endpoint),
        Kind::Dns(check) => {
            if let Some(server) = &check.server {
                endpoint(server);
            }
        }
        Kind::Journey(_) => {}
    }
}

/// An address without its query, which often holds a key.
fn shown(url: &Url) -> &str {
    &url[..Position::AfterPath]
}

/// The headers that let the target's spans join the current one.
fn trace_headers() -> HeaderMap {
    let context = tracing::Span::current().context();
    let mut headers = HeaderMap::new();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Headers(&mut headers));
    });
    headers
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let pair = (HeaderName::try_from(key), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = pair {
            self.0.insert(name, value);
        }
    }
}

/// The first name server of this system.
fn name_server() -> Option<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver");
        let address: IpAddr = address.and(words.next())?.parse().ok()?;
        Some(SocketAddr::new(address, 53))
    })
}
