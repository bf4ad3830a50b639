//! Objectives from OpenSLO: our own come back as they were, and of others' it is said, with the
//! line, what is not carried over.

use std::path::Path;

use proptest::prelude::*;
use synthetics::config::Config;
use synthetics::export::{Format, export};
use synthetics::import::{Imported, import};
use synthetics::objective::Slo;

use crate::export::config;
use crate::gate::{ended, synthetics};

fn read(text: &str) -> Imported {
    import(&"slo.yaml".into(), text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// The objectives without where they are written.
fn promises(config: &Config) -> Vec<Slo> {
    let nowhere = |slo: &Slo| Slo {
        source: None,
        ..slo.clone()
    };
    config.slos.iter().map(nowhere).collect()
}

/// The objectives of `config` after they were OpenSLO, with the checks as they are.
fn there_and_back(text: &str, checks: &str) -> (Config, Config) {
    let before = config(text);
    let exported = export(&before, Format::Openslo);
    assert_eq!(exported.left_out, [""; 0]);
    let imported = read(&exported.text);
    assert_eq!(imported.left_out, [""; 0], "{}", exported.text);
    let after = config(&format!("{checks}{}", imported.text));
    (before, after)
}

#[test]
fn the_objectives_of_the_shop_come_back_as_they_were() {
    let text = synthetics::config::DEFAULT;
    let (checks, _) = text.split_once("\nslos:").expect("objectives");
    let (before, after) = there_and_back(text, &format!("{checks}\n"));
    assert_eq!(promises(&before), promises(&after));
}

const CHECKS: &str = "version: 1\nlocations: [{name: a}, {name: b}]\nchecks: [{name: one, http: {url: 'http://shop.test/'}}, {name: two, tcp: {address: 'shop.test:22'}}]\n";

prop_compose! {
    fn objective()(
        units in 1_u64..100_000_000,
        kind in 0..3,
        share in 1_u64..=100_000_000,
        rule in 0_usize..3,
        within in 1_u64..100_000,
        window in prop_oneof![
            (60_u64..100_000).prop_map(|minutes| format!("{minutes}m")),
            (1_u64..=366).prop_map(|days| format!("{days}d")),
            Just("calendar-day".to_owned()), Just("calendar-week".to_owned()),
            Just("calendar-month".to_owned()), Just("calendar-quarter".to_owned()),
        ],
        both: bool,
        alerts in prop::collection::btree_map(1_u64..60, 0.0..1.0_f64, 0..4),
        title in "[ -~é]{1,30}",
    ) -> String {
        let percent = |units: u64| format!("{}.{:06}%", units / 1_000_000, units % 1_000_000);
        let kind = match kind {
            0 => format!(
                "availability: {{up_from: {}}}, locations: {}",
                percent(share),
                ["all-up", "majority", "pooled"][rule]
            ),
            1 => format!("latency: {{within: {within}ms}}"),
            _ => "success: {}".to_owned(),
        };
        // Above 1 and below the highest burn rate, in millionths.
        let most = (100_000_000_000_000_u64 / (100_000_000 - units)).saturating_sub(1);
        let alerts: Vec<_> = alerts
            .into_iter()
            .filter(|_| most > 1_000_000)
            .map(|(minutes, part)| {
                let factor = 1_000_000 + ((most - 1_000_000) as f64 * part) as u64;
                format!("{{long: {minutes}m, factor: {}.{:06}}}", factor / 1_000_000, factor % 1_000_000)
            })
            .collect();
        let checks = if both { "one, two" } else { "two" };
        format!(
            "slos: [{{name: it, title: {}, target: {}, window: {window}, checks: [{checks}], {kind}}}]\nalerts: [{{slo: it, burn: [{}]}}]\n",
            serde_json::Value::from(title.replace("${", "$${")),
            percent(units),
            alerts.join(", ")
        )
    }
}

proptest! {
    #[test]
    fn any_objective_comes_back_as_it_was(objective in objective()) {
        let (before, after) = there_and_back(&format!("{CHECKS}{objective}"), CHECKS);
        prop_assert_eq!(promises(&before), promises(&after));
    }

    #[test]
    fn any_text_is_objectives_or_an_error(text in "(apiVersion: openslo/v1\nkind: (SLO|AlertPolicy)\n)?[a-z:{}\\[\\]'\"&*!|>%$\\- \n\té#,0-9]{0,80}") {
        if let Ok(imported) = import(&"x".into(), &text) {
            prop_assert!(imported.text.contains("slos:"));
        }
    }
}

/// Nobody of ours has written this.
const FOREIGN: &str = include_str!("foreign.openslo.yaml");

#[test]
fn what_others_have_written_is_carried_over_as_far_as_it_goes() {
    let imported = read(FOREIGN);
    let left_out = imported.left_out.join("\n");
    for (line, part) in [
        (
            9,
            "the name `Checkout_Latency` has become `checkout-latency`",
        ),
        (9, "the checks are missing"),
        (21, "taken as 300ms, with equality as good"),
        (47, "webhooks under `sinks:`"),
        (56, "an alert fires above its factor here, and not at it"),
        (59, "an alert waits for its short window"),
        (67, "calendars are in UTC here, and not in Europe/Berlin"),
        (70, "slices are one minute long here"),
        (71, "a target of 100% leaves nothing to judge"),
    ] {
        let there = imported
            .left_out
            .iter()
            .any(|note| note.starts_with(&format!("slo.yaml:{line}:")) && note.contains(part));
        assert!(there, "{line}: {part}\n{left_out}");
        assert!(
            imported.text.contains(&part[..20]),
            "as a comment too: {}",
            imported.text
        );
    }
    // Nobody is green before somebody has said by which checks.
    let problems = Config::parse(
        &"part.yaml".into(),
        &format!("{CHECKS}{}", imported.text),
        Path::new(""),
        &|_| None,
    )
    .expect_err("no checks");
    assert!(
        problems.to_string().contains("`checks` is empty"),
        "{problems}"
    );
    let config = config(&format!(
        "{CHECKS}{}",
        imported.text.replace("checks: []", "checks: [one]")
    ));
    let slo = &config.slos[0];
    assert_eq!(
        (
            slo.name.as_str(),
            slo.title.as_str(),
            slo.target.to_string(),
            slo.window.to_string()
        ),
        (
            "checkout-latency",
            "Checkout in time",
            "99.95%".to_owned(),
            "28d".to_owned()
        )
    );
    let factors: Vec<_> = slo
        .alerts
        .iter()
        .map(|a| (a.long().as_secs(), a.factor().to_string()))
        .collect();
    assert_eq!(
        factors,
        [(3_600, "14.4".to_owned()), (21_600, "6".to_owned())]
    );
    let calendar = &config.slos[1];
    assert_eq!(
        (
            calendar.name.as_str(),
            calendar.window.to_string(),
            calendar.alerts.len()
        ),
        ("calendar-1", "calendar-month".to_owned(), 0),
        "without a policy there is no alert"
    );
}

#[test]
fn what_has_no_counterpart_is_left_out_with_its_line() {
    let slo = |rest: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: x}}\nspec:\n  indicator: {{spec: {{ratioMetric: {{}}}}}}\n{rest}"
        )
    };
    let rolling = "  timeWindow: [{duration: 7d, isRolling: true}]\n";
    for (text, line, part) in [
        (
            slo("  timeWindow: [{duration: 1Y}]\n"),
            6,
            "`1Y` has no counterpart",
        ),
        (
            slo("  timeWindow: [{duration: 1x, isRolling: true}]\n"),
            6,
            "`1x` is no length",
        ),
        (
            slo("  timeWindow: [{duration: 400d, isRolling: true}]\n"),
            6,
            "366 days",
        ),
        (slo(""), 5, "needs one `timeWindow`"),
        (slo(rolling), 5, "has no `objectives`"),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: RatioTimeslices\n  objectives: [{{target: 0.9}}]\n"
            )),
            7,
            "a mean of ratios",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Sometimes\n  objectives: [{{target: 0.9}}]\n"
            )),
            7,
            "is none of Occurrences",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Occurrences\n  objectives: [{{}}]\n"
            )),
            8,
            "no `target`",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Occurrences\n  objectives: [{{target: 9e-1}}]\n"
            )),
            8,
            "no decimal fraction",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Timeslices\n  objectives: [{{target: 0.9}}]\n"
            )),
            8,
            "no `timeSliceTarget`",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Occurrences\n  objectives: [{{target: 0.9}}]\n  alertPolicies: [nobody]\n"
            )),
            9,
            "`nobody` is not in this file",
        ),
        (
            slo(&format!(
                "{rolling}  budgetingMethod: Occurrences\n  objectives: [{{target: 0.9}}]\n  alertPolicies: [{{spec: {{conditions: [{{spec: {{condition: {{kind: burnrate, op: gt, threshold: 10, lookbackWindow: 1h}}}}}}]}}}}]\n"
            )),
            9,
            "can never be exceeded",
        ),
        (
            "apiVersion: openslo/v1\nkind: DataSource\n".to_owned(),
            1,
            "a data source has no place",
        ),
        (
            "apiVersion: openslo/v1\nkind: SLO\n".to_owned(),
            1,
            "no `spec`",
        ),
        (
            "apiVersion: openslo/v1\nkind: Service\n---\napiVersion: openslo/v2alpha\n".to_owned(),
            4,
            "is not `openslo/v1`",
        ),
    ] {
        let imported = read(&text);
        let start = format!("slo.yaml:{line}:");
        let told = |note: &String| note.starts_with(&start) && note.contains(part);
        assert!(
            imported.left_out.iter().any(told),
            "{line}: {part}: {:?}\n{text}",
            imported.left_out
        );
    }
    for (text, part) in [
        ("", "no object of `openslo/v1`"),
        ("version: 1\nslos: []\n", "no object of `openslo/v1`"),
        ("apiVersion: [\n", "this is no YAML"),
    ] {
        let problems = import(&"slo.yaml".into(), text).expect_err(text);
        assert!(problems.to_string().contains(part), "{problems}");
    }
}

#[tokio::test]
async fn the_programs_write_files_and_say_what_they_leave_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let run = async |arguments: &[&str]| {
        let output = ended(synthetics(arguments).output()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (ours, theirs) = (path("ours.yaml"), path("theirs.yaml"));
    let told = run(&["export", "--to", "openslo", "-o", &ours]).await;
    assert_eq!(told, (Some(0), String::new(), String::new()));
    let (code, stdout, stderr) = run(&["import", &ours]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.contains("target: 98%"), "{stdout}");

    std::fs::write(&theirs, FOREIGN).expect("a file");
    let (code, stdout, stderr) = run(&["import", &theirs]).await;
    assert_eq!(code, Some(1), "{stdout}");
    assert!(
        stderr.contains(&format!("left out: {theirs}:21:")),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["import", &path("nowhere.yaml")]).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("cannot read"), "{stderr}");
    let (code, _, stderr) = run(&["export", "--to", "nagios"]).await;
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("datadog") && stderr.contains("openslo"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["export", "--to", "datadog", "--config", &theirs]).await;
    assert_eq!(code, Some(2), "not a configuration of ours");
    assert!(stderr.contains("second document"), "{stderr}");
}
