//! Debian's `prometheus-blackbox-exporter` against the same server, in the same run: probes a
//! second of processor time.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PROGRAM: &str = "prometheus-blackbox-exporter";
/// A probe as plain as ours: one GET that must be answered with 200, over IPv4 alone.
const MODULES: &str = "modules: {plain: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4, valid_status_codes: [200]}}}\n";

/// The exporter, while it runs.
pub(crate) struct Blackbox {
    child: Child,
    address: SocketAddr,
    _modules: tempfile::NamedTempFile,
}

impl Blackbox {
    /// Starts it; `None` where it is not installed.
    pub(crate) fn start() -> anyhow::Result<Option<Self>> {
        let modules = tempfile::NamedTempFile::new()?;
        std::fs::write(modules.path(), MODULES)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let started = Command::new(PROGRAM)
            .arg(format!("--config.file={}", modules.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(PROGRAM),
        };
        let exporter = Self {
            child,
            address,
            _modules: modules,
        };
        Ok(Some(exporter))
    }

    /// Has `target` probed until `end` by so many at once, each of which asks for its next probe
    /// when it has the last one: probes that succeeded, and the others.
    pub(crate) async fn probe(
        &self,
        target: &str,
        at_once: usize,
        end: Instant,
    ) -> anyhow::Result<(u64, u64)> {
        let request: Arc<str> =
            format!("GET /probe?module=plain&target={target} HTTP/1.1\r\nhost: exporter\r\n\r\n")
                .into();
        connect(self.address).await?;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (request, address) = (Arc::clone(&request), self.address);
            tasks.spawn(async move { ask(&request, address, end).await.unwrap_or((0, 1)) });
        }
        let mut sum = (0, 0);
        for (good, bad) in tasks.join_all().await {
            sum = (sum.0 + good, sum.1 + bad);
        }
        Ok(sum)
    }

    /// Processor time that it has used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = procfs::process::Process::new(i32::try_from(self.child.id())?)?.stat()?;
        let ticks = (stat.utime + stat.stime) as f64;
        Ok(Duration::from_secs_f64(
            ticks / procfs::ticks_per_second() as f64,
        ))
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until somebody listens there.
async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > limit => return Err(error).context(PROGRAM),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Asks for one probe after the other over one connection, as Prometheus keeps one.
async fn ask(request: &str, address: SocketAddr, end: Instant) -> anyhow::Result<(u64, u64)> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut good, mut bad) = (0, 0);
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await?;
        let mut length = 0;
        // The answer comes with its length, or in chunks that end with an empty one.
        let whole = loop {
            let read = stream.read(&mut buffer[length..]).await?;
            ensure!(read > 0, "the exporter has hung up");
            length += read;
            let text = String::from_utf8_lossy(&buffer[..length]);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let head = head.to_lowercase();
            let wanted = head.split_once("content-length:").and_then(|(_, rest)| {
                let number = rest.lines().next()?;
                number.trim().parse::<usize>().ok()
            });
            if wanted.map_or(
                body.ends_with("\r\n0\r\n\r\n") || body == "0\r\n\r\n",
                |n| body.len() >= n,
            ) {
                break body.contains("probe_success 1");
            }
        };
        if whole {
            good += 1;
        } else {
            bad += 1;
        }
    }
    Ok((good, bad))
}
