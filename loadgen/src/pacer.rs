//! Hands out turns to send: on schedule, first to those in the middle of a visit.
//!
//! A user asks for a turn and waits until the schedule has one. Where all users are held up by the shop,
//! turns come due with nobody to take them; the next user to come back takes the oldest one at once, and
//! its request is late by the time the shop held the users up. That delay belongs to the latency, so the
//! turn says when it was due. A user who stood waiting when the turn came due is not late through the
//! shop's fault, whatever the timer did, and its turn carries no such date.
//!
//! Turns older than [`PATIENCE`] are given up, so that a shop that comes back is not run over by hours of
//! backlog; they are counted, with the time they had waited.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};

use crate::schedule::Schedule;

/// How long a turn waits for a user before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lateness that timers alone can cause: turns due this shortly before the end are not called missed.
const TIMER_SLACK: Duration = Duration::from_millis(100);

/// Where a user stands when asking for a turn. Visits under way go first, so that no more users are at
/// work than the pace needs and a visit is not stretched over minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Arriving,
    Visiting,
}

/// Leave to send one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// When it should have been sent, where it is late because no user was free.
    pub(crate) overdue: Option<Instant>,
}

/// Turns that were given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Numbers of the requests in the schedule.
    pub(crate) turns: Range<u64>,
    /// When they were given up, from the start.
    pub(crate) at: Duration,
}

/// The schedule's position, apart from any clock or task.
#[derive(Debug)]
struct Line {
    schedule: Schedule,
    next: u64,
    /// Turns due before this offset came late because of the timer: until here their delay is our own.
    excused: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// A turn is due, since this offset from the start.
    Due(Duration),
    /// The next turn is due at this offset.
    Later(Duration),
    Over,
}

impl Line {
    fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            next: 0,
            excused: Duration::ZERO,
        }
    }

    /// Serves waiting users with what is due at `now`. `None` when nobody waits any more.
    fn serve(&mut self, waiting: &mut Waiting, now: Duration) -> Option<Next> {
        while !waiting.is_empty() {
            let Some(due) = self.schedule.due(self.next) else {
                return Some(Next::Over);
            };
            if due > now {
                return Some(Next::Later(due));
            }
            if waiting.hand_over(Turn { overdue: None }) {
                self.next += 1;
                self.excused = now;
            }
        }
        None
    }

    /// The state of the next turn at `now`, an offset from the start. Old turns are given up first.
    fn next(&mut self, now: Duration) -> (Next, Option<Missed>) {
        let mut missed = None;
        if let Some(due) = self.schedule.due(self.next)
            && now > due + PATIENCE
        {
            missed = self.give_up(now, now);
        }
        let next = match self.schedule.due(self.next) {
            None => Next::Over,
            Some(due) if due <= now => Next::Due(due.max(self.excused)),
            Some(due) => Next::Later(due),
        };
        (next, missed)
    }

    /// Gives up every turn due before `until`.
    fn give_up(&mut self, until: Duration, now: Duration) -> Option<Missed> {
        let turns = self.next..self.schedule.count_before(until);
        if turns.is_empty() {
            return None;
        }
        self.next = turns.end;
        Some(Missed { turns, at: now })
    }
}

#[derive(Debug, Default)]
struct Waiting {
    visiting: VecDeque<oneshot::Sender<Turn>>,
    arriving: VecDeque<oneshot::Sender<Turn>>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.visiting.is_empty() && self.arriving.is_empty()
    }

    /// Gives `turn` to the first who still wants it.
    fn hand_over(&mut self, turn: Turn) -> bool {
        while let Some(user) = self
            .visiting
            .pop_front()
            .or_else(|| self.arriving.pop_front())
        {
            if user.send(turn).is_ok() {
                return true;
            }
        }
        false
    }
}

#[derive(Debug)]
struct State {
    line: Option<Line>,
    waiting: Waiting,
    closed: bool,
}

type OnMissed = Box<dyn Fn(&Schedule, Missed) + Send + Sync>;

