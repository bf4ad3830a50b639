//! What the probes found, minute by minute, kept in DynamoDB.
//!
//! A minute is saved when it has ended; a kill loses at most the running one. Time without a
//! prober leaves no minute, and is a gap. Minutes roll up into hours and days that keep the counts
//! of every minute, so that a window of any age takes few reads and the same numbers come out.

pub mod bucket;
pub mod codec;
pub mod error;
pub mod lanes;
pub mod live;
pub mod load;
pub mod minute;
mod packed;
mod reading;
mod roll_up;
mod seat;
mod seen;
pub mod series;
pub mod sketch;
pub mod store;
mod stretches;
pub mod summary;
pub mod view;
pub mod watcher;
pub mod writer;

pub use bucket::{Bucket, NotedProbe, ProbeCounts, Worst};
pub use error::HistoryError;
pub use lanes::Lanes;
pub use live::{Live, Site};
pub use minute::{Level, Minute};
pub use series::Series;
pub use sketch::Sketch;
pub use view::View;
pub use watcher::Watcher;
pub use writer::Writer;
