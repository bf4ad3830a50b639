//! What `bookwatch` may be told. Nothing else here reads the environment.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use bookinfo::store::StoreArgs;
use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};

use crate::plan::{self, Program};

/// The bookshop with its store, metric emitter, load, prober and console, on this machine, by one command.
///
/// Without a command it does `up`.
#[derive(Clone, Debug, Parser)]
#[command(name = "bookwatch", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `up`, for when no command is given.
    #[command(flatten)]
    pub up: UpArgs,
}

/// What `bookwatch` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Starts everything and keeps it running until Ctrl-C.
    ///
    /// Each service is a process of its own; one that dies is started again. Exit codes: 0 stopped as
    /// asked; 1 something did not start; 2 bad usage or a port in use; with `--for` those of the prober's
    /// verdict: 0 pass, 1 fail, 3 inconclusive, 2 no verdict, and 130 where it was cut short.
    Up(Box<UpArgs>),
    /// Stops one process of the demo that runs; it stays away until `start`.
    ///
    /// Exit codes: 0 done, 1 there is no such process, 2 no demo runs.
    Stop(OrderArgs),
    /// Starts a process again that `stop` stopped.
    Start(OrderArgs),
    /// Kills one process of the demo that runs (SIGKILL); it comes back by itself.
    Kill(OrderArgs),
    /// Judges the shop that runs: `synthetics gate` with the flags that follow.
    ///
    /// Exit codes: 0 pass, 1 fail, 2 bad usage, 3 inconclusive.
    Gate(GateArgs),
    /// Creates the tables and writes the catalogue; what is there stays as it is.
    Seed(StoreArgs),
    /// Runs the embedded DynamoDB alone. For development and tests, not for production.
    Dynamodb(Box<EngineArgs>),
    /// One service, tied to the process that started it: ends when its standard input does.
    #[command(hide = true)]
    RunService(ServiceArgs),
}

