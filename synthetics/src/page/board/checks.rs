//! What each check found, and how long the answers took.

use std::ops::Range;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use super::timeline::State;
use crate::history::lanes::{FRESH, Found};
use crate::history::{Lanes, Level, Minute, Sketch};
use crate::page::format::{Moment, millis};
use crate::slo::{Percent, Rounding, samples};
use crate::tally::Shown;

/// Points of a chart, about.
const POINTS: u64 = 60;
/// Cells of a strip, at most.
const CELLS: u64 = 90;

/// A check.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    /// Its name.
    pub(crate) name: String,
    /// What it does: `http`, `journey`, `tcp`, `dns` or `tls`.
    pub(crate) kind: &'static str,
    /// Right answers, in the whole hours of the window.
    pub(crate) good: u64,
    /// Wrong answers, or none.
    pub(crate) bad: u64,
    /// Right answers of all, cut, such as `99.3%`.
    pub(crate) good_share: Option<String>,
    /// Ticks that were not measured.
    pub(crate) gaps: u64,
    /// Right answers that needed a retry.
    pub(crate) retried: u64,
    /// What it was in the newest stretch that was measured.
    pub(crate) state: State,
    /// 95th percentile over the window and all locations in milliseconds, from merged sketches:
    /// for showing only.
    pub(crate) p95_ms: Option<f64>,
    /// Whether that percentile falls on a request without an answer.
    pub(crate) p95_unanswered: bool,
    /// The same over time.
    pub(crate) latency: Vec<LatencyPoint>,
    /// What it was over time; a stretch is what its worst result was.
    pub(crate) cells: Vec<Cell>,
}

/// The 95th percentile of a stretch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LatencyPoint {
    /// Start of the stretch.
    pub(crate) from: Moment,
    /// Its end.
    pub(crate) until: Moment,
    /// In milliseconds; null where there are fewer than 20 probes, or no answer.
    pub(crate) p95_ms: Option<f64>,
    /// Whether it falls on a request without an answer.
    pub(crate) unanswered: bool,
    /// Probes.
    pub(crate) probes: u64,
}

/// What a check was in a stretch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Cell {
    /// What it was.
    pub(crate) state: State,
    /// Start of the stretch.
    pub(crate) from: Moment,
    /// Its end.
    pub(crate) until: Moment,
    /// Right answers.
    pub(crate) good: u64,
    /// Wrong answers, or none.
    pub(crate) bad: u64,
}

/// All checks.
pub(super) fn all(ground: &Ground<'_>) -> Vec<CheckView> {
    let lanes = ground.known.lanes;
    let step = step(lanes, &ground.range);
    let infos = ground.scene.checks.iter().enumerate();
    infos
        .map(|(at, info)| {
            let found = lanes.found(Some(at), None, &ground.range);
            // On whole steps, so that a point does not change when the window moves on.
            let range =
                Minute(ground.range.start.0 - ground.range.start.0 % step)..ground.range.end;
            let times = lanes.times(at, &range, step);
            let mut whole = Sketch::default();
            times.iter().for_each(|(_, _, sketch)| whole.merge(sketch));
            let p95 = p95(&whole);
            let cells = cells(lanes, at, &ground.range, info.every);
            let measured = cells.iter().rev().find(|cell| cell.state != State::Gap);
            CheckView {
                name: info.name.to_string(),
                kind: info.kind,
                good: found.results.good,
                bad: found.results.bad,
                good_share: found.results.sli().map(|share| {
                    let text = share.to_decimal(2, 2, Rounding::Truncate);
                    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
                }),
                gaps: found.gaps,
                retried: found.retried,
                state: measured.map_or(State::Gap, |cell| cell.state),
                p95_ms: shown(p95),
                p95_unanswered: p95 == Shown::Unanswered,
                latency: latency(&times, range.end),
                cells,
            }
        })
        .collect()
}

/// A percentile of fewer probes than it takes is none.
fn p95(sketch: &Sketch) -> Shown {
    let least = samples::for_percentile(Percent::P95).unwrap_or(u64::MAX);
    if sketch.count() < least {
        return Shown::Nothing;
    }
    sketch.percentile(Percent::P95)
}

fn shown(p95: Shown) -> Option<f64> {
    match p95 {
        Shown::Value(time) => Some(millis(time)),
        Shown::Unanswered | Shown::Nothing => None,
    }
}

/// The length of a chart's stretches in minutes: short enough to see something, long enough to
/// have the probes that a percentile takes.
fn step(lanes: &Lanes, range: &Range<Minute>) -> u64 {
    let minutes = (range.end.0 - range.start.0).max(1);
    let all = lanes.found(None, None, range).results.total();
    let checks = lanes.names().len().max(1) as u64;
    let each = u64::try_from(all).unwrap_or(u64::MAX) / checks;
    let fits = |step: &u64| {
        let probes = each.saturating_mul(*step) / minutes;
        minutes.div_ceil(*step) <= POINTS && probes >= 25
    };
    let (steps, last): (&[u64], u64) = if minutes <= FRESH {
        (&[5, 10, 15, 30], 30)
    } else {
        (&[60, 120, 180, 360, 720, 1_440], 1_440)
    };
    steps.iter().copied().find(fits).unwrap_or(last)
}

fn latency(times: &[(Minute, u64, Sketch)], end: Minute) -> Vec<LatencyPoint> {
    let point = |(first, minutes, sketch): &(Minute, u64, Sketch)| {
        let p95 = p95(sketch);
        LatencyPoint {
            from: Moment(first.start()),
            until: Moment(first.plus(*minutes).min(end).start()),
            p95_ms: shown(p95),
            unanswered: p95 == Shown::Unanswered,
            probes: sketch.count(),
        }
    };
    times.iter().map(point).collect()
}

fn cells(lanes: &Lanes, check: usize, range: &Range<Minute>, every: Duration) -> Vec<Cell> {
    let fresh = range.end.0 - range.start.0 <= FRESH;
    // Whole hours, so that none is in two cells.
    let (unit, start) = if fresh {
        (1, range.start)
    } else {
        (60, Level::Hour.floor(range.start))
    };
    let units = (range.end.0 - start.0).div_ceil(unit);
    let step = units.div_ceil(CELLS).max(1) * unit;
    // Where none was due, it is as it was last.
    let stride = every.as_secs().div_ceil(60).max(1);
    let mut last = None;
    let state = |found: &Found| match found.results {
        results if results.bad > 0 => State::Down,
        results if results.good == 0 => State::Gap,
        _ if found.retried > 0 => State::Degraded,
        _ => State::Up,
    };
    let mut cells: Vec<Cell> = Vec::new();
    for (at, found) in lanes
        .steps(check, &(start..range.end), step)
        .iter()
        .enumerate()
    {
        let from = start.plus(at as u64 * step);
        let mut now = state(found);
        match last {
            _ if now != State::Gap => last = Some((now, from)),
            Some((before, when)) if from.0 < when.plus(stride).0 => now = before,
            _ => {}
        }
        let cell = Cell {
            state: now,
            from: Moment(from.max(range.start).start()),
            until: Moment(from.plus(step).min(range.end).start()),
            good: found.results.good,
            bad: found.results.bad,
        };
        match cells.last_mut() {
            Some(last) if last.state == cell.state => {
                last.until = cell.until;
                last.good += cell.good;
                last.bad += cell.bad;
            }
            _ => cells.push(cell),
        }
    }
    cells
}
