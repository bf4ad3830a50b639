//! Keeping the history of a run: in memory, and where there is a DynamoDB, there.

use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::job::Job;
use crate::cli::{HistoryArgs, HistoryMode};
use crate::clock::{Clock as _, FastClock, SystemClock};
use crate::history::store::{Anchor, Holder, Retention, Store};
use crate::history::{HistoryError, Live, Minute, View, Watcher, Writer};

/// How long a start may wait for the table to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The table that these flags and this configuration mean, or none where there is none.
///
/// # Errors
/// Where the table cannot be used, or the history was asked for and there is none. That it cannot
/// be reached is waited out.
pub(super) async fn open(args: &HistoryArgs, job: &Job) -> anyhow::Result<Option<Store>> {
    let wanted = match args.history {
        HistoryMode::Off => false,
        HistoryMode::On => true,
        HistoryMode::Auto => job.history.is_some() && args.has_place(),
    };
    if !wanted {
        return Ok(None);
    }
    let table = job.history.as_ref().and_then(|sink| sink.table.as_deref());
    let retention = job.history.as_ref().map(|sink| Retention(sink.retention));
    let store = Store::open(
        &args.store,
        table,
        args.time_scale,
        retention.unwrap_or_default(),
    )
    .await?;
    if args.create_table {
        store.create_table().await.context("the history's table")?;
    }
    match tokio::time::timeout(PATIENCE, store.locations()).await {
        // Nobody has asked for it, so it is no reason not to probe.
        Ok(Err(error @ HistoryError::NoTable { .. })) if args.history == HistoryMode::Auto => {
            tracing::warn!(%error, "history kept in memory alone");
            return Ok(None);
        }
        Ok(Err(error)) if !error.may_pass() => return Err(error.into()),
        // What may pass is waited out.
        _ => {}
    }
    Ok(Some(store))
}

/// The clock that the history and the objectives go by.
pub(super) async fn clock(args: &HistoryArgs, store: Option<&Store>) -> anyhow::Result<FastClock> {
    let system = SystemClock::new();
    if args.time_scale == 1 {
        return Ok(FastClock::real(system));
    }
    let now = system.now();
    let new = Anchor {
        real: now,
        shown: now,
    };
    let anchor = match store {
        // All probers, and each restart, read the same time.
        Some(store) => store.anchor(new).await.context("the history's clock")?,
        None => new,
    };
    let factor = args.time_scale;
    Ok(FastClock::anchored(
        system,
        anchor.real,
        anchor.shown,
        factor,
    ))
}

/// A history that is being kept.
pub(super) struct Kept {
    pub(super) live: Live,
    stop: CancellationToken,
    writer: Option<JoinHandle<Result<(), HistoryError>>>,
    watcher: Option<JoinHandle<()>>,
}

impl Kept {
    /// Begins to keep the results of `job`, in `store` where there is one.
    pub(super) fn start(job: &Job, store: Option<&Store>, clock: FastClock) -> Self {
        let live = Live::new(
            job.names(),
            job.slos.clone(),
            job.maintenance.clone(),
            job.sites(),
            clock.now(),
        );
        let stop = CancellationToken::new();
        let longest = job.longest().unwrap_or_default();
        let Some(store) = store else {
            live.set_loaded();
            let sealing = seal(live.clone(), clock, longest, stop.clone());
            return Self {
                live,
                watcher: Some(tokio::spawn(sealing)),
                writer: None,
                stop,
            };
        };
        let system = SystemClock::new();
        let holder = Holder::here(system.now());
        let writer = Writer::new(live.clone(), store.clone(), clock, system, holder, longest);
        let span = View::span(&job.slos);
        let watcher = Watcher::new(live.clone(), store.clone(), clock, span);
        Self {
            live,
            writer: Some(tokio::spawn(writer.run(stop.clone()))),
            watcher: Some(tokio::spawn(watcher.run(stop.clone()))),
            stop,
        }
    }

    /// Waits for the reason why the history cannot go on; for ever while there is none.
    ///
    /// # Errors
    /// Always: that reason.
    pub(super) async fn broken(&mut self) -> anyhow::Result<std::convert::Infallible> {
        let Some(writer) = &mut self.writer else {
            return std::future::pending().await;
        };
        let ended = writer.await;
        self.writer = None;
        match ended.context("the history's writer broke")? {
            Err(error) => Err(error.into()),
            // It was told to stop.
            Ok(()) => std::future::pending().await,
        }
    }

    /// Saves the running minute and ends.
    ///
    /// # Errors
    /// Where another prober has taken the location.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        if let Some(watcher) = self.watcher {
            watcher.await.context("the history's reader broke")?;
        }
        if let Some(writer) = self.writer {
            writer.await.context("the history's writer broke")??;
        }
        Ok(())
    }
}

/// Is done with minutes that have ended, where nothing is saved.
async fn seal(live: Live, clock: FastClock, longest: Duration, stop: CancellationToken) {
    let grace = clock.shown_time(longest + Duration::from_secs(1));
    let mut ticks = tokio::time::interval(clock.real_time(Minute::LENGTH));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => live.seal_unsaved(clock.now().minus(grace)),
        }
    }
}
