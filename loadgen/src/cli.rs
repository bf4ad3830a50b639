//! What the program may be told, and the checks that clap cannot do alone.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use reqwest::Url;

use crate::threshold::Share;

/// Longest request time-out that can be asked for; the histograms hold twice as much and more.
const MAX_TIMEOUT: Duration = Duration::from_secs(120);
/// Highest pace that can be asked for, in requests a second.
const MAX_RATE: f64 = 1_000_000.0;

/// Puts load on the bookshop and says what it saw.
///
/// Two kinds of visit, mixed by weight: once round the ring of six read-only requests, or a shopper who
/// comes in, looks at a book, signs in, reads reviews, rates and signs out. Ends after `--run-time`, or
/// on SIGINT or SIGTERM, each time with its summary.
///
/// Exit codes: 0 done; 1 a limit (`--max-error-rate`, `--max-p95`) is broken; 2 bad usage, or a report
/// that cannot be written.
#[derive(Clone, Debug, Parser)]
#[command(name = "loadgen", version)]
pub struct Cli {
    /// Address of the shop; a path in it is put before every request's own.
    #[arg(
        long,
        env = "TARGET_URL",
        default_value = "http://127.0.0.1:9080",
        value_name = "URL"
    )]
    pub host: String,
    /// Pace of all users together, in requests a second; 0 is as fast as the users can.
    #[arg(long, env = "LOADGEN_RATE", default_value = "1", allow_negative_numbers = true, value_parser = parse_rate, value_name = "PER_SECOND")]
    pub rate: f64,
    /// Requests that may be under way at once. Too few for the pace, and the summary says so.
    #[arg(long, env = "LOADGEN_USERS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: u32,
    /// Time in which users and pace grow from nothing to their full size, evenly.
    #[arg(long, env = "LOADGEN_RAMP", default_value = "0s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub ramp: Duration,
    /// Time after which no request is sent any more, such as `30s`. Default: until stopped.
    #[arg(long, env = "LOADGEN_RUN_TIME", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub run_time: Option<Duration>,
    /// Share of visits that go once round the ring.
    #[arg(long, env = "LOADGEN_RING_WEIGHT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub ring_weight: u32,
    /// Share of visits that are a shopper's journey. With 0 nothing is ever written to the shop.
    #[arg(long, env = "LOADGEN_SHOPPER_WEIGHT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub shopper_weight: u32,
    /// Books in the catalogue; shoppers take ids from 0 up to one less.
    #[arg(long, env = "LOADGEN_PRODUCTS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    pub products: u32,
    /// Makes the shoppers' choices the same in every run.
    #[arg(long, env = "LOADGEN_SEED")]
    pub seed: Option<u64>,
    /// Time after which a request without its whole answer is given up, at most 2min.
    #[arg(long, env = "LOADGEN_TIMEOUT", default_value = "70s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub timeout: Duration,
    /// At the end, time for requests under way to finish; then they are cut off and count as errors.
    #[arg(long, env = "LOADGEN_GRACE", default_value = "5s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub grace: Duration,
    /// File for the report as JSON.
    #[arg(long, env = "LOADGEN_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// File for the report as one HTML page.
    #[arg(long, env = "LOADGEN_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Highest share of failed requests, such as `1%` or `0.01`; above it the exit code is 1.
    #[arg(long, env = "LOADGEN_MAX_ERROR_RATE", value_name = "SHARE")]
    pub max_error_rate: Option<Share>,
    /// Longest p95 over all requests, corrected for coordinated omission; above it the exit code is 1.
    #[arg(long, env = "LOADGEN_MAX_P95", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub max_p95: Option<Duration>,
    /// No progress bar and no summary: only log lines, report files and the exit code.
    #[arg(long, short, env = "LOADGEN_QUIET", num_args = 0..=1, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub quiet: bool,
    /// No colour in the summary; it has none off a terminal anyway.
    #[arg(
        long,
        env = "NO_COLOR",
        num_args = 0..=1,
        default_missing_value = "1",
        value_name = "ANYTHING"
    )]
    pub no_color: Option<String>,
    /// Telemetry of the load generator itself.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

