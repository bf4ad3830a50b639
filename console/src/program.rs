//! The whole console: receivers, figures, monitors and pages as one value that can be started on free ports and stopped.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use site::Protocol;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::cli::Cli;
use crate::monitor::Monitors;
use crate::monitor::rule::RULES;
use crate::pages::{self, Site};
use crate::receiver::{Addresses, BindError, Intake, Receivers};
use crate::store::{Limits, Store};

/// The monitors are looked at so often.
const TICK: Duration = Duration::from_secs(1);

/// How long [`Console::shutdown`] waits for pages under way.
const GRACE: Duration = Duration::from_secs(2);

/// What a console is to be.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it takes telemetry.
    pub receivers: Addresses,
    /// Where it shows its pages.
    pub pages: SocketAddr,
    /// How much it keeps.
    pub limits: Limits,
    /// Host names that it may be called by, beside addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// The prober's page.
    pub synthetics: Option<Url>,
    /// The time zone of downtimes and of the times shown.
    pub zone: TimeZone,
}

impl Config {
    /// Free ports on the loopback interface, everything else as usual: for tests.
    #[must_use]
    pub fn loopback() -> Self {
        let receivers = Addresses::loopback();
        Self {
            pages: receivers.otlp_http,
            receivers,
            limits: Limits::default(),
            allowed_hosts: Vec::new(),
            synthetics: None,
            zone: TimeZone::UTC,
        }
    }
}

/// A console at work. Dropping it stops it at once; [`shutdown`](Self::shutdown) lets it finish what it has.
pub struct Console {
    receivers: Receivers,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Console {
    /// Listens, with a store of its own.
    ///
    /// # Errors
    /// [`BindError`], if an address cannot be listened on.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let store = Store::new(config.limits);
        Self::bind_with(config, store).await
    }

    /// Listens, with a store handed in (and with it, a clock).
    ///
    /// # Errors
    /// [`BindError`], if an address cannot be listened on.
    pub async fn bind_with(config: Config, store: Store) -> Result<Self, BindError> {
        let store = store.with_aggregates();
        let receivers =
            Receivers::bind_with(config.receivers, store.clone(), Intake::default()).await?;
        let failed = |source| BindError {
            what: "the pages",
            address: config.pages.to_string(),
            source,
        };
        let listener = TcpListener::bind(config.pages).await.map_err(failed)?;
        let address = listener.local_addr().unwrap_or(config.pages);
        let stop = CancellationToken::new();
        let monitors = Arc::new(Mutex::new(Monitors::new(RULES, config.zone)));
        let site = Site::new(
            store.clone(),
            Arc::clone(&monitors),
            &config.allowed_hosts,
            config.synthetics,
            receivers.lost(),
            stop.clone(),
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(site::serve(
            listener,
            Protocol::Http1,
            pages::router(site),
            Intake::default().room(),
            stop.clone(),
        ));
        tasks.spawn(watch(store, monitors, stop.clone()));
        Ok(Self {
            receivers,
            address,
            stop,
            tasks,
        })
    }

    /// Where it shows its pages.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, to open.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it takes telemetry, and what arrived.
    #[must_use]
    pub fn receivers(&self) -> &Receivers {
        &self.receivers
    }

    /// Stops listening, lets pages under way end, and takes what was sent already; each within two seconds.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!(grace_ms = GRACE.as_millis(), "pages under way were cut off");
        }
        self.receivers.shutdown().await;
    }

    /// Works until `shutdown` is done.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        self.shutdown().await;
    }
}

/// Looks at what is watched, once a second.
async fn watch(store: Store, monitors: Arc<Mutex<Monitors>>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let read = store.read(|figures, now| {
            let readings: Vec<_> = RULES.iter().map(|rule| rule.read(figures, now)).collect();
            (now, readings, figures.verdicts.take())
        });
        if let Some((now, readings, verdicts)) = read {
            pages::lock(&monitors).tick(now, &readings, verdicts);
        }
    }
}

/// The whole life of the program; see [`Cli`] for the exit codes.
pub fn main(cli: Cli) -> ExitCode {
    // What it sent would come back to it: only log lines go out.
    let settings = telemetry::Settings {
        otel_sdk_disabled: true,
        dd_dogstatsd_disable: true,
        ..cli.telemetry.clone()
    };
    let telemetry = match telemetry::init("console", &settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error),
    };
    let code = match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            ExitCode::FAILURE
        }
    };
    telemetry.shutdown();
    code
}

#[expect(
    clippy::print_stderr,
    reason = "there are no log lines without telemetry"
)]
fn refuse(error: &telemetry::InitError) -> ExitCode {
    eprintln!("console: {error}");
    ExitCode::from(2)
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        // Before anything listens: whoever has seen a port open may already ask for the end.
        let end = termination().context("no signals")?;
        let console = Console::bind(cli.config())
            .await
            .context("another agent may be listening; choose other ports (see --help)")?;
        let addresses = console.receivers().addresses();
        tracing::info!(
            pages = console.url(),
            dogstatsd = %addresses.dogstatsd,
            otlp_http = %addresses.otlp_http,
            otlp_grpc = %addresses.otlp_grpc,
            "listening"
        );
        console.run_until(end).await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Done at SIGTERM or SIGINT.
fn termination() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
