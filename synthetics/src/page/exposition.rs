//! `GET /metrics`: the prober's numbers for Prometheus. Names are those of `synthetics.*` with
//! underscores and, as Prometheus has it, the unit; labels are names from the configuration and
//! classes of failures, so their number is bounded.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use telemetry::names::{self, Metric};

use super::board::Board;
use super::server::Site;
use crate::probe::{Outcome, ProbeResult};
use crate::sink::Sink;

/// Upper bounds of times in seconds. The limits of the bookshop's objectives are among them, so
/// that Prometheus can judge those too.
const BOUNDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Probe {
    check: String,
    location: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Lane {
    check: String,
    location: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Objective {
    slo: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Burning {
    slo: String,
    long: String,
}

type Number<Labels> = Family<Labels, Gauge<f64, AtomicU64>>;

/// Counts probes since the start. Clones count together.
#[derive(Clone)]
pub struct Exposition(Arc<Inner>);

struct Inner {
    registry: Registry,
    probes: Family<Probe, Counter>,
    durations: Family<Lane, Histogram, fn() -> Histogram>,
    /// The gauges are set anew for each reader, one after the other.
    gauges: Mutex<Gauges>,
}

struct Gauges {
    sli: Number<Objective>,
    target: Number<Objective>,
    budget: Number<Objective>,
    burn: Number<Objective>,
    coverage: Number<Objective>,
    firing: Family<Burning, Gauge>,
    time_scale: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

/// The name without the unit and the `_total` of counters, which the encoder adds.
fn name(metric: &Metric) -> String {
    metric.name.replace('.', "_")
}

impl Exposition {
    pub(super) fn new() -> Self {
        use prometheus_client::registry::Unit;
        let mut registry = Registry::default();
        let probes = Family::<Probe, Counter>::default();
        let durations: Family<Lane, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(histogram);
        let gauges = Gauges {
            sli: Number::default(),
            target: Number::default(),
            budget: Number::default(),
            burn: Number::default(),
            coverage: Number::default(),
            firing: Family::default(),
            time_scale: Gauge::default(),
        };
        let percent = || Unit::Other("percent".to_owned());
        let counted = &names::SYNTHETICS_PROBE_COUNT;
        registry.register(name(counted), counted.description, probes.clone());
        let timed = &names::SYNTHETICS_PROBE_DURATION;
        let (times, seconds) = (durations.clone(), Unit::Seconds);
        registry.register_with_unit(name(timed), timed.description, seconds, times);
        let sli = &names::SYNTHETICS_SLO_SLI;
        registry.register_with_unit(name(sli), sli.description, percent(), gauges.sli.clone());
        let left = &names::SYNTHETICS_SLO_BUDGET;
        let budget = gauges.budget.clone();
        registry.register_with_unit(name(left), left.description, percent(), budget);
        let burn = &names::SYNTHETICS_SLO_BURN_RATE;
        registry.register(name(burn), burn.description, gauges.burn.clone());
        registry.register_with_unit(
            "synthetics_slo_target",
            "what must be good of all, in percent",
            percent(),
            gauges.target.clone(),
        );
        registry.register_with_unit(
            "synthetics_slo_coverage",
            "measured minutes of those expected, in percent",
            percent(),
            gauges.coverage.clone(),
        );
        registry.register(
            "synthetics_alert_firing",
            "whether a burn alert fires, by objective and long window",
            gauges.firing.clone(),
        );
        registry.register(
            "synthetics_time_scale",
            "how many times as fast as real time the clock of the objectives runs",
            gauges.time_scale.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            probes,
            durations,
            gauges: Mutex::new(gauges),
        }))
    }

    /// Counts a result.
    pub fn count(&self, result: &ProbeResult) {
        let outcome = match &result.outcome {
            Outcome::Gap(_) => "gap",
            Outcome::Measured(measurement) => measurement
                .failure
                .as_ref()
                .map_or("good", |failure| failure.kind.name()),
        };
        let (check, location) = (result.check.to_string(), result.location.to_string());
        if let Outcome::Measured(measurement) = &result.outcome {
            let lane = Lane {
                check: check.clone(),
                location: location.clone(),
            };
            let seconds = measurement.duration.as_secs_f64();
            self.0.durations.get_or_create(&lane).observe(seconds);
        }
        let probe = Probe {
            check,
            location,
            outcome: outcome.to_owned(),
        };
        self.0.probes.get_or_create(&probe).inc();
    }

    /// The text, with the gauges of `board` if there is one.
    fn text(&self, board: Option<&Board>) -> Result<String, std::fmt::Error> {
        let gauges = self.0.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.set(board);
        let mut text = String::with_capacity(8 * 1024);
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Sink for Exposition {
    fn record(&mut self, result: &ProbeResult) {
        self.count(result);
    }
}

impl Gauges {
    fn set(&self, board: Option<&Board>) {
        for family in [
            &self.sli,
            &self.target,
            &self.budget,
            &self.burn,
            &self.coverage,
        ] {
            family.clear();
        }
        self.firing.clear();
        let Some(board) = board else {
            return;
        };
        self.time_scale.set(i64::from(board.time_scale));
        for slo in &board.slos {
            let labels = Objective {
                slo: slo.name.clone(),
            };
            let values = [
                (&self.sli, slo.sli_percent),
                (&self.target, Some(slo.target_percent)),
                (
                    &self.budget,
                    slo.budget.as_ref().map(|budget| budget.percent),
                ),
                (&self.burn, slo.burn_rate),
                (&self.coverage, slo.coverage.percent),
            ];
            for (family, value) in values {
                if let Some(value) = value {
                    family.get_or_create(&labels).set(value);
                }
            }
        }
        for alert in &board.alerts {
            let labels = Burning {
                slo: alert.slo.clone(),
                long: alert.long.clone(),
            };
            let fires = i64::from(alert.fires());
            self.firing.get_or_create(&labels).set(fires);
        }
    }
}

/// Numbers for Prometheus, as OpenMetrics text.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics text.", content_type = "application/openmetrics-text")))]
pub(super) async fn scrape(State(site): State<Site>) -> Response {
    let board = site.show.board().await;
    match site.exposition.text(board.as_deref()) {
        Ok(text) => {
            let media_type = HeaderValue::from_static(
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            );
            ([(CONTENT_TYPE, media_type)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
