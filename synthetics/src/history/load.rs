//! Reading a window with as few items as there can be.

use std::ops::Range;

use super::codec::ByCheck;
use super::error::HistoryError;
use super::minute::{Level, Minute};
use super::store::{LocationRecord, Retention, Store};
use crate::clock::Timestamp;

/// What is in the table for a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// Before this, minutes are rolled up into hours.
    pub hours_until: Minute,
    /// Before this, hours are rolled up into days.
    pub days_until: Minute,
    /// Items of minutes that begin before this may be gone.
    pub minutes_from: Minute,
    /// Items of hours that begin before this may be gone.
    pub hours_from: Minute,
}

impl Available {
    /// For a location, at `now`.
    #[must_use]
    pub fn new(record: &LocationRecord, retention: Retention, now: Timestamp) -> Self {
        let from = |level: Level| level.ceil(Minute::of(now.minus(retention.of(level))));
        Self {
            hours_until: record.hours_until,
            days_until: record.days_until,
            minutes_from: from(Level::Minute),
            hours_from: from(Level::Hour),
        }
    }

    /// The stretches to read for `range`, in order, each with the level of its items. Together
    /// they have every minute of `range` once. At the edges they are as fine as they can be; what
    /// is only left as an hour or a day there brings minutes from outside of `range` along.
    #[must_use]
    pub fn stretches(&self, range: Range<Minute>) -> Vec<(Level, Range<Minute>)> {
        let mut all = Vec::new();
        let rolled = range.end.min(self.hours_until);
        let inner = Level::Hour.ceil(range.start)..Level::Hour.floor(rolled);
        if inner.start >= inner.end {
            // Not one whole hour.
            self.push_edge(&mut all, Level::Minute, range.start..rolled);
        } else {
            self.push_edge(&mut all, Level::Minute, range.start..inner.start);
            self.push_hours(&mut all, inner.clone());
            self.push_edge(&mut all, Level::Minute, inner.end..rolled);
        }
        push(&mut all, Level::Minute, range.start.max(rolled)..range.end);
        all
    }

    fn push_hours(&self, all: &mut Vec<(Level, Range<Minute>)>, hours: Range<Minute>) {
        let rolled = hours.end.min(self.days_until).max(hours.start);
        let inner = Level::Day.ceil(hours.start)..Level::Day.floor(rolled);
        if inner.start >= inner.end {
            // Not one whole day.
            self.push_edge(all, Level::Hour, hours.start..rolled);
        } else {
            self.push_edge(all, Level::Hour, hours.start..inner.start);
            push(all, Level::Day, inner.clone());
            self.push_edge(all, Level::Hour, inner.end..rolled);
        }
        push(all, Level::Hour, rolled..hours.end);
    }

    /// Minutes or hours that are rolled up, or the coarser items where they are gone.
    fn push_edge(&self, all: &mut Vec<(Level, Range<Minute>)>, level: Level, edge: Range<Minute>) {
        if edge.start >= edge.end {
            return;
        }
        match level {
            Level::Minute if edge.start < self.minutes_from => {
                let hours = Level::Hour.floor(edge.start)..Level::Hour.ceil(edge.end);
                self.push_hours_left(all, hours);
            }
            Level::Hour if edge.start < self.hours_from => {
                let days = Level::Day.floor(edge.start)..Level::Day.ceil(edge.end);
                push(all, Level::Day, days);
            }
            level => push(all, level, edge),
        }
    }

    /// Hours in place of minutes that are gone, as far as they are left themselves.
    fn push_hours_left(&self, all: &mut Vec<(Level, Range<Minute>)>, hours: Range<Minute>) {
        let rolled = hours.end.min(self.days_until).max(hours.start);
        self.push_edge(all, Level::Hour, hours.start..rolled);
        push(all, Level::Hour, rolled..hours.end);
    }
}

/// Adds what of `range` is not there yet: edges of the same hour or day overlap.
fn push(all: &mut Vec<(Level, Range<Minute>)>, level: Level, range: Range<Minute>) {
    let known = all.last().map_or(Minute(0), |(_, known)| known.end);
    let range = range.start.max(known)..range.end;
    if range.start >= range.end {
        return;
    }
    match all.last_mut() {
        Some((last, known)) if *last == level && range.start == known.end => {
            known.end = range.end;
        }
        _ => all.push((level, range)),
    }
}

/// Hands over what a location has within `range`, in order and without overlap.
///
/// # Errors
/// See [`HistoryError`].
pub async fn load(
    store: &Store,
    record: &LocationRecord,
    range: Range<Minute>,
    now: Timestamp,
    mut take: impl FnMut(Level, Minute, &ByCheck),
) -> Result<(), HistoryError> {
    let available = Available::new(record, store.retention(), now);
    for (level, stretch) in available.stretches(range) {
        store
            .read(&record.name, level, stretch, |first, checks| {
                take(level, first, &checks);
            })
            .await?;
    }
    Ok(())
}
