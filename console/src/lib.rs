//! The agent's stand-in: it listens as the Datadog Agent does (DogStatsD over UDP and a Unix socket, OTLP over HTTP and gRPC), decodes
//! what arrives, and keeps the last of it in bounded memory to look at and to assert on.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use console::{Addresses, Receivers};
//!
//! let agent = Receivers::bind(Addresses::loopback()).await?;
//! // Start what is to be watched with DD_DOGSTATSD_URL = agent.dogstatsd_url() and OTEL_EXPORTER_OTLP_ENDPOINT = agent.otlp_http_url().
//! let value = agent
//!     .store()
//!     .wait_for(Duration::from_secs(5), |seen| seen.metric("my_metric").next()?.numbers().first().copied())
//!     .await?;
//! assert!((1.0..=999.0).contains(&value));
//! agent.shutdown().await;
//! # Ok(())
//! # }
//! ```

pub mod aggregate;
mod cli;
pub mod dogstatsd;
pub mod intake;
pub mod monitor;
pub mod otlp;
mod pages;
mod program;
pub mod receiver;
pub mod store;
pub mod view;

pub use cli::Cli;
pub use program::{Config, Console, main};
pub use receiver::{Addresses, BindError, Intake, Receivers};
pub use store::{Limits, Snapshot, Store, TimedOut};
