//! Tests of the prober from outside: the numbers of the SLO engine against worked examples and
//! against a slow, obvious reference; the programs against real servers on this machine.

mod alerts;
mod config;
mod counting;
mod crash;
mod explain;
mod export;
mod gate;
mod golden;
mod history;
mod https;
mod import;
mod journey;
mod keeping;
mod page;
mod past;
mod probe;
mod properties;
mod run;
mod server;
mod shop;
mod sockets;
mod traces;
mod verdicts;
mod windows;
