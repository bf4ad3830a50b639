//! The result of a run, as data. The terminal, the JSON file and the HTML page show the same.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::cli::Cli;
use crate::latency::Figures;
use crate::record::{Records, Tally, Visits};
use crate::route::Route;
use crate::stop::Reason;
use crate::threshold::{Limits, Verdict};
use crate::timeline::Point;

/// Version of the JSON report. A field may be added without a new one.
const VERSION: u32 = 1;

/// Everything a report says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) version: u32,
    pub(crate) target: String,
    /// RFC 3339, UTC.
    pub(crate) started_at: String,
    /// From the first turn to the end of sending, in seconds.
    pub(crate) duration_s: f64,
    pub(crate) ended_by: Option<Reason>,
    pub(crate) settings: Settings,
    pub(crate) totals: Row,
    /// Requests sent, by second of the run.
    pub(crate) rate_per_s: f64,
    /// Turns of the schedule for which no user was free within 10 s, or before the end.
    pub(crate) missed: u64,
    pub(crate) visits: Visits,
    /// Routes that were used.
    pub(crate) routes: Vec<Row>,
    pub(crate) thresholds: Vec<Verdict>,
    pub(crate) timeline: Chart,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    /// Requests a second; `None` is as fast as possible.
    pub(crate) rate_per_s: Option<f64>,
    pub(crate) users: u32,
    pub(crate) ramp_s: f64,
    pub(crate) run_time_s: Option<f64>,
    pub(crate) ring_weight: u32,
    pub(crate) shopper_weight: u32,
    pub(crate) timeout_s: f64,
    pub(crate) grace_s: f64,
    pub(crate) seed: u64,
}

/// The requests of one route, or of all.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) route: &'static str,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    /// From 0 to 1; `None` without requests.
    pub(crate) error_ratio: Option<f64>,
    pub(crate) errors_by_kind: BTreeMap<String, u64>,
    /// From sending to the last byte. `None` where no request has a latency.
    pub(crate) raw: Option<Figures>,
    /// From the intended moment of sending. `None` without a schedule, too.
    pub(crate) corrected: Option<Figures>,
}

/// The run over time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Chart {
    pub(crate) step_s: f64,
    pub(crate) points: Vec<Point>,
}

/// When the run was, and how it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) started_at: SystemTime,
    pub(crate) duration: Duration,
    pub(crate) ended_by: Option<Reason>,
}

impl Summary {
    pub(crate) fn new(cli: &Cli, target: String, seed: u64, span: Span, records: &Records) -> Self {
        let paced = cli.rate > 0.0;
        let limits = Limits {
            max_error_rate: cli.max_error_rate,
            max_p95: cli.max_p95,
        };
        let totals = Row::new("all routes", &records.all, paced);
        let duration_s = span.duration.as_secs_f64();
        Self {
            version: VERSION,
            target,
            started_at: humantime::format_rfc3339_millis(span.started_at).to_string(),
            duration_s,
            ended_by: span.ended_by,
            settings: Settings {
                rate_per_s: paced.then_some(cli.rate),
                users: cli.users,
                ramp_s: cli.ramp.as_secs_f64(),
                run_time_s: cli.run_time.map(|time| time.as_secs_f64()),
                ring_weight: cli.ring_weight,
                shopper_weight: cli.shopper_weight,
                timeout_s: cli.timeout.as_secs_f64(),
                grace_s: cli.grace.as_secs_f64(),
                seed,
            },
            rate_per_s: if duration_s > 0.0 {
                float(totals.requests) / duration_s
            } else {
                0.0
            },
            missed: records.missed,
            visits: records.visits,
            routes: Route::ALL
                .into_iter()
                .zip(&records.routes)
                .filter_map(|(route, tally)| {
                    tally
                        .as_deref()
                        .map(|tally| Row::new(route.name(), tally, paced))
                })
                .collect(),
            thresholds: limits.judge(records.counts()),
            timeline: Chart {
                step_s: records.timeline.step().as_secs_f64(),
                points: records.timeline.points(),
            },
            totals,
        }
    }

    /// Whether every limit that was set is kept.
    pub(crate) fn passed(&self) -> bool {
        self.thresholds.iter().all(|verdict| verdict.passed)
    }
}

impl Row {
    fn new(route: &'static str, tally: &Tally, paced: bool) -> Self {
        let (requests, errors) = (tally.requests(), tally.error_count());
        Self {
            route,
            requests,
            errors,
            error_ratio: (requests > 0).then(|| float(errors) / float(requests)),
            errors_by_kind: tally
                .errors
                .iter()
                .map(|(outcome, count)| (outcome.label(), *count))
                .collect(),
            raw: tally.raw.figures(),
            corrected: tally.corrected.figures().filter(|_| paced),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ratios for people; verdicts use the integers"
)]
fn float(count: u64) -> f64 {
    count as f64
}
