//! What each objective saw, minute by minute: all that a verdict over history needs, and no more.
//!
//! Its size depends on the number of objectives and locations and on the longest window, and not
//! on the number of checks or on how old the history is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::codec::ByCheck;
use super::minute::{Level, Minute};
use super::seen::{Cell, Ring, Seen, add};
use super::sketch::Sketch;
use crate::clock::Timestamp;
use crate::evaluate::{Evaluation, Judge, SliceCell};
use crate::objective::{Indicator, Slo};
use crate::slo::burn::{self, BurnAlert};
use crate::slo::{Counts, Coverage, Maintenance, Percent, SliceState, budget};
use crate::tally::Shown;

pub use super::reading::{BurnReading, Expect};

/// Goes on with the last state over minutes in which no probe was due.
struct Carry {
    stride: u64,
    last: Option<(SliceState, u64)>,
}

impl Carry {
    fn over(slo: &Slo) -> Self {
        Self {
            stride: slo.stride(Minute::LENGTH),
            last: None,
        }
    }

    fn next(&mut self, state: SliceState) -> SliceState {
        match (state, self.last) {
            (SliceState::Gap, Some((before, ago))) if ago < self.stride => {
                self.last = Some((before, ago + 1));
                before
            }
            (SliceState::Gap, _) => {
                self.last = None;
                state
            }
            (state, _) => {
                self.last = Some((state, 1));
                state
            }
        }
    }
}

/// The view.
#[derive(Clone, Debug)]
pub struct View {
    slos: Arc<[Slo]>,
    /// By objective: the names of its checks.
    checks: Vec<Vec<Arc<str>>>,
    keep: u64,
    places: Vec<Seen>,
}

impl View {
    /// An empty view for `slos`, whose checks have these names. It keeps `keep` of time.
    #[must_use]
    pub fn new(slos: Arc<[Slo]>, names: &[Arc<str>], keep: Duration) -> Self {
        let of = |slo: &Slo| -> Vec<_> {
            let names = slo.checks.iter().filter_map(|at| names.get(*at));
            names.cloned().collect()
        };
        Self {
            checks: slos.iter().map(of).collect(),
            keep: keep.as_secs().div_ceil(60).max(1),
            places: Vec::new(),
            slos,
        }
    }

    /// The time to keep for all windows and alerts of `slos`.
    #[must_use]
    pub fn span(slos: &[Slo]) -> Duration {
        let longest = |slo: &Slo| {
            let alerts = slo.alerts.iter().map(BurnAlert::long).max();
            slo.window.period().max(alerts.unwrap_or_default())
        };
        let span = slos.iter().map(longest).max().unwrap_or_default();
        // The running minute is one more.
        span + Minute::LENGTH
    }

    /// The objectives.
    #[must_use]
    pub fn slos(&self) -> &[Slo] {
        &self.slos
    }

