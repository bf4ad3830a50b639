//! The HTTP side of every service: listener, limits, health, telemetry round each request, drain, and the
//! client for the next service.
//!
//! A service is a [`Server`] that can be started on port 0 and stopped; its `main` is [`run`].

mod config;
mod error;
mod health;
mod observe;
mod outbound;
mod server;

use std::future::Future;
use std::process::ExitCode;

use telemetry::Metrics;
use tokio::signal::unix::{SignalKind, signal};

pub use config::Config;
pub use error::Error;
pub use health::{LIVE, READY, ReadyCheck, always_ready, ready_when};
pub use outbound::{Forwarded, Outbound, OutboundError, Reply};
pub use server::{Server, get, get_or_head, resource};

/// The whole life of a service: telemetry, build, serve, drain, flush.
///
/// Exit codes: 0 after a clean stop, 1 where the server failed, 2 where the settings cannot be used.
pub fn run<F, Fut, E>(name: &'static str, settings: &telemetry::Settings, build: F) -> ExitCode
where
    F: FnOnce(Metrics) -> Fut,
    Fut: Future<Output = Result<Server, E>>,
    E: std::fmt::Display,
{
    let telemetry = match telemetry::init(name, settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(name, &error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refuse(name, &error),
    };
    let code = runtime.block_on(async {
        let server = match build(telemetry.metrics()).await {
            Ok(server) => server,
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "cannot start");
                return ExitCode::from(2);
            }
        };
        tracing::info!(address = %server.address(), "listening");
        match server.run_until(termination()).await {
            Ok(()) => {
                tracing::info!("stopped");
                ExitCode::SUCCESS
            }
            Err(error) => {
                tracing::error!(%error, "server failed");
                ExitCode::FAILURE
            }
        }
    });
    telemetry.shutdown();
    code
}

/// Done at the first SIGTERM or SIGINT.
pub async fn termination() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await; // no handler: the default action stops the process
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn refuse(name: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{name}: {error}");
    ExitCode::from(2)
}
