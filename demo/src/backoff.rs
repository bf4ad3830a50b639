//! How long to wait before a process that died is started again.

use std::time::Duration;

/// Before the first restart: short, since a service that is killed for show should be back at once.
const FIRST: Duration = Duration::from_millis(100);
/// Never wait longer.
const LONGEST: Duration = Duration::from_secs(10);
/// Who has lived this long was well: the next death is a first one again.
const STABLE: Duration = Duration::from_secs(10);

/// Doubles from 100 ms to 10 s, and starts again after a life of 10 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The wait after a life of `lived`.
    pub(crate) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= STABLE {
            self.deaths = 0;
        }
        let wait = FIRST.saturating_mul(1 << self.deaths.min(16));
        self.deaths = self.deaths.saturating_add(1);
        wait.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_after_a_good_life() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9)
            .map(|_| backoff.after(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert_eq!(backoff.after(STABLE), FIRST);
        assert_eq!(backoff.after(Duration::from_secs(1)), FIRST * 2);
        let mut long = Backoff { deaths: u32::MAX };
        assert_eq!(long.after(Duration::ZERO), LONGEST);
    }
}
