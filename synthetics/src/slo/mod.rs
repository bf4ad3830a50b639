//! The SLO engine: pure functions over integer counts.
//!
//! Nothing here reads a clock, a file or the network, and no verdict passes through a float.

pub mod budget;
pub mod burn;
pub mod counts;
pub mod maintenance;
pub mod percent;
pub mod percentile;
pub mod ratio;
pub mod samples;
pub mod slices;
pub mod verdict;
pub mod window;

pub use counts::Counts;
pub use maintenance::Maintenance;
pub use percent::{Percent, PercentError, Target};
pub use ratio::{Ratio, Rounding};
pub use slices::{Coverage, LocationRule, SliceState, SliceTally};
pub use verdict::{Judgement, OnInconclusive, Reason, Verdict};
pub use window::{Calendar, Window, WindowError};
