//! The table of the history.
//!
//! One item holds all checks of one location over one minute, hour or day, so that a minute is
//! there as a whole or not at all, and a window takes few items to read:
//!
//! | partition key `pk` | sort key `sk` | what |
//! |---|---|---|
//! | `minute#tokyo` | `2026-11-05T12:34Z` | series of every check, as they were recorded |
//! | `hour#tokyo` | `2026-11-05T12:00Z` | the same, sixty minutes in one |
//! | `day#tokyo` | `2026-11-05T00:00Z` | the same, a day in one |
//! | `location` | `tokyo` | who writes there, and how far it is rolled up |
//! | `clock` | `clock` | where a faster clock began |
//! | `told` | webhook, alert and change | that a prober has told it |
//!
//! Items that would grow too large go on in others, whose sort keys end with `#1`, `#2`.. All keys
//! of a faster clock begin with its factor, such as `x600/`, and never mix with real time.
//! `expires_at` is the time to live.

mod announce;
mod clock;
mod items;
mod location;
mod schema;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bookinfo::store::{StoreArgs, StoreConfig};

pub use clock::Anchor;
pub use items::{MinuteItem, Saved};
pub use location::{Claim, Holder, LocationRecord};

use super::error::HistoryError;
use super::minute::Level;
use crate::clock::Timestamp;

/// What the table's name ends with.
pub const TABLE: &str = "history";
/// Partition key.
pub const PK: &str = "pk";
/// Sort key.
pub const SK: &str = "sk";
/// Seconds since 1970 after which an item may go.
pub const EXPIRES: &str = "expires_at";
/// Which prober wrote it.
const RUN: &str = "run";

/// How long items are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(
    /// That of days, and so of everything.
    pub Duration,
);

impl Retention {
    /// A prober that was away for longer loses what it had not rolled up: an hour at most.
    const MINUTES: Duration = Duration::from_secs(8 * 86_400);
    /// A quarter, and the edge of a window over it.
    const HOURS: Duration = Duration::from_secs(100 * 86_400);

    /// How long an item of `level` is kept.
    #[must_use]
    pub fn of(self, level: Level) -> Duration {
        match level {
            Level::Minute => Self::MINUTES.min(self.0),
            Level::Hour => Self::HOURS.min(self.0),
            Level::Day => self.0,
        }
    }
}

/// Something over a year.
impl Default for Retention {
    fn default() -> Self {
        Self(Duration::from_secs(400 * 86_400))
    }
}

/// The history in DynamoDB. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    /// What every partition key begins with; empty for real time.
    realm: String,
    retention: Retention,
}

impl Store {
    /// Opens the table `table` where `args` point to; without a name, the prefix of `args` makes
    /// it. `time_scale` is the factor of the clock whose times
    /// are kept, 1 for real time. Nothing is called yet.
    ///
    /// # Errors
    /// [`HistoryError::Config`] where a setting is missing or of no use.
    pub async fn open(
        args: &StoreArgs,
        table: Option<&str>,
        time_scale: u32,
        retention: Retention,
    ) -> Result<Self, HistoryError> {
        let config = StoreConfig::load(args).await?;
        Ok(Self {
            client: config.client(),
            table: match table {
                Some(table) => table.to_owned(),
                None => format!("{}{TABLE}", args.table_prefix),
            },
            realm: match time_scale {
                1 => String::new(),
                factor => format!("x{factor}/"),
            },
            retention,
        })
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How long items are kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    fn partition(&self, kind: &str) -> AttributeValue {
        AttributeValue::S(format!("{}{kind}", self.realm))
    }

    /// `expires_at` for an item of `level` that is written at `now`, in real time.
    fn expires(&self, level: Level, now: Timestamp) -> AttributeValue {
        let end = now.plus(self.retention.of(level));
        AttributeValue::N((end.as_micros() / 1_000_000).to_string())
    }
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
