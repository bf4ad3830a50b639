//! What runs: the list of processes with their addresses, flags and variables, as data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::cli::UpArgs;

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

/// Time that requests in flight get when a service is told to stop.
const GRACE: &str = "3s";

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
        [FRONT, "details", "ratings", "reviews-v1", "reviews-v2", "reviews-v3"]
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
        Program::Dynamodb | Program::Details | Program::Ratings | Program::Reviews
    )
}

/// Names that `--only` takes.
fn names() -> Vec<&'static str> {
    vec![
        STORE, "details", "ratings", "reviews", "reviews-v1", "reviews-v2", "reviews-v3", FRONT,
        "mymetric", LOAD, PROBER,
    ]
}

/// Who listens where.
struct Layout {
    base: u16,
    listen: IpAddr,
    dynamodb: u16,
}

impl Layout {
    fn new(args: &UpArgs) -> Self {
        let dynamodb = args.dynamodb_port.unwrap_or(match args.port_base {
            PORT_BASE => DYNAMODB_PORT,
            base => base + PORTS,
        });
        Self {
            base: args.port_base,
            listen: args.listen_address,
            dynamodb,
        }
    }

    fn at(&self, offset: u16) -> SocketAddr {
        SocketAddr::new(self.listen, self.base + offset)
    }

    fn dynamodb(&self) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.dynamodb)
    }
}

/// All processes there are, in the order in which they start and are listed.
fn all(args: &UpArgs, layout: &Layout, store: &str, report: &Path) -> Vec<Spec> {
    let [front, details, ratings] = [0, 1, 2].map(|offset| layout.at(offset));
    let reviews = [3, 4, 5].map(|offset| layout.at(offset));
    let shop = format!("http://{}", from_here(front));
    let reached = |address: SocketAddr| from_here(address).to_string();
    let every_review = reviews.map(reached).join(",");

    let mut dynamodb = Spec::new(STORE, Program::Dynamodb, Stage::Store, 6);
    dynamodb.listens = Some(layout.dynamodb());
    dynamodb.ready = "/";
    dynamodb.about = "the store: any AWS tool with --endpoint-url";
    dynamodb.args = vec![
        "--listen-address".into(),
        Ipv4Addr::LOCALHOST.to_string(),
        "--port".into(),
        layout.dynamodb.to_string(),
        // Seeded before it listens: who sees it sees the catalogue, also after a restart.
        "--seed".into(),
        "--table-prefix".into(),
        args.store.table_prefix.clone(),
    ];
    if let Some(data) = &args.data {
        dynamodb.args.push("--data".into());
        dynamodb.args.push(data.display().to_string());
    }

    let on_store = [
        ("DYNAMODB_ENDPOINT", store.to_owned()),
        ("TABLE_PREFIX", args.store.table_prefix.clone()),
    ];
    let mut page = Spec::server(FRONT, Program::Productpage, 2, front);
    page.about = "the shop: open it, read, sign in, rate";
    page.path = "/productpage";
    page.env.extend([
        ("DETAILS_HOSTNAME", reached(details)),
        ("RATINGS_HOSTNAME", reached(ratings)),
        ("REVIEWS_HOSTNAME", every_review),
    ]);
    let mut of_details = Spec::server("details", Program::Details, 4, details);
    of_details.about = "facts of a book";
    of_details.path = "/details/0";
    of_details.env.extend(on_store.clone());
    let mut of_ratings = Spec::server("ratings", Program::Ratings, 4, ratings);
    of_ratings.about = "stars of a book; POST adds some";
    of_ratings.path = "/ratings/0";
    of_ratings.env.extend(on_store.clone());
    let of_reviews = [
        ("reviews-v1", "v1", "reviews without stars", None),
        ("reviews-v2", "v2", "reviews with black stars", Some("black")),
        ("reviews-v3", "v3", "reviews with red stars", Some("red")),
    ];
    let of_reviews = of_reviews.into_iter().zip(reviews).map(
        |((name, version, about, stars), address)| {
            let mut spec = Spec::server(name, Program::Reviews, 3, address);
            spec.about = about;
            spec.path = "/reviews/0";
            spec.env.extend(on_store.clone());
            spec.env.extend([
                ("SERVICE_VERSION", version.to_owned()),
                ("DD_VERSION", version.to_owned()),
                ("HOSTNAME", name.to_owned()),
                ("RATINGS_HOSTNAME", reached(ratings)),
                ("ENABLE_RATINGS", stars.is_some().to_string()),
                ("STAR_COLOR", stars.unwrap_or("black").to_owned()),
            ]);
            spec
        },
    );

    let mut emitter = Spec::new("mymetric", Program::Mymetric, Stage::Services, 5);
    emitter.about = "sends the gauge my_metric to DogStatsD";
    let mut load = Spec::new(LOAD, Program::Loadgen, Stage::Visitors, 0);
    load.about = "goes round the shop, gently";
    load.args = ["--quiet", "--users", "2", "--shopper-weight", "0"].map(String::from).into();
    load.args.extend(["--host".into(), shop.clone()]);
    load.args.extend(["--rate".into(), args.load_rate.to_string()]);
    let mut prober = Spec::new(PROBER, Program::Synthetics, Stage::Visitors, 1);
    prober.about = "probes the shop and judges its answers";
    prober.args = ["run", "--target", &shop].map(String::from).into();
    if let Some(time) = args.run_time {
        prober.ends_by_itself = true;
        prober.args.extend(["--for".into(), humantime::format_duration(time).to_string()]);
        prober.args.extend(["--json".into(), report.display().to_string()]);
    }

    let mut all = vec![page, of_details, of_ratings];
    all.extend(of_reviews);
    all.extend([emitter, load, prober, dynamodb]);
    // The embedded engine takes any key; a real one has no business there.
    let local_keys = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", "us-east-1"),
    ];
    for spec in &mut all {
        if endpoint(args).is_none() && uses_store(spec.program) {
            let keys = local_keys.map(|(name, value)| (name, value.to_owned()));
            spec.env.extend(keys);
        }
        spec.env.push(("DD_SERVICE", spec.program.name().to_owned()));
        spec.env.push(("DD_ENV", args.dd_env.clone()));
        // However they are shown: see `logs`.
        spec.env.push(("LOG_FORMAT", "json".to_owned()));
    }
    all
}

impl Spec {
    fn new(name: &'static str, program: Program, stage: Stage, stop_rank: u8) -> Self {
        Self {
            name,
            program,
            args: Vec::new(),
            env: Vec::new(),
            listens: None,
            ready: web::READY,
            path: "",
            about: "",
            stage,
            stop_rank,
            ends_by_itself: false,
        }
    }

    fn server(name: &'static str, program: Program, stop_rank: u8, at: SocketAddr) -> Self {
        let mut spec = Self::new(name, program, Stage::Services, stop_rank);
        spec.listens = Some(at);
        spec.env = vec![
            ("LISTEN_ADDRESS", at.ip().to_string()),
            ("PORT", at.port().to_string()),
            ("WORKERS", "1".to_owned()),
            ("GRACE_PERIOD", GRACE.to_owned()),
            // Names here are addresses: a domain after them would break them.
            ("SERVICES_DOMAIN", String::new()),
        ];
        spec
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
