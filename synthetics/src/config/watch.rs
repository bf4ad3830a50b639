//! Reading the file again while the prober runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Config, ConfigError};
use crate::probe::template::Environment;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// What came of reading a file again.
#[derive(Debug)]
pub enum Reload {
    /// A sound configuration, to be used from now on.
    New(Box<Config>),
    /// Mistakes: what was there before goes on.
    Kept(ConfigError),
}

/// Watches one file.
#[derive(Debug)]
pub struct Watcher {
    path: PathBuf,
    seen: Option<Mark>,
    /// Kept from one wait to the next, so that no signal falls between two.
    hangup: Option<Signal>,
}

/// What changes when a file does. An editor that writes a new file in its place changes the
/// inode, which the length and the time need not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Watcher {
    /// Watches `path`, which has just been read.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            seen: mark(path),
            hangup: None,
        }
    }

    /// Waits for SIGHUP, or for the file to change, and reads it.
    ///
    /// # Errors
    /// Where the signal cannot be listened for.
    pub async fn changed(&mut self, environment: &Environment<'_>) -> std::io::Result<Reload> {
        if self.hangup.is_none() {
            self.hangup = Some(signal(SignalKind::hangup())?);
        }
        loop {
            let asked = tokio::select! {
                Some(Some(())) = async { Some(self.hangup.as_mut()?.recv().await) } => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            if let Some(reload) = self.look(asked, environment) {
                return Ok(reload);
            }
        }
    }

    /// Reads the file if it has changed since it was last looked at, or if that is `asked` for.
    pub fn look(&mut self, asked: bool, environment: &Environment<'_>) -> Option<Reload> {
        let mark = mark(&self.path);
        // A file that is gone for a moment is being replaced.
        if !asked && (mark == self.seen || mark.is_none()) {
            return None;
        }
        self.seen = mark;
        Some(match Config::load(&self.path, environment) {
            Ok(config) => Reload::New(Box::new(config)),
            Err(error) => Reload::Kept(error),
        })
    }
}

fn mark(path: &Path) -> Option<Mark> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some(Mark {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        inode: metadata.ino(),
    })
}
