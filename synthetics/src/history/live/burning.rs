//! What the burn alerts read, now and at any minute before.

use super::{Inner, Live};
use crate::clock::Timestamp;
use crate::history::minute::Minute;
use crate::history::view::BurnReading;
use crate::slo::burn::BurnAlert;

impl Live {
    /// What the burn alerts of every objective read at `now`.
    #[must_use]
    pub fn burn(&self, now: Timestamp) -> Vec<Vec<BurnReading>> {
        let mut inner = self.inner();
        inner.show();
        let Inner {
            view, maintenance, ..
        } = &*inner;
        let read = |slo| {
            let (range, stale) = view.window(slo, now);
            view.burn(slo, maintenance, range.end, stale)
        };
        (0..view.slos().len()).map(read).collect()
    }

    /// An alert of an objective.
    #[must_use]
    pub fn rule(&self, slo: usize, alert: usize) -> Option<BurnAlert> {
        let inner = self.inner();
        inner.view.slos().get(slo)?.alerts.get(alert).copied()
    }

    /// Whether an alert fires over the windows that end at `end`; `None` where there is too
    /// little data, or no such alert.
    #[must_use]
    pub fn fires(&self, slo: usize, alert: usize, end: Minute) -> Option<bool> {
        let mut inner = self.inner();
        inner.show();
        let reading = inner
            .view
            .reading(slo, alert, &inner.maintenance, end, false);
        reading?.firing
    }

    /// Where the window of an objective ends at `now`.
    #[must_use]
    pub fn end(&self, slo: usize, now: Timestamp) -> Minute {
        self.inner().view.window(slo, now).0.end
    }

    /// Whether an objective has a measurement from before `minute`.
    #[must_use]
    pub fn is_older_than(&self, slo: usize, minute: Minute) -> bool {
        let oldest = self.inner().view.oldest(slo);
        oldest.is_some_and(|oldest| oldest < minute)
    }
}
