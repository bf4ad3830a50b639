//! Telemetry for every Bookwatch program: traces by OTLP, metrics by DogStatsD, logs as JSON lines.
//!
//! ```no_run
//! # fn main() -> Result<(), telemetry::InitError> {
//! let telemetry = telemetry::init("details", &telemetry::Settings::default())?;
//! tracing::info!("ready");
//! telemetry.shutdown(); // sends what is left, within two seconds
//! # Ok(())
//! # }
//! ```
//!
//! The Datadog Agent, an OpenTelemetry Collector and the console all take exactly this, so a back end is an
//! address and never code. Without any of them nothing blocks, fails or grows.

mod decimal;
mod dogstatsd;
mod events;
mod export;
mod headers;
mod logs;
mod metrics;
pub mod names;
mod otlp;
mod settings;
pub mod traces;

use std::io::IsTerminal as _;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

pub use events::{Alert, CheckStatus, Event, Priority, ServiceCheck};
pub use headers::HeaderList;
pub use metrics::Metrics;
pub use settings::{InitError, LogFormat, Settings};

/// Longest time that [`Telemetry::shutdown`] takes.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// Crates whose own events would feed back into what they export.
const EXPORTER_TARGETS: [&str; 5] = ["opentelemetry", "hyper", "h2", "reqwest", "tonic"];

/// What [`init`] started. Shut it down last.
#[must_use = "telemetry that is not shut down loses its last second"]
pub struct Telemetry {
    metrics: Metrics,
    flusher: Option<metrics::Flusher>,
    provider: Option<SdkTracerProvider>,
    logs: Option<Arc<logs::Output>>,
}

/// Sets up logs, traces and metrics for this process. Call it once, first thing in `main`.
///
/// # Errors
/// Where a setting cannot be used. An agent that is not there is no error.
pub fn init(default_service: &str, settings: &Settings) -> Result<Telemetry, InitError> {
    let identity = settings.identity(default_service, env!("CARGO_PKG_VERSION"));
    let dogstatsd = settings.dogstatsd()?;
    let exporter = match settings.traces_endpoint()? {
        None => None,
        Some(endpoint) => {
            let headers = settings.otlp_headers()?;
            let timeout = settings.otlp_timeout();
            Some(export::Exporter::new(&endpoint, headers, timeout))
        }
    };
    let provider = traces::init(exporter, settings.schedule_delay(), &identity);
    let logs = init_tracing(settings, &identity, provider.as_ref())?;
    let (metrics, flusher) = match settings.dd_dogstatsd_disable {
        true => (Metrics::disabled(), None),
        false => {
            let (metrics, flusher) =
                metrics::Flusher::start(dogstatsd, &identity, settings.dd_entity_id.clone());
            (metrics, Some(flusher))
        }
    };
    Ok(Telemetry {
        metrics,
        flusher,
        provider,
        logs,
    })
}

fn init_tracing(
    settings: &Settings,
    identity: &settings::Identity,
    provider: Option<&SdkTracerProvider>,
) -> Result<Option<Arc<logs::Output>>, InitError> {
    // The exporter reports through `traces`, once; its own lines would come once a batch.
    let filter: Targets = format!("opentelemetry=off,{}", settings.log_filter)
        .parse()
        .map_err(|_| InitError::LogFilter(settings.log_filter.clone()))?;
    let spans = provider.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(traces::tracer(provider))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_level(false)
            .with_filter(FilterFn::new(|metadata| {
                metadata.is_span()
                    && *metadata.level() <= tracing::Level::INFO
                    && !EXPORTER_TARGETS
                        .iter()
                        .any(|t| metadata.target().starts_with(t))
            }))
    });
    let pretty = match settings.log_format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stdout().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(spans);
    if pretty {
        let colour = std::io::stdout().is_terminal() && settings.log_no_color.is_none();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(colour)
            .with_target(false);
        registry.with(layer.with_filter(filter)).try_init().ok();
        return Ok(None);
    }
    let output = logs::Output::start().ok();
    let layer = output
        .clone()
        .map(|output| logs::JsonLayer::new(output, identity).with_filter(filter));
    registry.with(layer).try_init().ok();
    Ok(output)
}

impl Telemetry {
    /// The sender of metrics; clone it freely.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what is left and ends the threads, within two seconds whatever the agent does.
    pub fn shutdown(self) {
        if let Some(flusher) = self.flusher {
            flusher.shutdown();
        }
        if let Some(provider) = self.provider {
            let (done, wait) = mpsc::channel();
            // With a dead receiver the SDK's own shutdown takes seconds longer than its limit.
            thread::spawn(move || {
                let _ = provider.shutdown_with_timeout(SHUTDOWN_LIMIT);
                let _ = done.send(());
            });
            let _ = wait.recv_timeout(SHUTDOWN_LIMIT);
        }
        if let Some(logs) = self.logs {
            logs.flush(Duration::from_millis(500));
        }
    }
}
