//! The report as JUnit XML: one test case an objective.

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::{Report, words};
use crate::slo::Verdict;

/// Why there is no XML.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written as JUnit")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// The report as JUnit XML. What is inconclusive is a failure too, unless it counts as a pass;
/// then it is skipped, so that nobody takes it for proved.
///
/// # Errors
/// Where a text cannot stand in XML.
pub fn junit(report: &Report) -> Result<String, JunitError> {
    let mut suite = TestSuite::new("slo-gate");
    suite.set_time(report.length);
    for objective in &report.objectives {
        let sentence = words::labelled(report, words::sentence(objective));
        let status = match objective.judgement.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Inconclusive if report.verdict() == Verdict::Pass => {
                let mut skipped = TestCaseStatus::skipped();
                skipped.set_message(sentence.clone());
                skipped
            }
            verdict => {
                let kind = match verdict {
                    Verdict::Error => NonSuccessKind::Error,
                    _ => NonSuccessKind::Failure,
                };
                let mut failed = TestCaseStatus::non_success(kind);
                failed.set_type(verdict.name());
                failed.set_message(sentence.clone());
                failed
            }
        };
        let mut case = TestCase::new(objective.slo.name.as_str(), status);
        case.set_classname("slo");
        case.set_system_out(sentence);
        if let Some(source) = &objective.slo.source {
            case.extra
                .insert("file".into(), source.file.as_ref().into());
            case.extra
                .insert("line".into(), source.line.to_string().into());
        }
        suite.add_test_case(case);
    }
    suite.add_property(Property::new("target", report.target.as_str()));
    suite.add_property(Property::new("location", report.location.as_str()));
    suite.add_property(Property::new("verdict", report.verdict().name()));
    if report.time_scale != 1 {
        let scale = report.time_scale.to_string();
        suite.add_property(Property::new("time_scale", scale));
    }
    let failing: Vec<_> = report.checks.iter().filter_map(words::failing).collect();
    if !failing.is_empty() {
        suite.set_system_err(failing.join("\n"));
    }
    let mut all = quick_junit::Report::new("synthetics");
    all.add_test_suite(suite);
    Ok(all.to_string()?)
}