/// Shared by all users; made with [`Pacer::new`], driven by [`Pacer::run`].
pub(crate) struct Pacer {
    state: Mutex<State>,
    wake: Notify,
    started: watch::Sender<Option<Instant>>,
    on_missed: OnMissed,
}

impl Pacer {
    /// Without a schedule every turn is given at once.
    pub(crate) fn new(
        schedule: Option<Schedule>,
        on_missed: impl Fn(&Schedule, Missed) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                line: schedule.map(Line::new),
                waiting: Waiting::default(),
                closed: false,
            }),
            wake: Notify::new(),
            started: watch::Sender::new(None),
            on_missed: Box::new(on_missed),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment of the first request for a turn; the schedule counts from it. Call with the lock held,
    /// so that there is only one.
    fn start(&self) -> Instant {
        if let Some(start) = *self.started.borrow() {
            return start;
        }
        let now = Instant::now();
        self.started.send_replace(Some(now));
        now
    }

    /// Waits for the start of the schedule.
    pub(crate) async fn started(&self) -> Instant {
        let mut started = self.started.subscribe();
        loop {
            if let Some(start) = *started.borrow_and_update() {
                return start;
            }
            if started.changed().await.is_err() {
                // Not possible while `self` holds the sender.
                return Instant::now();
            }
        }
    }

    /// The start of the schedule, if there was one.
    pub(crate) fn start_time(&self) -> Option<Instant> {
        *self.started.borrow()
    }

    /// Waits for a turn; `None` once the run is over.
    pub(crate) async fn turn(&self, standing: Standing) -> Option<Turn> {
        let ticket = {
            let mut state = self.lock();
            let start = self.start();
            if state.closed {
                return None;
            }
            let State { line, waiting, .. } = &mut *state;
            let Some(line) = line else {
                return Some(Turn { overdue: None });
            };
            if waiting.is_empty() {
                let (next, missed) = line.next(start.elapsed());
                let schedule = line.schedule;
                if let Next::Due(_) = next {
                    line.next += 1;
                }
                if let Some(missed) = missed {
                    (self.on_missed)(&schedule, missed);
                }
                match next {
                    Next::Over => return None,
                    Next::Due(due) => {
                        return Some(Turn {
                            overdue: Some(start + due),
                        });
                    }
                    Next::Later(_) => {}
                }
            }
            let (sender, ticket) = oneshot::channel();
            match standing {
                Standing::Visiting => waiting.visiting.push_back(sender),
                Standing::Arriving => waiting.arriving.push_back(sender),
            }
            ticket
        };
        self.wake.notify_one();
        ticket.await.ok()
    }

    /// Hands turns to waiting users as they come due, until the schedule ends or is closed.
    pub(crate) async fn run(&self) {
        let start = self.started().await;
        loop {
            let due = {
                let mut state = self.lock();
                if state.closed {
                    return;
                }
                let State { line, waiting, .. } = &mut *state;
                match line {
                    Some(line) if !waiting.is_empty() => line.serve(waiting, start.elapsed()),
                    _ => None,
                }
            };
            match due {
                Some(Next::Over) => {
                    self.lock().waiting = Waiting::default();
                    return;
                }
                Some(Next::Later(due)) => {
                    let due = tokio::time::Instant::from_std(start + due);
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        // Woken for a new user, too: that costs one look.
                        () = self.wake.notified() => {}
                    }
                }
                Some(Next::Due(_)) | None => self.wake.notified().await,
            }
        }
    }

    /// Ends the run: nobody gets a turn any more. Turns that were long due are counted as missed.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        state.waiting = Waiting::default();
        if let (Some(line), Some(start)) = (&mut state.line, self.start_time()) {
            let now = start.elapsed();
            let missed = line.give_up(now.saturating_sub(TIMER_SLACK), now);
            let schedule = line.schedule;
            if let Some(missed) = missed {
                (self.on_missed)(&schedule, missed);
            }
        }
        drop(state);
        self.wake.notify_one();
    }
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
