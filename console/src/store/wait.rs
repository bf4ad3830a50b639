//! Waiting for something to arrive, without polling.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Snapshot, Store};

/// How many lines of each kind a [`TimedOut`] shows.
const LINES: usize = 40;

/// What was waited for did not arrive in time. `Display` and `Debug` say what did.
#[derive(Clone)]
pub struct TimedOut {
    waited: Duration,
    snapshot: Box<Snapshot>,
}

impl TimedOut {
    /// What had arrived by then.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Store {
    /// Waits until `find` finds what it looks for. It is called at once and then after arrivals; several arrivals close together may make
    /// one call.
    ///
    /// # Errors
    /// [`TimedOut`] after `timeout`, with a summary of what arrived instead.
    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        mut find: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Result<T, TimedOut> {
        // Subscribed before the first look, so that nothing can arrive unseen in between.
        let mut arrivals = self.arrivals.subscribe();
        let search = async {
            loop {
                arrivals.mark_unchanged();
                if let Some(found) = find(&self.snapshot()) {
                    return found;
                }
                // It cannot fail: `self` holds the sender.
                if arrivals.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match tokio::time::timeout(timeout, search).await {
            Ok(found) => Ok(found),
            Err(_) => Err(TimedOut {
                waited: timeout,
                snapshot: Box::new(self.snapshot()),
            }),
        }
    }
}

impl std::error::Error for TimedOut {}

impl fmt::Debug for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "did not arrive within {:?}; what did:", self.waited)?;
        let snapshot = &self.snapshot;
        let mut traces: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for span in &snapshot.spans {
            let parent = span
                .parent_span_id
                .map_or_else(|| "root".to_owned(), |id| format!("parent {id}"));
            traces.entry(span.trace_id).or_default().push(format!(
                "{} {:?} {:?} {} ({parent})",
                span.service(),
                span.kind,
                span.name,
                span.span_id
            ));
        }
        let spans = traces.iter().flat_map(|(id, spans)| {
            std::iter::once(format!("trace {id}")).chain(spans.iter().map(|s| format!("  {s}")))
        });
        list(f, "spans", snapshot.spans.len(), spans)?;
        let mut series: BTreeMap<String, usize> = BTreeMap::new();
        for sample in &snapshot.metrics {
            let tags: Vec<_> = sample.tags().iter().collect();
            *series
                .entry(format!(
                    "{}|{} #{}",
                    sample.name(),
                    sample.kind.symbol(),
                    tags.join(",")
                ))
                .or_default() += 1;
        }
        list(
            f,
            "samples",
            snapshot.metrics.len(),
            series
                .iter()
                .map(|(series, count)| format!("{count} x {series}")),
        )?;
        let events = snapshot
            .events
            .iter()
            .map(|event| format!("{:?}", event.title));
        list(f, "events", snapshot.events.len(), events)?;
        let checks = snapshot
            .service_checks
            .iter()
            .map(|check| format!("{} {:?}", check.name, check.status));
        list(f, "service checks", snapshot.service_checks.len(), checks)?;
        let points = snapshot
            .points
            .iter()
            .map(|point| format!("{} {}", point.service(), point.name));
        list(f, "data points", snapshot.points.len(), points)?;
        let logs = snapshot
            .logs
            .iter()
            .map(|log| format!("{} {}", log.service(), log.body));
        list(f, "log records", snapshot.logs.len(), logs)?;
        let bad = snapshot.bad_packets.last.iter().map(|bad| {
            format!(
                "{:?} {}: {} in {:?}",
                bad.source, bad.reason, bad.detail, bad.excerpt
            )
        });
        list(
            f,
            "bad packets",
            usize::try_from(snapshot.bad_packets.total).unwrap_or(usize::MAX),
            bad,
        )
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    count: usize,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    writeln!(f, "- {count} {what}")?;
    let mut lines = lines;
    for line in lines.by_ref().take(LINES) {
        let line: String = line.chars().take(200).collect();
        writeln!(f, "    {line}")?;
    }
    let more = lines.count();
    if more > 0 {
        writeln!(f, "    and {more} lines more")
    } else {
        Ok(())
    }
}
