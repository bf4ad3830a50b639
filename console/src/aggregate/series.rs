//! The values of metrics over time.

use std::collections::{BTreeMap, HashMap};

use super::names::short;
use super::ring::{Ring, Slot};
use super::sketch::Sketch;
use crate::dogstatsd::Kind;
use crate::otlp::{Attributes, MetricPoint, PointKind, PointValue, Temporality};
use crate::store::{Sample, Tags};

/// So many series are charted; what comes in further ones is counted.
const SERIES: usize = 1_000;

/// So many members of a set are told apart in a slot.
const MEMBERS: usize = 256;

/// How the values of a metric are put together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// The last one holds.
    Gauge,
    /// They are added up.
    Count,
    /// They are a distribution.
    Distribution,
    /// Different members are counted.
    Set,
}

/// The values of a slot.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// How many values; a sampled one stands for several.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The last one.
    pub last: f64,
    sketch: Option<Box<Sketch>>,
    members: Vec<u64>,
}

/// All metrics.
#[derive(Debug, Default)]
pub struct Metrics {
    by_name: BTreeMap<Box<str>, Metric>,
    series: usize,
    /// Samples and points that found no room.
    pub left_out: u64,
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// How its values are put together.
    pub shape: Shape,
    /// Its unit, if its sender says it (OTLP does, DogStatsD does not).
    pub unit: Box<str>,
    series: HashMap<Tags, Line>,
}

#[derive(Debug, Default)]
struct Line {
    cells: Ring<Cell>,
    /// The last report of a sum that counts from its start.
    cumulative: Option<(f64, u64)>,
}

impl Cell {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates lie in (0, 1], so weights are 1 or more, and a cast saturates"
    )]
    fn take(&mut self, shape: Shape, value: f64, rate: f64) {
        let weight = (1.0 / rate).round() as u32;
        let first = self.count == 0;
        self.min = if first { value } else { self.min.min(value) };
        self.max = if first { value } else { self.max.max(value) };
        self.last = value;
        self.count += u64::from(weight);
        self.sum += value / rate;
        if shape == Shape::Distribution {
            self.sketch.get_or_insert_default().record(value, weight);
        }
    }

    fn take_member(&mut self, member: &str) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        member.hash(&mut hasher);
        let hash = hasher.finish();
        if let Err(at) = self.members.binary_search(&hash)
            && self.members.len() < MEMBERS
        {
            self.members.insert(at, hash);
        }
        self.count += 1;
    }

    /// Takes all that another one took.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let first = self.count == 0;
        self.min = if first {
            other.min
        } else {
            self.min.min(other.min)
        };
        self.max = if first {
            other.max
        } else {
            self.max.max(other.max)
        };
        self.last = other.last;
        self.count += other.count;
        self.sum += other.sum;
        if let Some(sketch) = &other.sketch {
            self.sketch.get_or_insert_default().merge(sketch);
        }
        for member in &other.members {
            if let Err(at) = self.members.binary_search(member) {
                self.members.insert(at, *member);
            }
        }
    }

    /// The mean of the values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure to show")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// A quantile of a distribution, by nearest rank.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.sketch.as_ref().and_then(|sketch| sketch.quantile(q))
    }

    /// How many different members of a set.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.len()
    }

    fn heap_bytes(&self) -> usize {
        self.members.capacity() * 8
            + self
                .sketch
                .as_ref()
                .map_or(0, |sketch| size_of::<Sketch>() + sketch.heap_bytes())
    }
}

impl Metrics {
    /// Takes a DogStatsD sample.
    pub(super) fn sample(&mut self, sample: &Sample, slot: Slot) {
        let shape = match sample.kind {
            Kind::Count => Shape::Count,
            Kind::Gauge => Shape::Gauge,
            Kind::Timing | Kind::Histogram | Kind::Distribution => Shape::Distribution,
            Kind::Set => Shape::Set,
        };
        let Some((shape, line)) = self.line(sample.name(), sample.tags(), shape, "") else {
            return;
        };
        let cell = line.cells.at(slot);
        for &value in sample.numbers() {
            cell.take(shape, value, sample.sample_rate);
        }
        if let Some(member) = sample.values.member() {
            cell.take_member(member);
        }
    }

