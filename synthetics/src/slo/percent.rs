//! Percentages and targets as exact decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ratio::Ratio;

/// A percentage from 0 to 100 as a whole number of hundred-millionths of one, so that up to six
/// digits after the point are held exactly (`99.999999%` is 99,999,999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

/// Why a text is no percentage, or no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PercentError {
    /// The percent sign is missing: `98` and `0.98` mean different things to different tools.
    #[error("`{text}` has no percent sign: write `{hint}`")]
    NoSign {
        /// The text as given.
        text: String,
        /// What was probably meant.
        hint: String,
    },
    /// Not a plain decimal number in front of the sign.
    #[error("`{0}` is no percentage: write digits and a percent sign, such as `98%` or `99.95%`")]
    NotANumber(String),
    /// More than six digits after the point.
    #[error("`{0}` has more than six digits after the point")]
    TooPrecise(String),
    /// Above 100 %.
    #[error("`{0}` is more than 100%")]
    TooLarge(String),
    /// A target of 0 % or 100 %.
    #[error("a target of {0} leaves nothing to judge: it must lie above 0% and below 100%")]
    NoBudget(String),
}

impl Percent {
    /// Hundred-millionths in one whole.
    pub const SCALE: u64 = 100_000_000;
    /// 100 %.
    pub const HUNDRED: Self = Self(Self::SCALE);
    /// 95 %, the percentile that is shown for latencies.
    pub const P95: Self = Self(95_000_000);

    /// Hundred-millionths of one: 98 % is 98,000,000.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// A whole percentage; more than 100 counts as 100.
    #[must_use]
    pub const fn whole(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self(percent as u64 * 1_000_000)
    }

    /// The exact fraction.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        Ratio::new(i128::from(self.0), i128::from(Self::SCALE))
            .expect("the scale is not zero, and no u64 is too much for a ratio")
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    /// Reads `98%`, `98 %` or `99.95%`. The sign is required.
    fn from_str(text: &str) -> Result<Self, PercentError> {
        let text = text.trim();
        let not_a_number = || PercentError::NotANumber(text.chars().take(40).collect());
        let Some(number) = text.strip_suffix('%') else {
            let fraction = text.strip_prefix("0.").filter(|digits| {
                (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            });
            let hint = if let Some(digits) = fraction {
                let units = format!("{digits:0<8}")
                    .parse()
                    .map_err(|_| not_a_number())?;
                Self(units).to_string()
            } else if Ratio::parse_decimal(text).is_some() {
                format!("{text}%")
            } else {
                return Err(not_a_number());
            };
            let text = text.to_owned();
            return Err(PercentError::NoSign { text, hint });
        };
        let number = number.trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let dangling = number.contains('.') && fraction.is_empty();
        if whole.is_empty() || !digits(whole) || !digits(fraction) || dangling {
            return Err(not_a_number());
        }
        if fraction.len() > 6 {
            return Err(PercentError::TooPrecise(text.chars().take(40).collect()));
        }
        let too_large = || PercentError::TooLarge(text.chars().take(40).collect());
        let units: u64 = format!("{whole}{fraction:0<6}")
            .parse()
            .map_err(|_| too_large())?;
        if units > Self::SCALE {
            return Err(too_large());
        }
        Ok(Self(units))
    }
}

/// The shortest form: `98%`, `99.95%`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{text}%")
    }
}

impl Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an SLO promises: above 0 % and below 100 %, so that there is a budget to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Target(Percent);

impl Target {
    /// Takes a percentage as a target.
    ///
    /// # Errors
    /// [`PercentError::NoBudget`] for 0 % and 100 %.
    pub fn new(percent: Percent) -> Result<Self, PercentError> {
        if percent.0 == 0 || percent.0 == Percent::SCALE {
            return Err(PercentError::NoBudget(percent.to_string()));
        }
        Ok(Self(percent))
    }

    /// A whole percentage, held inside 1 to 99.
    #[must_use]
    pub const fn whole(percent: u8) -> Self {
        let percent = if percent < 1 { 1 } else { percent };
        let percent = if percent > 99 { 99 } else { percent };
        Self(Percent::whole(percent))
    }

    /// The percentage.
    #[must_use]
    pub const fn percent(self) -> Percent {
        self.0
    }

    /// Hundred-millionths of one that must be good.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0.0
    }

    /// Hundred-millionths of one that may be bad: the error budget, never zero.
    #[must_use]
    pub const fn budget_units(self) -> u64 {
        Percent::SCALE - self.0.0
    }
}

impl FromStr for Target {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        Self::new(text.parse()?)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Percent::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
