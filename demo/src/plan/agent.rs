//! Who takes the telemetry: an agent that is named, or else the console.

use std::net::SocketAddr;

use super::roster::Layout;
use super::{CONSOLE, Program, Spec, from_here};
use crate::cli::UpArgs;

/// The Agent's own ports, on which the console listens in its place.
pub(super) const DOGSTATSD_PORT: u16 = 8125;
pub(super) const OTLP_GRPC_PORT: u16 = 4317;
pub(super) const OTLP_HTTP_PORT: u16 = 4318;
/// Usual port of the console's pages.
pub(super) const PAGES_PORT: u16 = 8080;

/// Who takes the telemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    /// One that flags or variables name. It is theirs alone: no console stands beside it.
    Named(Vec<(&'static str, String)>),
    /// The console, which is started here.
    Console(Ways),
    /// Nobody in particular: whoever listens on the Agent's ports, if anybody does.
    Default,
}

/// Where a console takes telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) dogstatsd: SocketAddr,
    pub(crate) otlp_grpc: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
}

impl Agent {
    pub(super) fn new(args: &UpArgs, layout: &Layout) -> Self {
        let named: Vec<_> = args
            .agent
            .given()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let wanted = args.only.is_empty() || args.only.iter().any(|name| name == CONSOLE);
        match named.is_empty() {
            false => Self::Named(named),
            true if wanted && !args.no_console => Self::Console(layout.ways()),
            true => Self::Default,
        }
    }

    /// Lets a process send there.
    pub(super) fn tell(&self, spec: &mut Spec) {
        match self {
            Self::Named(variables) => spec.env.extend(variables.iter().cloned()),
            // It sends nothing.
            Self::Console(_) if spec.program == Program::Console => {}
            Self::Console(ways) => spec.env.extend([
                (
                    "DD_DOGSTATSD_URL",
                    format!("udp://{}", from_here(ways.dogstatsd)),
                ),
                (
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    format!("http://{}", from_here(ways.otlp_http)),
                ),
            ]),
            Self::Default => {}
        }
    }

    /// Who it is, for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Named(variables) => {
                let list: Vec<String> = variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!(
                    "telemetry goes to the agent that is named ({}), so there is no console here",
                    list.join(", ")
                )
            }
            Self::Console(ways) => format!(
                "telemetry goes to the console, which listens as the Datadog Agent does: DogStatsD {}/udp, OTLP {} (gRPC) and {} (HTTP)",
                from_here(ways.dogstatsd),
                from_here(ways.otlp_grpc),
                from_here(ways.otlp_http),
            ),
            Self::Default => {
                "telemetry goes to the Agent's ports of this machine (8125/udp, 4318), if anybody listens there".to_owned()
            }
        }
    }
}
