//! A sketch of a distribution that can be merged: DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch
//! with relative-error guarantees", VLDB 2019), with sparse bins, since most windows see few values.

/// The largest relative error of a quantile.
pub const ACCURACY: f64 = 0.01;

/// Values closer to zero than this are taken for zero.
const SMALLEST: f64 = 1e-9;

/// Values further from zero than this are taken for this.
const LARGEST: f64 = 1e15;

/// More bins than this are not kept: the two closest to zero become one, which makes low quantiles too high and leaves the high ones.
const BINS: usize = 512;

/// How many values fell where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sketch {
    /// By key, ascending: negative values, then zero (key 0), then positive ones.
    bins: Vec<(i16, u32)>,
    count: u64,
}

/// `(1 + a) / (1 - a)`: bin `i` holds `(gamma^(i-1), gamma^i]`.
fn ln_gamma() -> f64 {
    ((1.0 + ACCURACY) / (1.0 - ACCURACY)).ln()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "between -1036 and 1727, by the two limits"
)]
fn index(magnitude: f64) -> i16 {
    (magnitude.clamp(SMALLEST, LARGEST).ln() / ln_gamma()).ceil() as i16
}

/// Makes every index positive, so that the sign of a key is the sign of its values.
fn offset() -> i16 {
    1 - index(SMALLEST)
}

fn key(value: f64) -> i16 {
    if value.abs() < SMALLEST {
        return 0;
    }
    let key = index(value.abs()) + offset();
    if value < 0.0 { -key } else { key }
}

/// The value that is off by the same ratio from both ends of the bin.
fn value(key: i16) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let ln_gamma = ln_gamma();
    let magnitude =
        2.0 * (f64::from(key.abs() - offset()) * ln_gamma).exp() / (ln_gamma.exp() + 1.0);
    if key < 0 { -magnitude } else { magnitude }
}

impl Sketch {
    /// Takes a value `times` times. What is no number is left out.
    pub fn record(&mut self, value: f64, times: u32) {
        if value.is_nan() || times == 0 {
            return;
        }
        self.add(key(value), times);
        self.shrink();
    }

    /// Takes all that another one took.
    pub fn merge(&mut self, other: &Self) {
        for &(key, count) in &other.bins {
            self.add(key, count);
        }
        self.shrink();
    }

    fn add(&mut self, key: i16, times: u32) {
        self.count += u64::from(times);
        match self.bins.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => {
                if let Some((_, count)) = self.bins.get_mut(at) {
                    *count = count.saturating_add(times);
                }
            }
            Err(at) => self.bins.insert(at, (key, times)),
        }
    }

    fn shrink(&mut self) {
        while self.bins.len() > BINS {
            let Some(at) =
                (0..self.bins.len()).min_by_key(|&at| self.bins.get(at).map(|(key, _)| key.abs()))
            else {
                return;
            };
            let (_, count) = self.bins.remove(at);
            // The neighbour that is closest to zero now takes them.
            if let Some((_, into)) = self.bins.iter_mut().min_by_key(|(key, _)| key.abs()) {
                *into = into.saturating_add(count);
            }
        }
    }

    /// How many values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The quantile by nearest rank: the smallest value of which at least the share `q` is not above it, off by at most [`ACCURACY`].
    /// `None` without values.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts stay below 2^52, and a rank lies between 1 and the count"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        // 0.95 x 20 is a little more than 19 in floating point; a rank is not rounded up for that.
        let rank = (((q * self.count as f64) - 1e-9).ceil().max(1.0) as u64).min(self.count);
        let mut seen = 0;
        self.bins.iter().find_map(|&(key, count)| {
            seen += u64::from(count);
            (seen >= rank).then(|| value(key))
        })
    }

    /// About how many bytes of heap it holds.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.bins.capacity() * size_of::<(i16, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(values: &[f64], q: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = ((q * values.len() as f64) - 1e-9).ceil().max(1.0) as usize;
        sorted[rank - 1]
    }

    #[test]
    fn no_value_is_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.95), None);
    }

    #[test]
    fn the_95th_of_twenty_is_the_nineteenth() {
        let mut sketch = Sketch::default();
        sketch.record(100.0, 19);
        sketch.record(200.0, 1);
        let p95 = sketch.quantile(0.95).unwrap();
        assert!((p95 - 100.0).abs() <= 1.0, "{p95}");
    }

    #[test]
    fn two_places_merge_to_what_all_requests_saw() {
        let (mut a, mut b) = (Sketch::default(), Sketch::default());
        a.record(0.100, 900);
        b.record(1.000, 100);
        a.merge(&b);
        let p95 = a.quantile(0.95).unwrap();
        assert!((p95 - 1.0).abs() <= 0.01, "{p95}");
    }

    #[test]
    fn bins_are_bounded_and_high_quantiles_stay() {
        let mut sketch = Sketch::default();
        for exponent in -300..300 {
            sketch.record(1.1_f64.powi(exponent), 1);
            sketch.record(1.1_f64.powi(exponent) * 1.03, 1);
        }
        assert!(sketch.bins.len() <= BINS);
        assert_eq!(sketch.count(), 1200);
        assert!(sketch.quantile(1.0).unwrap() > 1.1_f64.powi(298));
    }

    proptest! {
        #[test]
        fn quantiles_are_within_their_error(
            values in prop::collection::vec(prop_oneof![-1e6..1e6, 1e-6..10.0_f64, Just(0.0)], 1..200),
            cut in 0..200_usize,
            q in 0.0..=1.0_f64,
        ) {
            // In two parts, merged: it must not matter.
            let (left, right) = values.split_at(cut.min(values.len()));
            let (mut a, mut b) = (Sketch::default(), Sketch::default());
            left.iter().for_each(|v| a.record(*v, 1));
            right.iter().for_each(|v| b.record(*v, 1));
            a.merge(&b);
            let (got, want) = (a.quantile(q).unwrap(), exact(&values, q));
            prop_assert!((got - want).abs() <= want.abs() * ACCURACY * 1.001 + SMALLEST, "{} for {}", got, want);
        }
    }
}
