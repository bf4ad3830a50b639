//! What the prober costs and how exact it is, on this machine. Run it with
//! `cargo bench -p synthetics --bench probes`; it prints a table and asserts nothing, because a
//! shared machine is no judge.
//!
//! - Schedule: 1,000 checks, each once a second, for `--seconds` (20): how late probes start.
//! - Latency: a server that answers after a known time: how far the recorded time is off.
//! - Throughput: probes a second that one core does, connection and all, and beside it those of
//!   Debian's `prometheus-blackbox-exporter` where it is installed.
//! - Memory: a history with 1,000 checks, each once a second, over `--minutes` (60) of simulated time.

mod blackbox;
mod memory;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use synthetics::clock::{Clock as _, SystemClock};
use synthetics::plan::{Plan, Wish};
use synthetics::probe::{Check, Guard, Kind, Outcome, Phase, Prober, Request, Retries};
use synthetics::run::{Event, Place, Session};
use synthetics::schedule::RealTimer;
use tokio_util::sync::CancellationToken;

use blackbox::Blackbox;
use server::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CHECKS: usize = 1_000;
const AT_ONCE: usize = 32;

fn main() -> anyhow::Result<()> {
    let words: Vec<_> = std::env::args().collect();
    // Under `cargo test --benches` it only has to work.
    let bench = words.iter().any(|word| word == "--bench");
    let usual = if bench { 20 } else { 1 };
    let given = |flag: &str, usual: u64| -> anyhow::Result<u64> {
        let mut rest = words.iter().skip_while(|word| *word != flag).skip(1);
        let number = rest.next().map_or(Ok(usual), |number| number.parse());
        number.with_context(|| format!("{flag} takes a whole number"))
    };
    let seconds = given("--seconds", usual)?;
    let minutes = given("--minutes", if bench { 60 } else { 2 })?;
    schedule(seconds)?;
    latency(seconds.min(10))?;
    throughput(seconds.min(10))?;
    show(&memory::measure(minutes)?);
    Ok(())
}

/// How late probes start that are due at fixed moments.
fn schedule(seconds: u64) -> anyhow::Result<()> {
    let server = Server::start(Duration::ZERO)?;
    let checks: Vec<_> = (0..CHECKS).map(|n| check(n, &server)).collect();
    let intervals = vec![Duration::from_secs(1); CHECKS];
    let wish = Wish {
        checks: CHECKS,
        slos: &[],
        timeout: Duration::from_secs(1),
        max_rate: 100_000,
    };
    let plan = Plan::each(&intervals, Duration::from_secs(60), wish)?;
    let mut late = Histogram::<u64>::new(3)?;
    let (mut gaps, mut bad) = (0_u64, 0_u64);
    // As the program itself has it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let cpu = cpu_time()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let session = Session {
            checks: checks.into(),
            places: [place()].into(),
            start: SystemClock::new().now(),
        };
        let stopper = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stopper.cancel();
        });
        let timer = RealTimer::start();
        let interval = Duration::from_secs(60);
        session
            .run(plan.lanes(), timer, stop, interval, |event| {
                let Event::Result(result) = event else {
                    return;
                };
                match &result.outcome {
                    Outcome::Gap(_) => gaps += 1,
                    Outcome::Measured(measurement) => {
                        bad += u64::from(!measurement.is_good());
                        let by = result.started.since(result.scheduled).as_micros();
                        late.saturating_record(u64::try_from(by).unwrap_or(u64::MAX));
                    }
                }
            })
            .await;
    });
    let cpu = cpu_time()?.saturating_sub(cpu);
    show(&[
        ("schedule: checks, each once a second", CHECKS.to_string()),
        ("  probes in all", late.len().to_string()),
        ("  bad / gaps", format!("{bad} / {gaps}")),
        ("  started late by, p50", ms(late.value_at_quantile(0.5))),
        ("  started late by, p99", ms(late.value_at_quantile(0.99))),
        ("  started late by, most", ms(late.max())),
        ("  CPU of all threads but the server's", share(cpu, seconds)),
    ]);
    Ok(())
}

/// How far the recorded time to the first byte is off what the server took.
fn latency(seconds: u64) -> anyhow::Result<()> {
    let server = Server::start(Duration::from_millis(20))?;
    let check = check(0, &server);
    let mut off = Histogram::<u64>::new(3)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    runtime.block_on(async {
        let prober = place().prober;
        while Instant::now() < end {
            let measurement = prober.probe(&check).await;
            let recorded = measurement.phases.get(Phase::FirstByte);
            let Some(known) = server.last_delay() else {
                continue;
            };
            // Half a round trip lies outside of what the server sees; it counts as error here.
            let by = recorded.saturating_sub(known).as_micros();
            off.saturating_record(u64::try_from(by).unwrap_or(u64::MAX));
        }
    });
    show(&[
        (
            "latency: a server that takes a known time",
            "20 ms".to_owned(),
        ),
        ("  probes in all", off.len().to_string()),
        ("  recorded beyond it, p50", ms(off.value_at_quantile(0.5))),
        ("  recorded beyond it, p99", ms(off.value_at_quantile(0.99))),
    ]);
    Ok(())
}

