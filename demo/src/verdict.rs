//! The prober's verdict at the end of a run with `--for`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the prober reports, as far as it is shown here.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    verdict: String,
    exit_code: u8,
    probes: u64,
    slos: Vec<Objective>,
    /// The report with everything.
    #[serde(skip)]
    whole: Value,
}

#[derive(Debug, Deserialize)]
struct Objective {
    title: String,
    target: String,
    good: u64,
    total: u64,
    sli_percent: Option<f64>,
    verdict: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Verdict {
    /// Reads the prober's report.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file)
            .context("the prober ended without a report; its log says why")?;
        Self::parse(&text).context("the prober's report cannot be read")
    }

    fn parse(text: &str) -> serde_json::Result<Self> {
        let whole: Value = serde_json::from_str(text)?;
        let mut verdict = Self::deserialize(&whole)?;
        verdict.whole = whole;
        Ok(verdict)
    }

    /// 0 pass, 1 fail, 2 no verdict, 3 inconclusive.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// For scripts, with the whole report.
    pub(crate) fn event(&self) -> Value {
        json!({
            "event": "verdict",
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "report": self.whole,
        })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let titles = self.slos.iter().map(|slo| slo.title.chars().count());
        let width = titles.max().unwrap_or(0);
        let mut text = format!("\n{} probes\n\n", self.probes);
        for slo in &self.slos {
            let share = match slo.sli_percent {
                Some(share) => format!("{share:8.3} %"),
                None => format!("{:>10}", "no data"),
            };
            let Objective {
                title,
                target,
                good,
                total,
                verdict,
                ..
            } = slo;
            let _ = write!(
                text,
                "  {title:width$}  {share}  ({good} of {total} good, target {target})  {verdict}"
            );
            if let Some(reason) = slo.reason.as_deref().filter(|_| verdict != "pass") {
                let _ = write!(text, ": {reason}");
            }
            text.push('\n');
        }
        let _ = writeln!(text, "\nverdict: {}\n", self.verdict);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"version":1,"verdict":"fail","exit_code":1,"probes":332,"slos":[
        {"title":"availability","target":"98%","good":166,"total":166,"sli_percent":100.0,"verdict":"pass","reason":null},
        {"title":"success ratio","target":"96%","good":100,"total":166,"sli_percent":60.240964,"verdict":"fail","reason":"below the target"}]}"#;

    #[test]
    fn the_report_is_shown_and_handed_on_whole() {
        let verdict = Verdict::parse(REPORT).unwrap();
        assert_eq!(verdict.exit_code(), 1);
        let text = verdict.text();
        assert!(text.contains("availability    100.000 %  (166 of 166 good, target 98%)  pass\n"));
        assert!(text.contains("60.241 %  (100 of 166 good, target 96%)  fail: below the target"));
        assert!(text.ends_with("verdict: fail\n\n"));
        assert_eq!(verdict.event()["report"]["version"], 1);
    }

    #[test]
    fn no_report_and_half_a_report_are_told() {
        let error = Verdict::read(Path::new("no/such/report")).unwrap_err();
        assert!(format!("{error:#}").contains("without a report"));
        assert!(Verdict::parse(&REPORT[..100]).is_err());
    }
}
