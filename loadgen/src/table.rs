//! The summary for a terminal.

use std::fmt::{self, Display, Formatter};

use crate::latency::Figures;
use crate::stop::Reason;
use crate::summary::{Row, Summary};

/// Shows a summary as text, with colour where the terminal takes it.
pub(crate) struct Table<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) colour: bool,
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let s = self.summary;
        writeln!(f, "{}", self.paint(BOLD, &format!("Load on {}", s.target)))?;
        let ended = match s.ended_by {
            Some(Reason::Signal) => ", stopped by a signal",
            Some(Reason::RunTime) | None => "",
        };
        let asked = match s.settings.rate_per_s {
            Some(rate) => format!("{rate} asked for"),
            None => "as fast as possible".to_owned(),
        };
        writeln!(
            f,
            "{} requests in {:.1} s{ended}: {:.2} a second ({asked}), at most {} at once",
            s.totals.requests, s.duration_s, s.rate_per_s, s.settings.users
        )?;
        let visits = s.visits;
        writeln!(
            f,
            "whole rounds of the ring: {}; journeys: {} whole, {} with a failed step",
            visits.ring_rounds, visits.journeys_whole, visits.journeys_failed
        )?;
        self.rows(f)?;
        self.remarks(f)?;
        for verdict in &s.thresholds {
            let word = if verdict.passed {
                self.paint(GREEN, "kept  ")
            } else {
                self.paint(RED, "BROKEN")
            };
            writeln!(f, "{word}  {}: {}", verdict.limit, verdict.observed)?;
        }
        Ok(())
    }
}

impl Table<'_> {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("{code}{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn rows(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:50} |{:^23} |{:^23}", "", "raw", "corrected")?;
        let head = format!(
            "{:33} {:>8} {:>7} |{:>7} {:>7} {:>7} |{:>7} {:>7} {:>7}",
            "route", "requests", "errors", "p50", "p95", "p99", "p50", "p95", "p99"
        );
        writeln!(f, "{}", self.paint(BOLD, &head))?;
        for row in self.summary.routes.iter().chain([&self.summary.totals]) {
            self.row(f, row)?;
        }
        Ok(())
    }

    fn row(&self, f: &mut Formatter<'_>, row: &Row) -> fmt::Result {
        let errors = format!("{:>7}", ratio(row.error_ratio));
        let errors = if row.errors > 0 {
            self.paint(RED, &errors)
        } else {
            errors
        };
        let figures = |figures: Option<Figures>| match figures {
            Some(x) => [x.p50_ms, x.p95_ms, x.p99_ms].map(|ms| format!("{:>7}", time(ms))),
            None => ["      -"; 3].map(str::to_owned),
        };
        writeln!(
            f,
            "{:33} {:>8} {errors} |{} |{}",
            row.route,
            row.requests,
            figures(row.raw).join(" "),
            figures(row.corrected).join(" ")
        )
    }

    fn remarks(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let s = self.summary;
        writeln!(f)?;
        if s.totals.errors > 0 {
            let kinds: Vec<_> = s
                .totals
                .errors_by_kind
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            let text = format!("{} errors: {}", s.totals.errors, kinds.join(", "));
            writeln!(f, "{}", self.paint(RED, &text))?;
        }
        if s.missed > 0 {
            let text = format!(
                "{} requests of the schedule were never sent, since all {} users were held up for 10 s \
                 or to the end. They count in the corrected latency of all routes. If the shop was not \
                 slow, raise --users or lower --rate.",
                s.missed, s.settings.users
            );
            writeln!(f, "{}", self.paint(YELLOW, &text))?;
        }
        if s.visits.rating_forms_missing > 0 {
            let text = format!(
                "{} times the product page had no form to rate with.",
                s.visits.rating_forms_missing
            );
            writeln!(f, "{}", self.paint(YELLOW, &text))?;
        }
        if s.totals.requests == 0 {
            writeln!(f, "{}", self.paint(YELLOW, "No request was made."))?;
        }
        Ok(())
    }
}

/// A share as percent. A share above 0 never shows as 0, nor one below 1 as 100.
pub(crate) fn ratio(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_owned(),
        Some(r) if r > 0.0 && r < 0.000_05 => "<0.01 %".to_owned(),
        Some(r) if r < 1.0 && r > 0.999_95 => ">99.9 %".to_owned(),
        Some(r) if r >= 0.1 => format!("{:.1} %", r * 100.0),
        Some(r) => format!("{:.2} %", r * 100.0),
    }
}

/// Milliseconds with three digits, in the unit that fits.
pub(crate) fn time(ms: f64) -> String {
    let (value, unit) = if ms >= 999.5 {
        (ms / 1_000.0, "s")
    } else if ms >= 0.999_5 {
        (ms, "ms")
    } else {
        (ms * 1_000.0, "us")
    };
    let digits = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (ms, shown) in [
            (0.25, "250us"),
            (1.0, "1.00ms"),
            (9.996, "10.0ms"),
            (34.26, "34.3ms"),
            (123.4, "123ms"),
            (999.4, "999ms"),
            (999.6, "1.00s"),
            (60_000.0, "60.0s"),
            (130_000.0, "130s"),
        ] {
            assert_eq!(time(ms), shown);
        }
    }

    #[test]
    fn shares_do_not_round_to_a_lie() {
        assert_eq!(ratio(Some(0.0)), "0.00 %");
        assert_eq!(ratio(Some(0.000_001)), "<0.01 %");
        assert_eq!(ratio(Some(0.999_99)), ">99.9 %");
        assert_eq!(ratio(Some(1.0)), "100.0 %");
        assert_eq!(ratio(Some(0.123_4)), "12.3 %");
        assert_eq!(ratio(None), "-");
    }
}
