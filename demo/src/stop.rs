//! When to stop: signals, and for a service the end of the process that started it.

use std::io::{self, Read as _};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

/// Longest time for a service to end by itself once its parent is gone.
const ORPHAN_LIMIT: Duration = Duration::from_secs(10);

/// SIGINT, SIGTERM and SIGHUP (the terminal is gone), taken from the moment this is made.
pub(crate) struct Requests([Signals; 3]);

impl Requests {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Done at the next one.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Ends this process when standard input does. The parent holds the other end of that pipe and never
/// writes, so it ends when the parent does, however it died, `kill -9` included.
pub(crate) fn with_parent() -> io::Result<()> {
    thread::Builder::new()
        .name("parent-watch".into())
        .spawn(|| {
            let mut input = io::stdin().lock();
            let mut unused = [0; 64];
            loop {
                match input.read(&mut unused) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            // As the parent would have done it: ask, wait, insist.
            let _ = kill(Pid::this(), Signal::SIGTERM);
            let (_nobody_sends, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(ORPHAN_LIMIT);
            let _ = kill(Pid::this(), Signal::SIGKILL);
        })
        .map(drop)
}
