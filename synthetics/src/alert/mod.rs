//! Burn alerts: which of them fire, since when, and who is told.
//!
//! The [`Ledger`] is the state machine, pure over readings with time handed in. One [`Sentry`] in
//! the prober feeds it from the live history; [`Alerts`] is the handle by which everybody else
//! sees the state, and the [`Teller`] says what changes: to the log, to DogStatsD, to webhooks.

mod evidence;
mod handle;
mod ledger;
mod onset;
mod sentry;
mod state;
mod teller;
pub mod webhook;

pub use evidence::Evidence;
pub use handle::Alerts;
pub use ledger::Ledger;
pub use sentry::Sentry;
pub use state::{AlertId, AlertState, Change, Severity, Status, Transition};
pub use teller::Teller;
