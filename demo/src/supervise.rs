//! The life of one process: started, watched, started again where it dies, and stopped.

use std::future::Future;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, io};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::backoff::Backoff;
use crate::logs::Sink;
use crate::plan::Spec;

/// Time for a process to end by itself once it is asked to. Above what a service needs for its grace
/// period and for flushing its telemetry.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// Time for the last lines of a process that has ended.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What happens to a process.
#[derive(Debug)]
pub(crate) enum Event {
    /// It runs.
    Started {
        name: &'static str,
        pid: u32,
        again: bool,
    },
    /// It ended, or could not be started.
    Ended {
        name: &'static str,
        end: End,
        /// `None` where it is not started again.
        again_in: Option<Duration>,
    },
    /// It was asked to stay away, and is gone.
    Held { name: &'static str },
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum End {
    Exit(ExitStatus),
    NoStart(io::Error),
}

impl End {
    /// Exit code, if it came to one.
    pub(crate) fn code(&self) -> Option<i32> {
        match self {
            Self::Exit(status) => status.code(),
            Self::NoStart(_) => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Exit(status) = self else {
            let Self::NoStart(error) = self else {
                return Ok(());
            };
            return write!(f, "cannot be started: {error}");
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => write!(f, "ended with exit code {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "was ended by {signal}"),
                Err(_) => write!(f, "was ended by signal {number}"),
            },
            (None, None) => f.write_str("ended"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Run,
    /// To end, and to stay away until it is to run again.
    Hold,
    /// To end for good.
    Stop,
    /// The same, at once.
    Kill,
}

/// A process that is looked after.
pub(crate) struct Process {
    pub(crate) spec: Spec,
    pub(crate) logs: Sink,
    /// `None` while it does not run.
    pid: watch::Receiver<Option<u32>>,
    wish: watch::Sender<Wish>,
}

impl Process {
    /// Starts it and keeps it running.
    pub(crate) fn start(
        executable: &Path,
        spec: Spec,
        logs: Sink,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (pids, pid) = watch::channel(None);
        let (wish, wishes) = watch::channel(Wish::Run);
        let keeper = Keeper {
            executable: executable.to_owned(),
            spec: spec.clone(),
            logs: logs.clone(),
            pids,
            wishes,
            events,
        };
        tokio::spawn(keeper.keep());
        Self {
            spec,
            logs,
            pid,
            wish,
        }
    }

    /// Its process id while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Done as soon as it runs.
    pub(crate) fn until_running(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut pid = self.pid.clone();
        async move {
            let _ = pid.wait_for(Option::is_some).await;
        }
    }

    /// Asks it to end; see [`Process::until_ended`].
    pub(crate) fn stop(&self) {
        self.wish.send_if_modified(|wish| {
            let changes = matches!(wish, Wish::Run | Wish::Hold);
            if changes {
                *wish = Wish::Stop;
            }
            changes
        });
    }

    /// Ends it and keeps it away, or lets it run again; `false` where that is so already.
    pub(crate) fn hold(&self, is_held: bool) -> bool {
        let (from, to) = match is_held {
            true => (Wish::Run, Wish::Hold),
            false => (Wish::Hold, Wish::Run),
        };
        self.wish.send_if_modified(|wish| {
            let changes = *wish == from;
            if changes {
                *wish = to;
            }
            changes
        })
    }

    /// Kills it, as a machine that fails would; it is started again.
    pub(crate) fn fell(&self) -> bool {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok());
        pid.is_some_and(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok())
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        self.wish.send_replace(Wish::Kill);
    }

    /// Waits until it is gone for good, which after [`Process::stop`] takes [`STOP_LIMIT`] at most.
    pub(crate) async fn until_ended(&self) {
        // The keeper is gone when it has dropped its end.
        let mut pid = self.pid.clone();
        while pid.changed().await.is_ok() {}
    }
}

/// The task behind a [`Process`].
struct Keeper {
    executable: PathBuf,
    spec: Spec,
    logs: Sink,
    pids: watch::Sender<Option<u32>>,
    wishes: watch::Receiver<Wish>,
    events: mpsc::Sender<Event>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut backoff = Backoff::default();
        let mut again = false;
        loop {
            let held = wished(&mut self.wishes, |wish| wish != Wish::Hold);
            if held.await != Some(Wish::Run) {
                return;
            }
            let started = Instant::now();
            let end = match spawn(&self.executable, &self.spec) {
                Ok(child) => match self.live(child, again).await {
                    Some(status) => End::Exit(status),
                    None if *self.wishes.borrow() == Wish::Hold => {
                        let name = self.spec.name;
                        self.tell(Event::Held { name }).await;
                        again = true;
                        continue;
                    }
                    None => return,
                },
                Err(error) => End::NoStart(error),
            };
            let wait = backoff.after(started.elapsed());
            let again_in = (!self.spec.ends_by_itself).then_some(wait);
            self.tell(Event::Ended {
                name: self.spec.name,
                end,
                again_in,
            })
            .await;
            if again_in.is_none() {
                return;
            }
            tokio::select! {
                () = sleep(wait) => {}
                _ = wished(&mut self.wishes, |wish| wish != Wish::Run) => {}
            }
            again = true;
        }
    }

    /// One life: its end, or `None` where it was stopped.
    async fn live(&mut self, mut child: Child, again: bool) -> Option<ExitStatus> {
        // Held, never written: see `stop::with_parent`.
        let tether = child.stdin.take();
        let out = child
            .stdout
            .take()
            .map(|pipe| tokio::spawn(self.logs.clone().read(pipe)));
        let err = child
            .stderr
            .take()
            .map(|pipe| tokio::spawn(self.logs.clone().read(pipe)));
        let pid = child.id().unwrap_or_default(); // there is one until it has been waited for
        self.pids.send_replace(Some(pid));
        let name = self.spec.name;
        self.tell(Event::Started { name, pid, again }).await;

        let ended = tokio::select! {
            status = child.wait() => status.ok(),
            _ = wished(&mut self.wishes, |wish| wish != Wish::Run) => {
                self.end(&mut child).await;
                None
            }
        };
        self.pids.send_replace(None);
        drop(tether);
        for pipe in [out, err].into_iter().flatten() {
            // A grandchild could hold it open.
            let _ = timeout(LAST_LINES, pipe).await;
        }
        ended
    }

    /// Asks, waits, insists.
    async fn end(&mut self, child: &mut Child) {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // Not waited for yet, so the id is still this child's.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        tokio::select! {
            _ = child.wait() => return,
            () = sleep(STOP_LIMIT) => {}
            _ = wished(&mut self.wishes, |wish| wish == Wish::Kill) => {}
        }
        let _ = child.kill().await;
    }

    async fn tell(&self, event: Event) {
        // Nobody listens any more while all is stopping.
        let _ = self.events.send(event).await;
    }
}

/// The wish, once it is as is asked; `None` once nobody can wish any more.
async fn wished(wishes: &mut watch::Receiver<Wish>, is_it: impl Fn(Wish) -> bool) -> Option<Wish> {
    let wish = wishes.wait_for(|wish| is_it(*wish)).await;
    wish.ok().map(|wish| *wish)
}

/// Starts this executable again as the service.
fn spawn(executable: &Path, spec: &Spec) -> io::Result<Child> {
    Command::new(executable)
        // What `ps` shows, so that a person can tell them apart and kill the right one.
        .arg0(format!("bookwatch:{}", spec.name))
        .args(["run-service", spec.program.name()])
        .args(&spec.args)
        .envs(spec.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C at the terminal reaches the parent alone, which stops the others in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_in_words() {
        let end = |raw| End::Exit(ExitStatus::from_raw(raw)).to_string();
        assert_eq!(end(2 << 8), "ended with exit code 2");
        assert_eq!(end(9), "was ended by SIGKILL");
        let missing = End::NoStart(io::Error::from(io::ErrorKind::NotFound));
        assert!(missing.to_string().starts_with("cannot be started"));
        assert_eq!(missing.code(), None);
    }
}
