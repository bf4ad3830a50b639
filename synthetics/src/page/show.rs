//! The newest numbers, worked out once for everybody who asks within a moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Scene;
use super::board::Board;

/// Holds what is shown.
pub(super) struct Show {
    pace: Duration,
    scene: Mutex<Option<Scene>>,
    newest: tokio::sync::Mutex<Option<(Instant, Arc<Board>)>>,
}

impl Show {
    pub(super) fn new(pace: Duration) -> Self {
        Self {
            pace,
            scene: Mutex::new(None),
            newest: tokio::sync::Mutex::new(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Scene>> {
        // A scene is replaced as a whole.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, scene: Scene) {
        *self.lock() = Some(scene);
    }

    pub(super) fn scene(&self) -> Option<Scene> {
        self.lock().clone()
    }

    /// Rises when there are other numbers.
    pub(super) fn changes(&self) -> u64 {
        self.scene()
            .map_or(0, |scene| scene.live.read(|known| known.lanes.changes()))
    }

    /// The numbers, no older than the pace; none before there is anything to show.
    pub(super) async fn board(&self) -> Option<Arc<Board>> {
        let scene = self.scene()?;
        // Whoever comes meanwhile waits, and gets the same.
        let mut newest = self.newest.lock().await;
        if let Some((made, board)) = &*newest
            && made.elapsed() < self.pace
        {
            return Some(Arc::clone(board));
        }
        // Milliseconds of work, and not at the cost of probes that are due.
        let made = tokio::task::spawn_blocking(move || Arc::new(Board::of(&scene)));
        match made.await {
            Ok(board) => {
                *newest = Some((Instant::now(), Arc::clone(&board)));
                Some(board)
            }
            Err(error) => {
                tracing::error!(%error, "the page's numbers cannot be worked out");
                None
            }
        }
    }
}
