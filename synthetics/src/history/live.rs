//! The running minutes, and everything that the objectives know: shared by the prober, the task
//! that saves, and whoever wants to see numbers.

mod burning;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::bucket::Bucket;
use super::codec::ByCheck;
use super::lanes::Lanes;
use super::minute::{Level, Minute};
use super::series::Series;
use super::store::MinuteItem;
use super::view::{Expect, View};
use crate::clock::Timestamp;
use crate::evaluate::Evaluation;
use crate::objective::{Slo, latency_limits};
use crate::probe::ProbeResult;
use crate::sink::Sink;
use crate::slo::{Maintenance, SliceState};

/// Buckets that may wait to be saved. At about a kilobyte each this bounds the memory of a long
/// outage of the table; beyond it the oldest minutes are lost.
const MOST_BUCKETS: usize = 20_000;

/// A location that this process records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: Arc<str>,
    /// Whether delay and loss are made up.
    pub simulated: bool,
}

/// The live history. Clones are handles to the same one.
#[derive(Clone)]
pub struct Live(Arc<Mutex<Inner>>);

struct Inner {
    names: Vec<Arc<str>>,
    limits: Vec<Duration>,
    maintenance: Vec<Maintenance>,
    books: Vec<Book>,
    view: View,
    loaded: watch::Sender<bool>,
    lanes: Lanes,
    out_of_reach: bool,
}

/// The minutes of one location that are not done with.
struct Book {
    site: Site,
    minutes: BTreeMap<Minute, Open>,
    /// Results of minutes before this come too late.
    sealed: Minute,
    lost: Lost,
}

/// What could not be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Results that came after their minute was done with.
    pub results: u64,
    /// Minutes that were dropped since the table was away for too long.
    pub minutes: u64,
}

/// What is known, for looking at.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What the objectives saw.
    pub view: &'a View,
    /// What the checks found.
    pub lanes: &'a Lanes,
    /// Declared downtime.
    pub maintenance: &'a [Maintenance],
}

/// How the table does that the history is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// What was there at the start has been read.
    pub loaded: bool,
    /// The last reading went well.
    pub answers: bool,
}

#[derive(Default)]
struct Open {
    buckets: BTreeMap<Arc<str>, Bucket>,
    /// Counts the changes; the other two tell up to which of them it was saved and shown.
    changes: u64,
    saved: u64,
    shown: u64,
    contains: Option<String>,
}

impl Open {
    fn checks(&self, minute: Minute) -> ByCheck {
        let series =
            |(name, bucket): (&Arc<str>, &Bucket)| (Arc::clone(name), Series::of(minute, bucket));
        self.buckets.iter().map(series).collect()
    }
}

