//! Counting what arrived and what was let go.

/// Numbers of items, by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Spans.
    pub spans: u64,
    /// DogStatsD samples: messages, so a packed one counts once.
    pub samples: u64,
    /// DogStatsD events.
    pub events: u64,
    /// DogStatsD service checks.
    pub service_checks: u64,
    /// OTLP data points.
    pub points: u64,
    /// OTLP log records.
    pub logs: u64,
}

impl Counts {
    /// Of all kinds together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.spans + self.samples + self.events + self.service_checks + self.points + self.logs
    }
}

/// What a store did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Stats {
    /// What arrived and could be used.
    pub received: Counts,
    /// What of it is kept now.
    pub kept: Counts,
    /// What had to go for lack of memory.
    pub dropped_for_memory: Counts,
    /// What went because it was too old.
    pub dropped_for_age: Counts,
    /// DogStatsD datagrams, good or bad.
    pub datagrams: u64,
    /// OTLP export requests that could be decoded.
    pub requests: u64,
    /// Messages, requests, or single items that could not be used.
    pub bad: u64,
    /// What is kept takes about so many bytes.
    pub bytes: usize,
}
