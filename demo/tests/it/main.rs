//! The real executable from outside: what it prints, what answers on its ports, which processes live.
//!
//! Each test starts its own demo on its own ports. Nothing waits for a fixed time: all waits are for
//! something to happen, with a deadline after which the test fails.

mod browser;
mod burn;
mod console;
mod harness;
mod orders;
mod outage;
mod refusals;
mod seeding;
mod stopping;
mod traces;
mod whole;
