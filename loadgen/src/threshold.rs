//! Limits that a run must keep, judged on whole numbers.
//!
//! Percentiles from a histogram are for people; a verdict counts the requests within the limit when they
//! are recorded, so equality passes and no rounding decides.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// A share from 0 to 1, kept as the exact decimal that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    parts: u64,
    of: u64,
}

impl Share {
    /// Whether `count` of `total` is more than this share.
    fn is_exceeded_by(self, count: u64, total: u64) -> bool {
        u128::from(count) * u128::from(self.of) > u128::from(self.parts) * u128::from(total)
    }
}

/// What is wrong with a written share.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAShare;

impl fmt::Display for NotAShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a share from 0 to 1 as `1%` or `0.01`, with at most 9 decimals")
    }
}

impl std::error::Error for NotAShare {}

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let text = text.trim();
        let (number, per) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), 100),
            None => (text, 1),
        };
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || decimals.len() > 9 || !digits(whole) {
            return Err(NotAShare);
        }
        if !digits(decimals) || (number.contains('.') && decimals.is_empty()) {
            return Err(NotAShare);
        }
        let scale = 10_u64.pow(u32::try_from(decimals.len()).map_err(|_| NotAShare)?);
        let parts = format!("{whole}{decimals}")
            .parse()
            .map_err(|_| NotAShare)?;
        let share = Self {
            parts,
            of: scale * per,
        };
        if share.parts > share.of {
            return Err(NotAShare);
        }
        Ok(share)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(
            clippy::cast_precision_loss,
            reason = "shown to people; verdicts use the integers"
        )]
        let percent = self.parts as f64 * 100.0 / self.of as f64;
        write!(f, "{percent} %")
    }
}

/// Limits of a run; none is set unless asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) max_error_rate: Option<Share>,
    pub(crate) max_p95: Option<Duration>,
}

/// What the limits are judged on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Requests sent that ended, in whatever way.
    pub(crate) requests: u64,
    /// Those of them that failed.
    pub(crate) errors: u64,
    /// Requests with a latency, and requests of the schedule that could never be sent.
    pub(crate) timed: u64,
    /// Those of them whose corrected latency is within the limit.
    pub(crate) within_p95: u64,
}

/// How one limit came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) limit: String,
    pub(crate) passed: bool,
    pub(crate) observed: String,
}

impl Limits {
    /// One verdict for each limit that is set. No request passes no limit.
    pub(crate) fn judge(&self, counts: Counts) -> Vec<Verdict> {
        let error_rate = self.max_error_rate.map(|share| Verdict {
            limit: format!("errors at most {share}"),
            passed: counts.requests > 0 && !share.is_exceeded_by(counts.errors, counts.requests),
            observed: match counts.requests {
                0 => "no request was made".to_owned(),
                all => format!("{} of {all} requests failed", counts.errors),
            },
        });
        // Nearest rank: p95 <= T says the same as "at least 95 % of the requests took at most T".
        let p95 = self.max_p95.map(|time| Verdict {
            limit: format!("p95 at most {}", humantime::format_duration(time)),
            passed: counts.timed > 0
                && u128::from(counts.within_p95) * 100 >= u128::from(counts.timed) * 95,
            observed: match (counts.requests, counts.timed) {
                (0, 0) => "no request was made".to_owned(),
                (_, 0) => "no request was answered".to_owned(),
                (_, all) => format!(
                    "{} of {all} requests were within, corrected for coordinated omission",
                    counts.within_p95
                ),
            },
        });
        error_rate.into_iter().chain(p95).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn share(text: &str) -> Share {
        text.parse().expect("a share")
    }

    #[test]
    fn shares_are_exact_decimals() {
        assert_eq!(share("1%"), Share { parts: 1, of: 100 });
        assert_eq!(
            share("0.5 %"),
            Share {
                parts: 5,
                of: 1_000
            }
        );
        assert_eq!(share("0.01"), Share { parts: 1, of: 100 });
        assert_eq!(share("1.0"), Share { parts: 10, of: 10 });
        assert_eq!(share("2.5%").to_string(), "2.5 %");
        for bad in [
            "",
            "%",
            ".5",
            "5.",
            "-1%",
            "1.01",
            "101%",
            "1e-2",
            "a",
            "0.0000000001",
        ] {
            assert_eq!(bad.parse::<Share>(), Err(NotAShare), "{bad}");
        }
    }

    #[test]
    fn equality_passes_and_one_more_does_not() {
        assert!(!share("2%").is_exceeded_by(2, 100));
        assert!(share("2%").is_exceeded_by(3, 100));
        assert!(!share("0").is_exceeded_by(0, 7));
        assert!(share("0").is_exceeded_by(1, u64::MAX));
        assert!(!share("100%").is_exceeded_by(u64::MAX, u64::MAX));
    }

    #[test]
    fn p95_is_nearest_rank() {
        let limits = Limits {
            max_error_rate: None,
            max_p95: Some(Duration::from_millis(100)),
        };
        let passed = |within, all| {
            let counts = Counts {
                requests: all,
                timed: all,
                within_p95: within,
                ..Counts::default()
            };
            limits.judge(counts)[0].passed
        };
        assert!(passed(19, 20), "19 x 100 ms and 1 x 200 ms has p95 100 ms");
        assert!(!passed(18, 20));
        assert!(!passed(9_499, 10_000));
        assert!(passed(9_500, 10_000));
    }

    #[test]
    fn no_request_passes_no_limit() {
        let limits = Limits {
            max_error_rate: Some(share("100%")),
            max_p95: Some(Duration::from_secs(60)),
        };
        let verdicts = limits.judge(Counts::default());
        assert_eq!(verdicts.len(), 2);
        assert!(
            verdicts
                .iter()
                .all(|v| !v.passed && v.observed == "no request was made")
        );
        assert!(Limits::default().judge(Counts::default()).is_empty());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,20}") {
            if let Ok(share) = text.parse::<Share>() {
                prop_assert!(share.parts <= share.of);
            }
        }

        #[test]
        fn what_is_written_is_what_is_meant(parts in 0_u64..=1_000_000) {
            let text = format!("{}.{:04}%", parts / 10_000, parts % 10_000);
            prop_assert_eq!(text.parse(), Ok(Share { parts, of: 1_000_000 }));
        }
    }
}
