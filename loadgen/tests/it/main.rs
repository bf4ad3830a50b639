//! The program, started as a user starts it, against a shop of the test's own on real TCP.
//!
//! `shop` is that shop: it answers as a test says and keeps its own measurements. `program` starts the
//! program and reads what it leaves. Nothing here knows the program's code.

mod ending;
mod latency;
mod limits;
mod output;
mod pace;
mod program;
mod shop;
mod visits;
