//! The console as a process of its own.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// A console on free ports; it ends with this value.
pub(crate) struct Child {
    process: tokio::process::Child,
    pub(crate) dogstatsd: SocketAddr,
    pub(crate) otlp: String,
    pub(crate) pages: String,
    pub(crate) client: reqwest::Client,
}

/// Where a console is.
pub(crate) struct Addresses {
    pub(crate) dogstatsd: SocketAddr,
    pub(crate) otlp: String,
    pub(crate) pages: String,
    pub(crate) client: reqwest::Client,
}

impl Child {
    pub(crate) async fn start(budget: &str) -> Self {
        let ports = [
            "--port",
            "--dogstatsd-port",
            "--otlp-http-port",
            "--otlp-grpc-port",
        ];
        let mut process = Command::new(env!("CARGO_BIN_EXE_console"))
            .args(ports.into_iter().flat_map(|flag| [flag, "0"]))
            .args(["--memory-budget", budget])
            .env("LOG_FORMAT", "json")
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        Self {
            process,
            dogstatsd: text("dogstatsd").parse().unwrap(),
            otlp: format!("http://{}", text("otlp_http")),
            pages: text("pages"),
            client: reqwest::Client::new(),
        }
    }

    pub(crate) fn clone_addresses(&self) -> Addresses {
        Addresses {
            dogstatsd: self.dogstatsd,
            otlp: self.otlp.clone(),
            pages: self.pages.clone(),
            client: self.client.clone(),
        }
    }

    pub(crate) async fn telemetry(&self) -> Value {
        let url = format!("{}/api/v1/telemetry", self.pages);
        self.client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The datagrams taken, once they are so many or no more come.
    pub(crate) async fn settled_datagrams(&self, wanted: u64) -> u64 {
        let mut before = 0;
        loop {
            let now = self.telemetry().await["stats"]["datagrams"]
                .as_u64()
                .unwrap();
            if now >= wanted || now == before {
                return now;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Resident memory.
    pub(crate) fn rss_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

/// Processor time of a process so far. The kernel counts it in hundredths of a second.
pub(crate) fn cpu_us(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_ascii_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks * 10_000
}
