//! The words of OpenSLO v1 that are both written and read.

/// The version that is known.
pub(crate) const VERSION: &str = "openslo/v1";

/// Annotations that carry what OpenSLO has no words for.
pub(crate) mod annotation {
    /// Names of the checks, with commas.
    pub(crate) const CHECKS: &str = "synthetics/checks";
    /// How several locations become one.
    pub(crate) const LOCATIONS: &str = "synthetics/locations";
    /// Limit of a latency objective.
    pub(crate) const WITHIN: &str = "synthetics/within";
}
