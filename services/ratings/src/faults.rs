//! Bookinfo's fault modes, chosen by `SERVICE_VERSION`. Writes are never touched.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    None,
    /// Half of the reads fail.
    Faulty,
    /// Half of the reads take 7 s longer.
    Delayed,
    /// Good for 60 s, failing for 60 s, and so on; health stays good.
    Unavailable,
    /// Good for 15 min, failing for 15 min, and so on; health too.
    Unhealthy,
}

impl Mode {
    /// The mode that a version's name stands for.
    pub fn of_version(version: &str) -> Self {
        match version {
            "v-faulty" => Self::Faulty,
            "v-delayed" => Self::Delayed,
            "v-unavailable" => Self::Unavailable,
            "v-unhealthy" => Self::Unhealthy,
            _ => Self::None,
        }
    }

    /// Length of one turn, in the modes that turn.
    fn turn(self) -> Option<Duration> {
        match self {
            Self::Unavailable => Some(Duration::from_secs(60)),
            Self::Unhealthy => Some(Duration::from_secs(15 * 60)),
            _ => None,
        }
    }
}

/// What happens to one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It is answered.
    Good,
    /// It is answered this much later.
    Delay(Duration),
    /// It gets 503.
    Fail,
}

/// Delay of `v-delayed`.
const DELAY: Duration = Duration::from_secs(7);

type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// Decides for each read what happens to it.
pub struct Faults {
    mode: Mode,
    start: Instant,
    now: Clock,
    chance: Mutex<SmallRng>,
}

impl Faults {
    /// Starts in the good state now, with chance from the system.
    pub fn from_now(mode: Mode) -> Self {
        Self::new(mode, rand::random(), Box::new(Instant::now))
    }

    /// Starts in the good state, with a clock and a seed handed in.
    pub fn new(mode: Mode, seed: u64, now: Clock) -> Self {
        Self {
            mode,
            start: now(),
            now,
            chance: Mutex::new(SmallRng::seed_from_u64(seed)),
        }
    }

    /// What happens to the read that is coming in.
    pub fn next_read(&self) -> Behaviour {
        match self.mode {
            Mode::None => Behaviour::Good,
            Mode::Faulty if self.heads() => Behaviour::Fail,
            Mode::Delayed if self.heads() => Behaviour::Delay(DELAY),
            Mode::Faulty | Mode::Delayed => Behaviour::Good,
            Mode::Unavailable | Mode::Unhealthy if self.is_bad_turn() => Behaviour::Fail,
            Mode::Unavailable | Mode::Unhealthy => Behaviour::Good,
        }
    }

    /// What `/health` says.
    pub fn is_healthy(&self) -> bool {
        self.mode != Mode::Unhealthy || !self.is_bad_turn()
    }

    fn heads(&self) -> bool {
        self.chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random_bool(0.5)
    }

    fn is_bad_turn(&self) -> bool {
        let elapsed = (self.now)().saturating_duration_since(self.start);
        self.mode
            .turn()
            .is_some_and(|turn| (elapsed.as_secs() / turn.as_secs()) % 2 == 1)
    }
}
