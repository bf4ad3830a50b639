//! The command line. Only this reads the environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::slo::OnInconclusive;

/// Probes the bookshop and judges it by its service level objectives.
#[derive(Parser, Clone, Debug)]
#[command(name = "synthetics", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// No colours, as any value of `NO_COLOR` has it; there are none off a terminal anyway.
    #[arg(
        long,
        env = "NO_COLOR",
        global = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1"
    )]
    pub no_color: Option<String>,
    /// Where traces, metrics and logs go.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

impl Cli {
    /// Whether colours are allowed, on a terminal.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.no_color.as_deref().is_none_or(str::is_empty)
    }
}

/// The subcommands.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Probes for a set time, prints a verdict and ends with it as the exit code.
    ///
    /// Exit codes: 0 pass, 1 fail, 2 bad usage or configuration, 3 inconclusive.
    Gate(GateArgs),
    /// Probes on and on, sends metrics and logs changes of state.
    ///
    /// SIGTERM ends it, with the verdict so far. The exit code is 0 whatever the verdict: a
    /// prober that finds faults is not broken.
    Run(RunArgs),
    /// Checks a configuration and tells all of its mistakes.
    ///
    /// Exit codes: 0 sound, 2 mistakes.
    Validate(ValidateArgs),
    /// Prints the JSON Schema of the configuration, by which editors complete it.
    Schema,
    /// Prints the built-in configuration, to start one's own from.
    Config,
}

/// Flags of `validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateArgs {
    /// The file; `-` reads standard input.
    #[arg(env = "SYNTHETICS_CONFIG", default_value = "synthetics.yaml")]
    pub file: PathBuf,
}

/// What is probed, and how.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// Checks, objectives and all else from this file; without it, the built-in one for the
    /// bookshop.
    #[arg(long, env = "SYNTHETICS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Base address of the shop's product page service: `${SYNTHETICS_TARGET}` in a
    /// configuration.
    #[arg(
        long,
        env = "SYNTHETICS_TARGET",
        default_value = "http://127.0.0.1:9080",
        value_parser = target
    )]
    pub target: Url,
    /// Longest time for one attempt, from resolving the name to the last byte:
    /// `${SYNTHETICS_TIMEOUT}` in a configuration.
    #[arg(long, env = "SYNTHETICS_TIMEOUT", default_value = "2s", value_parser = positive)]
    pub timeout: Duration,
    /// Most probes a second, over all checks.
    #[arg(
        long,
        env = "SYNTHETICS_MAX_RATE",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub max_rate: u32,
    /// Name of the place that this prober stands for.
    #[arg(long, env = "SYNTHETICS_LOCATION", default_value = "local", value_parser = name)]
    pub location: String,
}

/// Flags of `gate`.
#[derive(Args, Clone, Debug)]
pub struct GateArgs {
    /// What is probed.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// How long to probe; the rate is chosen so that this is enough for a verdict.
    #[arg(long = "for", env = "SYNTHETICS_FOR", default_value = "30s", value_parser = positive)]
    pub time: Duration,
    /// Prints the report as JSON instead of the table.
    #[arg(long)]
    pub json: bool,
    /// What too little data counts as. An objective without any data never passes.
    #[arg(
        long,
        env = "SYNTHETICS_ON_INCONCLUSIVE",
        value_enum,
        default_value = "inconclusive"
    )]
    pub on_inconclusive: OnInconclusive,
}

/// Flags of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What is probed.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Ends by itself after this time, probing as fast as a verdict needs (see `gate`).
    #[arg(long = "for", env = "SYNTHETICS_RUN_FOR", value_parser = positive)]
    pub time: Option<Duration>,
    /// From one probe of a check to its next, where no `--for` is given:
    /// `${SYNTHETICS_INTERVAL}` in a configuration.
    #[arg(long, env = "SYNTHETICS_INTERVAL", default_value = "5s", value_parser = positive)]
    pub interval: Duration,
    /// Plays all locations that the configuration has as simulated, with their delay and loss.
    /// Their names end in `-simulated` wherever they show.
    #[arg(long, env = "SYNTHETICS_SIMULATE")]
    pub simulate: bool,
    /// Writes the report to this file at the end, as JSON, whole or not at all.
    #[arg(long, env = "SYNTHETICS_JSON")]
    pub json: Option<PathBuf>,
}

/// Longest time that can be asked for: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

fn positive(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| {
        format!("{error}; write a number with its unit, such as 30s, 500ms or 5m")
    })?;
    if duration.is_zero() || duration > LONGEST {
        return Err("it must be longer than nothing and at most ten years".to_owned());
    }
    Ok(duration)
}

fn target(text: &str) -> Result<Url, String> {
    let example = "write http://host:port";
    let url = Url::parse(text).map_err(|error| format!("{error}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not probed; {example}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a password would stand in logs and reports".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("a base address ends with its path; {example}"));
    }
    Ok(url)
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 40 || !text.chars().all(fits) {
        return Err("it becomes a tag: 1 to 40 lower-case letters, digits and dashes".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused_with_the_mend() {
        for bad in [
            "",
            "ftp://shop",
            "shop:9080",
            "http://u:p@shop",
            "http://shop/?a=b",
        ] {
            assert!(target(bad).is_err(), "{bad}");
        }
        assert!(positive("30").is_err_and(|error| error.contains("30s")));
        for bad in ["0s", "11years", "soon"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
        for bad in ["", "Tokyo", "a b", "a|b", &"a".repeat(41)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