impl Cli {
    /// Whether a terminal may get colour: an empty `NO_COLOR` counts as not set, by its convention.
    pub(crate) fn colour(&self) -> bool {
        self.no_color.as_deref().is_none_or(str::is_empty)
    }

    /// The shop's address, once everything that one flag alone cannot tell has been checked.
    pub(crate) fn check(&self) -> anyhow::Result<Url> {
        let url = Url::parse(&self.host).map_err(|error| {
            anyhow::anyhow!(
                "--host `{}` is not an address ({error}): write it as http://127.0.0.1:9080",
                self.host
            )
        })?;
        anyhow::ensure!(
            matches!(url.scheme(), "http" | "https") && url.has_host(),
            "--host `{}` must start with http:// or https:// and name a host",
            self.host
        );
        anyhow::ensure!(
            url.username().is_empty() && url.password().is_none(),
            "--host must not hold a user or a password, since it goes into reports"
        );
        anyhow::ensure!(
            url.query().is_none() && url.fragment().is_none(),
            "--host `{}` must end with its path: leave out `?` and `#`",
            self.host
        );
        anyhow::ensure!(
            self.ring_weight + self.shopper_weight > 0,
            "--ring-weight and --shopper-weight are both 0, so there is nothing to do: raise one"
        );
        anyhow::ensure!(
            !self.timeout.is_zero() && self.timeout <= MAX_TIMEOUT,
            "--timeout must be above 0 and at most {}",
            humantime::format_duration(MAX_TIMEOUT)
        );
        anyhow::ensure!(
            self.run_time.is_none_or(|time| !time.is_zero()),
            "--run-time is 0, so nothing would be sent: leave it out to run until stopped"
        );
        anyhow::ensure!(
            self.max_p95.is_none_or(|time| time <= self.timeout),
            "--max-p95 is above --timeout, so nothing could ever break it: lower it, or raise --timeout"
        );
        Ok(url)
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(rate) if rate == 0.0 || (0.001..=MAX_RATE).contains(&rate) => Ok(rate.abs()),
        _ => Err(format!(
            "write requests a second from 0.001 to {MAX_RATE}, or 0 for as fast as possible"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str]) -> Result<(), String> {
        let args = std::iter::once("loadgen").chain(args.iter().copied());
        let cli = Cli::try_parse_from(args).map_err(|e| e.to_string())?;
        cli.check().map(drop).map_err(|e| e.to_string())
    }

    #[test]
    fn usable_settings_are_taken() {
        for good in [
            &["--host", "https://shop.example/base/"][..],
            &["--rate", "0"],
            &["--rate", "0.2", "--ramp", "1m 30s", "--run-time", "2h"],
            &["--ring-weight", "0"],
            &["--max-error-rate", "0%", "--max-p95", "70s"],
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        for (bad, reason) in [
            (&["--host", "127.0.0.1:9080"][..], "--host"),
            (&["--host", "ftp://shop"], "http:// or https://"),
            (&["--host", "http://user:secret@shop"], "password"),
            (&["--host", "http://shop/?x=1"], "leave out"),
            (&["--rate", "-1"], "requests a second"),
            (&["--rate", "nan"], "requests a second"),
            (&["--rate", "1e9"], "requests a second"),
            (&["--users", "0"], "--users"),
            (&["--run-time", "0s"], "--run-time"),
            (&["--run-time", "soon"], "--run-time"),
            (&["--timeout", "3min"], "--timeout"),
            (
                &["--ring-weight", "0", "--shopper-weight", "0"],
                "nothing to do",
            ),
            (&["--max-error-rate", "101%"], "--max-error-rate"),
            (&["--max-p95", "71s"], "--timeout"),
            (&["--nonsense"], "--nonsense"),
        ] {
            let error = check(bad).expect_err("must be refused");
            assert!(error.contains(reason), "{bad:?} gave: {error}");
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
