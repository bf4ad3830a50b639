//! What each check found at each location, as small as a page needs it.
//!
//! A lane is one check at one location: counts by hour over the whole time that is kept, counts by
//! minute of the last hours, and sketches that get coarser with age. The newest failures are kept
//! beside them. None of it grows with how old the history is.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::bucket::NotedProbe;
use super::codec::ByCheck;
use super::minute::{Level, Minute};
use super::packed::Packed;
use super::seen::{Cell, Ring};
use super::series::Series;
use super::sketch::{Merger, Sketch};
use super::stretches::Stretches;
use crate::clock::Timestamp;
use crate::slo::Counts;

/// Minutes whose counts are kept one by one.
pub const FRESH: u64 = 180;
/// Failures that are kept.
pub const FAILURES: usize = 50;
/// With more lanes than this, sketches of old hours are put together to days: about 12 MiB.
const MANY: usize = 500;

/// A failure, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFailure {
    /// Name of the check.
    pub check: Arc<str>,
    /// Name of the location.
    pub location: Arc<str>,
    /// The probe.
    pub probe: NotedProbe,
}

/// What a check found in some stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Right and wrong answers.
    pub results: Counts,
    /// Ticks that were not measured.
    pub gaps: u64,
    /// Right answers that needed a retry.
    pub retried: u64,
}

impl Found {
    fn add(&mut self, cell: Cell) {
        let cell = crate::evaluate::SliceCell::from(cell);
        self.results = self.results.plus(cell.counts);
        self.gaps += cell.gaps;
        self.retried += cell.retried;
    }
}

/// All lanes.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    names: Vec<Arc<str>>,
    positions: HashMap<Arc<str>, usize>,
    keep: u64,
    places: Vec<Place>,
    failures: BTreeMap<(Timestamp, usize, usize), NotedProbe>,
    changes: u64,
}

#[derive(Clone, Debug)]
struct Place {
    name: Arc<str>,
    /// By check.
    lanes: Vec<Lane>,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    minutes: Ring<Cell>,
    hours: Ring<Hour>,
    stretches: Stretches,
}

/// An hour, counted from 1970 in a ring of hours.
#[derive(Clone, Copy, Debug, Default)]
struct Hour {
    sum: Cell,
    /// A bit for each minute that has any result, the first one lowest.
    measured: u64,
}

impl Hour {
    /// Takes a minute in place of what was known of it.
    fn replace(&mut self, minute: Minute, before: Cell, cell: Cell) {
        self.sum = self.sum.plus(cell).minus(before);
        let bit = 1 << (minute.0 % 60);
        if cell.is_measured() {
            self.measured |= bit;
        } else {
            self.measured &= !bit;
        }
    }
}

impl Lanes {
    /// Empty lanes for checks with these names, which keep `keep` of time.
    #[must_use]
    pub fn new(names: &[Arc<str>], keep: Duration) -> Self {
        let positions = names.iter().enumerate();
        Self {
            positions: positions.map(|(at, name)| (Arc::clone(name), at)).collect(),
            names: names.to_vec(),
            keep: keep.as_secs().div_ceil(60).max(1),
            ..Self::default()
        }
    }

    /// Takes a stretch of one location, in place of what was known of it.
    pub fn take(&mut self, location: &str, level: Level, first: Minute, checks: &ByCheck) {
        self.changes += 1;
        let at = match self.places.iter().position(|p| *p.name == *location) {
            Some(at) => at,
            None => {
                self.places.push(Place {
                    name: location.into(),
                    lanes: vec![Lane::default(); self.names.len()],
                });
                self.places.len() - 1
            }
        };
        let coarse = self.names.len() * self.places.len() > MANY;
        for (name, series) in checks {
            let Some(check) = self.positions.get(name).copied() else {
                continue;
            };
            let lane = &mut self.places[at].lanes[check];
            lane.take(level, first, series, self.keep, coarse);
            for probe in series.worst.probes() {
                if probe.failure.is_some() {
                    let key = (probe.scheduled, check, at);
                    self.failures.insert(key, probe.clone());
                }
            }
        }
        while self.failures.len() > FAILURES {
            self.failures.pop_first();
        }
    }

    /// Rises whenever something is taken.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Names of the checks.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Names of the locations that have anything to tell.
    pub fn locations(&self) -> impl Iterator<Item = &Arc<str>> {
        self.places.iter().map(|place| &place.name)
    }

    /// The newest failures, the newest first.
    pub fn failures(&self) -> impl Iterator<Item = SeenFailure> {
        let seen = |((_, check, place), probe): (&(Timestamp, usize, usize), &NotedProbe)| {
            Some(SeenFailure {
                check: Arc::clone(self.names.get(*check)?),
                location: Arc::clone(&self.places.get(*place)?.name),
                probe: probe.clone(),
            })
        };
        self.failures.iter().rev().filter_map(seen)
    }

