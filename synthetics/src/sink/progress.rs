//! A progress bar on the terminal; nothing where standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::Sink;
use crate::probe::{Outcome, ProbeResult};

/// Shows how far the probes are and how many were bad.
pub struct Progress {
    bar: ProgressBar,
    bad: u64,
}

impl Progress {
    /// A bar for `probes` probes.
    #[must_use]
    pub fn new(probes: u64) -> Self {
        let bar = ProgressBar::new(probes);
        let style = ProgressStyle::with_template("{elapsed:>4} {bar:40} {pos}/{len} probes {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar, bad: 0 }
    }

    /// Takes the bar off the terminal.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Sink for Progress {
    fn record(&mut self, result: &ProbeResult) {
        if let Outcome::Measured(measurement) = &result.outcome
            && !measurement.is_good()
        {
            self.bad += 1;
            self.bar.set_message(format!("{} bad", self.bad));
        }
        self.bar.inc(1);
    }
}
