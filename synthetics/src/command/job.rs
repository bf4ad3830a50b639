//! Checks and objectives with what is needed to run them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::alert::Alerts;
use crate::cli::{HistoryArgs, HistoryMode, ProbeArgs};
use crate::clock::{Clock as _, FastClock, Timestamp};
use crate::config::{Config, HistorySink, Webhook};
use crate::evaluate::{Evaluation, evaluate};
use crate::history::store::Store;
use crate::history::{Live, Minute, Site};
use crate::objective::{Slo, latency_limits};
use crate::page::{CheckInfo, Scene};
use crate::plan::{Plan, Wish};
use crate::probe::{Check, ProbeResult};
use crate::recording::Header;
use crate::report::{Basis, CheckReport, Report};
use crate::run::{Event, Place, Session};
use crate::schedule::{RealTimer, Timer as _};
use crate::setup;
use crate::sink::{Record, Sink as _};
use crate::slo::{Maintenance, OnInconclusive};
use crate::tally::{Layout, Tally};

/// How often objectives go out as metrics: twice in the time by which the Agent sums up gauges.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// What is probed, where from, and what is promised.
pub(super) struct Job {
    pub(super) checks: Arc<[Check]>,
    pub(super) slos: Arc<[Slo]>,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) intervals: Vec<Duration>,
    pub(super) history: Option<HistorySink>,
    /// Whether metrics go out.
    pub(super) dogstatsd: bool,
    /// Where alerts are posted, and for each objective to which of them.
    pub(super) webhooks: Vec<Webhook>,
    pub(super) notify: Vec<Vec<usize>>,
    places: Arc<[Place]>,
    target: String,
    titles: HashMap<Arc<str>, String>,
}

/// What a job is probed with.
pub(super) struct Tools<'a> {
    pub(super) clock: FastClock,
    /// Where the minutes of a run without end go.
    pub(super) live: Option<&'a Live>,
    pub(super) record: Option<&'a mut Record>,
}

impl Job {
    pub(super) fn new(args: &ProbeArgs, interval: Duration, play: bool) -> anyhow::Result<Self> {
        Ok(Self::with(setup::config(args, interval)?, args, play))
    }

    pub(super) fn with(config: Config, args: &ProbeArgs, play: bool) -> Self {
        let places = setup::places(&config, args, play);
        let checks = config.checks.iter();
        let titles = config.locations.iter();
        Self {
            titles: titles
                .map(|l| (Arc::clone(&l.name), l.title.clone()))
                .collect(),
            intervals: checks.clone().map(|planned| planned.interval).collect(),
            checks: checks.map(|planned| planned.check.clone()).collect(),
            places,
            slos: config.slos.into(),
            maintenance: config.maintenance,
            history: config.sinks.history,
            dogstatsd: config.sinks.dogstatsd,
            webhooks: config.sinks.webhooks,
            notify: config.notify,
            target: args.target.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The same, judged by a clock that runs `factor` times as fast as real time.
    pub(super) fn scaled(mut self, factor: u32) -> Self {
        let slos = self.slos.iter().cloned();
        self.slos = slos
            .map(|slo| {
                let every = slo.every;
                slo.probed(every, factor)
            })
            .collect();
        self
    }

    /// What metrics go out by: `metrics`, or nothing where the configuration says so.
    pub(super) fn metrics(&self, metrics: &Metrics) -> Metrics {
        if self.dogstatsd {
            metrics.clone()
        } else {
            Metrics::disabled()
        }
    }

    /// Names of the checks.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let names = self.checks.iter().map(|check| &check.name);
        names.cloned().collect()
    }

    /// The locations, as the history knows them.
    pub(super) fn sites(&self) -> Vec<Site> {
        let site = |place: &Place| Site {
            name: Arc::clone(&place.name),
            simulated: place.name.ends_with(setup::SIMULATED),
        };
        self.places.iter().map(site).collect()
    }

    /// What the page shows of it.
    pub(super) fn scene(
        &self,
        live: &Live,
        alerts: &Alerts,
        clock: FastClock,
        store: Option<&Store>,
        args: &HistoryArgs,
    ) -> Scene {
        Scene {
            live: live.clone(),
            alerts: alerts.clone(),
            clock: Arc::new(clock),
            time_scale: clock.factor(),
            target: self.target.clone(),
            table: store.map(|store| store.table().to_owned()),
            table_required: args.history == HistoryMode::On,
            checks: self
                .checks
                .iter()
                .zip(&self.intervals)
                .map(|(check, every)| CheckInfo::new(check, clock.shown_time(*every)))
                .collect(),
            titles: self.titles.clone(),
        }
    }

    fn places(&self) -> Vec<Arc<str>> {
        let names = self.places.iter().map(|place| &place.name);
        names.cloned().collect()
    }

    /// The longest time that a probe takes.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.checks.iter().map(Check::longest).max()
    }

