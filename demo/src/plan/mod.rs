//! What runs: the list of processes with their addresses, flags and variables, as data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

mod agent;
mod roster;

use crate::cli::UpArgs;
pub(crate) use agent::Agent;
pub(crate) use roster::gate_env;
use roster::{Layout, all};

/// Default of the first port.
pub(crate) const PORT_BASE: u16 = 9080;
/// Ports after the first one that a plan may take.
pub(crate) const PORTS: u16 = 19;
/// Fastest clock of objectives: a week in 17 minutes.
pub(crate) const MOST_TIME_SCALE: u32 = 600;
/// The usual port of the prober's page.
const STATUS_PORT: u16 = 8081;
/// The usual port of a local DynamoDB.
pub(crate) const DYNAMODB_PORT: u16 = 8000;

const STORE: &str = "dynamodb";
const FRONT: &str = "productpage";
const PROBER: &str = "synthetics";
const LOAD: &str = "loadgen";
const CONSOLE: &str = "console";

/// A program that this executable can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Program {
    Console,
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
            Self::Console => CONSOLE,
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
    /// Who takes the telemetry, so that nothing of it is missed.
    Agent,
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
    /// Where it listens for HTTP that a person or another service may ask.
    pub(crate) listens: Option<SocketAddr>,
    /// Where else it listens.
    pub(crate) also_listens: Vec<Door>,
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

/// One more address of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    /// What is taken there.
    pub(crate) what: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

impl Spec {
    /// All addresses it listens on.
    pub(crate) fn doors(&self) -> impl Iterator<Item = Door> {
        let main = self.listens.map(|address| Door {
            what: "HTTP",
            address,
            transport: Transport::Tcp,
        });
        main.into_iter().chain(self.also_listens.iter().copied())
    }

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
    /// Who takes the telemetry.
    pub(crate) agent: Agent,
    /// How many times as fast the clock of objectives runs.
    pub(crate) time_scale: u32,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("--only: there is no `{0}`; there are {names}", names = names().join(", "))]
    UnknownName(String),
    #[error("--only with --no-load and --no-prober leaves nothing to start")]
    Nothing,
    #[error(
        "{first} and {second} cannot both have port {port}: move one of them with --port-base, --dynamodb-port, --console-port or --status-port"
    )]
    SamePort {
        port: u16,
        first: &'static str,
        second: &'static str,
    },
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
        let agent = Agent::new(args, &layout);
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
            Program::Console => matches!(agent, Agent::Console(_)),
            Program::Dynamodb => given.is_none(),
            Program::Loadgen => !args.no_load,
            Program::Synthetics => !args.no_prober,
            _ => true,
        });
        if processes.is_empty() {
            return Err(PlanError::Nothing);
        }
        for spec in &mut processes {
            agent.tell(spec);
        }
        let plan = Self {
            processes,
            store,
            agent,
            time_scale: args.time_scale,
        };
        plan.check_ports()?;
        Ok(plan)
    }

    fn check_ports(&self) -> Result<(), PlanError> {
        let all = self
            .processes
            .iter()
            .flat_map(|spec| spec.doors().map(|door| (spec.name, door)));
        let mut seen: Vec<(&'static str, Door)> = Vec::new();
        for (name, door) in all {
            let port = door.address.port();
            let same = seen.iter().find(|(_, other)| {
                other.address.port() == port && other.transport == door.transport
            });
            if let Some(&(first, _)) = same {
                return Err(PlanError::SamePort {
                    port,
                    first,
                    second: name,
                });
            }
            seen.push((name, door));
        }
        Ok(())
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

    /// The console, where it is started.
    pub(crate) fn console(&self) -> Option<&Spec> {
        self.find(CONSOLE)
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

    /// Whom an order is for: one process, or all that run a program of several.
    pub(crate) fn named(&self, name: &str) -> Vec<&'static str> {
        let is_it = |spec: &&Spec| spec.name == name || spec.program.name() == name;
        let found = self.processes.iter().filter(is_it);
        found.map(|spec| spec.name).collect()
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
        CONSOLE,
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