    /// Takes an OTLP data point. Of a histogram, count and sum are taken; its buckets are the sender's, and stay in the store.
    #[expect(clippy::cast_precision_loss, reason = "figures to show")]
    pub(super) fn point(&mut self, point: &MetricPoint, slot: Slot) {
        let (shape, cumulative) = match point.kind {
            PointKind::Gauge => (Shape::Gauge, false),
            PointKind::Sum {
                monotonic: false,
                temporality: Temporality::Cumulative,
            } => (Shape::Gauge, false),
            PointKind::Sum { temporality, .. } => {
                (Shape::Count, temporality == Temporality::Cumulative)
            }
            PointKind::Histogram(temporality) | PointKind::ExponentialHistogram(temporality) => {
                (Shape::Distribution, temporality == Temporality::Cumulative)
            }
            PointKind::Summary => (Shape::Distribution, true),
        };
        let (sum, count) = match &point.value {
            PointValue::Number(number) => (*number, 1),
            PointValue::Histogram { count, sum, .. }
            | PointValue::Exponential { count, sum, .. } => (sum.unwrap_or(0.0), *count),
            PointValue::Summary { count, sum, .. } => (*sum, *count),
            PointValue::None => return,
        };
        let tags = tags_of(&point.attributes, point.service());
        let Some((shape, line)) = self.line(&point.name, &tags, shape, &point.unit) else {
            return;
        };
        let (sum, count) = if cumulative {
            // The first report only says where it stands; a lower one than before is a new start.
            let before = line.cumulative.replace((sum, count));
            match before {
                None => {
                    // An empty slot, so that the series lives until the next report.
                    line.cells.at(slot);
                    return;
                }
                Some((old, n)) if sum >= old && count >= n => {
                    (sum - old, if shape == Shape::Count { 1 } else { count - n })
                }
                Some(_) => (sum, count),
            }
        } else {
            (sum, count)
        };
        let cell = line.cells.at(slot);
        if shape == Shape::Distribution {
            if count > 0 {
                let mean = sum / count as f64;
                let whole = Cell {
                    count,
                    sum,
                    min: mean,
                    max: mean,
                    last: mean,
                    ..Cell::default()
                };
                cell.merge(&whole);
            }
        } else {
            cell.take(shape, sum, 1.0);
        }
    }

    /// The line of a series, if there is room. A metric keeps the shape that it came with first.
    fn line(
        &mut self,
        name: &str,
        tags: &Tags,
        shape: Shape,
        unit: &str,
    ) -> Option<(Shape, &mut Line)> {
        let name = short(name);
        let known = self
            .by_name
            .get(name)
            .is_some_and(|metric| metric.series.contains_key(tags));
        if !known {
            if self.series >= SERIES {
                self.left_out += 1;
                return None;
            }
            self.series += 1;
            let metric = self.by_name.entry(name.into()).or_insert_with(|| Metric {
                shape,
                unit: short(unit).into(),
                series: HashMap::new(),
            });
            metric.series.insert(tags.clone(), Line::default());
        }
        let metric = self.by_name.get_mut(name)?;
        let shape = metric.shape;
        Some((shape, metric.series.get_mut(tags)?))
    }

    /// All metrics by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Metric)> {
        self.by_name.iter().map(|(name, metric)| (&**name, metric))
    }

    /// One metric.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.by_name.get(name)
    }

    /// How many series there are.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series
    }

    pub(super) fn trim(&mut self, oldest: Slot) {
        let mut left = 0;
        self.by_name.retain(|_, metric| {
            metric.series.retain(|_, line| {
                line.cells.trim(oldest);
                !line.cells.is_empty()
            });
            left += metric.series.len();
            !metric.series.is_empty()
        });
        self.series = left;
    }

    pub(super) fn bytes(&self) -> usize {
        let lines = self.by_name.values().flat_map(|metric| &metric.series);
        lines
            .map(|(tags, line)| 256 + tags.heap_bytes() + line.cells.heap_bytes(Cell::heap_bytes))
            .sum()
    }
}

impl Metric {
    /// Its series.
    pub fn series(&self) -> impl Iterator<Item = (&Tags, &Ring<Cell>)> {
        self.series.iter().map(|(tags, line)| (tags, &line.cells))
    }
}

fn tags_of(attributes: &Attributes, service: &str) -> Tags {
    let tags = attributes
        .iter()
        .map(|(key, value)| format!("{}:{}", short(key), short(&value.to_string())));
    Tags::of(tags.chain([format!("service:{service}")]))
}
