//! The chart of the 95th percentiles, as the places of lines, ticks and words in a picture.

use std::fmt::Write as _;
use std::time::Duration;

use super::board::{Board, CheckView, LatencyPoint};
use super::format::{Moment, latency};
use crate::clock::Timestamp;

/// Lines that can be told apart by colour and dashes.
const LINES: usize = 6;
/// The picture in its own units.
pub(super) const WIDTH: f64 = 1_000.0;
/// As [`WIDTH`].
pub(super) const HEIGHT: f64 = 320.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 46.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 34.0;

/// A chart of checks over time.
pub(super) struct Chart {
    pub(super) lines: Vec<Line>,
    pub(super) across: Vec<Tick>,
    pub(super) up: Vec<Tick>,
    pub(super) limits: Vec<Tick>,
    /// Checks that are left out.
    pub(super) left_out: usize,
    /// The same as a table: one row a stretch, newest first.
    pub(super) rows: Vec<(String, Vec<String>)>,
}

/// One check.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) path: String,
    pub(super) dots: Vec<Dot>,
}

/// A point with words for who points at it.
pub(super) struct Dot {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) title: String,
    pub(super) unanswered: bool,
}

/// A line across the picture with its words.
pub(super) struct Tick {
    pub(super) place: String,
    pub(super) words: String,
}

impl Chart {
    /// The slowest checks of `board`, or of these alone; none where nothing has a percentile yet.
    pub(super) fn of(board: &Board, checks: &[&CheckView]) -> Option<Self> {
        let mut chosen: Vec<&CheckView> = checks
            .iter()
            .copied()
            .filter(|check| check.latency.iter().any(LatencyPoint::is_known))
            .collect();
        chosen.sort_by(|a, b| {
            let slowness = |check: &CheckView| check.p95_ms.unwrap_or(f64::MAX);
            slowness(b).total_cmp(&slowness(a))
        });
        let left_out = chosen.len().saturating_sub(LINES);
        chosen.truncate(LINES);
        // In the order of the table, so that a line keeps its looks.
        chosen.sort_by_key(|check| board.checks.iter().position(|c| c.name == check.name));
        let points = || chosen.iter().flat_map(|check| &check.latency);
        let highest = points().filter_map(|p| p.p95_ms).fold(0.0, f64::max);
        let from = points().map(|point| point.from.0).min()?;
        let until = points().map(|point| point.until.0).max()?;
        let scale = Scale {
            from,
            span: until.since(from).as_secs_f64().max(1.0),
            highest: nice(highest),
        };
        let lines = chosen
            .iter()
            .enumerate()
            .map(|(at, check)| scale.line(at, check));
        let limits = board.slos.iter().filter_map(|slo| slo.within_ms);
        let mut limits: Vec<f64> = limits.filter(|limit| *limit <= scale.highest).collect();
        limits.sort_by(f64::total_cmp);
        limits.dedup();
        let limits = limits.into_iter().map(|limit| Tick {
            place: number(scale.y(limit)),
            words: format!("limit {}", shown(limit)),
        });
        Some(Self {
            lines: lines.collect(),
            across: scale.across(),
            up: scale.up(),
            limits: limits.collect(),
            left_out,
            rows: rows(&chosen),
        })
    }

    pub(super) fn left(&self) -> f64 {
        LEFT
    }

    pub(super) fn right(&self) -> f64 {
        WIDTH - RIGHT
    }

    pub(super) fn bottom(&self) -> f64 {
        HEIGHT - BOTTOM
    }

    pub(super) fn width(&self) -> f64 {
        WIDTH
    }

    pub(super) fn height(&self) -> f64 {
        HEIGHT
    }
}

impl LatencyPoint {
    fn is_known(&self) -> bool {
        self.p95_ms.is_some() || self.unanswered
    }

    pub(super) fn text(&self) -> String {
        match self.p95_ms {
            Some(millis) => shown(millis),
            None if self.unanswered => "no answer".to_owned(),
            None => format!("{} probes, too few", self.probes),
        }
    }
}

struct Scale {
    from: Timestamp,
    span: f64,
    highest: f64,
}

