//! What the console bears, measured from outside on the program itself: `just bench-console`. `-- --minutes 10` for the long run at the memory
//! budget, which otherwise takes half a minute.

#![expect(clippy::print_stdout, reason = "its result is its output")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot go on should stop there"
)]

mod child;
mod load;

use std::time::{Duration, Instant};

use child::Child;

/// Twice the shop's top load on this kind of machine: pages a second, ten spans and four log lines each, and metrics.
const TWICE_THE_SHOP: u64 = 600;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let minutes = std::env::args()
        .skip_while(|argument| argument != "--minutes")
        .nth(1);
    let long = minutes
        .and_then(|minutes| minutes.parse::<f64>().ok())
        .map_or(Duration::from_secs(30), |m| {
            Duration::from_secs_f64(m * 60.0)
        });
    dogstatsd().await;
    spans().await;
    budget(long).await;
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

/// Spans a second over OTLP, as fast as four senders go.
async fn spans() {
    for (what, gzip) in [("protobuf", false), ("protobuf, gzip", true)] {
        let child = Child::start("128MiB").await;
        let started = Instant::now();
        let sent = load::spans(&child, 4, gzip, Duration::from_secs(5)).await;
        let rate = sent as f64 / started.elapsed().as_secs_f64();
        let kept = child.telemetry().await["stats"]["received"]["spans"]
            .as_u64()
            .unwrap();
        assert_eq!(kept, sent, "all are counted");
        println!(
            "OTLP over HTTP, {what}, 4 senders: {rate:.0} spans/s, CPU {:.1} us a span",
            child.cpu_us() as f64 / sent as f64
        );
    }
}

/// Memory and page times while twice the shop's load fills a small budget over and over.
async fn budget(length: Duration) {
    for budget in ["32MiB", "128MiB"] {
        let child = Child::start(budget).await;
        // Fill it first: what is flat is what is full.
        load::spans(&child, 2, false, Duration::from_secs(8)).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let load = tokio::spawn(load::shop(
            child.clone_addresses(),
            TWICE_THE_SHOP,
            stop.clone(),
        ));
        let (mut memory, mut times) = (Vec::new(), load::PageTimes::default());
        let cpu = child.cpu_us();
        let started = Instant::now();
        while started.elapsed() < length {
            memory.push(child.rss_mib());
            times.look(&child).await;
        }
        let cpu = (child.cpu_us() - cpu) as f64 / started.elapsed().as_micros() as f64 * 100.0;
        stop.cancel();
        let pages = load.await.unwrap();
        let telemetry = child.telemetry().await;
        let third = memory.len() / 3;
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        println!(
            "budget {budget}, {:.0} s at {:.0} pages/s (10 spans, 4 log lines, 8 metrics each): memory {:.1} MiB in the first third, {:.1} in the last, {:.1} at most; kept {:.1} MiB; CPU {cpu:.0} % of a core, page looks included",
            started.elapsed().as_secs_f64(),
            pages as f64 / started.elapsed().as_secs_f64(),
            mean(&memory[..third]),
            mean(&memory[memory.len() - third..]),
            memory.iter().copied().fold(0.0, f64::max),
            telemetry["stats"]["bytes"].as_f64().unwrap() / f64::from(1 << 20),
        );
        times.print();
    }
}
