//! What the templates say of the structures that they show.

use super::format::{self, count, figure, seconds};
use crate::aggregate::services::Kind;
use crate::monitor::State;
use crate::monitor::rule::Rule;
use crate::otlp::Severity;
use crate::store::Source;
use crate::view::health::{Bad, Health, Heard, Sender};
use crate::view::logs::{Filter, LogLine};
use crate::view::metrics::MetricLine;
use crate::view::monitors::{MonitorView, MonitorsView};
use crate::view::overview::{Node, Route};
use crate::view::slos::Slo;
use crate::view::traces::{Search, SpanEventView, TraceLine};

/// So many characters of a name fit into a box of the map.
const BOX: usize = 20;

impl Node {
    pub(super) fn encoded(&self) -> String {
        format::encoded(&self.name)
    }

    pub(super) fn short_name(&self) -> String {
        if self.name.chars().count() <= BOX {
            return self.name.clone();
        }
        let begin: String = self.name.chars().take(BOX - 1).collect();
        format!("{begin}…")
    }

    pub(super) fn versions_text(&self) -> String {
        self.versions.join(", ")
    }
}

impl Route {
    pub(super) fn encoded(&self) -> String {
        format::encoded(&self.route)
    }
}

impl Search {
    pub(super) fn is_service(&self, service: &str) -> bool {
        self.services.iter().any(|asked| asked == service)
    }

    pub(super) fn route_text(&self) -> &str {
        self.route.as_deref().unwrap_or_default()
    }

    pub(super) fn least_text(&self) -> String {
        self.at_least
            .map_or_else(String::new, |time| (time.as_secs_f64() * 1e3).to_string())
    }

    pub(super) fn most_text(&self) -> String {
        self.at_most
            .map_or_else(String::new, |time| (time.as_secs_f64() * 1e3).to_string())
    }
}

impl TraceLine {
    pub(super) fn duration_text(&self) -> String {
        seconds(self.duration_ms / 1e3)
    }

    pub(super) fn services_text(&self) -> String {
        self.services.join(", ")
    }
}

impl SpanEventView {
    pub(super) fn at_text(&self) -> String {
        seconds(self.at_ms / 1e3)
    }
}

impl Filter {
    pub(super) fn severity_text(&self) -> &'static str {
        self.severity.map_or("any", severity)
    }

    pub(super) fn text_text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub(super) fn trace_text(&self) -> String {
        self.trace_id.map_or_else(String::new, |id| id.to_string())
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unspecified => "text",
        Severity::Trace => "trace",
        Severity::Debug => "debug",
        Severity::Info => "info",
        Severity::Warn => "warn",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    }
}

impl LogLine {
    pub(super) fn severity_text(&self) -> &'static str {
        severity(self.severity)
    }

    pub(super) fn class(&self) -> &'static str {
        match self.severity {
            Severity::Error | Severity::Fatal => "bad",
            Severity::Warn => "some",
            _ => "plain",
        }
    }

    /// The span's place in the page of its trace.
    pub(super) fn anchor(&self) -> String {
        self.span_id
            .as_ref()
            .map_or_else(String::new, |id| format!("#span-{id}"))
    }
}

impl MetricLine {
    pub(super) fn encoded(&self) -> String {
        format::encoded(&self.name)
    }

    pub(super) fn shape_text(&self) -> String {
        format!("{:?}", self.shape).to_lowercase()
    }

    pub(super) fn unit_text(&self) -> String {
        format::unit(&self.unit)
    }

