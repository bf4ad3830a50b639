//! What went wrong lately.

use serde::Serialize;
use utoipa::ToSchema;

use super::Ground;
use crate::page::format::{Moment, millis};

/// Failures that are shown.
const SHOWN: usize = 20;

/// A probe that failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// When it was due.
    pub(crate) at: Moment,
    /// Name of the check.
    pub(crate) check: String,
    /// Name of the location.
    pub(crate) location: String,
    /// The location for people.
    pub(crate) place: String,
    /// Whether the location is simulated.
    pub(crate) simulated: bool,
    /// Class of the failure.
    pub(crate) kind: String,
    /// What was wrong.
    pub(crate) detail: String,
    /// Status code, where one came.
    pub(crate) status: Option<u16>,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its trace.
    pub(crate) trace_id: Option<String>,
}

/// The newest failures, the newest first.
pub(super) fn all(ground: &Ground<'_>) -> Vec<FailureView> {
    let seen = ground.known.lanes.failures().take(SHOWN);
    let view = |seen: crate::history::lanes::SeenFailure| {
        let (place, simulated) = ground.scene.place(&seen.location);
        let (kind, detail) = seen.probe.failure?;
        Some(FailureView {
            at: Moment(seen.probe.scheduled),
            check: seen.check.to_string(),
            location: seen.location.to_string(),
            place,
            simulated,
            kind,
            detail,
            status: seen.probe.status,
            duration_ms: millis(seen.probe.duration),
            trace_id: seen.probe.trace_id,
        })
    };
    seen.filter_map(view).collect()
}
