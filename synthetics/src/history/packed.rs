//! Sketches that are kept for hours and seldom looked at, in a quarter of the space.

use super::codec;
use super::sketch::Sketch;

/// A sketch as the bytes that the table has of it: about two for each bin, in place of eight and
/// what its vector grew too far.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    pub(super) fn of(sketch: &Sketch) -> Self {
        let mut bytes = Vec::with_capacity(4 + 3 * sketch.bins().len());
        codec::encode_sketch(&mut bytes, sketch);
        Self(bytes.into_boxed_slice())
    }

    /// Requests without an answer, and the bins that have a value, ascending.
    pub(super) fn bins(&self) -> (u32, impl Iterator<Item = (u16, u32)>) {
        codec::read_sketch(&self.0)
    }

    /// Adds all of another's probes.
    pub(super) fn merge(&mut self, other: &Self) {
        let mut sum = self.open();
        sum.merge(&other.open());
        *self = Self::of(&sum);
    }

    fn open(&self) -> Sketch {
        let (unanswered, bins) = self.bins();
        // What was written here is a sketch.
        Sketch::from_bins(bins.collect(), unanswered).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sketch() -> impl Strategy<Value = Sketch> {
        let bins = prop::collection::btree_map(0..=Sketch::LAST_BIN, 1..=u32::MAX / 4, 0..40);
        (bins, 0..u32::MAX / 4).prop_map(|(bins, unanswered)| {
            Sketch::from_bins(bins.into_iter().collect(), unanswered).expect("ascending bins")
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sketch in sketch()) {
            prop_assert_eq!(Packed::of(&sketch).open(), sketch);
        }

        #[test]
        fn merging_is_that_of_sketches(a in sketch(), b in sketch()) {
            let mut packed = Packed::of(&a);
            packed.merge(&Packed::of(&b));
            let mut sum = a;
            sum.merge(&b);
            prop_assert_eq!(packed.open(), sum);
        }
    }
}
