//! A gate over what was found before: a history, or a recording.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::job::Job;
use super::keep;
use crate::cli::{BasisArgs, Moment, OverWindow};
use crate::clock::{Clock as _, Timestamp};
use crate::evaluate::{Evaluation, evaluate};
use crate::explain::Worst;
use crate::history::load::load;
use crate::history::store::{LocationRecord, Store};
use crate::history::summary::Summaries;
use crate::history::view::Expect;
use crate::history::{Minute, View};
use crate::probe::ProbeResult;
use crate::recording::{self, Recording};
use crate::report::{Basis, CheckReport, Report};
use crate::slo::burn::BurnAlert;
use crate::slo::{OnInconclusive, Window};

/// Judges a recording by the objectives of `job`.
///
/// # Errors
/// Where it is none, or lacks a check.
pub(super) fn replay(path: &Path, job: &Job) -> anyhow::Result<Report> {
    Ok(of_recording(path, job, &read(path, job, |_| {})?))
}

/// Reads a recording; each result goes to `on` too.
///
/// # Errors
/// Where it is none, or lacks a check.
pub(super) fn read(
    path: &Path,
    job: &Job,
    on: impl FnMut(&ProbeResult),
) -> anyhow::Result<Recording> {
    let file = path.display();
    let input = File::open(path).with_context(|| format!("cannot read {file}"))?;
    recording::read_each(BufReader::new(input), &job.names(), &job.slos, on)
        .with_context(|| format!("cannot replay {file}"))
}

/// The report on a recording.
pub(super) fn of_recording(path: &Path, job: &Job, found: &Recording) -> Report {
    let file = path.display().to_string();
    let names = job.names();
    let (header, tally) = (&found.header, &found.tally);
    let judge = |slo| evaluate(slo, tally, &job.maintenance, found.until, false);
    let checks = names.iter().zip(tally.totals());
    Report {
        target: header.target.clone(),
        location: header.locations.join(", "),
        started: header.origin,
        length: found.until.since(header.origin),
        time_scale: header.time_scale,
        objectives: job.slos.iter().map(judge).collect(),
        checks: checks
            .map(|(name, totals)| CheckReport::of_totals(name, totals))
            .collect(),
        on_inconclusive: OnInconclusive::default(),
        basis: Basis::Recording {
            file,
            cut: found.cut,
        },
    }
}

/// Judges the history by the objectives of `job`, over what `args` ask for.
///
/// # Errors
/// Where there is no history, or it cannot be read.
pub(super) async fn history(args: &BasisArgs, job: &Job) -> anyhow::Result<Report> {
    Ok(look(args, job, false).await?.report(job))
}

/// Reads what `args` ask for; for burn `alerts`, as far back as they look.
///
/// # Errors
/// Where there is no history, or it cannot be read.
pub(super) async fn look(args: &BasisArgs, job: &Job, alerts: bool) -> anyhow::Result<Past> {
    let mut flags = args.history.clone();
    flags.history = crate::cli::HistoryMode::On;
    let store = keep::open(&flags, job).await?;
    let store = store.context("there is no history to judge")?;
    let clock = keep::clock(&flags, Some(&store)).await?;
    let now = clock.now();
    let records = store.locations().await?;
    ensure!(
        !records.is_empty(),
        "{} has no results: start `synthetics run` with the same table first",
        store.table()
    );
    let asked = Asked::new(args, now)?;
    let time_scale = clock.factor();
    Past::load(&store, &records, job, asked, time_scale, alerts).await
}

/// What is to be judged.
struct Asked {
    words: String,
    /// From an instant on; or over a window that ends with what was measured last.
    from: From,
    until: Option<Timestamp>,
    now: Timestamp,
}

enum From {
    Instant(Timestamp),
    Window(Window),
    Own,
}

impl Asked {
    fn new(args: &BasisArgs, now: Timestamp) -> anyhow::Result<Self> {
        let until = args.until.map(|until| until.before(now));
        let end = until.unwrap_or(now);
        let (from, words) = match (args.since, args.window) {
            (Some(since), _) => {
                let from = since.before(now);
                if from >= end {
                    bail!("--since {from} is not before {end}, the end of what is judged");
                }
                (From::Instant(from), format!("since {}", since_words(since)))
            }
            (None, Some(OverWindow::Of(window))) => (From::Window(window), window.to_string()),
            (None, Some(OverWindow::Own) | None) => {
                (From::Own, "each objective's own window".to_owned())
            }
        };
        Ok(Self {
            words,
            from,
            until,
            now,
        })
    }

