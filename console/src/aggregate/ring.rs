//! Time in slots of equal width, of which only those with something in them are kept.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// The number of a slot: whole widths since 1970.
pub type Slot = u64;

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    width_s: u64,
    slots: u64,
}

/// What the charts have across, at most.
const SLOTS: u64 = 360;

/// No slot is shorter, in seconds: most senders report less often.
const NARROWEST_S: u64 = 5;

impl Scale {
    /// Slots of five seconds, or wider where more than 360 would be needed.
    #[must_use]
    pub fn covering(age: Duration) -> Self {
        let width_s = age.as_secs().div_ceil(SLOTS).max(NARROWEST_S);
        Self {
            width_s,
            slots: age.as_secs().div_ceil(width_s).max(1),
        }
    }

    /// How long a slot is.
    #[must_use]
    pub fn width(self) -> Duration {
        Duration::from_secs(self.width_s)
    }

    /// The slot of a moment.
    #[must_use]
    pub fn slot(self, at: SystemTime) -> Slot {
        at.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
            / self.width_s
    }

    /// When a slot begins, in seconds since 1970.
    #[must_use]
    pub fn start(self, slot: Slot) -> u64 {
        slot.saturating_mul(self.width_s)
    }

    /// The first slot that is still shown at a moment.
    #[must_use]
    pub fn oldest(self, now: SystemTime) -> Slot {
        self.slot(now).saturating_sub(self.slots)
    }
}

/// One value for each slot that has one, ascending.
#[derive(Debug, Clone)]
pub struct Ring<T>(VecDeque<(Slot, T)>);

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Default> Ring<T> {
    /// The value of a slot, made where there is none.
    pub fn at(&mut self, slot: Slot) -> &mut T {
        let at = match self.0.back() {
            Some((last, _)) if *last == slot => self.0.len() - 1,
            Some((last, _)) if *last > slot => {
                let at = self.0.partition_point(|(other, _)| *other < slot);
                if self.0.get(at).is_none_or(|(other, _)| *other != slot) {
                    self.0.insert(at, (slot, T::default()));
                }
                at
            }
            _ => {
                self.0.push_back((slot, T::default()));
                self.0.len() - 1
            }
        };
        &mut self.0[at].1
    }
}

impl<T> Ring<T> {
    /// Lets go what lies before a slot.
    pub fn trim(&mut self, oldest: Slot) {
        while self.0.front().is_some_and(|(slot, _)| *slot < oldest) {
            self.0.pop_front();
        }
        if self.0.capacity() > 32 && self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to(self.0.len() * 2);
        }
    }

    /// All from a slot on.
    pub fn since(&self, from: Slot) -> impl DoubleEndedIterator<Item = (Slot, &T)> {
        let at = self.0.partition_point(|(slot, _)| *slot < from);
        self.0.range(at..).map(|(slot, value)| (*slot, value))
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<(Slot, &T)> {
        self.0.back().map(|(slot, value)| (*slot, value))
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// About how many bytes of heap it holds, given what one value holds.
    pub(crate) fn heap_bytes(&self, of: impl Fn(&T) -> usize) -> usize {
        self.0.capacity() * size_of::<(Slot, T)>()
            + self.0.iter().map(|(_, value)| of(value)).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_hour_is_360_slots_of_five_seconds() {
        let scale = Scale::covering(Duration::from_secs(1800));
        assert_eq!(scale.width(), Duration::from_secs(5));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(scale.slot(now) - scale.oldest(now), 360);
        assert_eq!(
            Scale::covering(Duration::from_secs(86_400)).width(),
            Duration::from_secs(240)
        );
    }

    #[test]
    fn late_values_find_their_slot_and_old_ones_go() {
        let mut ring = Ring::<u32>::default();
        for slot in [5, 9, 5, 7, 9, 1] {
            *ring.at(slot) += 1;
        }
        assert_eq!(
            ring.since(0).map(|(s, n)| (s, *n)).collect::<Vec<_>>(),
            [(1, 1), (5, 2), (7, 1), (9, 2)]
        );
        ring.trim(6);
        assert_eq!(ring.since(0).map(|(s, _)| s).collect::<Vec<_>>(), [7, 9]);
        assert_eq!(ring.since(8).count(), 1);
    }
}