/// Flags and variables of `up`.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// First port: productpage takes it, the others the next ones.
    #[arg(long, env = "BOOKWATCH_PORT_BASE", default_value_t = plan::PORT_BASE, value_parser = clap::value_parser!(u16).range(1..=i64::from(u16::MAX - plan::PORTS)), value_name = "PORT")]
    pub port_base: u16,
    /// Port of the embedded DynamoDB, always on loopback. [default: 8000, the usual local port; with
    /// another --port-base 19 above that, so that --port-base alone moves everything]
    #[arg(long, env = "BOOKWATCH_DYNAMODB_PORT", value_parser = clap::value_parser!(u16).range(1..), value_name = "PORT")]
    pub dynamodb_port: Option<u16>,
    /// Address that the services and the console listen on.
    #[arg(long, env = "LISTEN_ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    pub listen_address: IpAddr,
    /// File for the embedded DynamoDB's data, or a directory that it is put into. [default: memory, so
    /// that each start is a fresh one]
    #[arg(long, env = "BOOKWATCH_DATA", value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Stops by itself after this time, counted from when all is ready, and prints the verdict.
    #[arg(long = "for", env = "BOOKWATCH_FOR", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub run_time: Option<Duration>,
    /// Starts only these, by name; `reviews` is all three. The store comes along with who needs it.
    #[arg(
        long,
        env = "BOOKWATCH_ONLY",
        value_delimiter = ',',
        value_name = "NAMES"
    )]
    pub only: Vec<String>,
    /// Starts no load generator.
    #[arg(long, env = "BOOKWATCH_NO_LOAD", value_parser = BoolishValueParser::new())]
    pub no_load: bool,
    /// Starts no prober.
    #[arg(long, env = "BOOKWATCH_NO_PROBER", value_parser = BoolishValueParser::new())]
    pub no_prober: bool,
    /// Starts no console; telemetry goes to the Agent's ports of this machine, whoever listens there.
    #[arg(long, env = "BOOKWATCH_NO_CONSOLE", value_parser = BoolishValueParser::new())]
    pub no_console: bool,
    /// Port of the console's pages. [default: 8080; with another --port-base 10 above that. The ports on
    /// which it takes telemetry are the Agent's 8125/udp, 4317 and 4318, or 11 to 13 above the base]
    #[arg(long, env = "BOOKWATCH_CONSOLE_PORT", value_parser = clap::value_parser!(u16).range(1..), value_name = "PORT")]
    pub console_port: Option<u16>,
    /// Port of the prober's status page. [default: 8081; with another --port-base 14 above that]
    #[arg(long, env = "BOOKWATCH_STATUS_PORT", value_parser = clap::value_parser!(u16).range(1..), value_name = "PORT")]
    pub status_port: Option<u16>,
    /// Probes from one place, instead of playing the four of the configuration with a delay of their own.
    #[arg(long, env = "BOOKWATCH_NO_SIMULATE", value_parser = BoolishValueParser::new())]
    pub no_simulate: bool,
    /// Runs the clock of objectives and their history so many times as fast, for a demo: at 600 an outage of
    /// 20 seconds eats a week's budget of 2 %. Probes then come as often as that clock has minutes, once a second
    /// at most. It shows wherever a number does.
    #[arg(long, env = "SYNTHETICS_TIME_SCALE", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(plan::MOST_TIME_SCALE)), value_name = "FACTOR")]
    pub time_scale: u32,
    /// Requests a second of the load generator.
    #[arg(long, env = "LOADGEN_RATE", default_value = "1", value_parser = parse_rate, value_name = "PER_SECOND")]
    pub load_rate: f64,
    /// Writes one JSON object a line to standard output: `ready` with addresses and process ids, `ended`
    /// and `started` where a process died, `failed`, `verdict` and `stopped`. Logs go to standard error.
    #[arg(long, env = "BOOKWATCH_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
    /// Shows no logs of the services, unless one dies.
    #[arg(long, short, visible_alias = "no-logs", env = "BOOKWATCH_QUIET", value_parser = BoolishValueParser::new())]
    pub quiet: bool,
    /// Environment that all telemetry is tagged with.
    #[arg(long, env = "DD_ENV", default_value = "demo", value_name = "NAME")]
    pub dd_env: String,
    /// Form of the log lines: `auto` is `pretty` on a terminal, and as the services write them elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "auto")]
    pub log_format: telemetry::LogFormat,
    /// What the services log, as `tracing` filter directives. [default: info, without the frameworks']
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    pub log_filter: Option<String>,
    /// Secret that signs sessions. [default: a new one for each start; it outlives a productpage that dies]
    #[arg(
        long,
        env = "SESSION_KEY",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub session_key: Option<String>,
    /// Colours are left out where this is set to anything.
    #[arg(long, env = "NO_COLOR", hide = true)]
    pub no_color: Option<OsString>,
    /// The agent to use instead of the console.
    #[command(flatten)]
    pub agent: AgentArgs,
    /// The store to use instead of the embedded one.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// An agent or collector that takes the telemetry. Where one of these is given, no console is started.
#[derive(Args, Clone, Debug, Default)]
pub struct AgentArgs {
    /// Host of the Datadog Agent, or of anything that listens as it does.
    #[arg(long, env = "DD_AGENT_HOST", value_name = "HOST")]
    pub dd_agent_host: Option<String>,
    /// Where DogStatsD listens: `udp://host:port` or `unix:///path`.
    #[arg(long, env = "DD_DOGSTATSD_URL", value_name = "URL")]
    pub dd_dogstatsd_url: Option<String>,
    /// Base address of the OTLP receiver (HTTP).
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Whole address for traces.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub otlp_traces_endpoint: Option<String>,
}