    /// The longest stretch that may be needed.
    fn span(&self, job: &Job) -> anyhow::Result<Range<Minute>> {
        let end = self.until.unwrap_or(self.now);
        let from = match self.from {
            From::Instant(from) => from,
            From::Window(window) => window.start(end).min(end.minus(window.period())),
            From::Own => {
                let periods = job.slos.iter().map(|slo| slo.window.period());
                end.minus(periods.max().unwrap_or_default())
            }
        };
        ensure!(
            end.since(from) <= Window::LONGEST + Window::LONGEST,
            "more than two years are not judged at once"
        );
        Ok(Minute::covering(from, end))
    }

    /// The range to judge an objective over, whose newest minute is this.
    fn range(&self, own: Window, newest: Option<Minute>) -> Range<Minute> {
        let measured = newest.map_or(Minute::of(self.now), |newest| newest.plus(1));
        // Without a given end, the window ends at the last measured point.
        let end = match self.until {
            Some(until) => Minute::of(until),
            None => measured,
        };
        let start = match self.from {
            From::Instant(from) => Minute::of(from),
            From::Window(window) => Minute::of(window.start(end.start())),
            From::Own => Minute::of(own.start(end.start())),
        };
        start.min(end)..end
    }

    fn stale(&self, end: Minute, after: Duration) -> bool {
        self.until.is_none() && self.now.since(end.start()) > after
    }
}

/// What was read.
pub(super) struct Past {
    pub(super) view: View,
    pub(super) worst: Worst,
    asked: Asked,
    summaries: Summaries,
    table: String,
    time_scale: u32,
}

impl Past {
    /// The report on it.
    pub(super) fn report(&self, job: &Job) -> Report {
        let objectives = self.judge(job);
        let ranges = objectives.iter().filter_map(|o| o.range);
        let now = self.asked.now;
        let started = ranges.clone().map(|(from, _)| from).min().unwrap_or(now);
        let ended = ranges.map(|(_, until)| until).max().unwrap_or(started);
        let mut locations: Vec<_> = self.view.locations().collect();
        locations.sort_unstable();
        let names = job.checks.iter().map(|check| &*check.name);
        Report {
            target: "history".to_owned(),
            location: locations.join(", "),
            started,
            length: ended.since(started),
            time_scale: self.time_scale,
            checks: names
                .map(|name| CheckReport::of_summary(name, &self.summaries.get(name)))
                .collect(),
            objectives,
            on_inconclusive: OnInconclusive::default(),
            basis: Basis::History {
                table: self.table.clone(),
                window: self.asked.words.clone(),
            },
        }
    }

    /// What is judged of an objective of `job`, and whether it is stale.
    pub(super) fn range(&self, job: &Job, slo: usize) -> Option<(Range<Minute>, bool)> {
        let objective = job.slos.get(slo)?;
        let range = self.asked.range(objective.window, self.view.newest(slo));
        let stale = self.asked.stale(range.end, objective.stale);
        Some((range, stale))
    }

    async fn load(
        store: &Store,
        records: &[LocationRecord],
        job: &Job,
        asked: Asked,
        time_scale: u32,
        alerts: bool,
    ) -> anyhow::Result<Self> {
        let span = asked.span(job)?;
        let longest = job.slos.iter().flat_map(|slo| &slo.alerts);
        let longest = longest.map(BurnAlert::long).max().filter(|_| alerts);
        let back = span.end.start().minus(longest.unwrap_or_default());
        let read = span.start.min(Minute::of(back))..span.end;
        let keep = read.end.start().since(read.start.start());
        let names: Vec<Arc<str>> = job.names();
        // An hour or a day at the edge brings more along.
        let keep = keep + Duration::from_secs(2 * 86_400);
        let judged = job.slos.iter().flat_map(|slo| &slo.checks);
        let judged = judged.filter_map(|at| names.get(*at));
        let mut past = Self {
            view: View::new(job.slos.clone(), &names, keep),
            summaries: Summaries::default(),
            worst: Worst::of(judged.cloned().collect()),
            table: store.table().to_owned(),
            time_scale,
            asked,
        };
        for record in records {
            load(
                store,
                record,
                read.clone(),
                past.asked.now,
                |level, first, checks| {
                    past.view.take(&record.name, level, first, checks);
                    past.summaries.take(&span, checks);
                    past.worst.take(&record.name, &span, checks);
                },
            )
            .await?;
        }
        Ok(past)
    }

    fn judge(&self, job: &Job) -> Vec<Evaluation> {
        let judge = |slo: usize| {
            let (range, stale) = self.range(job, slo)?;
            let expect = Expect::Everything;
            self.view
                .evaluate(slo, &job.maintenance, range, expect, stale)
        };
        (0..job.slos.len()).filter_map(judge).collect()
    }
}

fn since_words(since: Moment) -> String {
    match since {
        Moment::Ago(ago) => humantime::format_duration(ago).to_string(),
        Moment::At(at) => at.to_string(),
    }
}
