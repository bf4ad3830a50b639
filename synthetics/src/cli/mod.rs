//! The command line. Only this reads the environment.

mod values;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bookinfo::store::StoreArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

pub use values::{Moment, OverWindow};
use values::{moment, name, origin, over_window, positive, target};

use crate::export::Format;
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
    /// Tells how each number of an objective comes about: its counts, what is left out, the
    /// formulas with the numbers put in, and the worst probes with their phases.
    ///
    /// It probes as `gate` does, or looks into a history or a recording. Exit codes: 0 explained,
    /// whatever the verdict, 2 bad usage or configuration.
    Explain(ExplainArgs),
    /// Probes on and on, sends metrics and logs changes of state.
    ///
    /// SIGTERM ends it, with the verdict so far. The exit code is 0 whatever the verdict: a
    /// prober that finds faults is not broken.
    Run(RunArgs),
    /// Tries a webhook, or prints what one is posted.
    Alert(AlertArgs),
    /// Checks a configuration and tells all of its mistakes.
    ///
    /// Exit codes: 0 sound, 2 mistakes.
    Validate(ValidateArgs),
    /// Prints the JSON Schema of the configuration, by which editors complete it.
    Schema,
    /// Prints the built-in configuration, to start one's own from.
    Config,
    /// Writes the objectives and their burn alerts for another tool, and says there where the
    /// meaning differs.
    ///
    /// Exit codes: 0 all is carried over, 1 the tool has no words for some of it, which is told
    /// and left out, 2 bad usage or configuration.
    Export(ExportArgs),
    /// Reads objectives and burn alerts from OpenSLO v1, and writes them as the part of a
    /// configuration.
    ///
    /// Exit codes: 0 all is carried over, 1 some of it is not, which is told with its line,
    /// 2 bad usage, or no OpenSLO.
    Import(ImportArgs),
}

/// Flags of `alert`.
#[derive(Args, Clone, Debug)]
pub struct AlertArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AlertCommand,
}

/// The subcommands of `alert`.
#[derive(Subcommand, Clone, Debug)]
pub enum AlertCommand {
    /// Posts a test message to a webhook, once, and tells the answer.
    ///
    /// Exit codes: 0 delivered, 1 not delivered, 2 bad usage or configuration.
    Test {
        /// Name of the webhook in the configuration.
        webhook: String,
        /// The configuration.
        #[arg(long, env = "SYNTHETICS_CONFIG", default_value = "synthetics.yaml")]
        config: PathBuf,
    },
    /// Prints the JSON Schema of the messages that webhooks of the form `json` are posted.
    Schema,
}

/// Flags of `validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateArgs {
    /// The file; `-` reads standard input.
    #[arg(env = "SYNTHETICS_CONFIG", default_value = "synthetics.yaml")]
    pub file: PathBuf,
}

/// Flags of `export`.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// The tool.
    #[arg(long, value_enum)]
    pub to: Format,
    /// The configuration; without it, the built-in one for the bookshop.
    #[arg(long, env = "SYNTHETICS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Writes to this file, whole or not at all, and not to standard output.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
}

/// Flags of `import`.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// The file, with one or more documents; `-` reads standard input.
    pub file: PathBuf,
    /// Writes to this file, whole or not at all, and not to standard output.
    #[arg(long, short)]
    pub output: Option<PathBuf>,
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
    /// Most probes a second from each place, over all checks: four places send up to four times as
    /// many.
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
    /// Records every result in this file, for `gate --replay`.
    #[arg(long, env = "SYNTHETICS_RECORD")]
    pub record: Option<PathBuf>,
}

/// Where minutes are kept.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "History")]
pub struct HistoryArgs {
    /// The DynamoDB.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Whether minutes are kept in DynamoDB, and not in memory alone.
    #[arg(long, env = "SYNTHETICS_HISTORY", value_enum, default_value = "auto")]
    pub history: HistoryMode,
    /// Creates the history's table at the start, unless it is there.
    #[arg(long, env = "SYNTHETICS_CREATE_TABLE")]
    pub create_table: bool,
    /// Runs the clock of objectives and history so many times as fast as real time, for a demo:
    /// at 600, a minute takes a tenth of a second and a week 17 minutes. It shows wherever a
    /// number does.
    #[arg(
        long,
        env = "SYNTHETICS_TIME_SCALE",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=6_000)
    )]
    pub time_scale: u32,
    /// The SDK reads it; here it only tells whether there is a DynamoDB.
    #[arg(long, env = "AWS_REGION", hide = true)]
    pub aws_region: Option<String>,
    /// As `aws_region`.
    #[arg(long, env = "AWS_DEFAULT_REGION", hide = true)]
    pub aws_default_region: Option<String>,
}

impl HistoryArgs {
    /// Whether the environment says where a DynamoDB is.
    #[must_use]
    pub fn has_place(&self) -> bool {
        let places = [
            &self.store.dynamodb_endpoint,
            &self.store.aws_endpoint_url_dynamodb,
            &self.aws_region,
            &self.aws_default_region,
        ];
        let mut places = places.into_iter().flatten();
        places.any(|place| !place.is_empty())
    }
}

