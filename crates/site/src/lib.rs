//! What pages for people on this machine stand on: the [`guard`] says who may ask, [`mod@serve`] answers
//! on a listener within bounds, [`assets`] are files that are built in, with those by which all pages
//! look alike (`static/`).
//!
//! The console and the prober's page are axum routers over this. The shop's services are not: they
//! stand on `web`, which is actix.

pub mod assets;
pub mod guard;
pub mod serve;

pub use assets::Assets;
pub use guard::{Guard, Refused};
pub use serve::{Protocol, Room, serve};
