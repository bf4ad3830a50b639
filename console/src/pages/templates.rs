//! The pages as templates, which escape every text by themselves; nothing is marked as safe.

use askama::Template;
use jiff::tz::TimeZone;

use super::assets;
use super::format::{self, figure, seconds};
use super::map::Drawing;
use crate::view::health::Health;
use crate::view::logs::{Filter, Found};
use crate::view::metrics::{Chart, MetricLine};
use crate::view::monitors::MonitorsView;
use crate::view::overview::{Node, Overview, Route};
use crate::view::slos::Slo;
use crate::view::traces::{Search, SpanView, TraceLine, TraceView};

/// So many rows of a chart are in its table at first.
const ROWS: usize = 120;

/// What is round every page.
pub(super) struct Frame {
    pub(super) here: &'static str,
    pub(super) zone: TimeZone,
}

impl Frame {
    fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    fn links(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("/", "Overview"),
            ("/traces", "Traces"),
            ("/metrics", "Metrics"),
            ("/logs", "Logs"),
            ("/slos", "SLOs"),
            ("/monitors", "Monitors"),
            ("/telemetry", "Telemetry"),
        ]
    }

    fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    fn clock(&self, unix_ms: &u64) -> String {
        format::clock(*unix_ms, &self.zone)
    }

    fn fine_clock(&self, unix_ms: &u64) -> String {
        format::fine_clock(*unix_ms, &self.zone)
    }

    fn day_clock(&self, unix_ms: &u64) -> String {
        format::day_clock(*unix_ms, &self.zone)
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct OverviewPage<'a> {
    pub(super) frame: Frame,
    pub(super) overview: &'a Overview,
    pub(super) drawing: Option<Drawing<'a>>,
    pub(super) lone: Vec<&'a Node>,
    pub(super) monitors: MonitorsView,
}

impl OverviewPage<'_> {
    fn window_text(&self) -> String {
        // Slots have edges: 57 or 63 seconds are the minute that was asked for.
        if self.overview.window_s > 55.0 {
            "minute".to_owned()
        } else {
            format!("{:.0} seconds", self.overview.window_s)
        }
    }
}

#[derive(Template)]
#[template(path = "service.html")]
pub(super) struct ServicePage {
    pub(super) frame: Frame,
    pub(super) name: String,
    pub(super) encoded: String,
    pub(super) signals: Vec<ChartView>,
    pub(super) routes: Vec<Route>,
}

#[derive(Template)]
#[template(path = "traces.html")]
pub(super) struct TracesPage {
    pub(super) frame: Frame,
    pub(super) services: Vec<String>,
    pub(super) asked: Search,
    pub(super) wrong: Option<String>,
    pub(super) lines: Vec<TraceLine>,
}

#[derive(Template)]
#[template(path = "trace.html")]
pub(super) struct TracePage<'a> {
    pub(super) frame: Frame,
    pub(super) view: &'a TraceView,
    pub(super) bars: Vec<Bar<'a>>,
    pub(super) scale: Vec<String>,
}

/// A span in the waterfall, in thousandths of the trace.
pub(super) struct Bar<'a> {
    pub(super) span: &'a SpanView,
    pub(super) x: String,
    pub(super) width: String,
    pub(super) indent: usize,
    pub(super) colour: usize,
    pub(super) start: String,
    pub(super) duration: String,
    pub(super) kind: String,
}

impl<'a> Bar<'a> {
    pub(super) fn all(view: &'a TraceView) -> Vec<Self> {
        let whole = view.trace.duration_ms.max(1e-6);
        let services = &view.trace.services;
        view.spans
            .iter()
            .map(|span| {
                let x = (span.start_ms / whole * 1000.0).clamp(0.0, 998.0);
                let width = (span.duration_ms / whole * 1000.0).clamp(2.0, (1000.0 - x).max(2.0));
                Self {
                    span,
                    x: format!("{x:.1}"),
                    width: format!("{width:.1}"),
                    indent: span.depth.min(24) * 12,
                    colour: services
                        .iter()
                        .position(|s| *s == span.service)
                        .unwrap_or(0)
                        % 8,
                    start: seconds(span.start_ms / 1e3),
                    duration: seconds(span.duration_ms / 1e3),
                    kind: format!("{:?}", span.kind).to_lowercase(),
                }
            })
            .collect()
    }

    pub(super) fn scale(view: &TraceView) -> Vec<String> {
        (0..=4)
            .map(|quarter| seconds(view.trace.duration_ms / 1e3 * f64::from(quarter) / 4.0))
            .collect()
    }
}

