//! The status page: what the prober knows, for people, for programs and for Prometheus.
//!
//! [`scene`] is the history that is kept now; [`board`] makes numbers of it, in one place for the
//! pages and for the JSON API, so that both say the same.

mod api;
mod assets;
mod badge;
mod board;
mod chart;
mod events;
mod exposition;
mod format;
mod health;
mod html;
mod openapi;
mod scene;
mod server;
mod show;
mod words;

pub use exposition::Exposition;
pub use scene::{CheckInfo, Scene};
pub use server::{BindError, Config, Page};
