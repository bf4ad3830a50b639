//! Processor time and memory of a process, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// Ticks a second of the times in `/proc/<pid>/stat`: 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time of a process so far.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is gone"))?;
    // The name stands in brackets and may hold anything; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(") ").context("unreadable stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |index: usize| -> anyhow::Result<u64> {
        Ok(fields.get(index).context("short stat")?.parse()?)
    };
    Ok(Duration::from_millis(
        (ticks(11)? + ticks(12)?) * 1000 / TICKS_PER_SECOND,
    ))
}

/// Resident memory in bytes.
pub(crate) fn memory(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("no VmRSS")?;
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .context("no VmRSS")?
        .parse()?;
    Ok(kib * 1024)
}
