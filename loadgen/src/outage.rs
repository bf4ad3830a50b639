//! Says once when the shop stops answering, and once when it answers again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::record::Outcome;

/// Requests in a row without an answer that make an outage; a single one is just an error.
const IN_A_ROW: u32 = 3;
/// Shortest time between two outages that are told apart in the log.
const QUIET: Duration = Duration::from_secs(10);

/// Watches the outcomes of all users.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    since: Option<Instant>,
    told_at: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Began,
    Ended(Duration),
}

impl Outages {
    pub(crate) fn saw(&self, outcome: Outcome, now: Instant) {
        let change = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.saw(outcome, now)
        };
        match change {
            Some(Change::Began) => {
                tracing::warn!(
                    error = outcome.label(),
                    "target does not answer, the load goes on"
                );
            }
            Some(Change::Ended(down)) => {
                let down_ms = u64::try_from(down.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(down_ms, "target answers again");
            }
            None => {}
        }
    }
}

impl State {
    fn saw(&mut self, outcome: Outcome, now: Instant) -> Option<Change> {
        match outcome {
            Outcome::Connect | Outcome::Timeout | Outcome::Broken => {
                self.in_a_row += 1;
                let quiet = self.told_at.is_none_or(|at| now - at >= QUIET);
                if self.in_a_row >= IN_A_ROW && self.since.is_none() && quiet {
                    self.since = Some(now);
                    self.told_at = Some(now);
                    return Some(Change::Began);
                }
                None
            }
            Outcome::Ok | Outcome::Status(_) => {
                self.in_a_row = 0;
                self.since.take().map(|since| Change::Ended(now - since))
            }
            Outcome::CutOff => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_at_its_third_failure_and_at_its_end() {
        let mut state = State::default();
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(state.saw(Outcome::Connect, at(0)), None);
        assert_eq!(state.saw(Outcome::Connect, at(1)), None);
        assert_eq!(state.saw(Outcome::Timeout, at(2)), Some(Change::Began));
        assert_eq!(state.saw(Outcome::Connect, at(3)), None);
        assert_eq!(
            state.saw(Outcome::Status(500), at(9)),
            Some(Change::Ended(Duration::from_secs(7)))
        );
        assert_eq!(state.saw(Outcome::Ok, at(10)), None);
        // Flapping is told once in a while only.
        for _ in 0..5 {
            assert_eq!(state.saw(Outcome::Connect, at(11)), None);
        }
        assert_eq!(state.saw(Outcome::Connect, at(12)), Some(Change::Began));
    }
}
