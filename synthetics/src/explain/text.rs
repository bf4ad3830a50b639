//! The explanation as a person reads it, from the counts down to the verdict.

use std::fmt::Write as _;

use super::steps::{Step, counts, decimal, events, group, share, steps, verdict};
use super::{Explained, waterfall};
use crate::evaluate::Evaluation;
use crate::export::length;
use crate::history::view::BurnReading;
use crate::objective::Indicator;
use crate::report;
use crate::slo::{Percent, Rounding, Verdict};

/// The explanation, with colours where `colour`.
pub(crate) fn text(explained: &Explained, colour: bool) -> String {
    let evaluation = &explained.evaluation;
    let mut text = promise(evaluation);
    for line in report::heading(&explained.report) {
        put(&mut text, &format!("  {line}"));
    }
    if let Some(source) = &evaluation.slo.source {
        put(&mut text, &format!("  promised in {source}"));
    }
    section(&mut text, &format!("Counted: {}", unit(explained)));
    let lines = counts(evaluation);
    let width = lines
        .iter()
        .map(|(_, n, _)| group(*n).len())
        .max()
        .unwrap_or(1);
    for (name, number, meaning) in lines {
        put(
            &mut text,
            &format!("  {name:<17} {:>width$}  {meaning}", group(number)),
        );
    }
    section(&mut text, "Worked out");
    for step in steps(evaluation) {
        worked(&mut text, &step);
    }
    section(&mut text, "By location, each by itself");
    for (name, by_itself) in &explained.locations {
        put(&mut text, &format!("  {name:<17} {}", tally(by_itself)));
    }
    section(&mut text, "By check, all probes");
    for check in &explained.checks {
        let failures: Vec<_> = check
            .failures
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        let failures = if failures.is_empty() {
            String::new()
        } else {
            format!(": {}", failures.join(", "))
        };
        put(
            &mut text,
            &format!(
                "  {:<17} {} good, {} bad{failures}; {} missed ticks",
                check.name,
                group(check.results.good.into()),
                group(check.results.bad.into()),
                group(check.gaps.into()),
            ),
        );
    }
    section(&mut text, "Burn alerts: both windows above the factor");
    alerts(&mut text, explained);
    section(&mut text, "Worst probes");
    if explained.worst.is_empty() {
        put(&mut text, "  none");
    }
    for (index, found) in explained.worst.iter().enumerate() {
        for line in waterfall::lines(index + 1, found, colour) {
            put(&mut text, &format!("  {line}"));
        }
    }
    text.push('\n');
    let (verdict, why) = verdict(evaluation);
    put(&mut text, &format!("{}  {why}", paint(verdict, colour)));
    text
}

fn promise(evaluation: &Evaluation) -> String {
    let slo = &evaluation.slo;
    let what = match slo.indicator {
        Indicator::Availability { min_good } if min_good == Percent::HUNDRED => {
            "slices must be up, with every probe good".to_owned()
        }
        Indicator::Availability { min_good } => {
            format!("slices must be up, with {min_good} of their probes good")
        }
        Indicator::Latency { within } => format!(
            "requests must be answered within {}",
            humantime::format_duration(within)
        ),
        Indicator::Success => "requests must be answered correctly".to_owned(),
    };
    format!(
        "{} ({}): {} of the {what}, over {}\n",
        slo.title, slo.name, slo.target, slo.window
    )
}

fn unit(explained: &Explained) -> String {
    let evaluation = &explained.evaluation;
    if matches!(evaluation.slo.indicator, Indicator::Availability { .. }) {
        format!(
            "slices, over the locations by the rule {}",
            evaluation.slo.rule.name()
        )
    } else {
        "requests, of all locations together".to_owned()
    }
}

fn worked(text: &mut String, step: &Step) {
    let Step {
        name,
        formula,
        numbers,
        value,
        note,
    } = step;
    // What is a comparison has no value to be equal to.
    let (first, last) = if formula.contains(">=") || *name == "p95" {
        ("; ", ": ")
    } else {
        (" = ", " = ")
    };
    put(
        text,
        &format!("  {name:<17} {formula}{first}{numbers}{last}{value}"),
    );
    put(text, &format!("  {:<17} ({note})", ""));
}

fn tally(evaluation: &Evaluation) -> String {
    let counts = evaluation.counts;
    let sli = counts
        .sli()
        .map_or_else(|| "no SLI".to_owned(), |sli| share(sli, Rounding::Truncate));
    let what = events(evaluation);
    format!(
        "{} good, {} bad {what}: {sli}; {} missed ticks",
        group(counts.good.into()),
        group(counts.bad.into()),
        group(evaluation.gaps.into())
    )
}

fn alerts(text: &mut String, explained: &Explained) {
    let Some(readings) = &explained.burn else {
        put(text, "  read over a history alone: give --window own");
        return;
    };
    if readings.is_empty() {
        put(text, "  none are set");
    }
    for reading in readings {
        put(text, &format!("  {}", alert(reading)));
    }
}

fn alert(reading: &BurnReading) -> String {
    let BurnReading {
        alert,
        long,
        short,
        firing,
    } = reading;
    let rate = |rate: Option<crate::slo::Ratio>| {
        rate.map_or_else(|| "-".to_owned(), |rate| decimal(rate, 3))
    };
    let state = match firing {
        Some(true) => "fires",
        Some(false) => "does not fire",
        None => "keeps its state: too little data",
    };
    let factor = decimal(alert.factor(), 6);
    format!(
        "{} over {} and {} over {}, against {factor}: {state}",
        rate(*long),
        length(alert.long()),
        rate(*short),
        length(alert.short()),
    )
}

fn section(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}");
}

fn put(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}", line.trim_end());
}

fn paint(verdict: Verdict, colour: bool) -> String {
    report::paint(&verdict.name().to_uppercase(), verdict, colour)
}
