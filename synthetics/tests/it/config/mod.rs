//! The configuration: every mistake that a user makes in the first hour is told with its line,
//! the offending text and the mend; secrets are not told at all.

mod mistakes;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use synthetics::config::{self, Config, ConfigError, Problems, Reload, Watcher};
use synthetics::objective::Indicator;
use synthetics::probe::Kind;
use synthetics::slo::{LocationRule, Target, Window};

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret-token".to_owned()),
        "BAD" => Some("s3cret value".to_owned()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config, Problems> {
    Config::parse(&"test.yaml".into(), text, Path::new(""), &environment)
}

/// A sound file; mistakes are put into it.
const SOUND: &str = "\
version: 1
defaults: {interval: 10s, timeout: 2s}
locations:
  - name: tokyo
checks:
  - name: page
    http:
      url: http://shop.test/page
      expect: {status: 200}
  - name: port
    tcp: {address: 'shop.test:22'}
slos:
  - name: availability
    target: 98%
    window: 7d
    availability: {}
    checks: [page, port]
sinks:
  webhooks:
    - name: ops
      url: http://hooks.test/x
";

#[test]
fn the_file_that_mistakes_are_put_into_is_sound() {
    let config = parse(SOUND).expect("it is sound");
    assert_eq!((config.checks.len(), config.slos.len()), (2, 1));
    assert_eq!(config.notify, [[0]]);
}

#[test]
fn an_objective_without_alerts_has_those_of_its_window() {
    let rules = |text: &str| -> Vec<(String, u64)> {
        let config = parse(text).expect("it is sound");
        let alerts = config.slos[0].alerts.iter();
        alerts
            .map(|alert| (alert.factor().to_string(), alert.long().as_secs() / 3_600))
            .collect()
    };
    let of = |all: &[(&str, u64)]| -> Vec<_> {
        let all = all.iter();
        all.map(|(factor, hours)| ((*factor).to_owned(), *hours))
            .collect()
    };
    let week = of(&[("16.8", 1), ("5.6", 6), ("2.8", 24)]);
    assert_eq!(rules(SOUND), week);
    assert_eq!(
        rules(&SOUND.replace("    window: 7d\n", "")),
        week,
        "by default"
    );
    let month = of(&[("14.4", 1), ("6", 6), ("3", 24), ("1", 72)]);
    assert_eq!(rules(&SOUND.replace("window: 7d", "window: 30d")), month);
    // An entry that only says whom to tell keeps them.
    let told = "alerts: [{slo: availability, notify: [ops]}]\nsinks:\n";
    assert_eq!(rules(&SOUND.replace("sinks:\n", told)), week);
    // A share of the budget is the same as its factor.
    let shares = "alerts: [{slo: availability, burn: [{long: 1h, budget: 10%}, {long: 6h, budget: 20%}, {long: 1d, factor: 2.8}]}]\nsinks:\n";
    assert_eq!(rules(&SOUND.replace("sinks:\n", shares)), week);
    let built_in = Config::built_in(&environment).expect("it is sound");
    let alerts = built_in.slos[0]
        .alerts
        .iter()
        .map(|alert| alert.factor().to_string());
    assert_eq!(alerts.collect::<Vec<_>>(), ["16.8", "5.6", "2.8"]);
}

#[test]
fn an_objective_is_probed_as_often_as_its_checks() {
    let text = SOUND.replace("tcp: {", "interval: 5m\n    tcp: {");
    let both = parse(&text).expect("it is sound");
    assert_eq!(both.slos[0].every, Duration::from_secs(10));
    let one = text.replace("checks: [page, port]", "checks: [port]");
    let one = parse(&one).expect("it is sound");
    assert_eq!(one.slos[0].every, Duration::from_secs(300));
    assert_eq!(one.slos[0].stale, Duration::from_secs(600));
}

#[test]
fn all_mistakes_are_told_at_once_and_in_order() {
    let text = SOUND
        .replace("interval: 10s", "interval: 10")
        .replace("status: 200", "status: OK")
        .replace("tcp:", "tpc:")
        .replace("98%", "98")
        .replace("7d", "soon");
    let problems = parse(&text).expect_err("five mistakes");
    let lines: Vec<_> = problems
        .problems()
        .iter()
        .map(|p| problems.position(p).0)
        .collect();
    assert_eq!(lines, [2, 9, 11, 14, 15], "{problems}");
    let rendered = problems.render(false);
    assert!(rendered.contains("test.yaml: 5 mistakes"), "{rendered}");
    assert!(
        rendered.contains("target: 98\n"),
        "it shows the line: {rendered}"
    );

    let text = SOUND
        .replace("[page, port]", "[pages, ports]")
        .replace("timeout: 2s", "timeout: 20s");
    let problems = parse(&text).expect_err("four mistakes");
    assert_eq!(problems.problems().len(), 4, "{problems}");
}

#[test]
fn secrets_are_never_printed() {
    let text = SOUND
        .replace(
            "expect: {status: 200}",
            "headers: [{name: authorization, value: 'Bearer ${TOKEN}'}]\n      body: ${TOKEN}",
        )
        .replace("/page", "/page?key=${TOKEN}")
        .replace("http://hooks.test/x", "http://hooks.test/${TOKEN}");
    let config = parse(&text).expect("it is sound");
    assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
    let url = config.sinks.webhooks[0].url.expose();
    assert_eq!(url, "http://hooks.test/s3cret-token");

    for (good, bad) in [
        ("interval: 10s", "interval: ${BAD}"),
        ("98%", "${BAD}"),
        ("http://shop.test/page", "${BAD}"),
        ("http://shop.test/page", "x${BAD}://x"),
        ("http://hooks.test/x", "${BAD}"),
        ("status: 200", "status: '${BAD}'"),
        ("[page, port]", "['${BAD}']"),
        ("window: 7d", "window: ${BAD}"),
        (
            "availability: {}",
            "availability: {}\n    locations: ${BAD}",
        ),
    ] {
        let problems = parse(&SOUND.replace(good, bad)).expect_err(bad);
        let told = format!("{problems}{problems:?}{}", problems.render(false));
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[test]
fn secrets_come_from_files_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("hook");
    std::fs::write(&secret, "http://hooks.test/from-file\n").expect("it can be written");
    let text = SOUND.replace("http://hooks.test/x", "file:hook");
    let path = directory.path().join("synthetics.yaml");
    std::fs::write(&path, text).expect("it can be written");
    let config = Config::load(&path, &environment).expect("it is sound");
    let url = config.sinks.webhooks[0].url.expose();
    assert_eq!(url, "http://hooks.test/from-file", "without the line break");
}

#[test]
fn yaml_is_taken_as_people_write_it() {
    let text = "\
version: 1
defaults: &usual {interval: 1m, timeout: 5s}
checks:
  - &first
    name: no
    http: {url: 'http://a.test:80/?a=1', expect: {json: [{path: $.x, equals: null}]}}
  - <<: *first
    name: '123'
    interval: 30s
  - name: walk
    journey:
      - name: one
        http: {url: http://a.test/}
        capture: [{name: id, json: $.id}]
      - name: two
        http: {url: 'http://a.test/{{id}}', expect: {body: {contains: '{{id}}'}}}
  - {name: names, dns: {name: a.test, answers: [192.0.2.1], code: noerror}}
  - {name: ends, tls: {address: '[2001:db8::1]:443'}}
slos:
  - name: slow
    target: 99.95 %
    window: calendar-month
    latency: {within: 250ms}
    locations: majority
    checks: [no, '123']
";
    let config = parse(text).expect("it is sound");
    let names: Vec<_> = config.checks.iter().map(|c| &*c.check.name).collect();
    assert_eq!(names, ["no", "123", "walk", "names", "ends"]);
    let kinds: Vec<_> = config.checks.iter().map(|c| c.check.kind.name()).collect();
    assert_eq!(kinds, ["http", "http", "journey", "dns", "tls"]);
    assert_eq!(config.checks[0].interval, Duration::from_secs(60));
    assert_eq!(config.checks[1].interval, Duration::from_secs(30));
    let slo = &config.slos[0];
    assert_eq!(slo.target, "99.95%".parse::<Target>().expect("a target"));
    assert_eq!(slo.rule, LocationRule::Majority);
    assert_eq!(slo.checks, [0, 1]);
    assert!(matches!(slo.window, Window::Calendar(_)));
    let within = Duration::from_millis(250);
    assert_eq!(slo.indicator, Indicator::Latency { within });
    assert_eq!(slo.source.as_ref().map(|source| source.line), Some(20));
    let guard = &config.guard;
    assert!(guard.permits_name("a.test") && !guard.permits_name("b.test"));
}

#[test]
fn the_built_in_file_covers_the_bookshop() {
    let config = Config::built_in(&|_| None).expect("it is sound");
    let places: Vec<_> = config.locations.iter().map(|place| &*place.name).collect();
    assert_eq!(places, ["tokyo", "singapore", "sydney", "seoul"]);
    let slos: Vec<_> = config
        .slos
        .iter()
        .map(|slo| (slo.name.as_str(), slo.target.to_string(), slo.window))
        .collect();
    let week = Window::SEVEN_DAYS;
    assert_eq!(
        slos,
        [
            ("availability", "98%".to_owned(), week),
            ("latency-100ms", "95%".to_owned(), week),
            ("latency-500ms", "95%".to_owned(), week),
            ("success", "96%".to_owned(), week),
        ]
    );
    assert_eq!(config.checks.len(), 6);
    for planned in &config.checks {
        assert!(matches!(planned.check.kind, Kind::Http(_)));
        assert_eq!(planned.interval, Duration::from_secs(5));
    }
    // The alerts that the file writes out are the usual ones.
    assert_eq!(config.slos[0].alerts.len(), 3);
    assert!(config.slos.iter().all(|slo| !slo.alerts.is_empty()));
}

#[test]
fn the_schema_says_what_the_program_says() {
    let schema = config::schema();
    let text = schema.to_string();
    assert!(
        !text.contains("null,") && !text.contains("\"null\""),
        "a key is there or it is not"
    );
    for word in [
        "checks",
        "slos",
        "maintenance",
        "certificate_days",
        "availability",
    ] {
        assert!(text.contains(&format!("\"{word}\"")), "{word}");
    }
    assert_eq!(schema["additionalProperties"], false);
    // Whatever a person reads in an editor is a whole sentence.
    let properties = schema["properties"].as_object().expect("an object");
    for (name, property) in properties {
        let description = property["description"].as_str().unwrap_or_default();
        assert!(
            description.ends_with('.') || name == "version",
            "{name}: {description}"
        );
    }
}

#[test]
fn a_bad_file_keeps_what_was_there_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("synthetics.yaml");
    let write = |text: &str| std::fs::write(&path, text).expect("it can be written");
    write(SOUND);
    let mut watcher = Watcher::new(&path);
    assert!(
        watcher.look(false, &environment).is_none(),
        "nothing has changed"
    );
    assert!(
        matches!(watcher.look(true, &environment), Some(Reload::New(_))),
        "asked for"
    );
    write(&SOUND.replace("98%", "98"));
    let kept = watcher.look(false, &environment);
    let Some(Reload::Kept(ConfigError::Wrong(problems))) = kept else {
        panic!("{kept:?}");
    };
    assert!(problems.to_string().contains(":14:13: "), "{problems}");
    assert!(
        watcher.look(false, &environment).is_none(),
        "it is told once"
    );
    write(&SOUND.replace("98%", "99.5%"));
    let Some(Reload::New(config)) = watcher.look(false, &environment) else {
        panic!("the file is sound again");
    };
    assert_eq!(config.slos[0].target.to_string(), "99.5%");
    std::fs::remove_file(&path).expect("it is there");
    assert!(
        watcher.look(false, &environment).is_none(),
        "it is being replaced"
    );
    let gone = watcher.look(true, &environment);
    assert!(matches!(
        gone,
        Some(Reload::Kept(ConfigError::Unreadable { .. }))
    ));
}

#[test]
fn bombs_and_rubbish_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}", level - 1);
        let items = vec![before; 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let problems = parse(&bomb).expect_err("a thousand million values");
    assert!(
        problems.to_string().contains("more than 100000 values"),
        "{problems}"
    );
    for text in ["", "# nothing\n", "- a\n", "just a text", "? [a]\n: b\n"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(&"[".repeat(10_000)).is_err());
    assert!(parse(&"- ".repeat(10_000)).is_err());
}

proptest! {
    #[test]
    fn a_damaged_file_is_told_and_never_a_panic(
        at in 0..config::DEFAULT.len(),
        length in 0_usize..40,
        put in "[a-z:{}\\[\\]'\"&*!|>%$\\- \\n\\té#,0-9]{0,12}",
    ) {
        let mut bytes = config::DEFAULT.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, put.bytes());
        let text = String::from_utf8_lossy(&bytes);
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.problems().is_empty());
            let rendered = problems.render(false);
            prop_assert!(rendered.contains("mistake"), "{}", rendered);
        }
    }
}
