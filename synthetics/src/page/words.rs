//! What the templates say of the numbers that they show.

use super::board::{
    Alert, AlertState, Board, Cell, CheckView, LocationView, Run, SloView, State as Was,
};
use super::format::{self, Moment};

impl Board {
    pub(super) fn is_demo(&self) -> bool {
        self.time_scale > 1
    }

    /// The state of everything in a sentence.
    pub(super) fn headline(&self) -> String {
        let of = |word| self.slos.iter().filter(move |slo| slo.class() == word);
        let (bad, idle) = (of("bad").count(), of("idle").count());
        match (self.slos.len(), bad, idle) {
            (0, ..) => "There is no objective".to_owned(),
            (1, 0, 0) => "The objective is met".to_owned(),
            (1, 1, _) => "The objective is missed".to_owned(),
            (all, 0, 0) => format!("All {all} objectives are met"),
            (all, 0, idle) if idle == all => "There is too little data for a verdict".to_owned(),
            (all, 0, idle) => format!(
                "{} of {all} objectives are met, {idle} without a verdict",
                all - idle
            ),
            (all, bad, _) => format!("{bad} of {all} objectives missed"),
        }
    }

    pub(super) fn class(&self) -> &'static str {
        use crate::slo::Verdict;
        match self.verdict {
            Verdict::Pass => "well",
            Verdict::Fail | Verdict::Error => "bad",
            Verdict::Inconclusive => "idle",
        }
    }

    pub(super) fn sign(&self) -> &'static str {
        match self.class() {
            "well" => "✓",
            "bad" => "✕",
            _ => "○",
        }
    }

    pub(super) fn states(&self) -> [Was; 5] {
        [
            Was::Up,
            Was::Degraded,
            Was::Down,
            Was::Gap,
            Was::Maintenance,
        ]
    }

    pub(super) fn good_text(&self) -> String {
        format::count(self.locations.iter().map(|location| location.good).sum())
    }

    pub(super) fn bad_text(&self) -> String {
        format::count(self.locations.iter().map(|location| location.bad).sum())
    }

    pub(super) fn firing(&self) -> Vec<&Alert> {
        self.alerts.iter().filter(|alert| alert.fires()).collect()
    }

    /// The days of the timeline, where it has several.
    pub(super) fn span(&self) -> String {
        let until = self.timeline.until;
        let length = until.0.since(self.timeline.from.0);
        format::length(length)
    }

    /// Where a moment of the timeline stands, in percent of its width.
    pub(super) fn place(&self, at: &Moment) -> String {
        let whole = self
            .timeline
            .until
            .0
            .since(self.timeline.from.0)
            .as_secs_f64();
        let part = at.0.since(self.timeline.from.0).as_secs_f64();
        format!("{:.3}", part / whole.max(1.0) * 100.0)
    }

    /// How wide a stretch of the timeline is, in percent, and never too little to be seen.
    pub(super) fn width(&self, from: &Moment, until: &Moment) -> String {
        let whole = self
            .timeline
            .until
            .0
            .since(self.timeline.from.0)
            .as_secs_f64();
        let part = until.0.since(from.0).as_secs_f64();
        format!("{:.3}", (part / whole.max(1.0) * 100.0).max(0.15))
    }
}

impl Run {
    /// What it was, for who points at it.
    pub(super) fn title(&self) -> String {
        let minutes = self.minutes;
        let mut parts = Vec::new();
        for (number, word) in [
            (minutes.down, "down"),
            (minutes.degraded, "degraded"),
            (minutes.maintenance, "in maintenance"),
            (minutes.up, "up"),
            (minutes.gap, "not measured"),
        ] {
            if number > 0 {
                parts.push(format!("{number} min {word}"));
            }
        }
        format!(
            "{}: {} to {} UTC, {}",
            self.state.word(),
            self.from.day_minute(),
            self.until.minute(),
            parts.join(", ")
        )
    }
}

impl Was {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Gap => "○",
            Self::Up => "✓",
            Self::Maintenance => "⚒",
            Self::Degraded => "△",
            Self::Down => "✕",
        }
    }

    /// Height and top of its bar, of 24: what is worse stands higher.
    pub(super) fn top(self) -> u32 {
        match self {
            Self::Gap => 21,
            Self::Up | Self::Maintenance => 10,
            Self::Degraded => 5,
            Self::Down => 0,
        }
    }

    pub(super) fn height(self) -> u32 {
        24 - self.top()
    }
}

impl SloView {
    /// How the target is meant, in words.
    pub(super) fn promise(&self) -> String {
        let target = &self.target;
        match (self.counts_time(), self.within_ms) {
            (true, _) => format!("{target} of minutes up"),
            (false, Some(limit)) => format!("{target} of requests within {limit} ms"),
            (false, None) => format!("{target} of requests answered correctly"),
        }
    }