    /// Names of the locations that have anything to tell.
    pub fn locations(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| &*place.name)
    }

    /// Takes a stretch of one location, in place of what was known of it. It has all checks of
    /// that location.
    pub fn take(&mut self, location: &str, level: Level, first: Minute, checks: &ByCheck) {
        let (slos, keep) = (Arc::clone(&self.slos), self.keep);
        let place = match self.places.iter().position(|p| *p.name == *location) {
            Some(at) => at,
            None => {
                self.places.push(Seen {
                    name: location.into(),
                    rings: vec![Ring::default(); slos.len()],
                    sketches: vec![BTreeMap::new(); slos.len()],
                });
                self.places.len() - 1
            }
        };
        let minutes = usize::try_from(level.minutes()).unwrap_or(usize::MAX);
        for (at, slo) in slos.iter().enumerate() {
            let mut cells = vec![Cell::default(); minutes];
            let mut sketch = Sketch::default();
            for (name, series) in checks {
                if self.checks[at].contains(name) {
                    add(&mut cells, slo.indicator, series);
                    sketch.merge(&series.sketch);
                }
            }
            let place = &mut self.places[place];
            for (offset, cell) in cells.into_iter().enumerate() {
                place.rings[at].set(first.plus(offset as u64), cell, keep);
            }
            if matches!(slo.indicator, Indicator::Latency { .. }) {
                place.take_sketch(at, level, first, sketch, keep);
            }
        }
    }

    /// Puts the sketches of a location's minutes together to those of hours, where the hour ended
    /// before `until` and nothing comes after. What is read from the table needs none of this.
    pub fn fold(&mut self, location: &str, until: Minute) {
        let places = &mut self.places;
        if let Some(place) = places.iter_mut().find(|place| *place.name == *location) {
            place.fold(Level::Hour.floor(until));
        }
    }

    /// The newest minute that an objective has a measurement of.
    #[must_use]
    pub fn newest(&self, slo: usize) -> Option<Minute> {
        let newest = |place: &Seen| place.rings.get(slo)?.newest_measured();
        self.places.iter().filter_map(newest).max()
    }

    /// The oldest minute that an objective has a measurement of.
    #[must_use]
    pub fn oldest(&self, slo: usize) -> Option<Minute> {
        let oldest = |place: &Seen| place.rings.get(slo)?.oldest_measured();
        self.places.iter().filter_map(oldest).min()
    }

    /// The window of an objective, which ends with the newest measured minute, and whether that
    /// is stale at `now`.
    #[must_use]
    pub fn window(&self, slo: usize, now: Timestamp) -> (Range<Minute>, bool) {
        let (Some(newest), Some(objective)) = (self.newest(slo), self.slos.get(slo)) else {
            return (Minute::of(now)..Minute::of(now), true);
        };
        let end = newest.plus(1);
        let start = Minute::of(objective.window.start(end.start()));
        let stale = now.since(end.start()) > objective.stale;
        (start..end, stale)
    }

    /// Evaluates an objective over `range`; `None` where there is no such objective.
    #[must_use]
    pub fn evaluate(
        &self,
        slo: usize,
        maintenance: &[Maintenance],
        range: Range<Minute>,
        expect: Expect,
        stale: bool,
    ) -> Option<Evaluation> {
        let objective = self.slos.get(slo)?;
        let mut judge = Judge::new(objective, maintenance);
        let window = range.end.start().since(range.start.start());
        let range = self.expected(slo, range, expect);
        self.judge(slo, range.clone(), |from, until, cells| {
            judge.slice(from, until, cells);
        });
        let latency = matches!(objective.indicator, Indicator::Latency { .. });
        let p95 = latency.then(|| self.percentile(slo, range, Percent::P95));
        let mut evaluation = judge.finish(stale, p95);
        // A budget is for the whole window, however young the prober is.
        let (counts, target) = (evaluation.counts, objective.target);
        evaluation.remaining_time = budget::remaining_time(counts, target, window);
        Some(evaluation)
    }

    /// Evaluates an objective over `range` as if there were only one location, for each of them.
    #[must_use]
    pub fn evaluate_by_location(
        &self,
        slo: usize,
        maintenance: &[Maintenance],
        range: &Range<Minute>,
    ) -> Vec<(Arc<str>, Evaluation)> {
        let Some(objective) = self.slos.get(slo) else {
            return Vec::new();
        };
        let judge = |place: &Seen| {
            let ring = place.rings.get(slo)?;
            let mut judge = Judge::new(objective, maintenance);
            for minute in (range.start.0..range.end.0).map(Minute) {
                let cell = SliceCell::from(ring.get(minute));
                judge.slice(minute.start(), minute.end(), [cell]);
            }
            Some((Arc::clone(&place.name), judge.finish(false, None)))
        };
        self.places.iter().filter_map(judge).collect()
    }

    /// What each minute of `range` was. A minute in which no probe was due is as the last one
    /// before it.
    #[must_use]
    pub fn states(
        &self,
        slo: usize,
        maintenance: &[Maintenance],
        range: Range<Minute>,
    ) -> Vec<SliceState> {
        let Some(objective) = self.slos.get(slo) else {
            return Vec::new();
        };
        let mut judge = Judge::new(objective, maintenance);
        let mut carry = Carry::over(objective);
        let mut states = Vec::new();
        self.judge(slo, range, |from, until, cells| {
            states.push(carry.next(judge.slice(from, until, cells)));
        });
        states
    }

    /// Goes on with the last state over minutes of `states` in which no probe was due.
    pub fn carry(&self, slo: usize, states: &mut [SliceState]) {
        if let Some(objective) = self.slos.get(slo) {
            let mut carry = Carry::over(objective);
            for state in states {
                *state = carry.next(*state);
            }
        }
    }

    /// What each minute of `range` was at each location by itself, as it was measured.
    #[must_use]
    pub fn by_location(
        &self,
        slo: usize,
        maintenance: &[Maintenance],
        range: &Range<Minute>,
    ) -> Vec<(Arc<str>, Vec<SliceState>)> {
        let Some(objective) = self.slos.get(slo) else {
            return Vec::new();
        };
        let of = |place: &Seen| {
            let ring = place.rings.get(slo)?;
            let mut judge = Judge::new(objective, maintenance);
            let minutes = (range.start.0..range.end.0).map(Minute);
            let state = |minute: Minute| {
                let cell = SliceCell::from(ring.get(minute));
                judge.slice(minute.start(), minute.end(), [cell])
            };
            Some((Arc::clone(&place.name), minutes.map(state).collect()))
        };
        self.places.iter().filter_map(of).collect()
    }

    /// What the burn alerts of an objective read at `end`, the end of its window. Below nine
    /// tenths of coverage, or where the data is stale, they keep their state.
    #[must_use]
    pub fn burn(
        &self,
        slo: usize,
        maintenance: &[Maintenance],
        end: Minute,
        stale: bool,
    ) -> Vec<BurnReading> {
        let alerts = self.slos.get(slo).map_or(0, |slo| slo.alerts.len());
        (0..alerts)
            .filter_map(|alert| self.reading(slo, alert, maintenance, end, stale))
            .collect()
    }

    /// What one of them reads; `None` where there is no such alert.
    #[must_use]
    pub fn reading(
        &self,
        slo: usize,
        alert: usize,
        maintenance: &[Maintenance],
        end: Minute,
        stale: bool,
    ) -> Option<BurnReading> {
        let objective = self.slos.get(slo)?;
        let alert = objective.alerts.get(alert)?;
        let minutes = |length: Duration| (length.as_secs() / 60).max(1);
        let read = |length: Duration| -> (Counts, Coverage) {
            let range = Minute(end.0.saturating_sub(minutes(length)))..end;
            let mut judge = Judge::new(objective, maintenance);
            let range = self.expected(slo, range, Expect::SinceFirst);
            self.judge(slo, range, |from, until, cells| {
                judge.slice(from, until, cells);
            });
            (judge.counts(), judge.coverage())
        };
        let (long, covered) = read(alert.long());
        let (short, _) = read(alert.short());
        // In its first minute a prober sees either no failure or nothing else. Until it is as
        // old as the short window, the two windows are one and hold no blip back.
        let oldest = self.oldest(slo);
        let young = oldest.is_none_or(|oldest| oldest.plus(minutes(alert.short())) > end);
        let known = !stale && !young && covered.is_enough();
        Some(BurnReading {
            alert: *alert,
            long: burn::rate(long, objective.target),
            short: burn::rate(short, objective.target),
            firing: alert.fires(long, short).filter(|_| known),
        })
    }

    /// The nearest-rank percentile of an objective's times, over all locations and its checks,
    /// from merged sketches. A sketch that reaches over the edge of `range` is in it.
    #[must_use]
    pub fn percentile(&self, slo: usize, range: Range<Minute>, percentile: Percent) -> Shown {
        let mut all = Sketch::default();
        for sketches in self
            .places
            .iter()
            .filter_map(|place| place.sketches.get(slo))
        {
            for (first, (level, sketch)) in sketches.range(..range.end) {
                if first.plus(level.minutes()) > range.start {
                    all.merge(sketch);
                }
            }
        }
        all.percentile(percentile)
    }

    fn expected(&self, slo: usize, range: Range<Minute>, expect: Expect) -> Range<Minute> {
        match (expect, self.oldest(slo)) {
            (Expect::SinceFirst, Some(oldest)) => range.start.max(oldest)..range.end,
            _ => range,
        }
    }

    fn judge(
        &self,
        slo: usize,
        range: Range<Minute>,
        mut slice: impl FnMut(Timestamp, Timestamp, &mut dyn Iterator<Item = SliceCell>),
    ) {
        let rings: Vec<&Ring<Cell>> = self
            .places
            .iter()
            .filter_map(|p| p.rings.get(slo))
            .collect();
        for minute in (range.start.0..range.end.0).map(Minute) {
            let mut cells = rings.iter().map(|ring| SliceCell::from(ring.get(minute)));
            slice(minute.start(), minute.end(), &mut cells);
        }
    }
}
