//! Pass, fail, inconclusive or error: and never a pass on nothing.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::percent::Target;
use super::samples;
use super::slices::Coverage;

/// The verdict on one SLO, or on a whole gate.
///
/// The order is the order of precedence: over several SLOs the largest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The target is met, with enough data to say so.
    Pass,
    /// There is too little data.
    Inconclusive,
    /// The target is missed.
    Fail,
    /// It could not be judged: bad usage or configuration.
    Error,
}

impl Verdict {
    /// The exit code of a gate: 0, 1, 3, 2 for pass, fail, inconclusive, error.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Inconclusive => 3,
        }
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
        }
    }

    /// The verdict over several SLOs: the worst one, and inconclusive over none.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Inconclusive)
    }
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The target is met.
    Met,
    /// The target is missed.
    Missed,
    /// There are fewer samples than needed, but so many bad ones that no more would help.
    AlreadyLost,
    /// There was no event at all.
    NoEvents,
    /// There are fewer events than needed to prove the target.
    TooFewEvents,
    /// Less than nine tenths of the slices were measured.
    LowCoverage,
    /// The newest measurement is too old.
    Stale,
}

/// A verdict with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Events needed before a pass can be given.
    pub needed: u64,
}

/// Judges counts against a target.
///
/// Below the number of samples that could prove the target, the verdict is inconclusive, unless
/// the failure is certain already (see [`samples::already_lost`]). From there on it is
/// `SLI >= target`, compared exactly.
#[must_use]
pub fn judge(counts: Counts, target: Target) -> Judgement {
    let needed = samples::for_zero_failures(target);
    let (verdict, reason) = match counts.meets(target) {
        None => (Verdict::Inconclusive, Reason::NoEvents),
        Some(met) if counts.total() >= u128::from(needed) => {
            if met {
                (Verdict::Pass, Reason::Met)
            } else {
                (Verdict::Fail, Reason::Missed)
            }
        }
        Some(_) if samples::already_lost(counts, target, needed) => {
            (Verdict::Fail, Reason::AlreadyLost)
        }
        Some(_) => (Verdict::Inconclusive, Reason::TooFewEvents),
    };
    Judgement {
        verdict,
        reason,
        needed,
    }
}

/// As [`judge`], but without a verdict where too little of the window was measured, or where the
/// newest measurement is stale: what is not known is neither good nor bad.
#[must_use]
pub fn judge_window(counts: Counts, target: Target, coverage: Coverage, stale: bool) -> Judgement {
    let judgement = judge(counts, target);
    let reason = if counts.total() == 0 {
        Reason::NoEvents
    } else if stale {
        Reason::Stale
    } else if !coverage.is_enough() {
        Reason::LowCoverage
    } else {
        return judgement;
    };
    Judgement {
        verdict: Verdict::Inconclusive,
        reason,
        ..judgement
    }
}

/// What a gate makes of an inconclusive verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnInconclusive {
    /// Exit code 1: what is not proved is not good.
    Fail,
    /// Exit code 0: let it through.
    Pass,
    /// Exit code 3, its own.
    #[default]
    Inconclusive,
}

impl OnInconclusive {
    /// The verdict to act on.
    #[must_use]
    pub const fn apply(self, verdict: Verdict) -> Verdict {
        match (verdict, self) {
            (Verdict::Inconclusive, Self::Fail) => Verdict::Fail,
            (Verdict::Inconclusive, Self::Pass) => Verdict::Pass,
            (verdict, _) => verdict,
        }
    }
}
