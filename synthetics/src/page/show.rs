//! The newest numbers, worked out in the background, so that nobody who asks waits for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Scene;
use super::board::Board;

/// Holds what is shown.
pub(super) struct Show {
    pace: Duration,
    scene: Mutex<Option<Scene>>,
    newest: Mutex<Option<(Instant, Arc<Board>)>>,
    /// One at a time works the numbers out.
    turn: tokio::sync::Mutex<()>,
}

impl Show {
    pub(super) fn new(pace: Duration) -> Self {
        Self {
            pace,
            scene: Mutex::new(None),
            newest: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn set(&self, scene: Scene) {
        *lock(&self.scene) = Some(scene);
    }

    pub(super) fn scene(&self) -> Option<Scene> {
        lock(&self.scene).clone()
    }

    /// The numbers; none before there is anything to show. They are as old as the pace at most, or
    /// twice that where the machine is busy: whoever finds older ones waits for new ones.
    pub(super) async fn board(&self) -> Option<Arc<Board>> {
        if let Some(board) = self.fresh() {
            return Some(board);
        }
        let _turn = self.turn.lock().await;
        // Whoever came meanwhile has waited for the same.
        match self.fresh() {
            Some(board) => Some(board),
            None => self.renew().await,
        }
    }

    /// Works them out again and again, until `stop`. Without a pace it is done for whoever asks.
    pub(super) async fn keep_new(&self, stop: CancellationToken) {
        if self.pace.is_zero() {
            return;
        }
        let mut ticks = tokio::time::interval(self.pace);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let _turn = self.turn.lock().await;
            self.renew().await;
        }
    }

    fn fresh(&self) -> Option<Arc<Board>> {
        let newest = lock(&self.newest);
        let (made, board) = newest.as_ref()?;
        (made.elapsed() < self.pace * 2).then(|| Arc::clone(board))
    }

    async fn renew(&self) -> Option<Arc<Board>> {
        let scene = self.scene()?;
        // Milliseconds of work, and not at the cost of probes that are due.
        let made = tokio::task::spawn_blocking(move || Arc::new(Board::of(&scene)));
        match made.await {
            Ok(board) => {
                *lock(&self.newest) = Some((Instant::now(), Arc::clone(&board)));
                Some(board)
            }
            Err(error) => {
                tracing::error!(%error, "the page's numbers cannot be worked out");
                None
            }
        }
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is replaced as a whole.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