impl Scale {
    fn x(&self, at: Timestamp) -> f64 {
        let share = at.since(self.from).as_secs_f64() / self.span;
        LEFT + share.min(1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, millis: f64) -> f64 {
        let share = (millis / self.highest).min(1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn line(&self, at: usize, check: &CheckView) -> Line {
        let mut path = String::new();
        let mut dots = Vec::new();
        let mut before: Option<Timestamp> = None;
        for point in &check.latency {
            let Some(y) = (match point.p95_ms {
                Some(millis) => Some(self.y(millis)),
                None if point.unanswered => Some(TOP),
                None => None,
            }) else {
                before = None;
                continue;
            };
            let (begin, end) = (self.x(point.from.0), self.x(point.until.0));
            // A step: the value holds for the whole stretch.
            let _ = match before {
                Some(last) if last >= point.from.0 => write!(path, "V{y:.1}H{end:.1}"),
                _ => write!(path, "M{begin:.1} {y:.1}H{end:.1}"),
            };
            before = Some(point.until.0);
            dots.push(Dot {
                x: number((begin + end) / 2.0),
                y: number(y),
                title: format!(
                    "{}: {}, {} to {} UTC, {} probes",
                    check.name,
                    point.text(),
                    point.from.day_minute(),
                    point.until.minute(),
                    point.probes
                ),
                unanswered: point.unanswered,
            });
        }
        Line {
            name: check.name.clone(),
            at,
            path,
            dots,
        }
    }

    fn up(&self) -> Vec<Tick> {
        let quarter = |at: u32| {
            let value = self.highest * f64::from(at) / 4.0;
            Tick {
                place: number(self.y(value)),
                words: if at == 0 {
                    "0".to_owned()
                } else {
                    shown(value)
                },
            }
        };
        (0..=4).map(quarter).collect()
    }

    fn across(&self) -> Vec<Tick> {
        // Whole minutes, hours or days, about six of them.
        const STEPS: [u64; 14] = [
            60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800,
            604_800, 2_592_000,
        ];
        let step = STEPS.iter().find(|step| self.span / **step as f64 <= 7.0);
        let step = step.copied().unwrap_or(31_536_000);
        let first = (self.from.as_micros() / 1_000_000).div_ceil(step) * step;
        let ticks = (0..9).map(|at| Timestamp::from_micros((first + at * step) * 1_000_000));
        let until = self.from.plus(Duration::from_secs_f64(self.span));
        ticks
            .take_while(|at| *at <= until)
            .map(|at| Tick {
                place: number(self.x(at)),
                words: if step >= 86_400 {
                    Moment(at).short_day()
                } else if self.span > 86_400.0 {
                    Moment(at).day_minute()
                } else {
                    Moment(at).minute()
                },
            })
            .collect()
    }
}

/// The same as a table, over all stretches that any of them has.
fn rows(checks: &[&CheckView]) -> Vec<(String, Vec<String>)> {
    let stretches = checks.iter().flat_map(|check| &check.latency);
    let mut stretches: Vec<_> = stretches.map(|point| (point.from, point.until)).collect();
    stretches.sort_unstable();
    stretches.dedup_by_key(|(from, _)| *from);
    let row = |(from, until): &(Moment, Moment)| {
        let value = |check: &&CheckView| {
            let point = check.latency.iter().find(|point| point.from == *from);
            point.map_or_else(|| "-".to_owned(), LatencyPoint::text)
        };
        let when = format!("{} to {}", from.day_minute(), until.minute());
        (when, checks.iter().map(value).collect())
    };
    stretches.iter().rev().map(row).collect()
}

fn shown(millis: f64) -> String {
    latency(Duration::from_secs_f64(millis.max(0.0) / 1e3))
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// The next of 1, 2, 4 or 8 times a power of ten: its quarters are figures that one can read.
fn nice(highest: f64) -> f64 {
    let mut power = 0.01;
    while power < 1e9 {
        for factor in [1.0, 2.0, 4.0, 8.0] {
            if highest * 1.05 <= power * factor {
                return power * factor;
            }
        }
        power *= 10.0;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_above_the_highest_value() {
        for (highest, end) in [
            (0.0, 0.01),
            (3.1, 4.0),
            (4.0, 8.0),
            (75.0, 80.0),
            (99.0, 200.0),
        ] {
            assert!(
                (nice(highest) - end).abs() < 1e-9,
                "{highest}: {}",
                nice(highest)
            );
        }
    }
}
