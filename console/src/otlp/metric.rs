//! Data points of metrics.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint,
    SummaryDataPoint, exponential_histogram_data_point, metric, number_data_point,
};

use super::{Attributes, Batch, Resource};

/// From when on a sum or histogram counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Temporality {
    /// Not said, which makes the numbers useless.
    Unspecified,
    /// Since the last report.
    Delta,
    /// Since the start.
    Cumulative,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PointKind {
    /// The last one holds.
    Gauge,
    /// Added up.
    Sum {
        /// Whether it never falls.
        monotonic: bool,
        /// From when on it counts.
        temporality: Temporality,
    },
    /// Counts by fixed bounds.
    Histogram(Temporality),
    /// Counts by bounds that grow by a constant factor.
    ExponentialHistogram(Temporality),
    /// Quantiles worked out by the sender.
    Summary,
}

/// One side of an exponential histogram: bucket `i` counts what lies in `(base^(offset+i), base^(offset+i+1)]` with
/// `base = 2^(2^-scale)` (OpenTelemetry metrics data model).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Buckets {
    /// The index of the first bucket.
    pub offset: i32,
    /// How many fell into each.
    pub counts: Box<[u64]>,
}

/// What a data point says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PointValue {
    /// A gauge or a sum.
    Number(f64),
    /// A histogram.
    Histogram {
        /// How many values.
        count: u64,
        /// Their sum.
        sum: Option<f64>,
        /// The smallest.
        min: Option<f64>,
        /// The largest.
        max: Option<f64>,
        /// Upper bounds of all buckets but the last, which has none.
        bounds: Box<[f64]>,
        /// How many fell into each: one more than there are bounds.
        counts: Box<[u64]>,
    },
    /// An exponential histogram.
    Exponential {
        /// How many values.
        count: u64,
        /// Their sum.
        sum: Option<f64>,
        /// The smallest.
        min: Option<f64>,
        /// The largest.
        max: Option<f64>,
        /// The resolution: see [`Buckets`].
        scale: i32,
        /// How many were zero, or too close to it to tell.
        zero_count: u64,
        /// Those above zero.
        positive: Buckets,
        /// Those below zero.
        negative: Buckets,
    },
    /// A summary.
    Summary {
        /// How many values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Quantiles in `0..=1` with their values.
        quantiles: Box<[(f64, f64)]>,
    },
    /// The sender says that there is no value any more.
    None,
}

/// One data point of one series, as it came by OTLP.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// The metric's name.
    pub name: Arc<str>,
    /// The metric's unit, in UCUM.
    pub unit: Arc<str>,
    /// The metric's kind.
    pub kind: PointKind,
    /// What it says.
    pub value: PointValue,
    /// Which series of the metric.
    pub attributes: Attributes,
    /// Start of the time it covers, in nanoseconds since 1970; 0 if not said.
    pub start_unix_nanos: u64,
    /// Its time, in nanoseconds since 1970.
    pub time_unix_nanos: u64,
    /// Who sent it.
    pub resource: Arc<Resource>,
    /// When it arrived here.
    pub received_at: SystemTime,
}

impl MetricPoint {
    /// The service that sent it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.resource.service
    }

    /// About how many bytes it takes; the shared name is counted too, for it lives as long.
    pub(crate) fn bytes(&self) -> usize {
        let value = match &self.value {
            PointValue::Histogram { bounds, counts, .. } => 8 * (bounds.len() + counts.len()),
            PointValue::Exponential {
                positive, negative, ..
            } => 8 * (positive.counts.len() + negative.counts.len()),
            PointValue::Summary { quantiles, .. } => 16 * quantiles.len(),
            PointValue::Number(_) | PointValue::None => 0,
        };
        size_of::<Self>() + self.name.len() + self.unit.len() + value + self.attributes.heap_bytes()
    }
}

pub(super) fn convert(request: ExportMetricsServiceRequest, batch: &mut Batch) {
    for resource_metrics in request.resource_metrics {
        let resource = Resource::from_wire(resource_metrics.resource);
        for metric in resource_metrics
            .scope_metrics
            .into_iter()
            .flat_map(|scope| scope.metrics)
        {
            let Some(data) = metric.data else {
                batch.reject("a metric without data");
                continue;
            };
            let series = Series {
                name: metric.name.into(),
                unit: metric.unit.into(),
                resource: Arc::clone(&resource),
            };
            series.points(data, &mut batch.points);
        }
    }
}

/// What all data points of a metric share.
struct Series {
    name: Arc<str>,
    unit: Arc<str>,
    resource: Arc<Resource>,
}

