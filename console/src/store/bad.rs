//! What could not be used: counted by reason, the last few kept to look at.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

/// The longest excerpt of a bad packet that is kept, in bytes.
const EXCERPT: usize = 512;

/// Which way something came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// DogStatsD over UDP.
    Udp,
    /// DogStatsD over a Unix datagram socket.
    Unix,
    /// OTLP over HTTP.
    OtlpHttp,
    /// OTLP over gRPC.
    OtlpGrpc,
    /// Log lines over HTTP.
    LogLines,
}

/// Something that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BadPacket {
    /// Which way it came in.
    pub source: Source,
    /// Why, in one short word of snake case.
    pub reason: &'static str,
    /// Why, for a person.
    pub detail: String,
    /// How it begins, what is not UTF-8 replaced.
    pub excerpt: String,
    /// When it arrived.
    pub received_at: SystemTime,
}

/// A report on what could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct BadPackets {
    /// How many in all.
    pub total: u64,
    /// How many by reason: those of [`dogstatsd::Reason::code`](crate::dogstatsd::Reason::code) (with `ignored_` before it if only the
    /// field was lost), of [`otlp::Error::code`](crate::otlp::Error::code), and of the receivers.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// The last ones, oldest first.
    pub last: Vec<BadPacket>,
}

/// The tally behind [`BadPackets`]. Bounded: reasons are few and fixed, excerpts are cut, the list has a limit.
#[derive(Debug)]
pub(super) struct Tally {
    keep: usize,
    total: u64,
    by_reason: BTreeMap<&'static str, u64>,
    last: VecDeque<BadPacket>,
}

impl Tally {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            keep,
            total: 0,
            by_reason: BTreeMap::new(),
            last: VecDeque::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        source: Source,
        reason: &'static str,
        detail: &str,
        bytes: &[u8],
        now: SystemTime,
    ) {
        self.total += 1;
        *self.by_reason.entry(reason).or_default() += 1;
        if self.keep == 0 {
            return;
        }
        while self.last.len() >= self.keep {
            self.last.pop_front();
        }
        self.last.push_back(BadPacket {
            source,
            reason,
            detail: detail.chars().take(EXCERPT).collect(),
            excerpt: String::from_utf8_lossy(bytes.get(..EXCERPT).unwrap_or(bytes)).into_owned(),
            received_at: now,
        });
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn report(&self) -> BadPackets {
        BadPackets {
            total: self.total,
            by_reason: self.by_reason.clone(),
            last: self.last.iter().cloned().collect(),
        }
    }
}
