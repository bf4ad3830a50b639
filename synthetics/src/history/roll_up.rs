//! Minutes into hours, hours into days.
//!
//! Each is made from what is in the table, and noted in the same transaction as done. A kill in
//! between leaves it undone, and the next start does it again with the same outcome.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::codec::ByCheck;
use super::error::HistoryError;
use super::minute::{Level, Minute};
use super::series::Series;
use super::store::{LocationRecord, Saved, Store};
use crate::clock::Timestamp;

/// Most hours or days in one go: whoever has more to do, such as after a long time away, comes
/// back for the rest, and holds its location in between.
const MOST: usize = 24;

/// What it takes to roll up.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) run: &'a str,
    /// Real time.
    pub(super) now: Timestamp,
}

impl Job<'_> {
    /// Rolls up the hours that ended before `until`, and hands each over. Tells up to where it is
    /// done now; `None` where the location is no longer ours.
    pub(super) async fn hours(
        &self,
        record: &LocationRecord,
        until: Minute,
        take: impl FnMut(Minute, &ByCheck),
    ) -> Result<Option<Minute>, HistoryError> {
        let range = record.hours_until..Level::Hour.floor(until);
        self.all(&record.name, (Level::Minute, Level::Hour), range, take)
            .await
    }

    /// Rolls up the days whose hours are.
    pub(super) async fn days(
        &self,
        record: &LocationRecord,
    ) -> Result<Option<Minute>, HistoryError> {
        let range = record.days_until..Level::Day.floor(record.hours_until);
        self.all(&record.name, (Level::Hour, Level::Day), range, |_, _| {})
            .await
    }

    async fn all(
        &self,
        location: &str,
        (from, to): (Level, Level),
        range: Range<Minute>,
        mut take: impl FnMut(Minute, &ByCheck),
    ) -> Result<Option<Minute>, HistoryError> {
        let mut done = range.start;
        let mut noted = done;
        for _ in 0..MOST {
            // Straight to the next one that has anything, however long nobody was there.
            let next = self.store.next(location, from, done..range.end).await?;
            let Some(first) = next.map(|minute| to.floor(minute)) else {
                done = range.end.max(done);
                break;
            };
            let checks = self.one(location, (from, to), first).await?;
            let what = (to, first);
            let saved = self
                .store
                .save_rolled_up(location, self.run, what, &checks, self.now)
                .await?;
            if saved != Saved::Done {
                return Ok(None);
            }
            take(first, &checks);
            done = first.plus(to.minutes());
            noted = done;
            tracing::debug!(location, level = to.name(), %first, "rolled up");
        }
        if noted < done {
            let skipped = self
                .store
                .skip_rolled_up(location, self.run, to, done)
                .await?;
            if skipped != Saved::Done {
                return Ok(None);
            }
        }
        Ok(Some(done))
    }

    async fn one(
        &self,
        location: &str,
        (from, to): (Level, Level),
        first: Minute,
    ) -> Result<ByCheck, HistoryError> {
        let mut parts: BTreeMap<Arc<str>, Vec<Series>> = BTreeMap::new();
        let range = first..first.plus(to.minutes());
        self.store
            .read(location, from, range, |_, checks| {
                for (name, series) in checks {
                    parts.entry(name).or_default().push(series);
                }
            })
            .await?;
        let whole =
            |(name, parts): (Arc<str>, Vec<Series>)| (name, Series::roll_up(to, first, &parts));
        Ok(parts.into_iter().map(whole).collect())
    }
}
