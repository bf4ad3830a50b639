//! Everything at once: started in order, kept running, stopped in order.

use std::env;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bookinfo::store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cli::UpArgs;
use crate::control::{self, Asked, Deed, Order};
use crate::plan::{Plan, Stage};
use crate::ready::Asker;
use crate::stop::Requests;
use crate::supervise::{Event, Process};
use crate::verdict::Verdict;
use crate::voice::Voice;
use crate::{event_loop, ports, refuse, seed};

/// Longest time until all is ready.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Time that the prober may take above its own for its last probes and its report.
const VERDICT_LIMIT: Duration = Duration::from_secs(15);
/// Longest time for stopping in order; then what is left is ended at once.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Events that may wait; who reports one waits for room.
const EVENTS: usize = 64;
/// Exit code of a program that says its settings cannot be used: starting it again would not help.
const BAD_SETTINGS: i32 = 2;
/// A run that was to come to a verdict was cut short: as shells count SIGINT.
const CUT_SHORT: u8 = 130;

/// Why it is time to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// A signal.
    Asked,
    /// The time of `--for` is over.
    Over,
}

/// Starts, waits and stops; the exit codes are those of the crate.
pub(crate) fn main(args: &UpArgs) -> ExitCode {
    let started = Instant::now();
    // Only a run with an end has a report. The folder goes when this function ends.
    let folder = match args.run_time.map(|_| tempfile::tempdir()).transpose() {
        Ok(folder) => folder,
        Err(error) => return refuse(1, format!("no folder for the prober's report: {error}")),
    };
    let report = folder.as_ref().map(|f| f.path().join("report.json"));
    let report = report.unwrap_or_default();
    let plan = match Plan::new(args, &report) {
        Ok(plan) => plan,
        Err(error) => return refuse(2, error),
    };
    let taken = ports::taken(&plan);
    if !taken.is_empty() {
        return refuse(2, ports::explain(&plan, &taken));
    }
    let runtime = match event_loop() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    runtime.block_on(async {
        let requests = match Requests::listen() {
            Ok(requests) => requests,
            Err(error) => return refuse(1, format!("no signal handler: {error}")),
        };
        // Taken once: while it runs, a new build may take the place of the file.
        let executable = match env::current_exe() {
            Ok(path) => path,
            Err(error) => return refuse(1, format!("cannot find the executable: {error}")),
        };
        let voice = Voice::new(args, &plan);
        let (sender, events) = mpsc::channel(EVENTS);
        let mut demo = Demo {
            executable,
            plan,
            voice,
            processes: Vec::new(),
            sender,
            events,
            requests,
            orders: None,
        };
        let reason = demo.live(args, started).await;
        demo.stop(reason.as_ref().ok().copied()).await;
        let code = demo.conclude(args, reason, &report);
        demo.voice.stopped(code);
        ExitCode::from(code)
    })
}

/// All processes, and who wants something from them.
struct Demo {
    executable: PathBuf,
    plan: Plan,
    voice: Voice,
    processes: Vec<Process>,
    sender: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    requests: Requests,
    /// From other terminals, once all is ready.
    orders: Option<mpsc::Receiver<Asked>>,
}

impl Demo {
    /// From the first start to the reason for stopping.
    async fn live(&mut self, args: &UpArgs, started: Instant) -> anyhow::Result<Reason> {
        let asker = Asker::new();
        for stage in [Stage::Agent, Stage::Store, Stage::Services, Stage::Visitors] {
            self.start(stage);
            let mut steps = self.steps(stage, &asker);
            if stage == Stage::Store && !self.plan.has_store() && self.plan.uses_store() {
                self.seed_given_store(args).await?;
            }
            if let Some(reason) = self.finish(&mut steps, started).await? {
                return Ok(reason);
            }
            if let (Stage::Services, true, Some(front)) =
                (stage, self.plan.is_whole(), self.plan.front())
            {
                let (asker, front) = (asker.clone(), front.clone());
                steps.spawn(async move {
                    asker.until_good_page(&front).await;
                    front.name
                });
                if let Some(reason) = self.finish(&mut steps, started).await? {
                    return Ok(reason);
                }
            }
        }
        // Listed as in the plan, from the page to the store.
        let place = |name| self.plan.processes.iter().position(|s| s.name == name);
        self.processes.sort_by_key(|p| place(p.spec.name));
        self.voice
            .ready(&self.processes, &self.plan, started.elapsed());
        match control::listen(args.port_base) {
            Ok(orders) => self.orders = Some(orders),
            Err(error) => self.voice.note(&format!(
                "`bookwatch stop`, `start` and `kill` do not reach this demo: {error}"
            )),
        }
        self.run(args.run_time).await
    }

