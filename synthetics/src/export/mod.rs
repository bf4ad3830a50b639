//! The objectives in the words of other tools: Datadog's SLOs and monitors, rules of Prometheus,
//! OpenSLO.
//!
//! One configuration makes all of them, so that targets, windows and factors are written once.
//! Where a tool cannot mean the same, its output says so, in a comment or a description; what a
//! tool has no words for at all is left out and told.

mod datadog;
mod openslo;
mod prometheus;

use std::time::Duration;

use clap::ValueEnum;

use crate::config::Config;
use crate::objective::{Indicator, Slo};
use crate::probe::{Assertion, Check, FailureKind, Kind};
use crate::slo::{LocationRule, Percent, Ratio, Rounding, Target, samples};

/// Whom the objectives are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Bodies for Datadog's API: each objective with its burn-rate monitors, as JSON.
    Datadog,
    /// Recording and alerting rules over the metrics of the prober, as YAML.
    Prometheus,
    /// OpenSLO v1, as YAML.
    Openslo,
}

/// Objectives as another tool takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The whole file.
    pub text: String,
    /// What that tool has no words for, each with the reason.
    pub left_out: Vec<String>,
}

/// Writes the objectives of `config` for another tool.
#[must_use]
pub fn export(config: &Config, format: Format) -> Exported {
    let promises: Vec<Promise<'_>> = config
        .slos
        .iter()
        .map(|slo| Promise::new(slo, config))
        .collect();
    match format {
        Format::Datadog => datadog::export(&promises),
        Format::Prometheus => prometheus::export(&promises, &config.file),
        Format::Openslo => openslo::export(&promises, &config.file),
    }
}

/// An objective with what another tool must be told about it.
struct Promise<'a> {
    slo: &'a Slo,
    /// Names of its checks.
    checks: Vec<&'a str>,
    /// Outcomes of probes that a whole answer came for.
    answers: Vec<&'static str>,
    /// Whether it is measured from more than one location.
    many_locations: bool,
    /// Whether any maintenance is declared for it.
    maintained: bool,
}

impl<'a> Promise<'a> {
    fn new(slo: &'a Slo, config: &'a Config) -> Self {
        let planned = slo.checks.iter().filter_map(|at| config.checks.get(*at));
        let checks: Vec<&Check> = planned.map(|planned| &planned.check).collect();
        let answers = FailureKind::ALL.into_iter().filter(|kind| match kind {
            FailureKind::Certificate => checks.iter().any(|check| sees_certificate(check)),
            kind => kind.is_of_a_whole_answer(),
        });
        Self {
            slo,
            answers: ["good"]
                .into_iter()
                .chain(answers.map(FailureKind::name))
                .collect(),
            checks: checks.iter().map(|check| &*check.name).collect(),
            many_locations: config.locations.len() > 1,
            maintained: config.maintenance.iter().any(|m| m.is_for(&slo.name)),
        }
    }

    /// What is good, in one sentence without its dot.
    fn meaning(&self) -> String {
        let checks = list(&self.checks);
        match self.slo.indicator {
            Indicator::Availability { min_good } => {
                let share = if min_good == Percent::HUNDRED {
                    "every probe".to_owned()
                } else {
                    format!("{min_good} of the probes at least")
                };
                format!(
                    "Share of the minutes in which {share} of {checks} was good {}",
                    rule(self.slo.rule)
                )
            }
            Indicator::Latency { within } => format!(
                "Share of the requests of {checks}, from all locations, whose whole answer came within {}, be it right or wrong",
                humantime::format_duration(within)
            ),
            Indicator::Success => format!(
                "Share of the requests of {checks}, from all locations, that had a correct answer"
            ),
        }
    }

    /// The burn alerts as they are read: long and short window in minutes, with the factor.
    fn alerts(&self) -> impl Iterator<Item = Alert> {
        self.slo.alerts.iter().map(|alert| Alert {
            factor: alert.factor(),
            long: whole_minutes(alert.long()),
            short: whole_minutes(alert.short()),
        })
    }

    /// How many events a verdict needs before it can be a pass.
    fn needed(&self) -> String {
        let needed = samples::for_zero_failures(self.slo.target);
        format!(
            "The prober gives no verdict below {needed} events, nor where less than 90 % of the minutes were measured; its burn alerts keep their state then."
        )
    }
}

/// A burn alert as it is read.
#[derive(Clone, Copy)]
struct Alert {
    factor: Ratio,
    long: Duration,
    short: Duration,
}

impl Alert {
    /// The share of the budget of `period` that is spent in the long window, in percent.
    fn share(&self, period: Duration) -> String {
        let spent = self.factor.to_f64() * self.long.as_secs_f64() / period.as_secs_f64();
        let text = format!("{:.1}", spent * 100.0);
        text.trim_end_matches(".0").to_owned()
    }
}

/// A burn rate is read over whole minutes, one at least.
fn whole_minutes(window: Duration) -> Duration {
    Duration::from_secs((window.as_secs() / 60).max(1) * 60)
}

fn sees_certificate(check: &Check) -> bool {
    match &check.kind {
        Kind::Tls(_) => true,
        Kind::Http(request) => has_certificate_test(&request.assertions),
        Kind::Journey(steps) => steps
            .iter()
            .any(|step| has_certificate_test(&step.request.assertions)),
        Kind::Tcp(_) | Kind::Dns(_) => false,
    }
}

fn has_certificate_test(assertions: &[Assertion]) -> bool {
    assertions
        .iter()
        .any(|assertion| matches!(assertion, Assertion::CertificateDays(_)))
}

fn rule(rule: LocationRule) -> &'static str {
    match rule {
        LocationRule::AllUp => "at every location that measured",
        LocationRule::Majority => "at more than half of the locations that measured",
        LocationRule::Pooled => "over all locations together",
    }
}

/// `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A length with one unit, as all three tools write it: `7d`, `24h`, `90m`, `90s`.
pub(crate) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole = |unit: u64| seconds.is_multiple_of(unit);
    match seconds {
        _ if seconds > 86_400 && whole(86_400) => format!("{}d", seconds / 86_400),
        _ if whole(3_600) => format!("{}h", seconds / 3_600),
        _ if whole(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// The target in percent without its sign: `98`, `99.95`.
fn percent(target: Target) -> String {
    target.to_string().trim_end_matches('%').to_owned()
}

/// A fraction of one, exactly: `0.98`.
fn fraction(units: u64) -> String {
    let one = i128::from(Percent::SCALE);
    let ratio = Ratio::new(i128::from(units), one).unwrap_or(Ratio::whole(0));
    decimal(ratio, 8)
}

/// A ratio with so many digits after the point at most. It is cut, so that a factor that has no
/// end can still be exceeded.
fn decimal(ratio: Ratio, places: u32) -> String {
    let text = ratio.to_decimal(0, places, Rounding::Truncate);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A factor, to six digits.
pub(crate) fn factor(factor: Ratio) -> String {
    decimal(factor, 6)
}

/// Seconds as a decimal: `0.1`.
fn seconds(duration: Duration) -> String {
    let text = format!("{}.{:06}", duration.as_secs(), duration.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