    pub(super) fn unit(&self) -> &'static str {
        if self.counts_time() {
            "minutes"
        } else {
            "requests"
        }
    }

    pub(super) fn good_of_all(&self) -> String {
        format!(
            "{} of {}",
            format::count(self.good),
            format::count(self.total)
        )
    }

    pub(super) fn burn_text(&self) -> String {
        self.burn_rate
            .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}×"))
    }

    pub(super) fn coverage_text(&self) -> String {
        let coverage = self.coverage;
        // Cut: 89.99 % is not the 90 % that a verdict takes.
        let percent = coverage
            .percent
            .map(|percent| (percent * 10.0).floor() / 10.0);
        match percent {
            Some(percent) => format!(
                "{percent}%, {} of {} min",
                format::count(coverage.measured),
                format::count(coverage.expected)
            ),
            None => "nothing yet".to_owned(),
        }
    }

    pub(super) fn events_text(&self) -> String {
        let one = if self.counts_time() {
            "minute"
        } else {
            "request"
        };
        match self.budget.as_ref().map(|budget| budget.events_left) {
            None => "-".to_owned(),
            Some(left @ 0..) => format!("{} more bad {one}s", format::count(left.unsigned_abs())),
            Some(over) => format!("{} bad {one}s over", format::count(over.unsigned_abs())),
        }
    }

    /// What is left as the width of a bar: 0 to 100.
    pub(super) fn left(&self) -> f64 {
        let left = self.budget.as_ref().map_or(0.0, |budget| budget.percent);
        left.clamp(0.0, 100.0)
    }

    pub(super) fn is_overspent(&self) -> bool {
        self.budget
            .as_ref()
            .is_some_and(|budget| budget.percent < 0.0)
    }

    /// The class of the budget's bar.
    pub(super) fn budget_class(&self) -> &'static str {
        match self.budget.as_ref().map(|budget| budget.percent) {
            None => "idle",
            Some(left) if left < 0.0 => "bad",
            Some(left) if left < 25.0 => "some",
            Some(_) => "well",
        }
    }
}

impl LocationView {
    pub(super) fn good_text(&self) -> String {
        format::count(self.good)
    }

    pub(super) fn bad_text(&self) -> String {
        format::count(self.bad)
    }
}

impl Alert {
    pub(super) fn long_text(&self) -> String {
        times(self.long_burn.as_ref())
    }

    pub(super) fn short_text(&self) -> String {
        times(self.short_burn.as_ref())
    }

    pub(super) fn word(&self) -> &'static str {
        match (self.state, self.frozen) {
            (AlertState::Firing, None) => "firing",
            (AlertState::Firing, Some(_)) => "no data, was firing",
            (AlertState::Ok, None) => "quiet",
            (AlertState::Ok, Some(_)) => "no data, was quiet",
        }
    }

    pub(super) fn sign(&self) -> &'static str {
        match self.class() {
            "bad" => "▲",
            "well" => "✓",
            _ => "○",
        }
    }

    pub(super) fn class(&self) -> &'static str {
        match (self.state, self.frozen) {
            (AlertState::Firing, _) => "bad",
            (AlertState::Ok, None) => "well",
            (AlertState::Ok, Some(_)) => "idle",
        }
    }
}

fn times(burn: Option<&String>) -> String {
    burn.map_or_else(|| "–".to_owned(), |burn| format!("{burn}×"))
}

impl Cell {
    /// What it was, for who points at it.
    pub(super) fn title(&self) -> String {
        format!(
            "{}: {} to {} UTC, {} right, {} wrong or none",
            self.state.word(),
            self.from.day_minute(),
            self.until.minute(),
            self.good,
            self.bad
        )
    }
}

impl CheckView {
    /// Its strip in words.
    pub(super) fn cells_text(&self) -> String {
        let down = self.cells.iter().filter(|cell| cell.state == Was::Down);
        match down.count() {
            0 => format!("{}: no wrong answer", self.name),
            1 => format!("{}: one stretch with wrong answers", self.name),
            some => format!("{}: {some} stretches with wrong answers", self.name),
        }
    }

    pub(super) fn p95_text(&self) -> String {
        match self.p95_ms {
            Some(millis) => format::latency(std::time::Duration::from_secs_f64(millis / 1e3)),
            None if self.p95_unanswered => "no answer".to_owned(),
            None => "too few probes".to_owned(),
        }
    }

    pub(super) fn good_of_all(&self) -> String {
        let all = self.good.saturating_add(self.bad);
        format!("{} of {}", format::count(self.good), format::count(all))
    }
}
