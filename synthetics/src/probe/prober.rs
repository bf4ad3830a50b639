//! Running checks: attempts, time-outs, and a trace for each attempt that the target joins.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cookie_store::CookieStore;

use super::check::{Check, Kind, Request, Step};
use super::dial::{Dialer, Far};
use super::guard::Guard;
use super::http::{Exchange, Progress};
use super::phases::Phases;
use super::template::Variables;
use super::tls::{TlsClient, Trust};
use super::trace::{Place, ProbeSpan};
use super::{Attempt, Failure, FailureKind, Measurement, StepTime, journey, socket};
use crate::clock::{Clock as _, SystemClock};

/// Runs checks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prober {
    dialer: Dialer,
    clock: SystemClock,
    name_server: Option<SocketAddr>,
    /// Where it stands.
    location: Option<Arc<str>>,
}

/// What one attempt has found so far; it outlives a time-out.
struct Attempted {
    progress: Progress,
    steps: Vec<StepTime>,
    /// The step that runs.
    step: Option<ProbeSpan>,
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
            location: None,
        }
    }

    /// The same, playing a location that is far away. Its results are simulated, and must be
    /// labelled so wherever they show.
    #[must_use]
    pub fn far(mut self, far: Far) -> Self {
        self.dialer.far = Some(far);
        self
    }

    /// The same, which stands at `location`, and says so in its traces.
    #[must_use]
    pub fn at(mut self, location: Arc<str>) -> Self {
        self.location = Some(location);
        self
    }

    /// Probes: tries again after a failure as often as the check has it, and tells the last
    /// attempt. Every way to fail is a result; this has no error of its own.
    pub async fn probe(&self, check: &Check) -> Measurement {
        let root = ProbeSpan::root(
            check,
            Place {
                location: self.location.as_deref(),
                simulated: self.dialer.far.is_some(),
            },
        );
        let mut measurement = self.attempt(check, &root).await;
        let mut earlier = Vec::new();
        while (earlier.len() as u64) < u64::from(check.retries.most) {
            let Some(failure) = measurement.failure.take() else {
                break;
            };
            earlier.push(Attempt {
                duration: measurement.duration,
                failure,
                trace_id: measurement.trace_id,
            });
            tokio::time::sleep(check.retries.pause).await;
            let again = root.retry(check, earlier.len());
            measurement = self.attempt(check, &again).await;
            again.end(measurement.failure.as_ref());
        }
        measurement.earlier = earlier;
        root.finish(&measurement);
        measurement
    }

    async fn attempt(&self, check: &Check, span: &ProbeSpan) -> Measurement {
        let mut attempted = Attempted {
            progress: Progress::start(),
            steps: Vec::new(),
            step: None,
            answered: false,
        };
        let asked = self.ask(check, span, &mut attempted);
        let result = tokio::time::timeout(check.timeout, asked).await;
        let Attempted {
            progress,
            steps,
            step,
            answered,
        } = attempted;
        let failure = match result {
            Ok(result) => result.err(),
            Err(_) => Some(timed_out(check, &progress)),
        };
        let last = progress.watch.stop();
        if let Some(step) = step {
            step.note(progress.status, failure.as_ref(), &last);
            step.end(failure.as_ref());
        }
        let done = steps
            .iter()
            .fold(Phases::default(), |sum, step| sum.plus(&step.phases));
        // The last step of a journey is among the steps already, if it came to its end.
        let phases = if matches!(check.kind, Kind::Journey(_)) && failure.is_none() {
            done
        } else {
            done.plus(&last)
        };
        span.note(progress.status, failure.as_ref(), &phases);
        Measurement {
            duration: phases.total(),
            phases,
            answered: answered
                && failure
                    .as_ref()
                    .is_none_or(|f| f.kind != FailureKind::Timeout),
            status: progress.status,
            failure,
            trace_id: span.trace_id(),
            earlier: Vec::new(),
            steps,
            certificate_days: progress.certificate_days,
        }
    }

    async fn ask(
        &self,
        check: &Check,
        span: &ProbeSpan,
        attempted: &mut Attempted,
    ) -> Result<(), Failure> {
        let (dialer, timeout) = (&self.dialer, check.timeout);
        let now = self.clock.now();
        let progress = &mut attempted.progress;
        let result = match &check.kind {
            Kind::Http(request) => return self.http(check, request, span, attempted).await,
            Kind::Journey(steps) => return self.journey(check, steps, span, attempted).await,
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
        span: &ProbeSpan,
        attempted: &mut Attempted,
    ) -> Result<(), Failure> {
        let mut cookies = CookieStore::default();
        let exchange = Exchange {
            dialer: &self.dialer,
            variables: &Variables::new(),
            trace: &span.headers(),
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
        span: &ProbeSpan,
        attempted: &mut Attempted,
    ) -> Result<(), Failure> {
        let mut cookies = CookieStore::default();
        let mut variables = Variables::new();
        for step in steps {
            attempted.progress = Progress {
                status: attempted.progress.status,
                ..Progress::start()
            };
            let span = attempted.step.insert(span.step(step));
            let exchange = Exchange {
                dialer: &self.dialer,
                variables: &variables,
                trace: &span.headers(),
                timeout: check.timeout,
                now: self.clock.now(),
            };
            let progress = &mut attempted.progress;
            let asked = journey::ask(&exchange, &step.request, &mut cookies, progress).await;
            let (reply, verdict) = asked.map_err(|failure| journey::at(&step.name, &failure))?;
            let picked = verdict.and_then(|()| journey::pick_up(step, &reply, &mut variables));
            if let Err(failure) = picked {
                attempted.answered = true;
                return Err(journey::at(&step.name, &failure));
            }
            let phases = attempted.progress.watch.stop();
            if let Some(span) = attempted.step.take() {
                span.note(attempted.progress.status, None, &phases);
                span.end(None);
            }
            attempted.steps.push(StepTime {
                name: Arc::clone(&step.name),
                phases,
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
