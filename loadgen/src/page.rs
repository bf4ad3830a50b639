//! The report as one HTML page: no script, nothing loaded from elsewhere.

use askama::Template;

use crate::summary::{Row, Summary};
use crate::table;

/// Size of the charts in the units of their view box.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 160.0;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    s: &'a Summary,
    rows: Vec<Cells>,
    kinds: Vec<(&'a str, u64)>,
    error_ratio: String,
    /// Requests that succeeded and that failed, a pair of bars for each step.
    bars: Vec<Bar>,
    /// The p95 line, broken where a step has no latency.
    p95_paths: Vec<String>,
    top_rate: String,
    top_p95: String,
    asked: String,
}

struct Cells {
    route: &'static str,
    requests: u64,
    errors: u64,
    ratio: String,
    raw: [String; 4],
    corrected: [String; 4],
}

struct Bar {
    x: String,
    width: String,
    ok_y: String,
    ok_height: String,
    error_y: String,
    error_height: String,
    title: String,
}

/// The page.
///
/// # Errors
/// Never in practice: the template only formats values.
pub(crate) fn render(summary: &Summary) -> askama::Result<String> {
    let points = &summary.timeline.points;
    let most = points.iter().map(|p| p.requests).max().unwrap_or(0).max(1);
    let slowest = points
        .iter()
        .filter_map(|p| p.p95_ms)
        .fold(0.0, f64::max)
        .max(0.001);
    #[expect(
        clippy::cast_precision_loss,
        reason = "places on a chart of 1,000 units"
    )]
    let share = |count: u64| count as f64 / most as f64 * HEIGHT;
    #[expect(clippy::cast_precision_loss, reason = "there are at most 240 steps")]
    let step = WIDTH / points.len().max(1) as f64;
    let mut x = 0.0;
    let mut bars = Vec::new();
    let mut paths = vec![String::new()];
    for point in points {
        let (errors, all) = (share(point.errors), share(point.requests));
        bars.push(Bar {
            x: format!("{x:.2}"),
            width: format!("{:.2}", step * 0.9),
            ok_y: format!("{:.2}", HEIGHT - all),
            ok_height: format!("{:.2}", all - errors),
            error_y: format!("{:.2}", HEIGHT - errors),
            error_height: format!("{errors:.2}"),
            title: format!(
                "{} s: {} requests, {} errors, p95 {}",
                point.at_s,
                point.requests,
                point.errors,
                point.p95_ms.map_or_else(|| "-".to_owned(), table::time)
            ),
        });
        match (point.p95_ms, paths.last_mut()) {
            (Some(p95), Some(path)) => {
                let y = HEIGHT - p95 / slowest * HEIGHT;
                path.push_str(&format!("{:.2},{y:.2} ", x + step / 2.0));
            }
            _ => paths.push(String::new()),
        }
        x += step;
    }
    paths.retain(|path| !path.is_empty());
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    let top_rate = most as f64 / summary.timeline.step_s;
    Page {
        s: summary,
        rows: summary
            .routes
            .iter()
            .chain([&summary.totals])
            .map(Cells::new)
            .collect(),
        kinds: summary
            .totals
            .errors_by_kind
            .iter()
            .map(|(kind, count)| (kind.as_str(), *count))
            .collect(),
        error_ratio: table::ratio(summary.totals.error_ratio),
        bars,
        p95_paths: paths,
        top_rate: format!("{top_rate:.1}"),
        top_p95: table::time(slowest),
        asked: summary.settings.rate_per_s.map_or_else(
            || "as fast as possible".to_owned(),
            |rate| format!("{rate} asked for"),
        ),
    }
    .render()
}

impl Cells {
    fn new(row: &Row) -> Self {
        let figures = |figures: Option<crate::latency::Figures>| match figures {
            Some(x) => [x.p50_ms, x.p95_ms, x.p99_ms, x.max_ms].map(table::time),
            None => ["-"; 4].map(str::to_owned),
        };
        Self {
            route: row.route,
            requests: row.requests,
            errors: row.errors,
            ratio: table::ratio(row.error_ratio),
            raw: figures(row.raw),
            corrected: figures(row.corrected),
        }
    }
}
