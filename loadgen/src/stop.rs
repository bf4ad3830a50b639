//! How a run ends: first nothing new is sent, then what is under way is cut off.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// `--run-time` is over.
    RunTime,
    /// A signal came.
    Signal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Running,
    /// What is under way may end.
    Draining(Reason),
    /// Nothing may go on.
    Over(Reason),
}

/// The one switch of a run, shared by all who must end with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<watch::Sender<Phase>>);

impl Stop {
    /// Sends nothing new from now on. The first reason stands.
    pub(crate) fn drain(&self, reason: Reason) {
        self.0.send_if_modified(|phase| {
            let first = *phase == Phase::Running;
            if first {
                *phase = Phase::Draining(reason);
            }
            first
        });
    }

    /// Cuts off what is under way.
    pub(crate) fn cut_off(&self) {
        self.0.send_if_modified(|phase| match *phase {
            Phase::Running => false,
            Phase::Over(_) => false,
            Phase::Draining(reason) => {
                *phase = Phase::Over(reason);
                true
            }
        });
    }

    /// Why the run ended, where it did.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match *self.0.borrow() {
            Phase::Running => None,
            Phase::Draining(reason) | Phase::Over(reason) => Some(reason),
        }
    }

    /// Waits until nothing new may be sent.
    pub(crate) async fn draining(&self) {
        self.until(|phase| *phase != Phase::Running).await;
    }

    /// Waits until what is under way must be cut off.
    pub(crate) async fn over(&self) {
        self.until(|phase| matches!(phase, Phase::Over(_))).await;
    }

    async fn until(&self, reached: impl FnMut(&Phase) -> bool) {
        // Fails only when the sender is gone, and `self` holds it.
        let _ = self.0.subscribe().wait_for(reached).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands_and_cutting_off_needs_a_drain_first() {
        let stop = Stop::default();
        stop.cut_off();
        assert_eq!(stop.reason(), None);
        stop.drain(Reason::RunTime);
        stop.drain(Reason::Signal);
        stop.cut_off();
        stop.drain(Reason::Signal);
        assert_eq!(stop.reason(), Some(Reason::RunTime));
    }
}
