//! The phases of a probe, one below the other, each from where the one before it ended.

use std::time::Duration;

use super::worst::Found;
use crate::probe::Phase;

/// Width of all phases together.
const WIDTH: u128 = 40;

/// Lines of one probe: what it was, and its phases.
pub(super) fn lines(number: usize, found: &Found, colour: bool) -> Vec<String> {
    let probe = &found.probe;
    let what = match &probe.failure {
        Some((kind, detail)) => format!("{kind}: {detail}"),
        None => match probe.status {
            Some(status) => format!("good, status {status}"),
            None => "good".to_owned(),
        },
    };
    let trace = probe.trace_id.as_deref().unwrap_or("none");
    let mut lines = vec![
        format!(
            "{number}. {} from {} at {}: {what}",
            found.check, found.location, probe.scheduled
        ),
        format!("   trace {trace}"),
    ];
    let total = probe.phases.total().max(Duration::from_nanos(1));
    let mut before = Duration::ZERO;
    for (phase, time) in probe.phases.iter() {
        // Redirects are rare; the other phases stand there even where they took no time.
        if time.is_zero() && phase == Phase::Redirect {
            continue;
        }
        lines.push(
            format!(
                "   {:<10} {:>10}  {}",
                name(phase),
                if time.is_zero() {
                    "-".to_owned()
                } else {
                    millis(time)
                },
                bar(phase, before, time, total, colour)
            )
            .trim_end()
            .to_owned(),
        );
        before += time;
    }
    lines.push(format!("   {:<10} {:>10}", "total", millis(probe.duration)));
    lines
}

fn bar(phase: Phase, before: Duration, time: Duration, total: Duration, colour: bool) -> String {
    if time.is_zero() {
        return String::new();
    }
    let cells = |time: Duration| {
        let cells = time.as_nanos() * WIDTH / total.as_nanos();
        usize::try_from(cells).unwrap_or(0)
    };
    // What took any time is seen.
    let (from, until) = (cells(before), cells(before + time));
    let from = from.min(WIDTH as usize - 1);
    let blocks = "█".repeat((until.saturating_sub(from)).max(1));
    let indent = " ".repeat(from);
    if !colour {
        return format!("{indent}{blocks}");
    }
    let code = match phase {
        Phase::Redirect => 90,
        Phase::Dns => 36,
        Phase::Connect => 34,
        Phase::Tls => 35,
        Phase::FirstByte => 32,
        Phase::Transfer => 33,
    };
    format!("{indent}\x1b[{code}m{blocks}\x1b[0m")
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Redirect => "redirects",
        Phase::Dns => "DNS",
        Phase::Connect => "connect",
        Phase::Tls => "TLS",
        Phase::FirstByte => "first byte",
        Phase::Transfer => "transfer",
    }
}

fn millis(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1_000.0)
}
