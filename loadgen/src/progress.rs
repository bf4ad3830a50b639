//! Shows how it goes: a bar on a terminal, a log line a minute elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::browser::Site;
use crate::table;

const REDRAW: Duration = Duration::from_millis(250);
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Keeps a bar on standard error up to date, and takes it away when dropped.
pub(crate) async fn bar(site: &Site, run_time: Option<Duration>) {
    let start = site.pacer.started().await;
    let bar = Bar(match run_time {
        Some(time) => {
            let length = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            ProgressBar::new(length).with_style(style("{bar:30.cyan} {percent:>3} % {msg}"))
        }
        None => ProgressBar::new_spinner().with_style(style("{spinner} {msg}")),
    });
    let mut tick = tokio::time::interval(REDRAW);
    loop {
        tick.tick().await;
        let glance = site.recorder.glance();
        let elapsed = start.elapsed();
        bar.0
            .set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let p95 = glance.p95.map_or_else(
            || "-".to_owned(),
            |p95| table::time(crate::latency::millis(p95)),
        );
        let missed = match glance.missed {
            0 => String::new(),
            missed => format!(", {missed} missed"),
        };
        let end = match site.stop.reason() {
            Some(_) => ", waiting for the last answers",
            None => "",
        };
        bar.0.set_message(format!(
            "{}  {} requests, {} errors{missed}, p95 {p95}{end}",
            humantime::format_duration(Duration::from_secs(elapsed.as_secs())),
            glance.requests,
            glance.errors
        ));
    }
}

struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Logs a line once a minute.
pub(crate) async fn log(site: &Site) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + LOG_EVERY, LOG_EVERY);
    loop {
        tick.tick().await;
        let glance = site.recorder.glance();
        tracing::info!(
            requests = glance.requests,
            errors = glance.errors,
            missed = glance.missed,
            p95_ms = glance.p95.map(crate::latency::millis),
            "load goes on"
        );
    }
}
