//! What the objectives saw at one location.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::bucket::ProbeCounts;
use super::minute::{Level, Minute};
use super::series::Series;
use super::sketch::Sketch;
use crate::evaluate::SliceCell;
use crate::objective::Indicator;
use crate::slo::Counts;

/// One minute of one objective at one location.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    good: u32,
    bad: u32,
    gaps: u32,
    retried: u32,
}

impl Cell {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            good: self.good.saturating_add(other.good),
            bad: self.bad.saturating_add(other.bad),
            gaps: self.gaps.saturating_add(other.gaps),
            retried: self.retried.saturating_add(other.retried),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            good: self.good.saturating_sub(other.good),
            bad: self.bad.saturating_sub(other.bad),
            gaps: self.gaps.saturating_sub(other.gaps),
            retried: self.retried.saturating_sub(other.retried),
        }
    }

    pub(super) fn is_measured(self) -> bool {
        self.good > 0 || self.bad > 0
    }
}

impl From<Cell> for SliceCell {
    fn from(cell: Cell) -> Self {
        Self {
            counts: Counts::new(u64::from(cell.good), u64::from(cell.bad)),
            gaps: u64::from(cell.gaps),
            retried: u64::from(cell.retried),
        }
    }
}

impl From<ProbeCounts> for Cell {
    fn from(counts: ProbeCounts) -> Self {
        Self {
            good: counts.good,
            bad: counts.bad,
            gaps: counts.gaps,
            retried: counts.retried,
        }
    }
}

/// The newest minutes, or hours, of something.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring<T> {
    first: u64,
    cells: VecDeque<T>,
}

impl<T: Copy + Default> Ring<T> {
    /// Whether a ring that keeps `keep` has room for it.
    pub(super) fn holds(&self, minute: Minute, keep: u64) -> bool {
        self.cells.is_empty() || minute.0 + keep > self.first + self.cells.len() as u64
    }

    pub(super) fn get(&self, minute: Minute) -> T {
        let at = minute.0.checked_sub(self.first);
        let at = at.and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.cells.get(at))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn set(&mut self, minute: Minute, cell: T, keep: u64) {
        let end = self.first + self.cells.len() as u64;
        if self.cells.is_empty() {
            self.first = minute.0;
        } else if minute.0 + keep < end {
            return;
        } else if minute.0 >= end + keep {
            // A jump of years neither fills memory nor takes time.
            self.cells.clear();
            self.first = minute.0;
        }
        while self.first > minute.0 {
            self.cells.push_front(T::default());
            self.first -= 1;
        }
        while self.first + self.cells.len() as u64 <= minute.0 {
            self.cells.push_back(T::default());
        }
        while self.cells.len() as u64 > keep {
            self.cells.pop_front();
            self.first += 1;
        }
        let at = minute.0.checked_sub(self.first);
        if let Some(kept) = at.and_then(|at| self.cells.get_mut(usize::try_from(at).ok()?)) {
            *kept = cell;
        }
    }

    /// The oldest that is like this, and where it is.
    pub(super) fn oldest(&self, like: impl Fn(&T) -> bool) -> Option<(Minute, T)> {
        let at = self.cells.iter().position(like)?;
        Some((Minute(self.first + at as u64), self.cells[at]))
    }
}

impl Ring<Cell> {
    pub(super) fn oldest_measured(&self) -> Option<Minute> {
        self.oldest(|cell| cell.is_measured()).map(|(at, _)| at)
    }

    pub(super) fn newest_measured(&self) -> Option<Minute> {
        let at = self.cells.iter().rposition(|cell| cell.is_measured())?;
        Some(Minute(self.first + at as u64))
    }
}

/// One location as the objectives see it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: Arc<str>,
    /// By objective.
    pub(super) rings: Vec<Ring<Cell>>,
    /// By objective, only for latencies: sketches by the minute that they begin with.
    pub(super) sketches: Vec<BTreeMap<Minute, (Level, Sketch)>>,
}

impl Seen {
    pub(super) fn take_sketch(
        &mut self,
        slo: usize,
        level: Level,
        first: Minute,
        sketch: Sketch,
        keep: u64,
    ) {
        let sketches = &mut self.sketches[slo];
        // A minute of an hour that is known as a whole is in that already.
        let covered = sketches
            .range(..=first)
            .next_back()
            .is_some_and(|(begin, (known, _))| {
                *known > level && begin.plus(known.minutes()) > first
            });
        if covered {
            return;
        }
        let end = first.plus(level.minutes());
        let inside: Vec<_> = sketches
            .range(first..end)
            .map(|(begin, _)| *begin)
            .collect();
        for begin in inside {
            sketches.remove(&begin);
        }
        if sketch.count() > 0 {
            sketches.insert(first, (level, sketch));
        }
        // What reaches into no window any more.
        while let Some((begin, (level, _))) = sketches.first_key_value() {
            if begin.plus(level.minutes() + keep) >= end {
                break;
            }
            sketches.pop_first();
        }
    }

    pub(super) fn fold(&mut self, until: Minute) {
        for sketches in &mut self.sketches {
            let minutes: Vec<_> = sketches
                .range(..until)
                .filter(|(_, (level, _))| *level == Level::Minute)
                .map(|(minute, _)| *minute)
                .collect();
            for minute in minutes {
                let Some((_, sketch)) = sketches.remove(&minute) else {
                    continue;
                };
                // Ascending, so what stands there is the hour and not its first minute.
                let hour = sketches.entry(Level::Hour.floor(minute));
                let (_, hour) = hour.or_insert_with(|| (Level::Hour, Sketch::default()));
                hour.merge(&sketch);
            }
        }
    }
}

/// Adds a check's minutes to the cells of an objective.
pub(super) fn add(cells: &mut [Cell], indicator: Indicator, series: &Series) {
    let limit = match indicator {
        Indicator::Latency { within } => Some(within),
        Indicator::Availability { .. } | Indicator::Success => None,
    };
    let mut within = limit.map(|limit| series.within(limit));
    for (cell, (_, counts)) in cells.iter_mut().zip(series.minutes()) {
        let total = counts.good.saturating_add(counts.bad);
        let events = match &mut within {
            None => Some((counts.good, counts.bad)),
            // Where this limit was not counted, nobody knows: it was not measured.
            Some(within) => within
                .next()
                .flatten()
                .map(|good| (good, total.saturating_sub(good))),
        };
        let (good, bad) = events.unwrap_or((0, 0));
        cell.good = cell.good.saturating_add(good);
        cell.bad = cell.bad.saturating_add(bad);
        cell.gaps = cell.gaps.saturating_add(counts.gaps);
        cell.retried = cell.retried.saturating_add(counts.retried);
    }
}
