//! What is asked of a view, and what burn alerts read in it.

use crate::slo::Ratio;
use crate::slo::burn::BurnAlert;

/// Which minutes should have been measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Those since the first one that ever was: a prober that is young is not to blame for it.
    SinceFirst,
    /// All of the window: who asks for a week wants to know about a week.
    Everything,
}

/// What a burn alert reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnReading {
    /// The alert.
    pub alert: BurnAlert,
    /// Burn rate over the long window.
    pub long: Option<Ratio>,
    /// Burn rate over the short window.
    pub short: Option<Ratio>,
    /// Whether it fires; `None` where there is too little data, so that it keeps its state.
    pub firing: Option<bool>,
}
