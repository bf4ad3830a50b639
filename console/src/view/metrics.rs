//! Metrics: which there are, and their values over time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::aggregate::Aggregates;
use crate::aggregate::ring::{Ring, Slot};
use crate::aggregate::series::{Cell, Metric, Shape};
use crate::monitor::rule::RULES;
use crate::store::{Store, Tags};

/// So many lines are drawn; more cannot be told apart.
const LINES: usize = 8;

/// So many values of a tag are listed.
const VALUES: usize = 50;

/// What is shown of the values of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum.
    Sum,
    /// The sum by seconds.
    PerSecond,
    /// How many values.
    Count,
    /// The median.
    P50,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// How many different members of a set.
    Members,
}

impl Statistic {
    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::PerSecond => "per_second",
            Self::Count => "count",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Members => "members",
        }
    }

    /// Those that make sense for a shape, the most useful one first.
    #[must_use]
    pub fn of(shape: Shape) -> &'static [Self] {
        match shape {
            Shape::Gauge => &[Self::Mean, Self::Min, Self::Max, Self::Count],
            Shape::Count => &[Self::PerSecond, Self::Sum, Self::Count],
            Shape::Distribution => &[
                Self::P95,
                Self::P50,
                Self::P99,
                Self::Mean,
                Self::Min,
                Self::Max,
                Self::PerSecond,
                Self::Count,
            ],
            Shape::Set => &[Self::Members, Self::Count],
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures to show")]
    fn of_cell(self, shape: Shape, cell: &Cell, width: Duration) -> Option<f64> {
        if cell.count == 0 && shape != Shape::Count {
            return None;
        }
        match self {
            Self::Mean => cell.mean(),
            Self::Min => Some(cell.min),
            Self::Max => Some(cell.max),
            Self::Sum => Some(cell.sum),
            // Of a distribution, how often something was measured is more use than the sum of what was.
            Self::PerSecond if shape == Shape::Distribution => {
                Some(cell.count as f64 / width.as_secs_f64())
            }
            Self::PerSecond => Some(cell.sum / width.as_secs_f64()),
            Self::Count => Some(cell.count as f64),
            Self::P50 => cell.quantile(0.50),
            Self::P95 => cell.quantile(0.95),
            Self::P99 => cell.quantile(0.99),
            Self::Members => Some(cell.members() as f64),
        }
    }
}

/// A metric in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MetricLine {
    /// Its name.
    pub name: String,
    /// How its values are put together.
    pub shape: Shape,
    /// Its unit, by UCUM, where it is known.
    pub unit: String,
    /// What a value means, where it is known.
    pub description: String,
    /// How many series it has.
    pub series: usize,
    /// The keys of its tags, each with its values.
    pub tags: BTreeMap<String, BTreeSet<String>>,
}

/// What is asked of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its name.
    pub name: String,
    /// Tags that a series must have, `key:value`.
    pub tags: Vec<String>,
    /// One line for each value of this tag; otherwise one for all.
    pub by: Option<String>,
    /// What is shown; otherwise the first of [`Statistic::of`].
    pub statistic: Option<Statistic>,
    /// How far back.
    pub window: Duration,
}

/// The values of a metric over time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Chart {
    /// The metric's name.
    pub name: String,
    /// How its values are put together.
    pub shape: Shape,
    /// The unit of what is shown, by UCUM, where it is known.
    pub unit: String,
    /// What is shown.
    pub statistic: Statistic,
    /// The width of a slot.
    pub slot_s: u64,
    /// The begin of each slot, in seconds since 1970.
    pub times: Vec<u64>,
    /// The lines.
    pub lines: Vec<Line>,
    /// Values of the tag that found no place.
    pub left_out: usize,
    /// Values at which something happens.
    pub thresholds: Vec<Threshold>,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Line {
    /// The value of the tag, or "all".
    pub name: String,
    /// One for each time; absent where nothing arrived.
    pub values: Vec<Option<f64>>,
}

/// A value at which something happens.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Threshold {
    /// The value.
    pub value: f64,
    /// What happens above it.
    pub label: &'static str,
}

/// Lists the metrics.
#[must_use]
pub fn list(store: &Store) -> Vec<MetricLine> {
    let read = store.read(|figures, _| {
        let metrics = figures.metrics.iter();
        metrics
            .map(|(name, metric)| describe(name, metric))
            .collect()
    });
    read.unwrap_or_default()
}

