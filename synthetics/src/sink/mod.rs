//! Where results go. A prober writes each result to one channel; one task hands it to every sink.

mod dogstatsd;
mod progress;
mod record;
mod state_log;

pub use dogstatsd::Dogstatsd;
pub use progress::Progress;
pub use record::Record;
pub use state_log::StateLog;

use crate::probe::ProbeResult;

/// Takes results as they come. It must neither wait nor fail: a slow output keeps a queue of its
/// own, so that it cannot hold up the others.
pub trait Sink: Send {
    /// Takes one result.
    fn record(&mut self, result: &ProbeResult);
}
