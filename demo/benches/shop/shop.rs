//! One run of `bookwatch up`.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::sink::Sink;
use crate::{load, proc};

const PORT_BASE: u16 = 19_080;

/// How the shop is run.
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    /// Whether `up` starts its console.
    with_console: bool,
    env: Vec<(&'static str, String)>,
}

impl Mode {
    pub(crate) const FULL: &'static str = "full: traces, metrics, logs";

    /// No telemetry at all: what the ratios are against.
    pub(crate) fn off() -> Self {
        let env = [
            ("OTEL_SDK_DISABLED", "true"),
            ("DD_DOGSTATSD_DISABLE", "true"),
            ("RUST_LOG", "off"),
        ];
        Self {
            name: "off",
            with_console: false,
            env: env.map(|(key, value)| (key, value.to_owned())).into(),
        }
    }

    /// Everything on, and something that takes it.
    pub(crate) fn full(sink: &Sink) -> Self {
        Self {
            name: Self::FULL,
            with_console: false,
            env: sink.env(),
        }
    }

    /// Everything on, and nobody there.
    pub(crate) fn dead() -> Self {
        let env = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
            ("DD_DOGSTATSD_URL", "udp://127.0.0.1:9"),
        ];
        Self {
            name: "full, with a dead agent",
            with_console: false,
            env: env.map(|(key, value)| (key, value.to_owned())).into(),
        }
    }

    /// Everything on, as `up` does it.
    pub(crate) fn console() -> Self {
        Self {
            name: "full, into the console",
            with_console: true,
            env: Vec::new(),
        }
    }

    /// Everything on, details and reviews from the cache.
    pub(crate) fn cached(sink: &Sink) -> Self {
        let mut env = sink.env();
        env.push(("CACHE_TTL", "60s".to_owned()));
        Self {
            name: "full, details and reviews cached",
            with_console: false,
            env,
        }
    }
}

/// A shop that runs; stopped when dropped.
pub(crate) struct Shop {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first good page.
    pub(crate) first_page: Duration,
    pids: Vec<(String, u32)>,
}

impl Shop {
    pub(crate) fn start(mode: &Mode) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], PORT_BASE));
        let port_base = PORT_BASE.to_string();
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bookwatch"))
            .args([
                "up",
                "--json",
                "--quiet",
                "--no-load",
                "--no-prober",
                "--port-base",
                &port_base,
            ])
            .args((!mode.with_console).then_some("--no-console"))
            .envs(mode.env.iter().map(|(key, value)| (key, value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("bookwatch does not start")?;
        let stdout = child.stdout.take().context("a pipe")?;
        let mut shop = Self {
            child,
            address,
            first_page: Duration::ZERO,
            pids: Vec::new(),
        };
        load::first_good_page(address, Duration::from_secs(30))?;
        shop.first_page = started.elapsed();
        for line in BufReader::new(stdout).lines() {
            let event: Value = serde_json::from_str(&line?).context("an event")?;
            if event["event"] == "ready" {
                let pids = event["pids"].as_object().context("pids")?;
                for (name, pid) in pids {
                    let pid = u32::try_from(pid.as_u64().context("a pid")?)?;
                    shop.pids.push((name.clone(), pid));
                }
                break;
            }
        }
        anyhow::ensure!(!shop.pids.is_empty(), "bookwatch ended before it was ready");
        let own = shop.child.id();
        if shop.pids.iter().all(|(_, pid)| *pid != own) {
            shop.pids.push(("bookwatch".into(), own));
        }
        Ok(shop)
    }

    /// Processor time of all processes so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.pids.iter().map(|(_, pid)| proc::cpu(*pid)).sum()
    }

    /// Resident memory by process, in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<Vec<(String, u64)>> {
        self.pids
            .iter()
            .map(|(name, pid)| Ok((name.clone(), proc::memory(*pid)?)))
            .collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Its children end when it does, whichever way.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline && self.pids.iter().any(|(_, pid)| proc::cpu(*pid).is_ok())
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Resident memory of a service's own binary, as in its image, a while after it came up; `None` where it
/// was not built or is no service.
pub(crate) fn at_rest_alone(program: &str) -> Option<u64> {
    if !["details", "ratings", "reviews", "productpage", "mymetric"].contains(&program) {
        return None;
    }
    let path = Path::new(env!("CARGO_BIN_EXE_bookwatch")).with_file_name(program);
    let mut child = Command::new(path)
        .env("LISTEN_ADDRESS", "127.0.0.1")
        .env("PORT", "0")
        .env("DYNAMODB_ENDPOINT", "http://127.0.0.1:9")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // Not "until ready": what is asked is what it keeps once nothing happens any more.
    std::thread::sleep(Duration::from_secs(2));
    let memory = proc::memory(child.id()).ok();
    let _ = child.kill();
    let _ = child.wait();
    memory
}