impl Series {
    fn points(&self, data: metric::Data, points: &mut Vec<MetricPoint>) {
        match data {
            metric::Data::Gauge(gauge) => {
                points.extend(
                    gauge
                        .data_points
                        .into_iter()
                        .map(|point| self.number(PointKind::Gauge, point)),
                );
            }
            metric::Data::Sum(sum) => {
                let temporality = temporality(sum.aggregation_temporality);
                let kind = PointKind::Sum {
                    monotonic: sum.is_monotonic,
                    temporality,
                };
                points.extend(
                    sum.data_points
                        .into_iter()
                        .map(|point| self.number(kind, point)),
                );
            }
            metric::Data::Histogram(histogram) => {
                let kind = PointKind::Histogram(temporality(histogram.aggregation_temporality));
                points.extend(
                    histogram
                        .data_points
                        .into_iter()
                        .map(|point| self.histogram(kind, point)),
                );
            }
            metric::Data::ExponentialHistogram(histogram) => {
                let kind =
                    PointKind::ExponentialHistogram(temporality(histogram.aggregation_temporality));
                points.extend(
                    histogram
                        .data_points
                        .into_iter()
                        .map(|point| self.exponential(kind, point)),
                );
            }
            metric::Data::Summary(summary) => {
                points.extend(
                    summary
                        .data_points
                        .into_iter()
                        .map(|point| self.summary(point)),
                );
            }
        }
    }

    fn number(&self, kind: PointKind, point: NumberDataPoint) -> MetricPoint {
        let value = match point.value {
            Some(number_data_point::Value::AsDouble(number)) => PointValue::Number(number),
            #[expect(
                clippy::cast_precision_loss,
                reason = "exact up to 2^53, enough to show and compare"
            )]
            Some(number_data_point::Value::AsInt(number)) => PointValue::Number(number as f64),
            None => PointValue::None,
        };
        let times = (point.start_time_unix_nano, point.time_unix_nano);
        self.point(kind, value, point.attributes.into(), times)
    }

    fn histogram(&self, kind: PointKind, point: HistogramDataPoint) -> MetricPoint {
        let value = PointValue::Histogram {
            count: point.count,
            sum: point.sum,
            min: point.min,
            max: point.max,
            bounds: point.explicit_bounds.into(),
            counts: point.bucket_counts.into(),
        };
        let times = (point.start_time_unix_nano, point.time_unix_nano);
        self.point(kind, value, point.attributes.into(), times)
    }

    fn exponential(&self, kind: PointKind, point: ExponentialHistogramDataPoint) -> MetricPoint {
        let value = PointValue::Exponential {
            count: point.count,
            sum: point.sum,
            min: point.min,
            max: point.max,
            scale: point.scale,
            zero_count: point.zero_count,
            positive: buckets(point.positive),
            negative: buckets(point.negative),
        };
        let times = (point.start_time_unix_nano, point.time_unix_nano);
        self.point(kind, value, point.attributes.into(), times)
    }

    fn summary(&self, point: SummaryDataPoint) -> MetricPoint {
        let value = PointValue::Summary {
            count: point.count,
            sum: point.sum,
            quantiles: point
                .quantile_values
                .iter()
                .map(|at| (at.quantile, at.value))
                .collect(),
        };
        let times = (point.start_time_unix_nano, point.time_unix_nano);
        self.point(PointKind::Summary, value, point.attributes.into(), times)
    }

    fn point(
        &self,
        kind: PointKind,
        value: PointValue,
        attributes: Attributes,
        (start, time): (u64, u64),
    ) -> MetricPoint {
        MetricPoint {
            name: Arc::clone(&self.name),
            unit: Arc::clone(&self.unit),
            kind,
            value,
            attributes,
            start_unix_nanos: start,
            time_unix_nanos: time,
            resource: Arc::clone(&self.resource),
            received_at: SystemTime::UNIX_EPOCH,
        }
    }
}

fn temporality(number: i32) -> Temporality {
    match AggregationTemporality::try_from(number) {
        Ok(AggregationTemporality::Delta) => Temporality::Delta,
        Ok(AggregationTemporality::Cumulative) => Temporality::Cumulative,
        Ok(AggregationTemporality::Unspecified) | Err(_) => Temporality::Unspecified,
    }
}

fn buckets(side: Option<exponential_histogram_data_point::Buckets>) -> Buckets {
    side.map(|side| Buckets {
        offset: side.offset,
        counts: side.bucket_counts.into(),
    })
    .unwrap_or_default()
}
