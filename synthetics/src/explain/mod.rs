//! How the numbers of one objective come about: each with its counts, what is left out of them,
//! the formula, and the formula with the numbers put in.

mod json;
mod steps;
mod text;
mod waterfall;
mod worst;

pub(crate) use json::json;
pub(crate) use text::text;
pub(crate) use worst::{Found, Worst};

use std::sync::Arc;

use crate::evaluate::Evaluation;
use crate::history::view::BurnReading;
use crate::report::{CheckReport, Report};

/// All that is told of one objective.
pub(crate) struct Explained {
    /// The report on that objective alone.
    pub(crate) report: Report,
    /// The objective as it comes out.
    pub(crate) evaluation: Evaluation,
    /// Each location by itself.
    pub(crate) locations: Vec<(Arc<str>, Evaluation)>,
    /// What its burn alerts read; `None` where there is no history that they could read.
    pub(crate) burn: Option<Vec<BurnReading>>,
    /// Its checks.
    pub(crate) checks: Vec<CheckReport>,
    /// The worst probes of its checks, the worst first.
    pub(crate) worst: Vec<Found>,
}