    pub(super) fn wish(&self, args: &ProbeArgs) -> Wish<'_> {
        Wish {
            checks: self.checks.len(),
            slos: &self.slos,
            timeout: self.longest().unwrap_or(args.timeout),
            max_rate: args.max_rate,
        }
    }

    /// Runs the plan to its end or until `stop` is cancelled. Each event goes to `on`, with a way
    /// to ask for the objectives as they stand.
    pub(super) async fn probe(
        &self,
        plan: Plan,
        stop: &CancellationToken,
        mut tools: Tools<'_>,
        mut on: impl FnMut(Event<'_>, &dyn Fn() -> Vec<Evaluation>),
    ) -> anyhow::Result<Report> {
        let clock = tools.clock;
        let start = clock.now();
        let timer = RealTimer::start();
        let mut tally = Tally::new(self.layout(&plan, start, &clock)?);
        if let Some(record) = &mut tools.record {
            let (layout, names) = (tally.layout(), self.names());
            let header = Header::new(&self.target, layout, &names, plan.rounds, clock.factor());
            record.begin(header);
        }
        let session = Session {
            checks: Arc::clone(&self.checks),
            places: Arc::clone(&self.places),
            start,
        };
        let objectives = |tally: &Tally, until: Timestamp| match tools.live {
            Some(live) => live.evaluate(until),
            None => {
                let slos = self.slos.iter();
                slos.map(|slo| evaluate(slo, tally, &self.maintenance, until, false))
                    .collect()
            }
        };
        let lanes = plan.lanes();
        session
            .run(
                lanes,
                timer,
                stop.clone(),
                REPORT_INTERVAL,
                |event| match event {
                    Event::Result(result) => {
                        let result = &on_clock(result, start, &clock);
                        tally.record(result);
                        if let Some(live) = tools.live {
                            live.record(result);
                        }
                        if let Some(record) = &mut tools.record {
                            record.record(result);
                        }
                        on(Event::Result(result), &|| objectives(&tally, clock.now()));
                    }
                    Event::Interval => {
                        if let Some(record) = &mut tools.record {
                            record.flush();
                        }
                        on(event, &|| objectives(&tally, clock.now()));
                    }
                },
            )
            .await;
        if let Some(record) = &mut tools.record {
            record.flush();
        }
        // The last probes may have taken longer than the last round.
        let length = timer.elapsed().min(plan.length().unwrap_or(Duration::MAX));
        let length = clock.shown_time(length);
        let names = self.checks.iter().map(|check| &*check.name);
        let checks = names.zip(tally.totals());
        Ok(Report {
            target: self.target.clone(),
            location: self.places().join(", "),
            started: start,
            length,
            time_scale: clock.factor(),
            objectives: objectives(&tally, start.plus(length)),
            checks: checks
                .map(|(name, totals)| CheckReport::of_totals(name, totals))
                .collect(),
            on_inconclusive: OnInconclusive::default(),
            basis: Basis::Probes {
                interrupted: stop.is_cancelled() && plan.rounds.is_some(),
                plan,
            },
        })
    }

    fn layout(&self, plan: &Plan, start: Timestamp, clock: &FastClock) -> anyhow::Result<Layout> {
        let (origin, slice, retain) = match plan.rounds {
            Some(rounds) => (
                start,
                clock.shown_time(plan.slice),
                usize::try_from(rounds)?,
            ),
            // Without end, the slices are the history's business.
            None => (Minute::of(start).start(), Minute::LENGTH, 1),
        };
        Ok(Layout {
            checks: self.checks.len(),
            locations: self.places(),
            limits: latency_limits(&self.slos),
            origin,
            slice,
            retain,
        })
    }
}

/// A result with the times of the clock that the objectives go by. The schedule measures real
/// time from `start`.
fn on_clock(result: &ProbeResult, start: Timestamp, clock: &FastClock) -> ProbeResult {
    let at = |time: Timestamp| start.plus(clock.shown_time(time.since(start)));
    ProbeResult {
        scheduled: at(result.scheduled),
        started: at(result.started),
        ..result.clone()
    }
}
