//! The receivers from outside: real packets over real sockets, and the parser against the grammar.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

#[path = "it/bounds.rs"]
mod bounds;
#[path = "it/browser.rs"]
mod browser;
#[path = "it/exports.rs"]
mod exports;
#[path = "it/figures.rs"]
mod figures;
#[path = "it/fixture.rs"]
mod fixture;
#[path = "it/grammar.rs"]
mod grammar;
#[path = "it/monitors.rs"]
mod monitors;
#[path = "it/otlp.rs"]
mod otlp;
#[path = "it/packets.rs"]
mod packets;
#[path = "it/properties.rs"]
mod properties;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/store.rs"]
mod store;

#[path = "it/values.rs"]
mod values;
#[path = "it/web.rs"]
mod web;

use std::sync::LazyLock;
use std::time::Duration;

/// How long a test waits for what must arrive. Long, since a machine under load is slow, and no test waits for it in vain.
const PATIENCE: Duration = Duration::from_secs(20);

/// Making a client loads certificates, which takes long in a debug build. It keeps no connections: those would belong to the runtime of the
/// test that made them.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});
