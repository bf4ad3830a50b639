//! Burn alerts: which of them fire, since when, and who is told.
//!
//! The [`Ledger`] is the state machine, pure over readings with time handed in. One [`Sentry`] in
//! the prober feeds it from the live history and passes on what changes; [`Alerts`] is the handle
//! by which everybody else sees the state.

mod handle;
mod ledger;
mod onset;
mod sentry;
mod state;

pub use handle::Alerts;
pub use ledger::Ledger;
pub use sentry::Sentry;
pub use state::{AlertId, AlertState, Change, Severity, Status, Transition};
