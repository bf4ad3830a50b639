//! Kills at random moments: what the prober has acknowledged is there, whole, and nothing twice.
//!
//! The real program runs against a real engine on a clock that is 600 times as fast, so that a
//! minute takes a tenth of a second, and hours and days roll up between the kills. `CRASHES` sets
//! how many kills there are, `CRASH_SEED` repeats the moments of another run.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use sandbox::Engine;
use serde_json::Value;
use synthetics::history::store::{Retention, Store};
use synthetics::history::{Level, Minute, ProbeCounts};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::gate::synthetics;
use crate::shop::Shop;

const SCALE: u32 = 600;
/// Probes of the bookshop in a minute of the fast clock.
const PROBES_A_MINUTE: usize = 6;

type Counts = BTreeMap<Minute, ProbeCounts>;

fn setting(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "only a test has this setting")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// The minute and the counts of a line in which the prober says what it has saved.
fn acknowledged(line: &str) -> Option<(Minute, ProbeCounts)> {
    // A kill may cut the last line.
    let line: Value = serde_json::from_str(line).ok()?;
    if line["message"] != "minute saved" {
        return None;
    }
    let name = line["minute"].as_str().expect("a minute");
    let name = name.strip_suffix('Z').expect("in UTC");
    let start = humantime::parse_rfc3339(&format!("{name}:00Z")).expect("a time");
    let count = |key: &str| line[key].as_u64().expect(key) as u32;
    let counts = ProbeCounts {
        good: count("good"),
        bad: count("bad"),
        gaps: count("gaps"),
        ..ProbeCounts::default()
    };
    Some((Minute::of(start.into()), counts))
}

/// Runs the prober for this long and kills it. Gives what it has acknowledged.
async fn killed_after(engine: &Engine, shop: &Shop, time: Duration) -> Counts {
    let args = engine.store_args();
    let arguments = [
        "run",
        "--target",
        &shop.url,
        "--location",
        "tokyo",
        "--interval",
        "100ms",
        "--timeout",
        "100ms",
        "--time-scale",
        &SCALE.to_string(),
        "--history",
        "on",
        "--create-table",
    ];
    let mut child = synthetics(&arguments)
        .env("TABLE_PREFIX", args.table_prefix)
        .env(
            "DYNAMODB_ENDPOINT",
            args.dynamodb_endpoint.expect("it has one"),
        )
        .env("RUST_LOG", "synthetics=debug")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let stdout = child.stdout.take().expect("piped");
    let lines = tokio::spawn(async move {
        let (mut lines, mut saved) = (BufReader::new(stdout).lines(), Counts::new());
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some((minute, counts)) = acknowledged(&line) {
                saved.insert(minute, counts);
            }
            assert!(!line.contains("another prober"), "{line}");
        }
        saved
    });
    tokio::time::sleep(time).await;
    child.kill().await.expect("it was running");
    lines.await.expect("no panic")
}

/// All that is in the table at a level, by minute. Every item must be readable.
async fn kept(store: &Store, level: Level) -> Counts {
    let mut all = Counts::new();
    let always = Minute(0)..Minute(1 << 32);
    let take = |_, checks: synthetics::history::codec::ByCheck| {
        for (_, series) in checks {
            for (minute, counts) in series.minutes() {
                let sum = all.entry(minute).or_default();
                *sum = sum.plus(counts);
            }
        }
    };
    store
        .read("tokyo", level, always, take)
        .await
        .expect("readable items");
    all.retain(|_, counts| *counts != ProbeCounts::default());
    all
}

/// Whatever rolled up has the same minutes as what it was made of.
fn same(fine: &Counts, coarse: &Counts, until: Minute) {
    let fine: Counts = fine.range(..until).map(|(m, c)| (*m, *c)).collect();
    assert_eq!(&fine, coarse, "rolled up until {until}");
}

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "the seed repeats it, and the numbers are the result"
)]
async fn a_kill_loses_the_running_minute_at_most_and_corrupts_nothing() {
    let kills = setting("CRASHES").unwrap_or(20);
    let seed = setting("CRASH_SEED").unwrap_or_else(rand::random);
    println!("CRASHES={kills} CRASH_SEED={seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let engine = Engine::start().await;
    let shop = Shop::start().await;
    let store = Store::open(&engine.store_args(), None, SCALE, Retention::default())
        .await
        .expect("store arguments");
    store.create_table().await.expect("a table");
    let (mut saved, mut lost, mut most) = (Counts::new(), 0, 0);
    let (mut seen_before, mut kept_before) = (0, 0);
    for kill in 1..=kills {
        let time = Duration::from_millis(random.random_range(50..2_000));
        for (minute, counts) in killed_after(&engine, &shop, time).await {
            saved.insert(minute, counts);
        }
        let minutes = kept(&store, Level::Minute).await;
        for (minute, counts) in &saved {
            let kept = minutes.get(minute).copied().unwrap_or_default();
            let whole =
                kept.good >= counts.good && kept.bad >= counts.bad && kept.gaps >= counts.gaps;
            assert!(
                whole,
                "kill {kill}: {minute} had {counts:?}, and has {kept:?}"
            );
        }
        let results = minutes.values().map(|counts| counts.results().total());
        let results = usize::try_from(results.sum::<u128>()).expect("few");
        let (seen, _) = shop.seen();
        assert!(
            results <= seen,
            "kill {kill}: {results} results of {seen} requests"
        );
        let gone = (seen - seen_before).saturating_sub(results - kept_before);
        (lost, most) = (lost + gone, most.max(gone));
        (seen_before, kept_before) = (seen, results);
        if let Some(record) = store.location("tokyo").await.expect("a read") {
            let hours = kept(&store, Level::Hour).await;
            same(&minutes, &hours, record.hours_until);
            let days = kept(&store, Level::Day).await;
            same(&hours, &days, record.days_until);
        }
    }
    assert!(!saved.is_empty(), "nothing was ever saved");
    let mean = lost as f64 / kills as f64 / PROBES_A_MINUTE as f64;
    println!(
        "{kills} kills, {} minutes acknowledged, {kept_before} results kept; a kill lost {mean:.1} \
         minutes' results on average, {:.1} at most",
        saved.len(),
        most as f64 / PROBES_A_MINUTE as f64,
    );
    // A tenth of a second is short even for a single write: the running minute, the one before
    // that was being saved, and what was in flight.
    assert!(mean < 5.0, "a kill loses {mean} minutes");
}
