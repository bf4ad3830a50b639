//! The emitter as its users run it: the real program, and the console's receivers in the agent's
//! place.
//!
//! Each test has its own receivers on free ports, hands the program its whole environment, and waits for
//! packets or for the end of the process, never for time to pass.

mod agent;

use std::process::Output;
use std::time::{Duration, SystemTime};

use agent::{Agent, Running, bare, logged, tag, value};
use console::dogstatsd::Kind;

fn assert_refused(output: &Output, flag: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains(flag), "names the setting: {message}");
    assert!(
        message.contains("write seconds such as 45") || message.contains("at least 100ms"),
        "says what would do: {message}"
    );
}

#[test]
fn a_value_is_a_gauge_from_1_to_999_with_unified_tags_and_host() {
    let agent = Agent::start();
    let output = agent
        .emitter()
        .args(["--once"])
        .envs([
            ("DD_ENV", "test"),
            ("DD_SERVICE", "emitter"),
            ("DD_VERSION", "7.1"),
            ("DD_HOSTNAME", "node-7"),
            ("DD_TAGS", "team:books"),
        ])
        .output()
        .expect("the emitter runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let gauge = agent.next();
    assert_eq!((gauge.name(), gauge.kind), ("my_metric", Kind::Gauge));
    assert!((1..=999).contains(&value(&gauge)), "{gauge:?}");
    for (key, value) in [
        ("env", "test"),
        ("service", "emitter"),
        ("version", "7.1"),
        ("host", "node-7"),
        ("team", "books"),
    ] {
        assert_eq!(tag(&gauge, key), Some(value), "{gauge:?}");
    }
    let log = String::from_utf8_lossy(&output.stdout);
    assert_eq!(logged(&log), [u64::from(value(&gauge))], "{log}");
}

#[test]
fn once_sends_one_value_and_ends() {
    let agent = Agent::start();
    let output = agent
        .emitter()
        .env("MYMETRIC_ONCE", "true")
        .output()
        .expect("the emitter runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = agent.end();
    assert_eq!(seen.stats.datagrams, 1, "{seen:#?}");
    assert_eq!(seen.metrics[0].name(), "my_metric");
}

#[test]
fn once_ends_well_without_an_agent() {
    // An address of its own: a port that was free a moment ago may be another test's agent by now.
    let output = bare()
        .args(["--once", "--dd-agent-host", "127.9.9.9"])
        .output()
        .expect("the emitter runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_host_is_the_systems_own_where_none_is_configured() {
    let agent = Agent::start();
    let output = agent
        .emitter()
        .args(["--once"])
        .env("DD_HOSTNAME", "")
        .output();
    assert!(output.is_ok_and(|o| o.status.success()));
    let system = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux");
    let gauge = agent.next();
    assert_eq!(tag(&gauge, "host"), Some(system.trim()));
    assert_eq!(tag(&gauge, "service"), Some("mymetric"));
    assert_eq!(tag(&gauge, "version"), Some(env!("CARGO_PKG_VERSION")));
}

fn seconds(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).expect("later").as_secs_f64()
}

#[test]
fn values_come_at_a_fixed_rate() {
    for variable in ["INTERVAL", "interval"] {
        let agent = Agent::start();
        let _emitter = Running::start(agent.emitter().env(variable, "1"));
        let arrivals: Vec<_> = (0..3).map(|_| agent.next().received_at).collect();
        for (nth, arrival) in arrivals.iter().enumerate() {
            let off = seconds(arrivals[0], *arrival) - nth as f64;
            assert!(
                off.abs() < 0.6,
                "{variable}: value {nth} came {off:+.3} s off its second"
            );
        }
    }
}

#[test]
fn the_rhythm_survives_a_pause_and_nothing_is_caught_up() {
    let agent = Agent::start();
    let emitter = Running::start(agent.emitter().env("INTERVAL", "2"));
    let first = agent.next().received_at;
    emitter.signal("STOP");
    agent.assert_silence_until(first + Duration::from_secs(5));
    emitter.signal("CONT");
    // The overdue value leaves at once (5 s), then the grid of the first instant goes on (6 s, 8 s). A
    // burst would put two values at 5 s, a new rhythm the last ones at 7 s and 9 s.
    for expected in [5.0, 6.0, 8.0] {
        let off = seconds(first, agent.next().received_at) - expected;
        assert!(
            off.abs() < 0.8,
            "the value of {expected} s came {off:+.3} s off"
        );
    }
}

#[test]
fn the_flag_wins_over_the_variable_and_capitals_over_small_letters() {
    let agent = Agent::start();
    let mut by_variable = agent.emitter();
    by_variable.envs([("INTERVAL", "100ms"), ("interval", "1h")]);
    let running = Running::start(&mut by_variable);
    agent.values(2); // the second would take an hour
    drop(running);

    let agent = Agent::start();
    let mut by_flag = agent.emitter();
    by_flag.env("INTERVAL", "1h").args(["--interval", "0.1"]);
    let _running = Running::start(&mut by_flag);
    agent.values(2);
}

#[test]
fn a_seed_repeats_its_series() {
    let series = |seed: &str| {
        let agent = Agent::start();
        let _emitter =
            Running::start(
                agent
                    .emitter()
                    .args(["--interval", "100ms", "--seed", seed]),
            );
        agent.values(6)
    };
    let first = series("42");
    assert_eq!(first, series("42"));
    assert_ne!(first, series("43"));
}

#[test]
fn a_run_without_a_seed_logs_the_one_it_drew() {
    let agent = Agent::start();
    let output = agent
        .emitter()
        .args(["--once"])
        .output()
        .expect("the emitter runs");
    let log = String::from_utf8_lossy(&output.stdout);
    let seed = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|line| line.get("seed")?.as_u64())
        .expect("the seed is in the log");
    let drawn = value(&agent.next());
    let again = agent
        .emitter()
        .args(["--once", "--seed", &seed.to_string()])
        .output();
    assert!(again.is_ok_and(|o| o.status.success()));
    assert_eq!(value(&agent.next()), drawn);
}

#[test]
fn sigterm_and_sigint_end_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let agent = Agent::start();
        let emitter = Running::start(agent.emitter().env("INTERVAL", "1h"));
        let value = value(&agent.next()); // the first comes at once, not after an hour
        emitter.signal(signal);
        let (code, log) = emitter.end();
        assert_eq!(code, Some(0), "{log}");
        assert_eq!(logged(&log), [u64::from(value)], "{log}");
        assert!(
            log.contains(&format!("SIG{signal}")),
            "says why it ended: {log}"
        );
    }
}

#[test]
fn a_bad_interval_is_refused() {
    for bad in [
        "0",
        "0s",
        "-1",
        "-5s",
        "soon",
        "",
        "1 fortnight",
        "25h",
        "99ms",
        "nan",
    ] {
        let agent = Agent::start();
        for output in [
            agent.emitter().env("INTERVAL", bad).output(),
            agent.emitter().env("interval", bad).output(),
            agent.emitter().args(["--interval", bad]).output(),
        ] {
            assert_refused(&output.expect("the emitter runs"), "interval");
        }
        // The one that is not refused shows that packets would have come here.
        let good = agent.emitter().args(["--once"]).output();
        assert!(good.is_ok_and(|o| o.status.success()));
        let sent = agent.end().stats.datagrams;
        assert_eq!(sent, 1, "{bad:?} sent something");
    }
}

#[test]
fn a_bad_address_is_refused() {
    let output = bare()
        .args(["--once", "--dd-dogstatsd-url", "tcp://agent:1"])
        .output();
    let output = output.expect("the emitter runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("DD_DOGSTATSD_URL"), "{message}");
}
