//! What the shop costs: `just bench`.
//!
//! Starts the release build of `bookwatch up` in each mode in turn, round after round, so that the ratios are
//! paired on a machine whose speed drifts; drives `/productpage` from this process; reads processor time and
//! memory of every process of the shop from `/proc`. The load and the sink for telemetry run beside the shop
//! on the same cores and are not counted. Nothing here passes or fails: it prints figures.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "printing and waiting is what it is for"
)]

mod load;
mod proc;
mod shop;
mod sink;

use std::time::Duration;

use shop::{Mode, Shop};

const ROUNDS: usize = 3;
const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);
/// Pages a second at which the console's effect is looked at: a demo's load, and a busy one.
const RATES: [f64; 3] = [10.0, 100.0, 500.0];

/// One mode's figures, one entry a round.
#[derive(Default)]
struct Figures {
    requests_per_second: Vec<f64>,
    cpu_us: Vec<f64>,
    start_ms: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` builds and runs this too: there it has nothing to do.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let sink = sink::Sink::start()?;
    if std::env::args().any(|arg| arg == "--console") {
        return console(&sink);
    }
    let modes = [
        Mode::off(),
        Mode::full(&sink),
        Mode::dead(),
        Mode::cached(&sink),
    ];
    let mut figures: Vec<Figures> = modes.iter().map(|_| Figures::default()).collect();
    let mut full_maximum = 0.0;
    for round in 1..=ROUNDS {
        for (mode, figures) in modes.iter().zip(&mut figures) {
            println!("round {round} of {ROUNDS}: {}", mode.name);
            let shop = Shop::start(mode)?;
            load::closed(shop.address, CONNECTIONS, WARM_UP)?;
            let before = shop.cpu()?;
            let done = load::closed(shop.address, CONNECTIONS, MEASURED)?;
            let cpu = shop.cpu()? - before;
            figures.requests_per_second.push(done.per_second());
            figures
                .cpu_us
                .push(cpu.as_secs_f64() * 1e6 / done.requests as f64);
            figures.start_ms.push(shop.first_page.as_secs_f64() * 1e3);
            if mode.name == Mode::FULL {
                full_maximum = median(&figures.requests_per_second);
            }
        }
    }
    report(&modes, &figures);
    latency(&modes[1], full_maximum / 2.0)?;
    binaries()
}

/// What the console costs the shop beside it, against a sink that does next to nothing, at steady rates.
fn console(sink: &sink::Sink) -> anyhow::Result<()> {
    let modes = [Mode::full(sink), Mode::console()];
    println!("/productpage at a steady rate, {ROUNDS} paired rounds: p50 / p95 / p99 in ms");
    for rate in RATES {
        let mut p95: Vec<Vec<f64>> = modes.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (mode, p95) in modes.iter().zip(&mut p95) {
                let shop = Shop::start(mode)?;
                load::closed(shop.address, CONNECTIONS, WARM_UP)?;
                let seen = load::open(shop.address, CONNECTIONS, rate, MEASURED)?;
                let ms = |quantile| seen.latency_us.value_at_quantile(quantile) as f64 / 1e3;
                println!(
                    "  {rate:.0} pages/s, {:<28} {:.2} / {:.2} / {:.2}, {} failed",
                    mode.name,
                    ms(0.5),
                    ms(0.95),
                    ms(0.99),
                    seen.failed
                );
                p95.push(ms(0.95));
            }
        }
        let ratios: Vec<f64> = p95[1].iter().zip(&p95[0]).map(|(a, b)| a / b).collect();
        println!(
            "  {rate:.0} pages/s: p95 with the console / without, median {:.2}",
            median(&ratios)
        );
    }
    Ok(())
}

fn report(modes: &[Mode], figures: &[Figures]) {
    println!("\n/productpage, {CONNECTIONS} connections, median of {ROUNDS} paired rounds");
    println!(
        "{:<44} {:>9} {:>12} {:>7} {:>10}",
        "telemetry", "pages/s", "CPU us/page", "vs off", "start ms"
    );
    let off = &figures[0].requests_per_second;
    for (mode, figures) in modes.iter().zip(figures) {
        let ratios: Vec<f64> = figures
            .requests_per_second
            .iter()
            .zip(off)
            .map(|(a, b)| a / b)
            .collect();
        println!(
            "{:<44} {:>9.0} {:>12.0} {:>7.2} {:>10.0}",
            mode.name,
            median(&figures.requests_per_second),
            median(&figures.cpu_us),
            median(&ratios),
            median(&figures.start_ms),
        );
    }
}

/// Latency at a steady rate, counted from when each request was due.
fn latency(mode: &Mode, rate: f64) -> anyhow::Result<()> {
    let shop = Shop::start(mode)?;
    std::thread::sleep(WARM_UP);
    let at_rest = shop.memory()?;
    load::closed(shop.address, CONNECTIONS, WARM_UP)?;
    let under_load = shop.memory()?;
    let seen = load::open(shop.address, CONNECTIONS, rate, MEASURED)?;
    let ms = |quantile| seen.latency_us.value_at_quantile(quantile) as f64 / 1e3;
    println!(
        "\nfull telemetry at {rate:.0} pages/s, half of the maximum: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, {} failed",
        ms(0.5),
        ms(0.95),
        ms(0.99),
        seen.failed
    );
    println!(
        "\nresident memory, MiB\n{:<16} {:>8} {:>11} {:>20}",
        "process", "at rest", "under load", "own binary at rest"
    );
    for ((name, rest), (_, load)) in at_rest.iter().zip(&under_load) {
        let program = name.split("-v").next().unwrap_or(name);
        let own = shop::at_rest_alone(program)
            .map_or("-".to_owned(), |bytes| format!("{:.1}", mib(bytes)));
        println!(
            "{name:<16} {:>8.1} {:>11.1} {own:>20}",
            mib(*rest),
            mib(*load)
        );
    }
    Ok(())
}

/// Sizes of the stripped binaries that were built beside this one.
fn binaries() -> anyhow::Result<()> {
    println!("\n{:<16} {:>8}", "binary", "MB");
    let bookwatch = std::path::Path::new(env!("CARGO_BIN_EXE_bookwatch"));
    for name in [
        "details",
        "ratings",
        "reviews",
        "productpage",
        "mymetric",
        "loadgen",
        "synthetics",
        "bookwatch",
    ] {
        match std::fs::metadata(bookwatch.with_file_name(name)) {
            Ok(file) => println!("{name:<16} {:>8.1}", file.len() as f64 / 1e6),
            Err(_) => println!("{name:<16}  not built: cargo build --release --workspace"),
        }
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
