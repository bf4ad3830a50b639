//! Burn alerts from the first reading to whoever is told.

mod program;
mod receiver;
mod states;
mod webhooks;