#[derive(Template)]
#[template(path = "metrics.html")]
pub(super) struct MetricsPage {
    pub(super) frame: Frame,
    pub(super) metrics: Vec<MetricLine>,
    pub(super) chosen: Option<String>,
    pub(super) description: String,
    pub(super) keys: Vec<String>,
    pub(super) by: String,
    pub(super) statistics: Vec<&'static str>,
    pub(super) statistic: String,
    pub(super) tags: String,
    pub(super) chart: Option<ChartView>,
    pub(super) wrong: Option<String>,
}

impl MetricsPage {
    fn chosen_name(&self) -> &str {
        self.chosen.as_deref().unwrap_or_default()
    }
}

/// A chart, before there is script to draw it.
pub(super) struct ChartView {
    /// Where its data are.
    pub(super) source: String,
    /// Which of several there.
    pub(super) at: usize,
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) thresholds: Vec<String>,
    pub(super) left_out: usize,
}

/// A row of a chart's table.
pub(super) struct Row {
    pub(super) time: String,
    pub(super) values: Vec<String>,
}

impl ChartView {
    pub(super) fn new(
        chart: &Chart,
        title: String,
        source: String,
        at: usize,
        zone: &TimeZone,
    ) -> Self {
        let rows = chart
            .times
            .iter()
            .enumerate()
            .rev()
            .take(ROWS)
            .map(|(row, time)| Row {
                time: format::clock(time * 1000, zone),
                values: chart
                    .lines
                    .iter()
                    .map(|line| match line.values.get(row) {
                        Some(Some(value)) => figure(*value),
                        _ => "-".to_owned(),
                    })
                    .collect(),
            });
        let unit = format::unit(&chart.unit);
        Self {
            source,
            at,
            title,
            names: chart.lines.iter().map(|line| line.name.clone()).collect(),
            rows: rows.collect(),
            thresholds: chart
                .thresholds
                .iter()
                .map(|threshold| format!("{} {} {unit}", threshold.label, figure(threshold.value)))
                .collect(),
            left_out: chart.left_out,
            unit,
        }
    }
}

#[derive(Template)]
#[template(path = "logs.html")]
pub(super) struct LogsPage {
    pub(super) frame: Frame,
    pub(super) services: Vec<String>,
    pub(super) severities: &'static [&'static str],
    pub(super) asked: Filter,
    pub(super) wrong: Option<String>,
    pub(super) found: Found,
}

#[derive(Template)]
#[template(path = "slos.html")]
pub(super) struct SlosPage {
    pub(super) frame: Frame,
    pub(super) label: Option<String>,
    pub(super) slos: Vec<Slo>,
    pub(super) charts: Vec<ChartView>,
    pub(super) prober: Option<String>,
}

#[derive(Template)]
#[template(path = "monitors.html")]
pub(super) struct MonitorsPage {
    pub(super) frame: Frame,
    pub(super) view: MonitorsView,
    pub(super) rules: Vec<String>,
}

#[derive(Template)]
#[template(path = "telemetry.html")]
pub(super) struct TelemetryPage {
    pub(super) frame: Frame,
    pub(super) health: Health,
    pub(super) kept: Vec<Kept>,
}

/// What is kept of one kind.
pub(super) struct Kept {
    pub(super) what: &'static str,
    pub(super) received: String,
    pub(super) kept: String,
    pub(super) memory: String,
    pub(super) age: String,
}

impl Kept {
    pub(super) fn all(health: &Health) -> Vec<Self> {
        use crate::store::Counts;
        let stats = &health.stats;
        type Of = fn(&Counts) -> u64;
        let kinds: [(&'static str, Of); 6] = [
            ("Spans", |counts| counts.spans),
            ("DogStatsD samples", |counts| counts.samples),
            ("Events", |counts| counts.events),
            ("Service checks", |counts| counts.service_checks),
            ("OTLP data points", |counts| counts.points),
            ("Log lines", |counts| counts.logs),
        ];
        kinds
            .into_iter()
            .map(|(what, of)| Self {
                what,
                received: format::count(of(&stats.received)),
                kept: format::count(of(&stats.kept)),
                memory: format::count(of(&stats.dropped_for_memory)),
                age: format::count(of(&stats.dropped_for_age)),
            })
            .collect()
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
pub(super) struct NoticePage<'a> {
    pub(super) frame: Frame,
    pub(super) heading: &'a str,
    pub(super) text: &'a str,
    pub(super) back: &'a str,
}
