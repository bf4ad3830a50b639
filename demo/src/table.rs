//! The table of addresses, for people; and the same for scripts.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::plan::{Agent, Plan, Spec};

/// What runs where, and what to do there.
pub(crate) fn text<'a>(
    processes: impl Iterator<Item = &'a Spec>,
    plan: &Plan,
    took: Duration,
) -> String {
    let rows: Vec<[String; 3]> = processes
        .map(|spec| {
            let address = spec.url().map(|url| url + spec.path);
            [
                spec.name.to_owned(),
                address.unwrap_or_else(|| "-".to_owned()),
                spec.about.to_owned(),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (name, address) = (width(0), width(1));
    let mut table = format!("\nall is ready after {:.2} s\n\n", took.as_secs_f64());
    for [first, second, third] in &rows {
        let _ = writeln!(table, "  {first:name$}  {second:address$}  {third}");
    }
    let _ = writeln!(table, "\n{}", plan.agent.text());
    if plan.time_scale > 1 {
        let factor = plan.time_scale;
        let _ = writeln!(table, "the clock of objectives runs {factor} times as fast");
    }
    table.push_str("bookwatch stop NAME, start NAME, kill NAME: from another terminal\n");
    table.push_str("Ctrl-C stops everything\n\n");
    table
}

/// `ready` as one JSON object: addresses and process ids by name.
pub(crate) fn ready<'a>(
    processes: impl Iterator<Item = (&'a Spec, Option<u32>)>,
    plan: &Plan,
    took: Duration,
) -> Value {
    let (mut addresses, mut pids) = (Map::new(), Map::new());
    for (spec, pid) in processes {
        if let Some(url) = spec.url() {
            addresses.insert(spec.name.to_owned(), url.into());
        }
        pids.insert(spec.name.to_owned(), pid.into());
    }
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // Who takes the telemetry.
    let agent = match &plan.agent {
        Agent::Console(_) => "console",
        Agent::Named(_) => "named",
        Agent::Default => "default",
    };
    json!({
        "event": "ready",
        "ready_ms": took_ms,
        "addresses": addresses,
        "pids": pids,
        "agent": agent,
        "time_scale": plan.time_scale,
    })
}
