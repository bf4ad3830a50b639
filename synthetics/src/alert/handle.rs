//! The state of all alerts, for whoever wants to see it.

use std::sync::Arc;

use tokio::sync::watch;

use super::state::AlertState;

/// All alerts as they stand. Clones are handles to the same state; a look costs a counter.
#[derive(Clone, Debug)]
pub struct Alerts(watch::Sender<Arc<[AlertState]>>);

impl Alerts {
    /// No alert yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(Arc::from([])))
    }

    /// The alerts, by objective and in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> Arc<[AlertState]> {
        self.0.borrow().clone()
    }

    /// Changes whenever an alert does, its burn rates included.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<[AlertState]>> {
        self.0.subscribe()
    }

    /// Shows `alerts` from now on.
    pub(super) fn show(&self, alerts: &[AlertState]) {
        self.0.send_if_modified(|shown| {
            let differs = **shown != *alerts;
            if differs {
                *shown = alerts.into();
            }
            differs
        });
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self::new()
    }
}
