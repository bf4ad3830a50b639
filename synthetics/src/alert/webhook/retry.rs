//! When to try again, and when to give up.

use std::time::Duration;

/// How long to wait for what. The default is what the prober does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Longest time of one attempt.
    pub attempt: Duration,
    /// Pause after the first failure; each further one doubles it.
    pub first: Duration,
    /// Longest pause of our own.
    pub longest: Duration,
    /// Longest pause that a receiver may ask for by `Retry-After`; it is cut to this.
    pub asked: Duration,
    /// Age of a message at which it is given up.
    pub give_up: Duration,
}

impl Default for Patience {
    /// Ten seconds an attempt; pauses from one second to a minute, up to five minutes where the
    /// receiver asks for it; a quarter of an hour in all, after which the news is old.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            asked: Duration::from_secs(5 * 60),
            give_up: Duration::from_secs(15 * 60),
        }
    }
}

impl Patience {
    /// The pause after `failures` attempts, of which `asked` is what the receiver wants. `random`
    /// from 0 to 1 spreads probers that failed together: between half of the pause and all of it.
    /// `None` where the message would be too old by then.
    #[must_use]
    pub fn pause(
        &self,
        failures: u32,
        asked: Option<Duration>,
        age: Duration,
        random: f64,
    ) -> Option<Duration> {
        let doubled = 1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let own = self.first.saturating_mul(doubled).min(self.longest);
        let own = own.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        let pause = asked.map_or(own, |asked| asked.min(self.asked).max(own));
        (age.saturating_add(pause) <= self.give_up).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread() {
        let patience = Patience::default();
        let pause = |failures, random| patience.pause(failures, None, SECOND, random);
        assert_eq!(pause(1, 1.0), Some(SECOND));
        assert_eq!(pause(1, 0.0), Some(SECOND / 2));
        assert_eq!(pause(4, 1.0), Some(SECOND * 8));
        assert_eq!(pause(7, 1.0), Some(SECOND * 60));
        assert_eq!(pause(u32::MAX, 1.0), Some(SECOND * 60));
    }

    #[test]
    fn a_receiver_may_ask_for_more_within_bounds_and_never_for_less() {
        let patience = Patience::default();
        let asked = |seconds| patience.pause(1, Some(SECOND * seconds), SECOND, 1.0);
        assert_eq!(asked(30), Some(SECOND * 30));
        assert_eq!(asked(0), Some(SECOND), "no hammering");
        assert_eq!(asked(86_400), Some(SECOND * 300));
    }

    #[test]
    fn what_is_too_old_is_given_up() {
        let patience = Patience::default();
        let late = |age| patience.pause(7, None, SECOND * age, 1.0);
        assert_eq!(late(840), Some(SECOND * 60));
        assert_eq!(late(841), None);
        assert_eq!(patience.pause(1, None, Duration::MAX, 0.0), None);
    }
}