    pub(super) fn keys_text(&self) -> String {
        self.tags
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What of the objectives is not as it would be in earnest.
pub(super) fn demo(slos: &[Slo]) -> Option<String> {
    let clock = slos
        .iter()
        .find_map(|slo| slo.time_scale)
        .map(|factor| format!("the clock of objectives runs {factor} times as fast"));
    let places = slos.iter().any(|slo| slo.simulated);
    let places = places.then(|| "locations are simulated".to_owned());
    let words: Vec<String> = clock.into_iter().chain(places).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

impl Slo {
    pub(super) fn target_text(&self) -> String {
        self.target_percent
            .map_or_else(|| "-".to_owned(), |target| format!("{target} %"))
    }

    pub(super) fn coverage_text(&self) -> String {
        self.coverage_percent
            .map_or_else(|| "-".to_owned(), |covered| format!("{covered:.0} %"))
    }

    pub(super) fn alerts_text(&self) -> String {
        self.alerts.join(", ")
    }

    pub(super) fn sli_text(&self) -> String {
        self.sli_percent
            .map_or_else(|| "-".to_owned(), |sli| format!("{sli:.3} %"))
    }

    pub(super) fn budget_text(&self) -> String {
        self.budget_remaining_percent
            .map_or_else(|| "-".to_owned(), |left| format!("{left:.1} %"))
    }

    pub(super) fn burn_text(&self) -> String {
        self.burn_rate
            .map_or_else(|| "-".to_owned(), |burn| format!("{} ×", figure(burn)))
    }

    pub(super) fn age_text(&self) -> String {
        format::ago(self.age_s)
    }

    pub(super) fn class(&self) -> &'static str {
        match self.budget_remaining_percent {
            None => "idle",
            Some(left) if left < 0.0 => "bad",
            Some(left) if left < 25.0 => "some",
            Some(_) => "well",
        }
    }

    /// Faster than the budget allows.
    pub(super) fn is_burning(&self) -> bool {
        self.burn_rate.is_some_and(|burn| burn > 1.0)
    }

    pub(super) fn sign(&self) -> &'static str {
        match self.class() {
            "bad" => "▲",
            "some" => "△",
            "well" => "●",
            _ => "○",
        }
    }
}

impl MonitorView {
    pub(super) fn for_text(&self) -> String {
        match self.for_s {
            0..=1 => "a moment".to_owned(),
            seconds => format::ago(seconds),
        }
    }

    /// Whether it belongs on the first page.
    pub(super) fn is_loud(&self) -> bool {
        matches!(self.state, State::Alert | State::Warning)
    }
}

impl MonitorsView {
    /// The worst state, if it belongs on the first page.
    pub(super) fn worst(&self) -> Option<State> {
        self.monitors
            .iter()
            .filter(|monitor| monitor.is_loud())
            .map(|monitor| monitor.state)
            .max()
    }
}

impl Rule {
    /// The rule as a sentence.
    pub(super) fn sentence(&self) -> String {
        format!(
            "{}: the mean of {} over {}, by {}: warning above {}, alert above {}, no data after {}.",
            self.name,
            self.metric,
            format::length(self.over),
            self.group_by,
            self.warning,
            self.alert,
            format::length(self.no_data),
        )
    }
}

impl Heard {
    pub(super) fn text(&self) -> String {
        match self.last_s {
            None => "none".to_owned(),
            Some(last) => format!(
                "{}/s, {}",
                figure(self.per_second),
                match last {
                    0..=1 => "now".to_owned(),
                    last => format!("{} ago", format::ago(last)),
                }
            ),
        }
    }
}

impl Sender {
    pub(super) fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.silent_s.is_none()
    }

    pub(super) fn missing_text(&self) -> String {
        if let Some(silent) = self.silent_s {
            return format!("everything, for {}", format::ago(silent));
        }
        let words = self.missing.iter().map(|kind| match kind {
            Kind::Traces => "spans",
            Kind::Metrics => "metrics",
            Kind::Logs => "logs",
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Health {
    pub(super) fn bytes_text(&self) -> String {
        format::bytes(self.stats.bytes)
    }

    pub(super) fn budget_text(&self) -> String {
        format::bytes(self.budget_bytes)
    }

    pub(super) fn keep_text(&self) -> String {
        format::ago(self.keep_s)
    }

    pub(super) fn datagrams_text(&self) -> String {
        count(self.stats.datagrams)
    }

    pub(super) fn requests_text(&self) -> String {
        count(self.stats.requests)
    }

    pub(super) fn lost_text(&self) -> String {
        self.datagrams_lost
            .map_or_else(|| "not known on this system".to_owned(), count)
    }
}

impl Bad {
    pub(super) fn source_text(&self) -> &'static str {
        match self.source {
            Source::Udp => "DogStatsD, UDP",
            Source::Unix => "DogStatsD, socket",
            Source::OtlpHttp => "OTLP, HTTP",
            Source::OtlpGrpc => "OTLP, gRPC",
            Source::LogLines => "log lines",
        }
    }
}
