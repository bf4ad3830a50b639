//! The command line. Only this reads the environment.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use jiff::tz::TimeZone;
use url::Url;

use crate::program::Config;
use crate::receiver::Addresses;
use crate::store::Limits;

/// Takes traces, metrics and logs as the Datadog Agent does, keeps the last minutes, and shows them live.
///
/// Exit codes: 0 after SIGTERM or SIGINT, 1 where it cannot run, 2 where a setting cannot be used.
#[derive(Parser, Clone, Debug)]
#[command(name = "console", version)]
pub struct Cli {
    /// Address to listen on, for all that follows. There is no password: whoever reaches it sees everything.
    #[arg(long, env = "CONSOLE_LISTEN_ADDRESS", default_value = "127.0.0.1")]
    pub listen_address: IpAddr,
    /// Port of the pages, the JSON API and the intake of log lines; 0 takes a free one, as for the other ports.
    #[arg(long, env = "CONSOLE_PORT", default_value_t = 8080)]
    pub port: u16,
    /// UDP port of DogStatsD.
    #[arg(long, env = "CONSOLE_DOGSTATSD_PORT", default_value_t = 8125)]
    pub dogstatsd_port: u16,
    /// Port of OTLP over HTTP.
    #[arg(long, env = "CONSOLE_OTLP_HTTP_PORT", default_value_t = 4318)]
    pub otlp_http_port: u16,
    /// Port of OTLP over gRPC.
    #[arg(long, env = "CONSOLE_OTLP_GRPC_PORT", default_value_t = 4317)]
    pub otlp_grpc_port: u16,
    /// Unix datagram socket of DogStatsD, made here. [default: none]
    #[arg(long, env = "CONSOLE_DOGSTATSD_SOCKET")]
    pub dogstatsd_socket: Option<PathBuf>,
    /// Memory for all that is kept; the oldest goes first.
    #[arg(long, env = "CONSOLE_MEMORY_BUDGET", default_value = "128MiB", value_parser = size)]
    pub memory_budget: usize,
    /// How long things are kept.
    #[arg(long, env = "CONSOLE_KEEP", default_value = "30m", value_parser = keep)]
    pub keep: Duration,
    /// Host names that this console may be called by, beside addresses and `localhost`; separated by commas.
    #[arg(long, env = "CONSOLE_ALLOW_HOST", value_delimiter = ',')]
    pub allow_host: Vec<String>,
    /// Address of the prober's page, which is shown among the objectives. [default: none]
    #[arg(long, env = "CONSOLE_SYNTHETICS_URL", value_parser = page)]
    pub synthetics_url: Option<Url>,
    /// Time zone of the downtimes and of the times shown, such as `Europe/Berlin`. [default: UTC]
    #[arg(long, env = "CONSOLE_TIME_ZONE", value_parser = zone)]
    pub time_zone: Option<TimeZone>,
    /// How its own log lines look. It sends neither traces nor metrics, which would only come back to it.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

impl Cli {
    /// What was asked for.
    #[must_use]
    pub fn config(&self) -> Config {
        let at = |port| SocketAddr::new(self.listen_address, port);
        Config {
            receivers: Addresses {
                dogstatsd: at(self.dogstatsd_port),
                dogstatsd_socket: self.dogstatsd_socket.clone(),
                otlp_http: at(self.otlp_http_port),
                otlp_grpc: at(self.otlp_grpc_port),
            },
            pages: at(self.port),
            limits: Limits {
                bytes: self.memory_budget,
                age: self.keep,
                ..Limits::default()
            },
            allowed_hosts: self.allow_host.clone(),
            synthetics: self.synthetics_url.clone(),
            zone: self.time_zone.clone().unwrap_or(TimeZone::UTC),
        }
    }
}

/// `128MiB`, `1GiB`, `500MB`, or bytes.
fn size(text: &str) -> Result<usize, String> {
    let wrong = || "write a size such as 128MiB, between 1MiB and 64GiB".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: usize = number.parse().map_err(|_| wrong())?;
    let factor: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "kib" => 1 << 10,
        "mb" => 1_000_000,
        "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number.checked_mul(factor).ok_or_else(wrong)?;
    if (1 << 20..=64 << 30).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(wrong())
    }
}

fn keep(text: &str) -> Result<Duration, String> {
    let keep = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with its unit, such as 30m"))?;
    if keep < Duration::from_secs(60) || keep > Duration::from_secs(7 * 86_400) {
        return Err("it must be a minute at least and a week at most".to_owned());
    }
    Ok(keep)
}

fn page(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write http://host:port/path"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!(
            "{other} is no scheme of a page; write http://host:port/path"
        )),
    }
}

fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        format!("there is no time zone {text:?}; write one such as Europe/Berlin or UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_are_the_agents_ports_on_loopback() {
        let config = Cli::parse_from(["console"]).config();
        assert_eq!(config.receivers, Addresses::agent());
        assert_eq!(config.pages, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(config.limits, Limits::default());
    }

    #[test]
    fn sizes_and_times_are_within_reason() {
        assert_eq!(size("128MiB"), Ok(128 << 20));
        assert_eq!(size("2 GB"), Ok(2_000_000_000));
        for wrong in [
            "",
            "MiB",
            "1",
            "1TiB",
            "99999999999999999999GiB",
            "-1MiB",
            "1.5GiB",
            "65GiB",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "30", "59s", "8days"] {
            assert!(keep(wrong).is_err(), "{wrong}");
        }
        assert!(page("javascript:alert(1)").is_err());
        assert!(zone("Mars/Olympus").is_err());
    }
}
