//! What one check found at one location, minute by minute, over a minute, an hour or a day.
//!
//! The counts of every minute stay exact however old they get; the sketch, the failures and the
//! worst probes are those of the whole stretch. Counts hardly change from one minute to the next,
//! so they are kept as runs of equal values: a quiet day takes little more space than a minute.

use std::collections::BTreeMap;

use super::bucket::{Bucket, ProbeCounts, Worst, add_failures};
use super::minute::{Level, Minute};
use super::sketch::Sketch;

/// Values by minute, as runs of equal ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    runs: Vec<(u32, u32)>,
}

impl Column {
    /// Adds `times` minutes with `value`.
    pub fn push(&mut self, value: u32, times: u32) {
        match self.runs.last_mut() {
            _ if times == 0 => {}
            Some((last, length)) if *last == value => *length = length.saturating_add(times),
            _ => self.runs.push((value, times)),
        }
    }

    /// Adds the minutes of another column.
    pub fn extend(&mut self, other: &Self) {
        for (value, times) in &other.runs {
            self.push(*value, *times);
        }
    }

    /// The runs: value, and for how many minutes.
    #[must_use]
    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// The number of minutes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|(_, length)| u64::from(*length)).sum()
    }

    /// Whether there is no minute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The value of each minute.
    pub fn values(&self) -> impl Iterator<Item = u32> {
        let run = |(value, length): &(u32, u32)| std::iter::repeat_n(*value, *length as usize);
        self.runs.iter().flat_map(run)
    }
}

/// One check at one location over one stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The first minute.
    pub first: Minute,
    /// How long it is.
    pub level: Level,
    /// The counts by minute, in the order of [`ProbeCounts::to_array`].
    pub counts: [Column; 6],
    /// For each latency limit in microseconds, ascending: by minute one more than the answers
    /// that came within it, or zero where that was not counted.
    pub within: Vec<(u64, Column)>,
    /// Failures by class.
    pub failures: BTreeMap<String, u32>,
    /// Times of the answers.
    pub sketch: Sketch,
    /// The worst probes.
    pub worst: Worst,
}

impl Series {
    /// A single minute.
    #[must_use]
    pub fn of(minute: Minute, bucket: &Bucket) -> Self {
        let single = |value: u32| Column {
            runs: vec![(value, 1)],
        };
        let within = |(limit, count): &(u64, u32)| (*limit, single(count.saturating_add(1)));
        Self {
            first: minute,
            level: Level::Minute,
            counts: bucket.counts.to_array().map(single),
            within: bucket.within.iter().map(within).collect(),
            failures: bucket.failures.clone(),
            sketch: bucket.sketch.clone(),
            worst: bucket.worst.clone(),
        }
    }

    /// The bucket of a single minute; `None` for anything longer.
    #[must_use]
    pub fn to_bucket(&self) -> Option<Bucket> {
        if self.level != Level::Minute {
            return None;
        }
        let first = |column: &Column| column.values().next();
        let mut counts = [0; 6];
        for (count, column) in counts.iter_mut().zip(&self.counts) {
            *count = first(column)?;
        }
        let within = self.within.iter().filter_map(|(limit, column)| {
            let counted = first(column)?.checked_sub(1)?;
            Some((*limit, counted))
        });
        Some(Bucket {
            counts: ProbeCounts::from_array(counts),
            within: within.collect(),
            failures: self.failures.clone(),
            sketch: self.sketch.clone(),
            worst: self.worst.clone(),
        })
    }

    /// The stretch of `level` that begins at `first`, put together from `parts` of it in
    /// ascending order. Minutes without a part were not measured; parts that lie outside or
    /// overlap an earlier one are left out.
    #[must_use]
    pub fn roll_up<'a>(
        level: Level,
        first: Minute,
        parts: impl IntoIterator<Item = &'a Self>,
    ) -> Self {
        let end = first.plus(level.minutes());
        let mut whole = Self {
            first,
            level,
            counts: Default::default(),
            within: Vec::new(),
            failures: BTreeMap::new(),
            sketch: Sketch::default(),
            worst: Worst::default(),
        };
        let mut next = first;
        for part in parts {
            let after = part.first.plus(part.level.minutes());
            if part.first < next || after > end {
                continue;
            }
            whole.fill(first, part.first);
            for (column, more) in whole.counts.iter_mut().zip(&part.counts) {
                column.extend(more);
            }
            for (limit, more) in &part.within {
                let column = column_of(&mut whole.within, *limit);
                pad(column, first, part.first);
                column.extend(more);
            }
            add_failures(&mut whole.failures, &part.failures);
            whole.sketch.merge(&part.sketch);
            whole.worst.merge(&part.worst);
            next = after;
        }
        whole.fill(first, end);
        whole
    }

    /// Makes every column reach up to `until`.
    fn fill(&mut self, first: Minute, until: Minute) {
        let within = self.within.iter_mut().map(|(_, column)| column);
        for column in self.counts.iter_mut().chain(within) {
            pad(column, first, until);
        }
    }

    /// The counts of each minute.
    pub fn minutes(&self) -> impl Iterator<Item = (Minute, ProbeCounts)> {
        let mut columns = self.counts.each_ref().map(|column| column.values());
        (0..self.level.minutes()).map_while(move |offset| {
            let mut counts = [0; 6];
            for (count, column) in counts.iter_mut().zip(&mut columns) {
                *count = column.next()?;
            }
            Some((self.first.plus(offset), ProbeCounts::from_array(counts)))
        })
    }

    /// By minute, the answers that came within `limit`; `None` where that was not counted.
    pub fn within(&self, limit: std::time::Duration) -> impl Iterator<Item = Option<u32>> {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let column = self.within.iter().find(|(l, _)| *l == micros);
        let counted = column.into_iter().flat_map(|(_, column)| column.values());
        let padded = counted.chain(std::iter::repeat(0));
        let minutes = usize::try_from(self.level.minutes()).unwrap_or(usize::MAX);
        padded.take(minutes).map(|value| value.checked_sub(1))
    }
}

fn column_of(within: &mut Vec<(u64, Column)>, limit: u64) -> &mut Column {
    let at = match within.binary_search_by_key(&limit, |(limit, _)| *limit) {
        Ok(at) => at,
        Err(at) => {
            within.insert(at, (limit, Column::default()));
            at
        }
    };
    &mut within[at].1
}

/// Adds zeros until the column reaches `until`.
fn pad(column: &mut Column, first: Minute, until: Minute) {
    let missing = (until.0 - first.0).saturating_sub(column.len());
    column.push(0, u32::try_from(missing).unwrap_or(u32::MAX));
}
