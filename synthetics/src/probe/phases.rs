//! Where the time of a probe went.

use std::time::{Duration, Instant};

/// The phases of a probe, in the order in which they happen.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Everything up to the last redirect: its requests whole, connections and all.
    Redirect,
    /// Resolving the name.
    Dns,
    /// Connecting.
    Connect,
    /// Agreeing on TLS.
    Tls,
    /// From there to the head of the answer: the request on its way, the server at work.
    FirstByte,
    /// Reading the rest of the answer.
    Transfer,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Self; 6] = [
        Self::Redirect,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::FirstByte,
        Self::Transfer,
    ];

    /// The name as a tag value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::FirstByte => "first_byte",
            Self::Transfer => "transfer",
        }
    }
}

/// Time by phase. A phase that did not happen took no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases([Duration; 6]);

impl Phases {
    /// The time of one phase.
    #[must_use]
    pub const fn get(&self, phase: Phase) -> Duration {
        self.0[phase as usize]
    }

    /// Every phase with its time, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Duration)> {
        let times = self.0;
        Phase::ALL.into_iter().zip(times)
    }

    /// The sum of all phases.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Adds to one phase.
    pub fn add(&mut self, phase: Phase, time: Duration) {
        self.0[phase as usize] += time;
    }

    /// Both together, phase by phase.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (sum, time) in self.0.iter_mut().zip(other.0) {
            *sum += time;
        }
        self
    }
}

/// Measures phases one after the other. Each lap ends where the next begins, so that they sum to
/// the whole without a remainder.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    lap: Instant,
    phase: Phase,
    phases: Phases,
}

impl Stopwatch {
    /// Starts now, in the phase [`Phase::Dns`].
    #[must_use]
    pub fn start() -> Self {
        Self {
            lap: Instant::now(),
            phase: Phase::Dns,
            phases: Phases::default(),
        }
    }

    /// Ends the phase that runs and begins `phase`.
    pub fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        self.phases.add(self.phase, now - self.lap);
        self.lap = now;
        self.phase = phase;
    }

    /// Ends the phase that runs, moves all time so far to [`Phase::Redirect`], and begins anew.
    pub fn redirected(&mut self) {
        self.enter(Phase::Dns);
        let total = self.phases.total();
        self.phases = Phases::default();
        self.phases.add(Phase::Redirect, total);
    }

    /// The phase that runs.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Ends the phase that runs and tells the times.
    #[must_use]
    pub fn stop(mut self) -> Phases {
        self.enter(self.phase);
        self.phases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_leave_no_remainder() {
        let before = Instant::now();
        let mut watch = Stopwatch::start();
        let first = watch.lap;
        for phase in [Phase::Connect, Phase::Tls, Phase::FirstByte] {
            watch.enter(phase);
        }
        watch.redirected();
        watch.enter(Phase::Transfer);
        let last = watch.lap;
        assert_eq!(watch.phases.total(), last - first);
        assert!(first >= before);
        assert!(watch.phases.get(Phase::Redirect) > Duration::ZERO);
        assert_eq!(watch.phases.get(Phase::Tls), Duration::ZERO);
        assert_eq!(watch.phase(), Phase::Transfer);
    }

    #[test]
    fn phases_add_up() {
        let mut one = Phases::default();
        one.add(Phase::Dns, Duration::from_millis(1));
        let mut two = Phases::default();
        two.add(Phase::Dns, Duration::from_millis(2));
        two.add(Phase::Transfer, Duration::from_millis(4));
        let sum = one.plus(&two);
        assert_eq!(sum.get(Phase::Dns), Duration::from_millis(3));
        assert_eq!(sum.total(), Duration::from_millis(7));
        assert_eq!(sum.iter().count(), Phase::ALL.len());
    }
}