    fn start(&mut self, stage: Stage) {
        for (nth, spec) in self.plan.processes.iter().enumerate() {
            if spec.stage == stage {
                let logs = self.voice.sink(spec.name, nth);
                let process =
                    Process::start(&self.executable, spec.clone(), logs, self.sender.clone());
                self.processes.push(process);
            }
        }
    }

    /// What must be done before the next stage: each process of this one runs and can work.
    fn steps(&self, stage: Stage, asker: &Asker) -> JoinSet<&'static str> {
        let mut steps = JoinSet::new();
        for process in self.processes.iter().filter(|p| p.spec.stage == stage) {
            let (asker, spec) = (asker.clone(), process.spec.clone());
            let running = process.until_running();
            steps.spawn(async move {
                running.await;
                asker.until_ready(&spec).await;
                spec.name
            });
        }
        steps
    }

    /// Waits for all steps; a reason where it is time to stop instead.
    async fn finish(
        &mut self,
        steps: &mut JoinSet<&'static str>,
        started: Instant,
    ) -> anyhow::Result<Option<Reason>> {
        let late = sleep(START_LIMIT.saturating_sub(started.elapsed()));
        tokio::pin!(late);
        let mut done = Vec::new();
        loop {
            tokio::select! {
                step = steps.join_next() => match step {
                    Some(name) => done.extend(name.ok()),
                    None => return Ok(None),
                },
                Some(event) = self.events.recv() => self.heed(&event)?,
                () = self.requests.next() => return Ok(Some(Reason::Asked)),
                () = &mut late => {
                    let stage = self.processes.last().map(|process| process.spec.stage);
                    let awaited = self.processes.iter().filter(|p| Some(p.spec.stage) == stage);
                    let names = awaited.map(|process| process.spec.name);
                    let waiting: Vec<&str> = names.filter(|name| !done.contains(name)).collect();
                    bail!(
                        "not ready after {} s; still waiting for {}",
                        START_LIMIT.as_secs(),
                        match waiting.is_empty() {
                            true => "a page with all its parts".to_owned(),
                            false => waiting.join(", "),
                        }
                    );
                }
            }
        }
    }

    /// Tells what happened. While starting, a program that refuses its settings ends it all.
    fn heed(&self, event: &Event) -> anyhow::Result<()> {
        self.voice.life(event, &self.processes);
        match event {
            Event::Ended { name, end, .. } if end.code() == Some(BAD_SETTINGS) => {
                bail!("{name} cannot run as told; its last lines say why")
            }
            _ => Ok(()),
        }
    }

    /// A store that is not ours: filled too, unless it is the real one.
    async fn seed_given_store(&self, args: &UpArgs) -> anyhow::Result<()> {
        let address = &self.plan.store;
        if address.trim_end_matches('/').ends_with(".amazonaws.com") {
            self.voice.note(
                "the store is AWS's own: nothing is written to it here; `bookwatch seed` does that",
            );
            return Ok(());
        }
        let store = Store::connect(&args.store).await?;
        let filled = seed::fill(&store).await;
        filled
            .map(drop)
            .with_context(|| format!("the store at {address} (DYNAMODB_ENDPOINT) cannot be used"))
    }

    /// Everything runs; waits for the reason to stop.
    async fn run(&mut self, run_time: Option<Duration>) -> anyhow::Result<Reason> {
        let judge = self.plan.judge().map(|spec| spec.name);
        let limit = match (run_time, judge) {
            (Some(time), Some(_)) => Some(time + VERDICT_LIMIT),
            (time, _) => time,
        };
        let over = async {
            match limit {
                Some(time) => sleep(time).await,
                None => pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                Some(event) = self.events.recv() => {
                    self.voice.life(&event, &self.processes);
                    if let Event::Ended { name, again_in: None, .. } = event
                        && Some(name) == judge
                    {
                        return Ok(Reason::Over);
                    }
                }
                Some((order, answer)) = next(self.orders.as_mut()) => {
                    // Who asked may be gone.
                    let _ = answer.send(self.obey(&order));
                }
                () = self.requests.next() => return Ok(Reason::Asked),
                () = &mut over => return Ok(Reason::Over),
            }
        }
    }

    /// Does what was ordered from another terminal, and says what that was.
    fn obey(&self, order: &Order) -> Result<String, String> {
        let wanted = self.plan.named(&order.name);
        let processes = || {
            self.processes
                .iter()
                .filter(|process| wanted.contains(&process.spec.name))
        };
        if wanted.is_empty() {
            let all = self.plan.processes.iter().map(|spec| spec.name);
            let all: Vec<&str> = all.collect();
            return Err(format!(
                "there is no `{}` here; there are {}",
                order.name,
                all.join(", ")
            ));
        }
        let done = processes().filter(|process| match order.deed {
            Deed::Stop => process.hold(true),
            Deed::Start => process.hold(false),
            Deed::Kill => process.fell(),
        });
        let done: Vec<&str> = done.map(|process| process.spec.name).collect();
        let names = |list: &[&str]| list.join(", ");
        match (order.deed, done.is_empty()) {
            (Deed::Stop, false) => Ok(format!(
                "{} stops; `bookwatch start {}` brings it back",
                names(&done),
                order.name
            )),
            (Deed::Stop, true) => Err(format!("{} is stopped already", names(&wanted))),
            (Deed::Start, false) => Ok(format!("{} starts", names(&done))),
            (Deed::Start, true) => Err(format!("{} was not stopped", names(&wanted))),
            (Deed::Kill, false) => Ok(format!("{} is killed and comes back", names(&done))),
            (Deed::Kill, true) => Err(format!("{} does not run", names(&wanted))),
        }
    }

    /// Stops all in order. A second request, or the time limit, ends what is left at once.
    async fn stop(&mut self, reason: Option<Reason>) {
        self.events.close();
        if reason == Some(Reason::Asked) {
            self.voice
                .note("stopping in order; Ctrl-C again ends everything at once");
        }
        let Self {
            processes,
            requests,
            voice,
            ..
        } = self;
        let mut ranks: Vec<u8> = processes.iter().map(|p| p.spec.stop_rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let in_order = async {
            for rank in ranks {
                let group = || processes.iter().filter(|p| p.spec.stop_rank == rank);
                group().for_each(Process::stop);
                for process in group() {
                    process.until_ended().await;
                }
            }
        };
        let stopped = tokio::select! {
            stopped = timeout(STOP_LIMIT, in_order) => stopped.is_ok(),
            () = requests.next() => false,
        };
        if !stopped {
            voice.note("ending what is left at once");
            processes.iter().for_each(Process::kill);
            for process in processes {
                process.until_ended().await;
            }
        }
    }

    /// Says how it went and gives the exit code.
    fn conclude(&self, args: &UpArgs, reason: anyhow::Result<Reason>, report: &Path) -> u8 {
        match reason {
            Ok(Reason::Over) if self.plan.judge().is_some() => match Verdict::read(report) {
                Ok(verdict) => {
                    self.voice.say(&verdict.text(), &verdict.event());
                    verdict.exit_code()
                }
                Err(error) => {
                    self.voice.fail(&format!("{error:#}"));
                    2
                }
            },
            Ok(Reason::Asked) if args.run_time.is_some() => CUT_SHORT,
            Ok(_) => 0,
            Err(error) => {
                self.voice.fail(&format!("{error:#}"));
                1
            }
        }
    }
}

/// The next order; never one where none can come.
async fn next(orders: Option<&mut mpsc::Receiver<Asked>>) -> Option<Asked> {
    match orders {
        Some(orders) => orders.recv().await,
        None => pending().await,
    }
}
