//! A load that costs little itself: kept connections, one request written and one answer read at a time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const REQUEST: &[u8] = b"GET /productpage HTTP/1.1\r\nhost: bench\r\n\r\n";
/// What a whole page shows: a reviewer from the database.
const GOOD: &[u8] = b"Reviewer1";

/// What a load did.
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// From when a request was due to the end of its answer.
    pub(crate) latency_us: Histogram<u64>,
    elapsed: Duration,
}

impl Done {
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// As many requests as the connections carry.
pub(crate) fn closed(
    address: SocketAddr,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Done> {
    run(address, connections, time, None)
}

/// A steady rate; a late answer delays no other request's due time.
pub(crate) fn open(
    address: SocketAddr,
    connections: usize,
    rate: f64,
    time: Duration,
) -> anyhow::Result<Done> {
    run(
        address,
        connections,
        time,
        Some(Duration::from_secs_f64(connections as f64 / rate)),
    )
}

fn run(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    interval: Option<Duration>,
) -> anyhow::Result<Done> {
    runtime()?.block_on(async {
        let started = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|n| {
                let offset =
                    interval.map_or(Duration::ZERO, |i| i.mul_f64(n as f64 / connections as f64));
                tokio::spawn(connection(
                    address,
                    started + offset,
                    started + time,
                    interval,
                ))
            })
            .collect();
        let mut done = Done {
            requests: 0,
            failed: 0,
            latency_us: Histogram::new_with_bounds(1, 60_000_000, 3)?,
            elapsed: Duration::ZERO,
        };
        for task in tasks {
            let (requests, failed, latency) = task.await??;
            done.requests += requests;
            done.failed += failed;
            done.latency_us.add(latency)?;
        }
        done.elapsed = started.elapsed();
        anyhow::ensure!(done.requests > 0, "no page came");
        Ok(done)
    })
}

async fn connection(
    address: SocketAddr,
    start: Instant,
    end: Instant,
    interval: Option<Duration>,
) -> anyhow::Result<(u64, u64, Histogram<u64>)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut requests, mut failed) = (0, 0);
    let mut latency = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut due = start;
    while due < end && Instant::now() < end {
        match interval {
            Some(interval) => {
                tokio::time::sleep_until(due.into()).await;
                exchange(&mut stream, &mut buffer).await?;
                latency.saturating_record(due.elapsed().as_micros() as u64);
                due += interval;
            }
            None => {
                let sent = Instant::now();
                exchange(&mut stream, &mut buffer).await?;
                latency.saturating_record(sent.elapsed().as_micros() as u64);
            }
        }
        requests += 1;
        failed += u64::from(!is_good(&buffer));
    }
    Ok((requests, failed, latency))
}

/// Leaves the answer, head and body, in the buffer.
async fn exchange(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    stream.write_all(REQUEST).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the connection was closed");
        }
        let Some(head) = find(buffer, b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("an answer without a length")?
            .trim()
            .parse()?;
        if buffer.len() >= head + 4 + length {
            return Ok(());
        }
    }
}

fn is_good(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200") && find(answer, GOOD).is_some()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Asks until a whole page comes.
pub(crate) fn first_good_page(address: SocketAddr, limit: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    runtime()?.block_on(async {
        let mut buffer = Vec::new();
        while Instant::now() < deadline {
            if let Ok(mut stream) = TcpStream::connect(address).await
                && exchange(&mut stream, &mut buffer).await.is_ok()
                && is_good(&buffer)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("no good page within {limit:?}")
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
