//! The report as Markdown, for a pull request or a step summary.

use std::fmt::Write as _;

use super::{Report, words};
use crate::slo::Verdict;

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let verdict = report.verdict();
    let mut text = format!(
        "## {} SLO gate: {}\n\n{}\n\n",
        mark(verdict),
        verdict.name(),
        escape(&words::last_word(report))
    );
    text.push_str("| | SLO | measured | target | good | budget left | p95 |\n");
    text.push_str("|---|---|---:|---:|---|---|---:|\n");
    for objective in &report.objectives {
        let verdict = objective.judgement.verdict;
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {} | {} | {} |",
            mark(verdict),
            verdict.name(),
            escape(&objective.slo.title),
            words::measured(objective),
            objective.slo.target,
            words::counts(objective),
            words::budget(objective),
            words::p95(objective),
        );
    }
    let failing: Vec<_> = report.checks.iter().filter_map(words::failing).collect();
    let why = report.objectives.iter().flat_map(|objective| {
        let title = &objective.slo.title;
        let all = words::why(objective)
            .into_iter()
            .chain(words::notes(objective));
        all.map(move |why| format!("{title}: {why}"))
    });
    let mut points = failing.into_iter().chain(why).peekable();
    if points.peek().is_some() {
        text.push('\n');
    }
    for point in points {
        let _ = writeln!(text, "- {}", escape(&point));
    }
    text.push('\n');
    for line in words::heading(report) {
        let _ = writeln!(text, "<sub>{}</sub><br>", escape(&line));
    }
    text
}

/// A sign that needs no colour to be told from the others.
fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "❔",
        Verdict::Error => "⛔",
    }
}

/// Text without meaning to Markdown or HTML, in one line: details come from answers of others.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_answer_stays_text() {
        let evil = "a|b\n<img src=x> [x](http://x) `c` @all";
        let escaped = escape(evil);
        assert_eq!(
            escaped,
            "a\\|b &lt;img src=x&gt; \\[x\\](http://x) \\`c\\` \\@all"
        );
    }
}
