//! The four golden signals of one service over time.

use std::time::Duration;

use super::metrics::{Chart, Line, Statistic};
use crate::aggregate::red::{Red, Requests};
use crate::aggregate::ring::Slot;
use crate::aggregate::series::Shape;
use crate::store::Store;

/// The names of the charts, in the order that they are shown in.
pub const SIGNALS: [&str; 4] = ["latency", "traffic", "errors", "saturation"];

/// The golden signals of a service as charts. `None` if the service is not known.
#[must_use]
pub fn signals(store: &Store, service: &str, window: Duration) -> Option<Vec<Chart>> {
    let (width, slots) = store.read(|figures, now| {
        let requests = figures.services.get(service)?.requests();
        let scale = figures.scale();
        let from = figures.window(now, window).from;
        // The slot that is not over yet would always look like a fall.
        let to = scale.slot(now);
        let slots: Vec<(Slot, u64, Requests)> = requests
            .since(from)
            .filter(|(slot, _)| *slot < to)
            .map(|(slot, requests)| (slot, scale.start(slot), requests.clone()))
            .collect();
        Some((scale.width(), slots))
    })??;
    let times: Vec<u64> = slots.iter().map(|(_, start, _)| *start).collect();
    let reds: Vec<Red> = slots
        .iter()
        .map(|(_, _, requests)| requests.over(width))
        .collect();
    type Read = fn(&Red) -> Option<f64>;
    let chart = |name: &str, unit: &str, statistic, lines: &[(&str, Read)]| Chart {
        name: name.to_owned(),
        shape: Shape::Distribution,
        unit: unit.to_owned(),
        statistic,
        slot_s: width.as_secs(),
        times: times.clone(),
        lines: lines
            .iter()
            .map(|(name, read)| Line {
                name: (*name).to_owned(),
                values: reds.iter().map(read).collect(),
            })
            .collect(),
        left_out: 0,
        thresholds: Vec::new(),
    };
    let latency: &[(&str, Read)] = &[
        ("p50", |red| red.p50_s),
        ("p95", |red| red.p95_s),
        ("p99", |red| red.p99_s),
    ];
    Some(vec![
        chart("latency", "s", Statistic::P95, latency),
        chart(
            "traffic",
            "{request}/s",
            Statistic::PerSecond,
            &[("requests", |red| Some(red.rate))],
        ),
        chart(
            "errors",
            "%",
            Statistic::Mean,
            &[("failed", |red| red.error_ratio.map(|ratio| ratio * 100.0))],
        ),
        chart(
            "saturation",
            "{request}",
            Statistic::Mean,
            &[("in progress", |red| Some(red.in_progress))],
        ),
    ])
}
