//! Annotations for GitHub Actions: workflow commands that point at the line of the objective.

use super::{Report, words};
use crate::config::DEFAULT_NAME;
use crate::slo::Verdict;

/// One workflow command for each objective that is not met.
#[must_use]
pub fn annotations(report: &Report) -> Vec<String> {
    let unmet = report.objectives.iter().filter_map(|objective| {
        let (command, what) = match objective.judgement.verdict {
            Verdict::Pass => return None,
            Verdict::Fail | Verdict::Error => ("error", "missed"),
            Verdict::Inconclusive if report.verdict() == Verdict::Fail => ("error", "not proved"),
            Verdict::Inconclusive => ("warning", "not proved"),
        };
        let mut properties = Vec::new();
        let written = objective.slo.source.as_ref();
        // There is no file to point into for what is built in.
        if let Some(source) = written.filter(|source| *source.file != *DEFAULT_NAME) {
            properties.push(format!("file={}", property(&source.file)));
            properties.push(format!("line={}", source.line));
        }
        let title = format!("SLO {what}: {}", objective.slo.name);
        properties.push(format!("title={}", property(&title)));
        let message = data(&words::labelled(report, words::sentence(objective)));
        Some(format!("::{command} {}::{message}", properties.join(",")))
    });
    unmet.collect()
}

/// As the runner reads a message.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// As the runner reads a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
