//! `GET /metrics`: the prober's numbers for Prometheus.
//!
//! Names and labels are those that an OpenTelemetry Collector makes of what goes out by DogStatsD,
//! so that the rules of `synthetics export --to prometheus` work on either. Labels are names from
//! the configuration and classes of failures, so their number is bounded.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use telemetry::names::{self, Metric, tag};

use super::board::{Alert, Board, SloView};
use super::server::Site;
use crate::probe::{Outcome, ProbeResult};
use crate::sink::Sink;

/// Upper bounds of times in seconds: those of the Collector, among them the limits of the
/// bookshop's objectives.
const BOUNDS: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
];

type Labels = Vec<(&'static str, String)>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;
type Times = Family<Labels, Histogram, fn() -> Histogram>;

/// Counts probes since the start. Clones count together.
#[derive(Clone)]
pub struct Exposition(Arc<Inner>);

struct Inner {
    registry: Registry,
    probes: Family<Labels, Counter>,
    times: Times,
    /// The gauges are set anew for each reader, one after the other.
    gauges: Mutex<Gauges>,
}

/// Gauges by the metric that they show.
struct Gauges(Vec<(&'static Metric, Numbers)>);

fn name(metric: &Metric) -> String {
    metric.name.replace('.', "_")
}

impl Exposition {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let probes = Family::<Labels, Counter>::default();
        let times: Times = Family::new_with_constructor(|| Histogram::new(BOUNDS));
        let (counted, timed) = (
            &names::SYNTHETICS_PROBE_COUNT,
            &names::SYNTHETICS_PROBE_DURATION,
        );
        registry.register(name(counted), counted.description, probes.clone());
        registry.register(name(timed), timed.description, times.clone());
        let gauges = [
            &names::SYNTHETICS_SLO_SLI,
            &names::SYNTHETICS_SLO_TARGET,
            &names::SYNTHETICS_SLO_BUDGET,
            &names::SYNTHETICS_SLO_BURN_RATE,
            &names::SYNTHETICS_SLO_COVERAGE,
            &names::SYNTHETICS_SLO_GAPS,
            &names::SYNTHETICS_ALERT_FIRING,
            &names::SYNTHETICS_ALERT_BURN_RATE,
        ]
        .map(|metric| {
            let numbers = Numbers::default();
            registry.register(name(metric), metric.description, numbers.clone());
            (metric, numbers)
        });
        Self(Arc::new(Inner {
            registry,
            probes,
            times,
            gauges: Mutex::new(Gauges(gauges.into())),
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
        let labels = vec![
            (tag::CHECK, result.check.to_string()),
            (tag::LOCATION, result.location.to_string()),
            (tag::OUTCOME, outcome.to_owned()),
        ];
        if let Outcome::Measured(measurement) = &result.outcome {
            let seconds = measurement.duration.as_secs_f64();
            self.0.times.get_or_create(&labels).observe(seconds);
        }
        self.0.probes.get_or_create(&labels).inc();
    }

    /// The text, with the gauges of `board` if there is one.
    fn text(&self, board: Option<&Board>) -> Result<String, std::fmt::Error> {
        let gauges = self.0.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.set(board);
        let mut text = String::with_capacity(16 * 1024);
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
    /// Shows `board`, and nothing of what was shown before.
    fn set(&self, board: Option<&Board>) {
        for (_, numbers) in &self.0 {
            numbers.clear();
        }
        if let Some(board) = board {
            let labels = |labels: Labels| match board.time_scale {
                1 => labels,
                scale => [labels, vec![(tag::TIME_SCALE, scale.to_string())]].concat(),
            };
            board
                .slos
                .iter()
                .for_each(|slo| self.objective(slo, labels));
            board
                .alerts
                .iter()
                .for_each(|alert| self.alert(alert, labels));
        }
    }

    fn put(&self, metric: &Metric, labels: &Labels, value: Option<f64>) {
        let numbers = self.0.iter().find(|(known, _)| known.name == metric.name);
        if let (Some((_, numbers)), Some(value)) = (numbers, value) {
            numbers.get_or_create(labels).set(value);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count to look at")]
    fn objective(&self, slo: &SloView, labelled: impl Fn(Labels) -> Labels) {
        let labels = labelled(vec![(tag::SLO, slo.name.clone())]);
        let budget = slo.budget.as_ref().map(|budget| budget.percent);
        for (metric, value) in [
            (&names::SYNTHETICS_SLO_SLI, slo.sli_percent),
            (&names::SYNTHETICS_SLO_TARGET, Some(slo.target_percent)),
            (&names::SYNTHETICS_SLO_BUDGET, budget),
            (&names::SYNTHETICS_SLO_BURN_RATE, slo.burn_rate),
            (
                &names::SYNTHETICS_SLO_COVERAGE,
                Some(slo.coverage.percent.unwrap_or(0.0)),
            ),
            (&names::SYNTHETICS_SLO_GAPS, Some(slo.gaps as f64)),
        ] {
            self.put(metric, &labels, value);
        }
    }

    fn alert(&self, alert: &Alert, labelled: impl Fn(Labels) -> Labels) {
        let labels = labelled(vec![
            (tag::SLO, alert.slo.clone()),
            (tag::ALERT, alert.long.clone()),
            (tag::SEVERITY, alert.severity.to_owned()),
        ]);
        let firing = f64::from(u8::from(alert.fires()));
        self.put(&names::SYNTHETICS_ALERT_FIRING, &labels, Some(firing));
        for (window, rate) in [
            (&alert.long, &alert.long_burn),
            (&alert.short, &alert.short_burn),
        ] {
            let window = vec![(tag::WINDOW, window.clone())];
            let labels = [labels.clone(), window].concat();
            let rate = rate.as_ref().and_then(|rate| rate.parse().ok());
            self.put(&names::SYNTHETICS_ALERT_BURN_RATE, &labels, rate);
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
