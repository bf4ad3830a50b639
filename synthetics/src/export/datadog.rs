//! Bodies for Datadog's API: `POST /api/v1/slo`, and `POST /api/v1/monitor` for its burn alerts.
//!
//! A monitor names its objective by an id that Datadog gives it, so [`ID`] stands in its place.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Alert, Exported, Promise, factor, length, percent, seconds};
use crate::objective::Indicator;
use crate::slo::{LocationRule, Percent, Target, Window};

/// Stands where the id of the objective goes.
const ID: &str = "SLO_ID";
const DAY: Duration = Duration::from_secs(86_400);
/// The periods that an objective of Datadog can have, in days.
const PERIODS: [u64; 3] = [7, 30, 90];
/// The long windows that a burn alert of Datadog can have.
const LONG: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(3_600)..=Duration::from_secs(48 * 3_600);

pub(super) fn export(promises: &[Promise<'_>]) -> Exported {
    let mut left_out = Vec::new();
    let mut entries = Vec::new();
    for promise in promises {
        match entry(promise, &mut left_out) {
            Ok(entry) => entries.push(entry),
            Err(why) => left_out.push(format!("objective {}: {why}", promise.slo.name)),
        }
    }
    Exported {
        text: format!("{:#}\n", Value::Array(entries)),
        left_out,
    }
}

fn entry(promise: &Promise<'_>, left_out: &mut Vec<String>) -> Result<Value, String> {
    let slo = promise.slo;
    let timeframe = timeframe(slo.window)?;
    let target = number(slo.target)?;
    let tags = json!([format!("slo:{}", slo.name)]);
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("name", slo.title.as_str().into());
    put("description", description(promise).into());
    match slo.indicator {
        Indicator::Availability { min_good } => {
            put("type", "time_slice".into());
            put("sli_specification", slices(promise, min_good)?);
        }
        Indicator::Latency { within } => {
            put("type", "metric".into());
            let within = seconds(within);
            let numerator = format!(
                "count(v: v<={within}):synthetics.probe.duration{{{} AND outcome IN ({})}}.as_count()",
                checks(promise),
                promise.answers.join(",")
            );
            put("query", ratio(promise, numerator));
        }
        Indicator::Success => {
            put("type", "metric".into());
            let numerator = count(promise, "outcome IN (good)", "");
            put("query", ratio(promise, numerator));
        }
    }
    put("tags", tags.clone());
    put("timeframe", timeframe.as_str().into());
    put("target_threshold", target.clone());
    put(
        "thresholds",
        json!([{ "timeframe": timeframe, "target": target }]),
    );
    let mut monitors = Vec::new();
    for (index, alert) in promise.alerts().enumerate() {
        if LONG.contains(&alert.long) {
            monitors.push(monitor(promise, alert, &timeframe, index, &tags));
        } else {
            left_out.push(format!(
                "burn alert of {} over {}: Datadog takes long windows from 1h to 48h",
                slo.name,
                length(alert.long)
            ));
        }
    }
    Ok(json!({ "slo": body, "monitors": monitors }))
}

fn timeframe(window: Window) -> Result<String, String> {
    if let Window::Rolling(period) = window
        && let Some(days) = PERIODS.iter().find(|days| DAY * (**days as u32) == period)
    {
        return Ok(format!("{days}d"));
    }
    Err(format!(
        "its window is {window}, and Datadog has 7d, 30d and 90d"
    ))
}

/// Datadog keeps three digits after the point of a target.
fn number(target: Target) -> Result<Value, String> {
    let text = percent(target);
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    if digits > 3 {
        return Err(format!(
            "its target is {target}, and Datadog keeps three digits after the point"
        ));
    }
    // Both forms are read back as they are written.
    let parsed = match text.parse::<u64>() {
        Ok(whole) => whole.into(),
        Err(_) => text.parse::<f64>().map_or(Value::Null, Value::from),
    };
    Ok(parsed)
}

/// What is good, and where Datadog means something else.
fn description(promise: &Promise<'_>) -> String {
    let mut text = format!(
        "{}. Gaps of the prober count as neither.",
        promise.meaning()
    );
    match promise.slo.indicator {
        Indicator::Availability { .. } => text.push_str(
            " Differs: Datadog takes a minute without data as up; the prober leaves it out.",
        ),
        Indicator::Latency { .. } => text.push_str(
            " Differs: Datadog counts values below a limit from a sketch, exact to about 1 % of the limit, where percentiles are switched on for the metric; the prober counts each request.",
        ),
        Indicator::Success => {}
    }
    if promise.maintained {
        text.push_str(match promise.slo.indicator {
            Indicator::Availability { .. } => " Differs: a correction of Datadog takes maintenance out of the window; the prober counts it as up.",
            Indicator::Latency { .. } | Indicator::Success => " Maintenance is not known to Datadog: declare it as a correction.",
        });
    }
    text.push_str(" Differs: ");
    text.push_str(&promise.needed());
    text
}

/// `check IN (a,b)`.
fn checks(promise: &Promise<'_>) -> String {
    format!("check IN ({})", promise.checks.join(","))
}

fn count(promise: &Promise<'_>, outcome: &str, by: &str) -> String {
    format!(
        "sum:synthetics.probe.count{{{} AND {outcome}}}{by}.as_count()",
        checks(promise)
    )
}

fn ratio(promise: &Promise<'_>, numerator: String) -> Value {
    json!({
        "numerator": numerator,
        "denominator": count(promise, "outcome NOT IN (gap)", ""),
    })
}

/// A minute is up by the rule of the locations. The bad probes are counted, since a ratio has no
/// value in a minute in which nothing at all was good, and that would be up.
fn slices(promise: &Promise<'_>, min_good: Percent) -> Result<Value, String> {
    let bad = "outcome NOT IN (good,gap)";
    let measured = "outcome NOT IN (gap)";
    let whole = min_good == Percent::HUNDRED;
    let (formula, queries, comparator, threshold) = match promise.slo.rule {
        LocationRule::AllUp | LocationRule::Pooled if whole => (
            "default_zero(bad)",
            vec![("bad", count(promise, bad, ""))],
            "<",
            json!(1),
        ),
        LocationRule::Majority if whole => (
            "default_zero(count_nonzero(bad)) / count_nonzero(measured)",
            vec![
                ("bad", count(promise, bad, " by {location}")),
                ("measured", count(promise, measured, " by {location}")),
            ],
            "<",
            json!(0.5),
        ),
        LocationRule::AllUp if promise.many_locations => {
            return Err(format!(
                "Datadog cannot hold each location to {min_good} of a minute's probes by itself; `locations: pooled` or `up_from: 100%` can be carried over"
            ));
        }
        LocationRule::Majority => {
            return Err(format!(
                "Datadog cannot hold each location to {min_good} of a minute's probes by itself; `up_from: 100%` can be carried over"
            ));
        }
        LocationRule::AllUp | LocationRule::Pooled => (
            "default_zero(good) / measured",
            vec![
                ("good", count(promise, "outcome IN (good)", "")),
                ("measured", count(promise, measured, "")),
            ],
            ">=",
            json!(min_good.ratio().to_f64()),
        ),
    };
    let queries: Vec<Value> = queries
        .into_iter()
        .map(|(name, query)| json!({ "data_source": "metrics", "name": name, "query": query }))
        .collect();
    Ok(json!({
        "time_slice": {
            "query": { "formulas": [{ "formula": formula }], "queries": queries },
            "query_interval_seconds": 60,
            "comparator": comparator,
            "threshold": threshold,
        }
    }))
}

fn monitor(
    promise: &Promise<'_>,
    alert: Alert,
    timeframe: &str,
    index: usize,
    tags: &Value,
) -> Value {
    let title = &promise.slo.title;
    let factor = factor(alert.factor);
    let (long, short) = (hours(alert.long), minutes(alert.short));
    let message = format!(
        "{{{{#is_alert}}}}{title}: at this rate {} % of the budget of {timeframe} is spent in {long}. It burned faster than {factor} times over the past {long} and over the past {short}.{{{{/is_alert}}}}\n{{{{#is_recovery}}}}{title}: the budget burns slower than {factor} times again.{{{{/is_recovery}}}}",
        alert.share(promise.slo.window.period()),
    );
    json!({
        "name": format!("{title}: budget burns {factor} times too fast over {long}"),
        "type": "slo alert",
        "query": format!(
            "burn_rate(\"{ID}\").over(\"{timeframe}\").long_window(\"{long}\").short_window(\"{short}\") > {factor}"
        ),
        "message": message,
        "tags": tags,
        "priority": (index + 1).min(5),
        "options": { "thresholds": { "critical": alert.factor.to_f64() } },
    })
}

/// Long windows in hours where they are whole hours, as Datadog writes them.
fn hours(window: Duration) -> String {
    let seconds = window.as_secs();
    if seconds.is_multiple_of(3_600) {
        return format!("{}h", seconds / 3_600);
    }
    minutes(window)
}

fn minutes(window: Duration) -> String {
    format!("{}m", window.as_secs() / 60)
}
