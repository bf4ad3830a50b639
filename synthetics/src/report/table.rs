//! The report as a table that a person reads in five seconds: the verdict last, where the eye is.

use std::fmt::Write as _;

use super::{Report, words};
use crate::evaluate::Evaluation;
use crate::slo::Verdict;

/// The report as text, with colours where `colour`.
#[must_use]
pub fn table(report: &Report, colour: bool) -> String {
    let mut text = words::heading(report).join("\n");
    text.push_str("\n\n");
    let rows: Vec<[String; 7]> = report.objectives.iter().map(row).collect();
    let titles = [
        "SLO",
        "verdict",
        "measured",
        "target",
        "good",
        "budget left",
        "p95",
    ];
    let mut widths = titles.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    line(&mut text, &titles.map(str::to_owned), &widths, |cell, _| {
        cell
    });
    for (row, objective) in rows.iter().zip(&report.objectives) {
        line(&mut text, row, &widths, |cell, column| match column {
            1 => paint(&cell, objective.judgement.verdict, colour),
            _ => cell,
        });
    }
    text.push('\n');
    for check in report.checks.iter().filter_map(words::failing) {
        let _ = writeln!(text, "  {check}");
    }
    for objective in &report.objectives {
        for more in words::why(objective)
            .into_iter()
            .chain(words::notes(objective))
        {
            let _ = writeln!(text, "  {}: {more}", objective.slo.title);
        }
    }
    let verdict = report.verdict();
    let word = paint(&verdict.name().to_uppercase(), verdict, colour);
    let _ = writeln!(text, "{word}  {}", words::last_word(report));
    text
}

fn row(evaluation: &Evaluation) -> [String; 7] {
    [
        evaluation.slo.title.clone(),
        evaluation.judgement.verdict.name().to_uppercase(),
        words::measured(evaluation),
        evaluation.slo.target.to_string(),
        words::counts(evaluation),
        words::budget(evaluation),
        words::p95(evaluation),
    ]
}

fn line(
    text: &mut String,
    cells: &[String; 7],
    widths: &[usize; 7],
    decorate: impl Fn(String, usize) -> String,
) {
    let mut row = String::from("  ");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padded = if matches!(column, 2 | 3 | 6) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        };
        row.push_str(&decorate(padded, column));
        row.push_str("  ");
    }
    text.push_str(row.trim_end());
    text.push('\n');
}

/// A text in the colour of a verdict.
pub(crate) fn paint(text: &str, verdict: Verdict, colour: bool) -> String {
    let code = match verdict {
        Verdict::Pass => 32,
        Verdict::Fail | Verdict::Error => 31,
        Verdict::Inconclusive => 33,
    };
    if colour {
        format!("\x1b[1;{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
