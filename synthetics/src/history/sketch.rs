//! Times of many probes in little space, that can be added to each other.
//!
//! A DDSketch: values fall into bins that grow by 2 % each, so any percentile is off by at most
//! 1 %, and sketches are merged by adding their bins. Times lie between a microsecond and an hour,
//! which is 1,101 bins; only those that have a value are kept, so nothing ever has to collapse.
//! It is for showing percentiles: a verdict counts exactly.

use std::sync::LazyLock;
use std::time::Duration;

use sketches_ddsketch::Config;

use super::packed::Packed;
use crate::probe::Measurement;
use crate::slo::{Percent, percentile};
use crate::tally::Shown;

/// One hour: longer answers are shown as this.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// The bins: the mapping of DDSketch with a relative error of 1 %.
static BINS: LazyLock<Config> = LazyLock::new(Config::defaults);

/// Times of probes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Bins with their counts, by ascending bin; none of them is empty.
    bins: Vec<(u16, u32)>,
    unanswered: u32,
}

impl Sketch {
    /// The last bin that a time can fall into.
    pub const LAST_BIN: u16 = 1_100;

    /// Adds one probe. One without an answer took longer than any time.
    pub fn record(&mut self, measurement: &Measurement) {
        if measurement.answered {
            self.add(bin(measurement.duration), 1);
        } else {
            self.unanswered = self.unanswered.saturating_add(1);
        }
    }

    /// Adds all of another's probes.
    pub fn merge(&mut self, other: &Self) {
        self.unanswered = self.unanswered.saturating_add(other.unanswered);
        if self.bins.is_empty() {
            self.bins.clone_from(&other.bins);
            return;
        }
        // Both ascend, so one way through them is enough.
        let mut merged = Vec::with_capacity(self.bins.len() + other.bins.len());
        let mut mine = self.bins.iter().copied().peekable();
        let mut theirs = other.bins.iter().copied().peekable();
        while let Some((bin, count)) = match (mine.peek(), theirs.peek()) {
            (Some((a, _)), Some((b, _))) if a > b => theirs.next(),
            (None, _) => theirs.next(),
            _ => mine.next(),
        } {
            let same = theirs.next_if(|(other, _)| *other == bin);
            let more = same.map_or(0, |(_, more)| more);
            merged.push((bin, count.saturating_add(more)));
        }
        self.bins = merged;
    }

    fn add(&mut self, bin: u16, count: u32) {
        match self.bins.binary_search_by_key(&bin, |(bin, _)| *bin) {
            Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(count),
            Err(at) => self.bins.insert(at, (bin, count)),
        }
    }

    /// All probes, with and without an answer.
    #[must_use]
    pub fn count(&self) -> u64 {
        let answered: u64 = self.bins.iter().map(|(_, count)| u64::from(*count)).sum();
        answered + u64::from(self.unanswered)
    }

    /// Probes without an answer.
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// The bins that have a value, ascending, with how many they have.
    #[must_use]
    pub fn bins(&self) -> &[(u16, u32)] {
        &self.bins
    }

    /// The sketch with these bins; `None` where they do not ascend, one is empty or there is no
    /// such bin.
    #[must_use]
    pub fn from_bins(bins: Vec<(u16, u32)>, unanswered: u32) -> Option<Self> {
        let ascend = bins.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let filled = bins.iter().all(|(_, count)| *count > 0);
        let known = bins.last().is_none_or(|(bin, _)| *bin <= Self::LAST_BIN);
        (ascend && filled && known).then_some(Self { bins, unanswered })
    }

    /// The nearest-rank percentile to within 1 %; requests without an answer count as the
    /// longest.
    #[must_use]
    pub fn percentile(&self, percentile: Percent) -> Shown {
        let Some(rank) = percentile::rank(self.count(), percentile) else {
            return Shown::Nothing;
        };
        let mut seen = 0;
        for (bin, count) in &self.bins {
            seen += u64::from(*count);
            if seen >= rank {
                let micros = BINS.value(i32::from(*bin));
                return Shown::Value(Duration::from_secs_f64(micros / 1e6));
            }
        }
        Shown::Unanswered
    }
}

/// Puts many sketches together, one result after the other, in the space of one.
#[derive(Clone, Debug)]
pub(super) struct Merger {
    counts: Vec<u32>,
    unanswered: u32,
    /// The bins that have a value.
    filled: std::ops::Range<usize>,
}