/// Probes a second that one thread does, and that the exporter does, in turns: whatever else the
/// machine is doing, it does to both.
fn throughput(seconds: u64) -> anyhow::Result<()> {
    let server = Server::start(Duration::ZERO)?;
    let exporter = Blackbox::start()?;
    let turns = 5;
    let each = Duration::from_secs(seconds).div_f64(f64::from(turns));
    let (mut ours, mut theirs) = (Done::default(), Done::default());
    for _ in 0..turns {
        ours.add(&probe(&server, each)?);
        if let Some(exporter) = &exporter {
            theirs.add(&exported(exporter, &server, each)?);
        }
    }
    show(&[
        (
            "throughput: probes at once, one thread",
            AT_ONCE.to_string(),
        ),
        (
            "  probes in all / bad",
            format!("{} / {}", ours.done, ours.bad),
        ),
        ("  probes a second", format!("{:.0}", ours.per_second())),
        ("  probes a second of CPU", format!("{:.0}", ours.per_cpu())),
    ]);
    if exporter.is_none() {
        show(&[("  beside it: blackbox exporter", "not installed".to_owned())]);
        return Ok(());
    }
    show(&[
        (
            "  beside it: blackbox exporter, in all / bad",
            format!("{} / {}", theirs.done, theirs.bad),
        ),
        (
            "  its probes a second",
            format!("{:.0}", theirs.per_second()),
        ),
        (
            "  its probes a second of CPU",
            format!("{:.0}", theirs.per_cpu()),
        ),
        (
            "  ours to its, a second of CPU",
            format!("{:.2}", ours.per_cpu() / theirs.per_cpu()),
        ),
    ]);
    Ok(())
}

/// What was done in some time.
#[derive(Default)]
struct Done {
    done: u64,
    bad: u64,
    took: Duration,
    cpu: Duration,
}

impl Done {
    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.bad += other.bad;
        self.took += other.took;
        self.cpu += other.cpu;
    }

    fn per_second(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }

    fn per_cpu(&self) -> f64 {
        self.done as f64 / self.cpu.as_secs_f64()
    }
}

fn exported(exporter: &Blackbox, server: &Server, time: Duration) -> anyhow::Result<Done> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let cpu = exporter.cpu()?;
    let started = Instant::now();
    let asked = exporter.probe(&server.url, AT_ONCE, started + time);
    let (good, bad) = runtime.block_on(asked)?;
    Ok(Done {
        done: good + bad,
        bad,
        took: started.elapsed(),
        cpu: exporter.cpu()?.saturating_sub(cpu),
    })
}

fn probe(server: &Server, time: Duration) -> anyhow::Result<Done> {
    let check = Arc::new(check(0, server));
    // Reading whom the system trusts is not part of a probe.
    let prober = place().prober;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let cpu = cpu_time()?;
    let started = Instant::now();
    let end = started + time;
    let (mut done, mut bad) = (0_u64, 0_u64);
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (check, prober) = (Arc::clone(&check), prober.clone());
            tasks.spawn(async move {
                let mut seen = (0_u64, 0_u64);
                while Instant::now() < end {
                    seen.0 += 1;
                    seen.1 += u64::from(!prober.probe(&check).await.is_good());
                }
                seen
            });
        }
        for seen in tasks.join_all().await {
            done += seen.0;
            bad += seen.1;
        }
    });
    Ok(Done {
        done,
        bad,
        took: started.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu),
    })
}

fn place() -> Place {
    let allowed = "127.0.0.1".parse().expect("an address");
    Place {
        name: "bench".into(),
        prober: Prober::new(Guard::new(vec![allowed])),
    }
}

fn check(number: usize, server: &Server) -> Check {
    let url = server.url.parse().expect("an address");
    Check {
        name: format!("check-{number}").into(),
        kind: Kind::Http(Box::new(Request::get(url))),
        timeout: Duration::from_secs(1),
        retries: Retries::default(),
    }
}

/// CPU time of this process, without the threads of the server.
fn cpu_time() -> anyhow::Result<Duration> {
    let ticks = procfs::ticks_per_second();
    let mut sum = 0;
    for task in procfs::process::Process::myself()?.tasks()? {
        // A thread may end while they are counted.
        let Ok(stat) = task.and_then(|task| task.stat()) else {
            continue;
        };
        if stat.comm != server::THREAD {
            sum += stat.utime + stat.stime;
        }
    }
    Ok(Duration::from_secs_f64(sum as f64 / ticks as f64))
}

fn ms(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1_000.0)
}

fn share(cpu: Duration, seconds: u64) -> String {
    format!(
        "{:.0} % of one core",
        100.0 * cpu.as_secs_f64() / seconds as f64
    )
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
fn show(lines: &[(&str, String)]) {
    for (what, value) in lines {
        println!("{what:<44}{value:>20}");
    }
}