impl Live {
    /// An empty history from `start` on, for checks with these names.
    #[must_use]
    pub fn new(
        names: Vec<Arc<str>>,
        slos: Arc<[Slo]>,
        maintenance: Vec<Maintenance>,
        sites: Vec<Site>,
        start: Timestamp,
    ) -> Self {
        let book = |site| Book {
            site,
            minutes: BTreeMap::new(),
            sealed: Minute::of(start),
            lost: Lost::default(),
        };
        let span = View::span(&slos);
        Self(Arc::new(Mutex::new(Inner {
            limits: latency_limits(&slos),
            maintenance,
            books: sites.into_iter().map(book).collect(),
            lanes: Lanes::new(&names, span),
            view: View::new(slos, &names, span),
            out_of_reach: false,
            names,
            loaded: watch::Sender::new(false),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Counts are changed in single steps, so a panic elsewhere leaves them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a result. One of a minute that is done with, or of an unknown site, is counted as
    /// lost.
    pub fn record(&self, result: &ProbeResult) {
        self.inner().record(result);
    }

    /// The objectives at `now`, each over its own window.
    #[must_use]
    pub fn evaluate(&self, now: Timestamp) -> Vec<Evaluation> {
        let mut inner = self.inner();
        inner.show();
        let Inner {
            view, maintenance, ..
        } = &*inner;
        let evaluate = |slo| {
            let (range, stale) = view.window(slo, now);
            view.evaluate(slo, maintenance, range, Expect::SinceFirst, stale)
        };
        (0..view.slos().len()).filter_map(evaluate).collect()
    }

    /// Waits until what was found before this process began is in it.
    pub async fn loaded(&self) {
        let mut loaded = self.inner().loaded.subscribe();
        // The sender lives as long as this handle.
        let _ = loaded.wait_for(|loaded| *loaded).await;
    }

    /// Notes that what was found before is in it, or that there is nothing to wait for.
    pub fn set_loaded(&self) {
        self.inner().loaded.send_replace(true);
    }

    /// What each minute of `range` was for an objective.
    #[must_use]
    pub fn states(&self, slo: usize, range: Range<Minute>) -> Vec<SliceState> {
        let mut inner = self.inner();
        inner.show();
        inner.view.states(slo, &inner.maintenance, range)
    }

    /// Takes a stretch of any location from the table. Minutes that this process records itself
    /// are known better here.
    pub fn take(&self, location: &str, level: Level, first: Minute, checks: &ByCheck) {
        let mut inner = self.inner();
        let book = inner.books.iter().find(|book| *book.site.name == *location);
        let own = book.is_some_and(|book| {
            let oldest = book.minutes.keys().next().copied();
            level == Level::Minute && first >= oldest.unwrap_or(book.sealed).min(book.sealed)
        });
        if !own {
            inner.view.take(location, level, first, checks);
            inner.lanes.take(location, level, first, checks);
        }
    }

    /// All that is known, at one moment: nothing changes while `read` looks at it, and nothing is
    /// recorded, so it must not take long.
    pub fn read<T>(&self, read: impl FnOnce(Known<'_>) -> T) -> T {
        let mut inner = self.inner();
        inner.show();
        read(Known {
            view: &inner.view,
            lanes: &inner.lanes,
            maintenance: &inner.maintenance,
        })
    }

    /// Whether what was found before has been read, and whether the table answers.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let inner = self.inner();
        Reach {
            loaded: *inner.loaded.borrow(),
            answers: !inner.out_of_reach,
        }
    }

    /// Notes how the table answered.
    pub(super) fn reached(&self, ok: bool) {
        self.inner().out_of_reach = !ok;
    }

    /// The locations that this process records.
    #[must_use]
    pub fn sites(&self) -> Vec<Site> {
        let inner = self.inner();
        inner.books.iter().map(|book| book.site.clone()).collect()
    }

    /// What could not be kept, over all sites.
    #[must_use]
    pub fn lost(&self) -> Lost {
        let inner = self.inner();
        inner.books.iter().fold(Lost::default(), |sum, book| Lost {
            results: sum.results + book.lost.results,
            minutes: sum.minutes + book.lost.minutes,
        })
    }

    /// Minutes of a site that have ended before `until` and are not saved as they are now,
    /// ascending, each with its state for [`Live::saved`].
    pub(super) fn unsaved(&self, site: &str, until: Timestamp) -> Vec<(MinuteItem, u64)> {
        let inner = self.inner();
        let Some(book) = inner.book(site) else {
            return Vec::new();
        };
        let ended = book
            .minutes
            .iter()
            .filter(|(minute, open)| minute.end() <= until && open.saved < open.changes);
        let item = |(minute, open): (&Minute, &Open)| {
            let item = MinuteItem {
                minute: *minute,
                checks: open.checks(*minute),
                contains: open.contains.clone(),
            };
            (item, open.changes)
        };
        ended.map(item).collect()
    }

    /// Notes that a minute was saved as it was in that state.
    pub(super) fn saved(&self, site: &str, minute: Minute, state: u64) {
        let mut inner = self.inner();
        let book = inner.book_mut(site);
        if let Some(open) = book.and_then(|book| book.minutes.get_mut(&minute)) {
            open.saved = open.saved.max(state);
        }
    }

    /// Adds what another run has saved of a minute.
    pub(super) fn contain(&self, site: &str, minute: Minute, run: String, checks: &ByCheck) {
        let mut inner = self.inner();
        let Some(book) = inner.book_mut(site) else {
            return;
        };
        let open = book.minutes.entry(minute).or_default();
        if open.contains.as_ref() == Some(&run) {
            return;
        }
        for (name, series) in checks {
            let Some(theirs) = series.to_bucket() else {
                continue;
            };
            match open.buckets.get_mut(name) {
                Some(ours) => ours.merge(&theirs),
                None => {
                    open.buckets.insert(Arc::clone(name), theirs);
                }
            }
        }
        open.contains = Some(run);
        open.changes += 1;
    }

    /// The first minute of a site that is not done with, or that none is before.
    pub(super) fn open_from(&self, site: &str) -> Minute {
        let inner = self.inner();
        let Some(book) = inner.book(site) else {
            return Minute(0);
        };
        let oldest = book.minutes.keys().next().copied();
        oldest.map_or(book.sealed, |oldest| oldest.min(book.sealed))
    }

    /// Is done with the minutes of all sites that ended before `until`, where none is ever saved.
    pub fn seal_unsaved(&self, until: Timestamp) {
        for site in self.sites() {
            self.seal(&site.name, until, false);
        }
    }

    /// Is done with the minutes that ended before `until` and are saved, or with all of them
    /// where nothing is ever saved.
    pub(super) fn seal(&self, site: &str, until: Timestamp, keeps: bool) {
        let mut inner = self.inner();
        inner.show();
        let names = inner.names.len().max(1);
        let Some(book) = inner.book_mut(site) else {
            return;
        };
        let done = |minute: &Minute, open: &Open| {
            minute.end() <= until && (!keeps || open.saved == open.changes)
        };
        book.minutes.retain(|minute, open| !done(minute, open));
        book.sealed = book.sealed.max(Minute::of(until));
        while book.minutes.len() > (MOST_BUCKETS / names).max(5) {
            book.minutes.pop_first();
            book.lost.minutes += 1;
        }
        if !keeps {
            inner.view.fold(site, Minute::of(until));
        }
    }
}

impl Inner {
    fn book(&self, site: &str) -> Option<&Book> {
        self.books.iter().find(|book| *book.site.name == *site)
    }

    fn book_mut(&mut self, site: &str) -> Option<&mut Book> {
        let mut books = self.books.iter_mut();
        books.find(|book| *book.site.name == *site)
    }

    fn record(&mut self, result: &ProbeResult) {
        let Some(name) = self.names.get(result.check_index).cloned() else {
            return;
        };
        let books = &mut self.books;
        let Some(book) = books.iter_mut().find(|b| b.site.name == result.location) else {
            return;
        };
        let minute = Minute::of(result.scheduled);
        if minute < book.sealed {
            book.lost.results += 1;
            return;
        }
        let open = book.minutes.entry(minute).or_default();
        let limits = &self.limits;
        let bucket = open.buckets.entry(name);
        bucket.or_insert_with(|| Bucket::new(limits)).record(result);
        open.changes += 1;
    }

    /// Brings the view up to date.
    fn show(&mut self) {
        for book in &mut self.books {
            for (minute, open) in &mut book.minutes {
                if open.shown < open.changes {
                    let checks = open.checks(*minute);
                    let (name, level) = (&book.site.name, Level::Minute);
                    self.view.take(name, level, *minute, &checks);
                    self.lanes.take(name, level, *minute, &checks);
                    open.shown = open.changes;
                }
            }
        }
    }
}

impl Sink for Live {
    fn record(&mut self, result: &ProbeResult) {
        Self::record(self, result);
    }
}