impl Merger {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; usize::from(Sketch::LAST_BIN) + 1],
            unanswered: 0,
            filled: 0..0,
        }
    }

    pub(super) fn add(&mut self, sketch: &Packed) {
        let (unanswered, bins) = sketch.bins();
        self.unanswered = self.unanswered.saturating_add(unanswered);
        // They ascend.
        let mut ends = None;
        for (bin, count) in bins {
            let bin = usize::from(bin);
            if let Some(sum) = self.counts.get_mut(bin) {
                *sum = sum.saturating_add(count);
                ends = Some((ends.map_or(bin, |(first, _)| first), bin + 1));
            }
        }
        let Some((first, end)) = ends else { return };
        self.filled = if self.filled.is_empty() {
            first..end
        } else {
            self.filled.start.min(first)..self.filled.end.max(end)
        };
    }

    /// What was added since the last time.
    pub(super) fn take(&mut self) -> Sketch {
        let filled = std::mem::take(&mut self.filled);
        let first = filled.start;
        let counts = self.counts.get_mut(filled).unwrap_or_default();
        let bins = counts.iter_mut().enumerate().filter_map(|(at, count)| {
            let count = std::mem::take(count);
            let bin = u16::try_from(first + at).ok()?;
            (count > 0).then_some((bin, count))
        });
        Sketch {
            bins: bins.collect(),
            unanswered: std::mem::take(&mut self.unanswered),
        }
    }
}

fn bin(duration: Duration) -> u16 {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an hour in microseconds is exact"
    )]
    let micros = micros.clamp(1, LONGEST_MICROS) as f64;
    u16::try_from(BINS.key(micros)).map_or(0, |bin| bin.min(Sketch::LAST_BIN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn probe(micros: u64) -> Measurement {
        Measurement {
            duration: Duration::from_micros(micros),
            answered: true,
            ..Measurement::default()
        }
    }

    fn sketch(times: impl IntoIterator<Item = u64>) -> Sketch {
        let mut sketch = Sketch::default();
        for micros in times {
            sketch.record(&probe(micros));
        }
        sketch
    }

    fn millis(shown: Shown) -> f64 {
        match shown {
            Shown::Value(duration) => duration.as_secs_f64() * 1e3,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn merged_sketches_and_not_the_mean_of_percentiles() {
        let mut all = sketch([100_000; 900]);
        let slow = sketch([1_000_000; 100]);
        assert!((millis(slow.percentile(Percent::P95)) - 1_000.0).abs() < 10.0);
        all.merge(&slow);
        let p95 = millis(all.percentile(Percent::P95));
        assert!((p95 - 1_000.0).abs() < 10.0, "{p95}, not 550");
        assert_eq!(all.count(), 1_000);
    }

    #[test]
    fn a_request_without_an_answer_is_the_slowest() {
        let mut all = sketch([5_000; 18]);
        let lost = Measurement::default();
        all.record(&lost);
        // The 19th of 19, and then the 19th of 20.
        assert_eq!(all.percentile(Percent::P95), Shown::Unanswered);
        let mut more = sketch([5_000; 19]);
        more.record(&lost);
        assert!((millis(more.percentile(Percent::P95)) - 5.0).abs() < 0.05);
    }

    #[test]
    fn the_ends_of_the_scale_are_bins() {
        assert_eq!(bin(Duration::ZERO), 0);
        assert_eq!(bin(Duration::from_micros(1)), 0);
        assert_eq!(bin(Duration::from_secs(3_600)), Sketch::LAST_BIN);
        assert_eq!(bin(Duration::MAX), Sketch::LAST_BIN);
        assert_eq!(Sketch::default().percentile(Percent::P95), Shown::Nothing);
    }

    proptest! {
        #[test]
        fn a_percentile_is_off_by_one_percent_at_most(
            mut times in prop::collection::vec(1_u64..10_000_000, 1..300),
            percent in 1_u8..=100,
        ) {
            let percent = Percent::whole(percent);
            let shown = millis(sketch(times.iter().copied()).percentile(percent));
            times.sort_unstable();
            let exact = percentile::nearest_rank(&times, percent).expect("times") as f64 / 1e3;
            prop_assert!((shown / exact - 1.0).abs() < 0.0101, "{shown} for {exact}");
        }

        #[test]
        fn many_are_put_together_as_one_after_the_other(
            parts in prop::collection::vec(prop::collection::vec(0_u64..4_000_000_000, 0..20), 0..6),
            again in prop::collection::vec(0_u64..4_000_000_000, 0..20),
        ) {
            let mut merger = Merger::new();
            let mut one = Sketch::default();
            for part in &parts {
                let mut part = sketch(part.iter().copied());
                part.record(&Measurement::default());
                merger.add(&Packed::of(&part));
                one.merge(&part);
            }
            prop_assert_eq!(merger.take(), one);
            // Nothing of it is left for the next.
            merger.add(&Packed::of(&sketch(again.iter().copied())));
            prop_assert_eq!(merger.take(), sketch(again));
        }

        #[test]
        fn merging_is_recording_all(
            a in prop::collection::vec(0_u64..4_000_000_000, 0..50),
            b in prop::collection::vec(0_u64..4_000_000_000, 0..50),
        ) {
            let mut merged = sketch(a.iter().copied());
            merged.merge(&sketch(b.iter().copied()));
            prop_assert_eq!(merged, sketch(a.into_iter().chain(b)));
        }
    }
}