    /// The newest minute that has any result of a location, or of all where it is `None`.
    #[must_use]
    pub fn newest(&self, location: Option<&str>) -> Option<Minute> {
        let lanes = self.chosen(None, location);
        lanes
            .filter_map(|lane| lane.minutes.newest_measured())
            .max()
    }

    /// The first minute that has any result.
    #[must_use]
    pub fn oldest(&self) -> Option<Minute> {
        let oldest = |lane: &Lane| {
            let (hour, found) = lane.hours.oldest(|hour| hour.measured > 0)?;
            let minute = u64::from(found.measured.trailing_zeros());
            Some(Minute(hour.0 * 60 + minute))
        };
        self.chosen(None, None).filter_map(oldest).min()
    }

    /// What was found in the whole hours of `range`: by one check or all, at one location or all.
    #[must_use]
    pub fn found(
        &self,
        check: Option<usize>,
        location: Option<&str>,
        range: &Range<Minute>,
    ) -> Found {
        let mut found = Found::default();
        for lane in self.chosen(check, location) {
            for hour in range.start.0 / 60..range.end.0.div_ceil(60) {
                found.add(lane.hours.get(Minute(hour)).sum);
            }
        }
        found
    }

    /// What a check found at all locations, one entry for each `step` minutes of `range`. Steps
    /// below an hour reach back as far as [`FRESH`]; others are whole hours.
    #[must_use]
    pub fn steps(&self, check: usize, range: &Range<Minute>, step: u64) -> Vec<Found> {
        let step = step.max(1);
        let mut all = Vec::new();
        let mut from = range.start.0;
        while from < range.end.0 {
            let until = (from + step).min(range.end.0);
            let mut found = Found::default();
            for lane in self.chosen(Some(check), None) {
                if step < 60 {
                    (from..until).for_each(|m| found.add(lane.minutes.get(Minute(m))));
                } else {
                    let hours = from / 60..until.div_ceil(60);
                    hours.for_each(|hour| found.add(lane.hours.get(Minute(hour)).sum));
                }
            }
            all.push(found);
            from = until;
        }
        all
    }

    /// Times of a check's answers at all locations, put together by the steps of `range` that they
    /// begin in: first minute, length in minutes, sketch. Steps below an hour reach back as far as
    /// [`FRESH`].
    #[must_use]
    pub fn times(
        &self,
        check: usize,
        range: &Range<Minute>,
        step: u64,
    ) -> Vec<(Minute, u64, Sketch)> {
        let step = step.max(1);
        let mut all: BTreeMap<u64, (u64, Vec<&Packed>)> = BTreeMap::new();
        for lane in self.chosen(Some(check), None) {
            lane.stretches.each(step < 60, |first, minutes, sketch| {
                if first.0 + minutes <= range.start.0 || first >= range.end {
                    return;
                }
                let since = first.0.saturating_sub(range.start.0);
                let (longest, sketches) = all.entry(since / step).or_default();
                *longest = minutes.max(*longest);
                sketches.push(sketch);
            });
        }
        let mut merger = Merger::new();
        let place = |(at, (minutes, sketches)): (u64, (u64, Vec<&Packed>))| {
            let first = Minute(range.start.0 + at * step);
            sketches.into_iter().for_each(|sketch| merger.add(sketch));
            (first, minutes.max(step), merger.take())
        };
        all.into_iter().map(place).collect()
    }

    fn chosen(&self, check: Option<usize>, location: Option<&str>) -> impl Iterator<Item = &Lane> {
        let places = self.places.iter();
        let places = places.filter(move |p| location.is_none_or(|name| *p.name == *name));
        places.flat_map(move |place| match check {
            Some(at) => place.lanes.get(at..=at).unwrap_or_default(),
            None => &place.lanes,
        })
    }
}

impl Lane {
    fn take(&mut self, level: Level, first: Minute, series: &Series, keep: u64, coarse: bool) {
        let hours = keep.div_ceil(60) + 1;
        if level == Level::Minute {
            let Some((_, counts)) = series.minutes().next() else {
                return;
            };
            if !self.minutes.holds(first, FRESH) {
                return;
            }
            let cell = Cell::from(counts);
            let before = self.minutes.get(first);
            self.minutes.set(first, cell, FRESH);
            let at = Minute(first.0 / 60);
            let mut hour = self.hours.get(at);
            hour.replace(first, before, cell);
            self.hours.set(at, hour, hours);
        } else {
            let mut inside: BTreeMap<u64, Hour> = BTreeMap::new();
            for (minute, counts) in series.minutes() {
                let cell = Cell::from(counts);
                let hour = inside.entry(minute.0 / 60).or_default();
                hour.replace(minute, Cell::default(), cell);
                if self.minutes.holds(minute, FRESH) {
                    self.minutes.set(minute, cell, FRESH);
                }
            }
            for (at, hour) in inside {
                self.hours.set(Minute(at), hour, hours);
            }
        }
        self.stretches
            .take(level, first, &series.sketch, keep, coarse);
    }
}
