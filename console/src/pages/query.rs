//! What addresses of pages and of the API ask for. A field that is empty, as forms send it, is not there.

use std::time::Duration;

use serde::Deserialize;
use utoipa::IntoParams;

use crate::intake;
use crate::otlp::Severity;
use crate::view::{logs, metrics, traces};

/// The most items of a list.
const MOST: usize = 1_000;

/// A question that cannot be answered as it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {what}")]
pub(crate) struct BadQuery {
    field: &'static str,
    what: &'static str,
}

fn filled(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn number(field: &'static str, text: Option<&String>) -> Result<Option<f64>, BadQuery> {
    let bad = BadQuery {
        field,
        what: "a number that is not negative",
    };
    filled(text)
        .map(|text| {
            text.parse::<f64>()
                .ok()
                .filter(|n| n.is_finite() && *n >= 0.0)
                .ok_or(bad)
        })
        .transpose()
}

fn limit(text: Option<&String>, default: usize) -> Result<usize, BadQuery> {
    let bad = BadQuery {
        field: "limit",
        what: "a whole number",
    };
    let asked = filled(text)
        .map(|text| text.parse().map_err(|_| bad))
        .transpose()?;
    Ok(asked.unwrap_or(default).min(MOST))
}

/// How far back figures go.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// How far back, such as `1m` or `30m`; at most as long as things are kept.
    pub(crate) window: Option<String>,
    /// Only this service.
    pub(crate) service: Option<String>,
    /// Only this route, such as `GET /details/{id}`.
    pub(crate) route: Option<String>,
}

impl Window {
    pub(crate) fn length(&self, default: Duration) -> Result<Duration, BadQuery> {
        length(self.window.as_ref(), default)
    }

    pub(crate) fn service(&self) -> Option<String> {
        filled(self.service.as_ref())
    }

    pub(crate) fn route(&self) -> Option<String> {
        filled(self.route.as_ref())
    }
}

fn length(text: Option<&String>, default: Duration) -> Result<Duration, BadQuery> {
    let bad = BadQuery {
        field: "window",
        what: "a time with its unit, such as 1m",
    };
    filled(text)
        .map(|text| humantime::parse_duration(&text).map_err(|_| bad))
        .transpose()
        .map(|length| length.unwrap_or(default))
}

/// What traces are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Traces {
    /// Services that all took part, separated by commas.
    pub(crate) service: Option<String>,
    /// Part of a route or name of a request answered in it.
    pub(crate) route: Option<String>,
    /// `error` or `ok`: whether something failed in it.
    pub(crate) status: Option<String>,
    /// The least duration, in milliseconds.
    pub(crate) min_ms: Option<String>,
    /// The greatest duration, in milliseconds.
    pub(crate) max_ms: Option<String>,
    /// The least number of spans.
    pub(crate) min_spans: Option<String>,
    /// How many at most; 50 if not said, never more than 1000.
    pub(crate) limit: Option<String>,
}

impl Traces {
    pub(crate) fn search(&self) -> Result<traces::Search, BadQuery> {
        let time = |field, text| -> Result<_, BadQuery> {
            let millis: Option<f64> = number(field, text)?;
            // More than a day is no bound that anything could reach.
            Ok(millis.map(|millis| Duration::from_secs_f64(millis.min(86_400_000.0) / 1e3)))
        };
        Ok(traces::Search {
            services: filled(self.service.as_ref())
                .map(|list| {
                    list.split(',')
                        .map(|name| name.trim().to_owned())
                        .filter(|name| !name.is_empty())
                        .collect()
                })
                .unwrap_or_default(),
            route: filled(self.route.as_ref()),
            failed: match filled(self.status.as_ref()).as_deref() {
                None => None,
                Some("error") => Some(true),
                Some("ok") => Some(false),
                Some(_) => {
                    return Err(BadQuery {
                        field: "status",
                        what: "error or ok",
                    });
                }
            },
            at_least: time("min_ms", self.min_ms.as_ref())?,
            at_most: time("max_ms", self.max_ms.as_ref())?,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and the cast saturates"
            )]
            spans: number("min_spans", self.min_spans.as_ref())?.map(|spans| spans as usize),
            limit: limit(self.limit.as_ref(), 50)?,
        })
    }
}

/// What log lines are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Logs {
    /// Only this service.
    pub(crate) service: Option<String>,
    /// As grave as this or graver: `trace`, `debug`, `info`, `warn`, `error`, `fatal`.
    pub(crate) severity: Option<String>,
    /// Text in the message or in the value of an attribute, in any case of letters.
    pub(crate) text: Option<String>,
    /// Only of this trace.
    pub(crate) trace_id: Option<String>,
    /// Only lines that arrived after the one of this number.
    pub(crate) after: Option<String>,
    /// How many at most; 200 if not said, never more than 1000.
    pub(crate) limit: Option<String>,
}

impl Logs {
    pub(crate) fn filter(&self) -> Result<logs::Filter, BadQuery> {
        let bad_trace = BadQuery {
            field: "trace_id",
            what: "32 hexadecimal digits",
        };
        let bad_after = BadQuery {
            field: "after",
            what: "the number of a line",
        };
        Ok(logs::Filter {
            service: filled(self.service.as_ref()),
            severity: match filled(self.severity.as_ref()).map(|name| intake::severity(&name)) {
                Some(Severity::Unspecified) => {
                    return Err(BadQuery {
                        field: "severity",
                        what: "trace, debug, info, warn, error or fatal",
                    });
                }
                severity => severity,
            },
            text: filled(self.text.as_ref()),
            trace_id: filled(self.trace_id.as_ref())
                .map(|id| intake::trace_id(&id).ok_or(bad_trace))
                .transpose()?,
            after: filled(self.after.as_ref())
                .map(|number| number.parse().map_err(|_| bad_after))
                .transpose()?,
            limit: limit(self.limit.as_ref(), 200)?,
        })
    }
}

/// What values are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Metric {
    /// The metric's name.
    pub(crate) name: Option<String>,
    /// Tags that a series must have, `key:value`, separated by commas.
    pub(crate) tags: Option<String>,
    /// A tag: one line for each of its values.
    pub(crate) by: Option<String>,
    /// What is shown of the values of a slot: `mean`, `min`, `max`, `sum`, `per_second`, `count`, `p50`, `p95`, `p99`, `members`.
    pub(crate) statistic: Option<String>,
    /// How far back, such as `5m`.
    pub(crate) window: Option<String>,
}

impl Metric {
    pub(crate) fn query(&self, longest: Duration) -> Result<Option<metrics::Query>, BadQuery> {
        let Some(name) = filled(self.name.as_ref()) else {
            return Ok(None);
        };
        let statistic = filled(self.statistic.as_ref())
            .map(|name| {
                serde_json::from_value(serde_json::Value::String(name)).map_err(|_| BadQuery {
                    field: "statistic",
                    what: "mean, min, max, sum, per_second, count, p50, p95, p99 or members",
                })
            })
            .transpose()?;
        Ok(Some(metrics::Query {
            name,
            tags: filled(self.tags.as_ref())
                .map(|list| {
                    list.split(',')
                        .map(|tag| tag.trim().to_owned())
                        .filter(|tag| !tag.is_empty())
                        .collect()
                })
                .unwrap_or_default(),
            by: filled(self.by.as_ref()),
            statistic,
            window: length(self.window.as_ref(), longest)?,
        }))
    }
}
