//! What the console bears, measured from outside on the program itself: `just bench-console`. `--minutes 10` for the long run at the memory
//! budget, which otherwise takes half a minute; `--rotel PATH` for PyPI's collector beside it (`pip install rotel`, then the path of its
//! `rotel-agent`).

#![expect(clippy::print_stdout, reason = "its result is its output")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot go on should stop there"
)]

mod child;
mod load;
mod rotel;

use std::time::{Duration, Instant};

use child::Child;

/// Twice what the shop serves at most on two cores with all telemetry on (`just bench`), in pages a second; ten spans, four log lines and
/// four samples of a metric each.
const TWICE_THE_SHOP: u64 = 8_000;
/// Rounds of what is paired.
const ROUNDS: usize = 3;
/// From one look at all pages to the next.
const LOOK: Duration = Duration::from_millis(250);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let after = |flag: &str| {
        std::env::args()
            .skip_while(|argument| argument != flag)
            .nth(1)
    };
    let short = Duration::from_secs(30);
    let long = after("--minutes").and_then(|minutes| minutes.parse::<f64>().ok());
    let long = long.map_or(short, |m| Duration::from_secs_f64(m * 60.0));
    dogstatsd().await;
    spans(after("--rotel").as_deref()).await;
    budget("32MiB", short).await;
    budget("128MiB", long).await;
}

/// Datagrams a second with none lost, at rates that rise until some are.
async fn dogstatsd() {
    println!("DogStatsD over UDP, one sender:");
    for (what, metrics) in [("one metric a packet", 1), ("ten metrics a packet", 10)] {
        let child = Child::start("128MiB").await;
        let (mut best, mut sent_in_all) = (0, 0);
        for thousands in [10, 20, 40, 60, 80, 100, 130, 160, 200, 250, 300] {
            let address = child.dogstatsd;
            let flood = tokio::task::spawn_blocking(move || {
                load::flood(address, thousands * 1_000, metrics, Duration::from_secs(2))
            });
            let (sent, rate) = flood.await.unwrap();
            sent_in_all += sent;
            let arrived = child.settled_datagrams(sent_in_all).await;
            if arrived < sent_in_all {
                println!(
                    "  {what}: at {rate:.0}/s {} of {sent} were lost",
                    sent_in_all - arrived
                );
                break;
            }
            best = best.max(rate as u64);
        }
        println!(
            "  {what}: {best} packets/s and {} metrics/s with none lost",
            best * metrics as u64
        );
    }
}

/// Spans a second over OTLP, as fast as four senders go, in turns with the other collector.
async fn spans(rotel: Option<&str>) {
    println!("OTLP over HTTP, 4 senders, spans/s and CPU us a span, {ROUNDS} rounds:");
    for (what, gzip) in [("protobuf", false), ("protobuf, gzip", true)] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let child = Child::start("128MiB").await;
            let (rate, cpu, sent) = flow(&child.otlp, child.id(), gzip).await;
            let stats = child.telemetry().await;
            let kept = stats["stats"]["received"]["spans"].as_u64();
            assert_eq!(kept, Some(sent), "all are counted");
            ours.push((rate, cpu));
            drop(child);
            if let Some(path) = rotel {
                let other = rotel::Rotel::start(path).await;
                let (rate, cpu, _) = flow(&other.otlp, other.id(), gzip).await;
                theirs.push((rate, cpu));
            }
        }
        println!("  {what}: console {}", told(&mut ours));
        if !theirs.is_empty() {
            println!(
                "  {what}: rotel, which throws all away, {}",
                told(&mut theirs)
            );
        }
    }
}

/// Spans a second, CPU time of one in microseconds, and how many there were.
async fn flow(otlp: &str, id: u32, gzip: bool) -> (f64, f64, u64) {
    let (started, before) = (Instant::now(), child::cpu_us(id));
    let sent = load::spans(otlp, 4, gzip, Duration::from_secs(5)).await;
    let rate = sent as f64 / started.elapsed().as_secs_f64();
    (
        rate,
        (child::cpu_us(id) - before) as f64 / sent as f64,
        sent,
    )
}

fn told(rounds: &mut [(f64, f64)]) -> String {
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rates: Vec<String> = rounds
        .iter()
        .map(|(rate, _)| format!("{rate:.0}"))
        .collect();
    let (_, cpu) = rounds[rounds.len() / 2];
    format!("{} spans/s, {cpu:.1} us a span", rates.join(", "))
}

/// Memory and page times while twice the shop's load fills a small budget over and over.
async fn budget(budget: &str, length: Duration) {
    let child = Child::start(budget).await;
    // Fill it first: what is flat is what is full.
    load::spans(&child.otlp, 2, false, Duration::from_secs(8)).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let load = tokio::spawn(load::shop(
        child.clone_addresses(),
        TWICE_THE_SHOP,
        stop.clone(),
    ));
    let (mut memory, mut times) = (Vec::new(), load::PageTimes::default());
    let cpu = child::cpu_us(child.id());
    let started = Instant::now();
    while started.elapsed() < length {
        memory.push(child.rss_mib());
        times.look(&child).await;
        tokio::time::sleep(LOOK).await;
    }
    let cpu = (child::cpu_us(child.id()) - cpu) as f64 / started.elapsed().as_micros() as f64;
    stop.cancel();
    let (pages, packets) = load.await.unwrap();
    let telemetry = child.telemetry().await;
    let third = memory.len() / 3;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    println!(
        "budget {budget}, {:.0} s at {:.0} pages/s (10 spans, 4 log lines, 4 samples each): memory {:.1} MiB in the first third, {:.1} in the last, {:.1} at most; kept {:.1} MiB; CPU {:.0} % of a core, page looks included; {} of {packets} datagrams lost",
        started.elapsed().as_secs_f64(),
        pages as f64 / started.elapsed().as_secs_f64(),
        mean(&memory[..third]),
        mean(&memory[memory.len() - third..]),
        memory.iter().copied().fold(0.0, f64::max),
        telemetry["stats"]["bytes"].as_f64().unwrap() / f64::from(1 << 20),
        cpu * 100.0,
        telemetry["datagrams_lost"],
    );
    times.print();
}
