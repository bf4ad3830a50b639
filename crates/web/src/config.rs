//! What every service may be told about its server.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

/// Flags and variables of the HTTP server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDRESS", default_value = "0.0.0.0")]
    pub listen_address: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 9080)]
    pub port: u16,
    /// Threads that answer requests. One saturates a core; more replicas beat more threads.
    #[arg(long, env = "WORKERS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// After SIGTERM: time in which the service is no longer ready but still accepts, so that
    /// load balancers can look away.
    #[arg(long, env = "DRAIN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,
    /// After the drain delay: longest time for requests in flight to end.
    #[arg(long, env = "GRACE_PERIOD", default_value = "10s", value_parser = humantime::parse_duration)]
    pub grace_period: Duration,
    /// Longest time for one request, from its head to its answer; then 503.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,
    /// Largest request body in bytes; above it 413.
    #[arg(long, env = "MAX_BODY_BYTES", default_value_t = 64 * 1024)]
    pub max_body_bytes: usize,
    /// Most bytes of request headers, names and values added up; above it 431.
    #[arg(long, env = "MAX_HEADER_BYTES", default_value_t = 16 * 1024)]
    pub max_header_bytes: usize,
}

impl Config {
    /// Loopback on a free port, for tests.
    pub fn local() -> Self {
        Self {
            listen_address: IpAddr::from([127, 0, 0, 1]),
            port: 0,
            workers: 1,
            drain_delay: Duration::ZERO,
            grace_period: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_body_bytes: 64 * 1024,
            max_header_bytes: 16 * 1024,
        }
    }
}