fn describe(name: &str, metric: &Metric) -> MetricLine {
    let known = telemetry::names::ALL
        .iter()
        .find(|known| known.name == name);
    let mut tags: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, value) in metric.series().flat_map(|(tags, _)| tags.pairs()) {
        if tags.len() < VALUES || tags.contains_key(key) {
            let values = tags.entry(key.to_owned()).or_default();
            if values.len() < VALUES {
                values.insert(value.to_owned());
            }
        }
    }
    MetricLine {
        name: name.to_owned(),
        shape: metric.shape,
        unit: unit(name, metric),
        description: known.map_or_else(String::new, |known| known.description.to_owned()),
        series: metric.series().count(),
        tags,
    }
}

fn unit(name: &str, metric: &Metric) -> String {
    let known = telemetry::names::ALL
        .iter()
        .find(|known| known.name == name);
    known.map_or_else(|| metric.unit.to_string(), |known| known.unit.to_owned())
}

/// Reads the values of a metric. `None` if there is no such metric.
#[must_use]
pub fn chart(store: &Store, query: &Query) -> Option<Chart> {
    store.read(|figures, now| {
        let metric = figures.metrics.get(&query.name)?;
        let from = figures.window(now, query.window).from;
        let to = figures.scale().slot(now);
        Some(draw(figures, metric, query, from, to))
    })?
}

fn fits(tags: &Tags, wanted: &[String]) -> bool {
    wanted.iter().all(|tag| tags.contains(tag))
}

fn draw(figures: &Aggregates, metric: &Metric, query: &Query, from: Slot, to: Slot) -> Chart {
    let mut groups: BTreeMap<String, Ring<Cell>> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for (tags, cells) in metric.series().filter(|(tags, _)| fits(tags, &query.tags)) {
        let name = match &query.by {
            Some(key) => tags.get(key).unwrap_or("(none)"),
            None => "all",
        };
        if !groups.contains_key(name) && groups.len() >= LINES {
            left_out.insert(name.to_owned());
            continue;
        }
        let sum = groups.entry(name.to_owned()).or_default();
        cells
            .since(from)
            .for_each(|(slot, cell)| sum.at(slot).merge(cell));
    }
    let shape = metric.shape;
    let statistic = query
        .statistic
        .or_else(|| Statistic::of(shape).first().copied())
        .unwrap_or(Statistic::Mean);
    let width = figures.scale().width();
    // A sender that reports seldom has few slots: where none has anything, none is drawn.
    let slots: BTreeSet<Slot> = match shape {
        Shape::Count => (from..=to).collect(),
        _ => groups
            .values()
            .flat_map(|ring| ring.since(from).map(|(slot, _)| slot))
            .collect(),
    };
    let lines = groups.into_iter().map(|(name, ring)| {
        let values: BTreeMap<Slot, Option<f64>> = ring
            .since(from)
            .map(|(slot, cell)| (slot, statistic.of_cell(shape, cell, width)))
            .collect();
        // Nothing counted is a zero; nothing measured is nothing.
        let none = (shape == Shape::Count).then_some(0.0);
        Line {
            name,
            values: slots
                .iter()
                .map(|slot| values.get(slot).copied().unwrap_or(none))
                .collect(),
        }
    });
    Chart {
        name: query.name.clone(),
        shape,
        unit: match statistic {
            Statistic::Count | Statistic::Members => "1".to_owned(),
            Statistic::PerSecond if shape == Shape::Distribution => "1/s".to_owned(),
            Statistic::PerSecond => format!("{}/s", unit(&query.name, metric)),
            _ => unit(&query.name, metric),
        },
        statistic,
        slot_s: width.as_secs(),
        times: slots
            .iter()
            .map(|slot| figures.scale().start(*slot))
            .collect(),
        lines: lines.collect(),
        left_out: left_out.len(),
        thresholds: thresholds(&query.name, statistic),
    }
}

/// The lines of the monitors of a metric, where what is shown is of the same kind as what they judge.
fn thresholds(name: &str, statistic: Statistic) -> Vec<Threshold> {
    let judged = matches!(statistic, Statistic::Mean | Statistic::Min | Statistic::Max);
    let rules = RULES.iter().filter(|rule| judged && rule.metric == name);
    rules
        .flat_map(|rule| {
            [
                Threshold {
                    value: rule.warning,
                    label: "warning above",
                },
                Threshold {
                    value: rule.alert,
                    label: "alert above",
                },
            ]
        })
        .collect()
}
