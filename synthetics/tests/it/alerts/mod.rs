//! Burn alerts from the first reading to whoever is told.

mod https;
mod program;
mod receiver;
mod stage;
mod states;
mod statsd;
mod webhooks;
