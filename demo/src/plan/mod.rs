//! What runs: the list of processes with their addresses, flags and variables, as data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

mod roster;

use crate::cli::UpArgs;
use roster::{Layout, all};

/// Default of the first port.
pub(crate) const PORT_BASE: u16 = 9080;
/// Ports after the first one that a plan may take.
pub(crate) const PORTS: u16 = 19;
/// The usual port of a local DynamoDB.
pub(crate) const DYNAMODB_PORT: u16 = 8000;

const STORE: &str = "dynamodb";
const FRONT: &str = "productpage";
const PROBER: &str = "synthetics";
const LOAD: &str = "loadgen";

/// A program that this executable can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Program {
    Dynamodb,
    Details,
    Ratings,
    Reviews,
    Productpage,
    Mymetric,
    Loadgen,
    Synthetics,
}

impl Program {
    /// Its word on the command line, and its service name in telemetry.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dynamodb => STORE,
            Self::Details => "details",
            Self::Ratings => "ratings",
            Self::Reviews => "reviews",
            Self::Productpage => FRONT,
            Self::Mymetric => "mymetric",
            Self::Loadgen => LOAD,
            Self::Synthetics => PROBER,
        }
    }
}

/// When a process starts: each stage waits until the one before is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The store; tables and catalogue come right after it.
    Store,
    /// Everything that answers, and the emitter.
    Services,
    /// Who asks: load and prober.
    Visitors,
}

/// One process.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// Unique; `reviews-v1` where a program runs more than once.
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    /// Where it listens.
    pub(crate) listens: Option<SocketAddr>,
    /// Path that answers 200 once it can work.
    pub(crate) ready: &'static str,
    /// Path to look at first.
    pub(crate) path: &'static str,
    /// What there is to see or do.
    pub(crate) about: &'static str,
    pub(crate) stage: Stage,
    /// Lower ones stop first, equal ones together.
    pub(crate) stop_rank: u8,
    /// Its end is an end, not a death.
    pub(crate) ends_by_itself: bool,
}

impl Spec {
    /// Where others on this machine reach it.
    pub(crate) fn reached_at(&self) -> Option<SocketAddr> {
        self.listens.map(from_here)
    }

    /// Address with the path that is worth a look.
    pub(crate) fn url(&self) -> Option<String> {
        self.reached_at().map(|at| format!("http://{at}"))
    }
}

/// An address to connect to for one that is listened on.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Everything to start, in order, and the store they use.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: Vec<Spec>,
    /// Address of the store.
    pub(crate) store: String,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("--only: there is no `{0}`; there are {names}", names = names().join(", "))]
    UnknownName(String),
    #[error("--only with --no-load and --no-prober leaves nothing to start")]
    Nothing,
    #[error(
        "--dynamodb-port {port} is the port of {name}: take another one, or move the services with --port-base"
    )]
    SamePort { port: u16, name: &'static str },
    #[error(
        "--data is for the embedded DynamoDB, which is not started since DYNAMODB_ENDPOINT is {0}: leave one of them out"
    )]
    DataElsewhere(String),
    #[error("--for needs a time above 0")]
    NoTime,
}

impl Plan {
    /// The plan for what the command line says.
    ///
    /// `report` is the file that the prober writes its verdict to at the end of a run with `--for`.
    pub(crate) fn new(args: &UpArgs, report: &Path) -> Result<Self, PlanError> {
        if args.run_time.is_some_and(|time| time.is_zero()) {
            return Err(PlanError::NoTime);
        }
        let given = endpoint(args);
        if let (Some(_), Some(endpoint)) = (&args.data, given) {
            return Err(PlanError::DataElsewhere(endpoint.to_owned()));
        }
        let known = names();
        for name in &args.only {
            if !known.contains(&name.as_str()) {
                return Err(PlanError::UnknownName(name.clone()));
            }
        }
        let layout = Layout::new(args);
        let store = given.map_or_else(
            || format!("http://{}", layout.dynamodb()),
            ToOwned::to_owned,
        );
        let mut processes = all(args, &layout, &store, report);
        if !args.only.is_empty() {
            let wanted = |spec: &Spec| {
                let names = [spec.name, spec.program.name()];
                args.only.iter().any(|name| names.contains(&name.as_str()))
            };
            let needs_store = processes.iter().any(|s| wanted(s) && uses_store(s.program));
            processes.retain(|s| wanted(s) || (needs_store && s.program == Program::Dynamodb));
        }
        processes.retain(|spec| match spec.program {
            Program::Dynamodb => given.is_none(),
            Program::Loadgen => !args.no_load,
            Program::Synthetics => !args.no_prober,
            _ => true,
        });
        if processes.is_empty() {
            return Err(PlanError::Nothing);
        }
        let plan = Self { processes, store };
        plan.check_ports(layout.dynamodb)?;
        Ok(plan)
    }

    fn check_ports(&self, port: u16) -> Result<(), PlanError> {
        let taken = self.processes.iter().find(|spec| {
            spec.program != Program::Dynamodb && spec.listens.is_some_and(|at| at.port() == port)
        });
        match taken {
            Some(spec) if self.has_store() => Err(PlanError::SamePort {
                port,
                name: spec.name,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the embedded store is started.
    pub(crate) fn has_store(&self) -> bool {
        self.find(STORE).is_some()
    }

    /// Whether anything here reads the store, so that tables must be there.
    pub(crate) fn uses_store(&self) -> bool {
        self.processes.iter().any(|s| uses_store(s.program))
    }

    /// The process that comes to a verdict by itself.
    pub(crate) fn judge(&self) -> Option<&Spec> {
        self.find(PROBER).filter(|spec| spec.ends_by_itself)
    }

    /// The page's own process.
    pub(crate) fn front(&self) -> Option<&Spec> {
        self.find(FRONT)
    }

    /// Whether a page can be whole: the front runs with all that it asks.
    pub(crate) fn is_whole(&self) -> bool {
        [
            FRONT,
            "details",
            "ratings",
            "reviews-v1",
            "reviews-v2",
            "reviews-v3",
        ]
        .iter()
        .all(|name| self.find(name).is_some())
    }

    fn find(&self, name: &str) -> Option<&Spec> {
        self.processes.iter().find(|spec| spec.name == name)
    }
}

/// The store that is given, if any.
fn endpoint(args: &UpArgs) -> Option<&str> {
    let store = &args.store;
    [&store.dynamodb_endpoint, &store.aws_endpoint_url_dynamodb]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .find(|endpoint| !endpoint.is_empty())
}

fn uses_store(program: Program) -> bool {
    matches!(
        program,
        Program::Dynamodb
            | Program::Details
            | Program::Ratings
            | Program::Reviews
            | Program::Synthetics
    )
}

/// Names that `--only` takes.
fn names() -> Vec<&'static str> {
    vec![
        STORE,
        "details",
        "ratings",
        "reviews",
        "reviews-v1",
        "reviews-v2",
        "reviews-v3",
        FRONT,
        "mymetric",
        LOAD,
        PROBER,
    ]
}

#[cfg(test)]
mod tests;
