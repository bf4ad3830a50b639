//! What the pages show and the JSON API answers: plain structures, read from the store in one short look each.

pub mod health;
pub mod logs;
pub mod metrics;
pub mod monitors;
pub mod overview;
pub mod service;
pub mod slos;
pub mod traces;

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970.
#[must_use]
pub fn unix_ms(at: SystemTime) -> u64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// In milliseconds.
#[must_use]
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