/// Whether minutes are kept in DynamoDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryMode {
    /// Where the configuration keeps them, and the environment says where: an endpoint or an AWS
    /// region.
    Auto,
    /// Yes; without a DynamoDB nothing starts.
    On,
    /// No.
    Off,
}

/// Where results come from: probes of its own, a history or a recording.
#[derive(Args, Clone, Debug)]
pub struct BasisArgs {
    /// What is probed.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// How long to probe; the rate is chosen so that this is enough for a verdict.
    #[arg(long = "for", env = "SYNTHETICS_FOR", default_value = "30s", value_parser = positive)]
    pub time: Duration,
    /// Judges the history from then on, and probes nothing: a time ago (`2h`), or an instant
    /// (`2026-11-05T12:00:00Z`).
    #[arg(long, value_parser = moment, conflicts_with_all = ["window", "replay"])]
    pub since: Option<Moment>,
    /// Ends what is judged of the history; where it is not given, the last measurement does.
    #[arg(long, value_parser = moment, conflicts_with = "replay")]
    pub until: Option<Moment>,
    /// Judges the history over a window, and probes nothing: `7d`, `calendar-month`, or `own` for
    /// the window that each objective has.
    #[arg(long, value_parser = over_window, conflicts_with = "replay")]
    pub window: Option<OverWindow>,
    /// Judges a recording by the objectives as they are now, and probes nothing.
    #[arg(long)]
    pub replay: Option<PathBuf>,
    /// The history.
    #[command(flatten)]
    pub history: HistoryArgs,
}

impl BasisArgs {
    /// Whether a history is asked for.
    #[must_use]
    pub const fn looks_back(&self) -> bool {
        self.window.is_some() || self.since.is_some()
    }
}

/// Flags of `gate`.
#[derive(Args, Clone, Debug)]
pub struct GateArgs {
    /// Where results come from.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Prints the report as JSON instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Writes the report to this file as JUnit XML too.
    #[arg(long, env = "SYNTHETICS_JUNIT")]
    pub junit: Option<PathBuf>,
    /// Writes the report to this file as Markdown too.
    #[arg(long, env = "SYNTHETICS_MARKDOWN")]
    pub markdown: Option<PathBuf>,
    /// GitHub's file for the summary of a step: the Markdown goes there by itself.
    #[arg(long, env = "GITHUB_STEP_SUMMARY", hide = true)]
    pub github_step_summary: Option<PathBuf>,
    /// Whether it runs on GitHub: then objectives that are not met become annotations.
    #[arg(long, env = "GITHUB_ACTIONS", hide = true)]
    pub github_actions: Option<String>,
    /// What too little data counts as. An objective without any data never passes.
    #[arg(
        long,
        env = "SYNTHETICS_ON_INCONCLUSIVE",
        value_enum,
        default_value = "inconclusive"
    )]
    pub on_inconclusive: OnInconclusive,
}

/// Flags of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// Name of the objective.
    pub slo: String,
    /// Where results come from.
    #[command(flatten)]
    pub basis: BasisArgs,
    /// Prints all of it as JSON instead.
    #[arg(long)]
    pub json: bool,
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
    /// The page.
    #[command(flatten)]
    pub page: PageArgs,
    /// The history.
    #[command(flatten)]
    pub history: HistoryArgs,
    /// Writes the report to this file at the end, as JSON, whole or not at all.
    #[arg(long, env = "SYNTHETICS_JSON")]
    pub json: Option<PathBuf>,
}

/// Where the status page is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Status page")]
pub struct PageArgs {
    /// Address of this machine that the status page is at; 0.0.0.0 shows it to everybody who can
    /// reach the machine.
    #[arg(long, env = "SYNTHETICS_LISTEN_ADDRESS", default_value = "127.0.0.1")]
    pub listen_address: IpAddr,
    /// Port of the status page; 0 takes a free one, which the log tells. Where none is given it is
    /// 8081, or a free one while another program has that.
    #[arg(long, env = "SYNTHETICS_PORT")]
    pub port: Option<u16>,
    /// Host names that the page may be called by, beside addresses and `localhost`: others are
    /// refused, since a site elsewhere may have pointed its name here.
    #[arg(long, env = "SYNTHETICS_ALLOW_HOST", value_delimiter = ',')]
    pub allow_host: Vec<String>,
    /// Origins that may show the page in a frame, beside those of this machine, such as
    /// `https://console.example.com`.
    #[arg(long, env = "SYNTHETICS_ALLOW_FRAME", value_delimiter = ',', value_parser = origin)]
    pub allow_frame: Vec<String>,
    /// No status page.
    #[arg(long, env = "SYNTHETICS_NO_PAGE")]
    pub no_page: bool,
}

impl PageArgs {
    /// The port where none is given.
    pub const PORT: u16 = 8081;
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