impl AgentArgs {
    /// The variables that are set, for the processes.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("DD_AGENT_HOST", &self.dd_agent_host),
            ("DD_DOGSTATSD_URL", &self.dd_dogstatsd_url),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &self.otlp_endpoint),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                &self.otlp_traces_endpoint,
            ),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .filter(|(_, value)| !value.is_empty())
    }
}

/// Flags and variables of `dynamodb`.
#[derive(Args, Clone, Debug)]
pub struct EngineArgs {
    /// Address to listen on. There is no password: whoever reaches it can read and write.
    #[arg(long, env = "BOOKWATCH_DYNAMODB_ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    pub listen_address: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "BOOKWATCH_DYNAMODB_PORT", default_value_t = plan::DYNAMODB_PORT)]
    pub port: u16,
    /// File for the data, or a directory that it is put into. [default: memory]
    #[arg(long, env = "BOOKWATCH_DATA", value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Creates the tables and writes the catalogue before it listens; what is there stays as it is.
    #[arg(long, env = "BOOKWATCH_DYNAMODB_SEED", value_parser = BoolishValueParser::new())]
    pub seed: bool,
    /// What the names of the tables begin with, for --seed.
    #[arg(long, env = "TABLE_PREFIX", default_value = "bookwatch-")]
    pub table_prefix: String,
    /// Form and filter of the log; the engine sends no spans and no metrics.
    #[command(flatten)]
    pub telemetry: telemetry::Settings,
}

/// Which process of which demo.
#[derive(Args, Clone, Debug)]
pub struct OrderArgs {
    /// Its name, as in the table of addresses; `reviews` is all three.
    pub name: String,
    /// First port of the demo.
    #[arg(long, env = "BOOKWATCH_PORT_BASE", default_value_t = plan::PORT_BASE, value_name = "PORT")]
    pub port_base: u16,
}

/// Flags of `gate`.
#[derive(Args, Clone, Debug)]
pub struct GateArgs {
    /// First port of the demo.
    #[arg(long, env = "BOOKWATCH_PORT_BASE", default_value_t = plan::PORT_BASE, value_name = "PORT")]
    pub port_base: u16,
    /// Flags of `synthetics gate`, such as `--for 30s` or `--window own`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// Which service to be.
#[derive(Args, Clone, Debug)]
pub struct ServiceArgs {
    /// The service.
    pub program: Program,
    /// Its own flags.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// The load stays gentle: a real load is what `loadgen` is for.
fn parse_rate(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(rate) if (0.001..=1000.0).contains(&rate) => Ok(rate),
        _ => Err("write requests a second from 0.001 to 1000; --no-load is for none".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_up_are_taken_with_and_without_its_name() {
        for words in [
            &["bookwatch", "--for", "30s", "--only", "details,ratings"][..],
            &[
                "bookwatch",
                "up",
                "--for",
                "30s",
                "--only",
                "details,ratings",
            ],
        ] {
            let cli = Cli::try_parse_from(words).unwrap();
            let up = match cli.command {
                Some(Command::Up(up)) => *up,
                None => cli.up,
                other => panic!("{other:?}"),
            };
            assert_eq!(up.run_time, Some(Duration::from_secs(30)));
            assert_eq!(up.only, ["details", "ratings"]);
        }
    }

    #[test]
    fn a_service_gets_its_own_flags_untouched() {
        let cli = Cli::try_parse_from([
            "bookwatch",
            "run-service",
            "loadgen",
            "--rate",
            "2",
            "--for",
        ])
        .unwrap();
        match cli.command {
            Some(Command::RunService(service)) => {
                assert_eq!(service.program, Program::Loadgen);
                assert_eq!(service.args, ["--rate", "2", "--for"]);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ports_that_cannot_be_are_refused() {
        for bad in ["0", "65535", "65530", "-1", "web"] {
            let words = ["bookwatch", &format!("--port-base={bad}")];
            assert!(Cli::try_parse_from(words).is_err(), "{bad} was taken");
        }
    }
}
