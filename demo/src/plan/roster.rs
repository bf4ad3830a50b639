//! Everything there is to start, with its addresses, flags and variables.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::STATUS_PORT;
use super::agent::{DOGSTATSD_PORT, OTLP_GRPC_PORT, OTLP_HTTP_PORT, PAGES_PORT, Ways};
use super::{
    CONSOLE, DYNAMODB_PORT, Door, FRONT, LOAD, PORT_BASE, PORTS, PROBER, Program, STORE, Spec,
    Stage, Transport, endpoint, from_here, uses_store,
};
use crate::cli::UpArgs;

/// Time that requests in flight get when a service is told to stop.
const GRACE: &str = "3s";
/// What is logged: the web framework's own words on starting and stopping tell nothing new.
const LOG_FILTER: &str = "info,actix_server=warn";

/// Usual time between two probes of a check, and for one; the defaults of the prober.
const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);
/// Not more often: six checks from four places are 24 probes a second.
const SHORTEST: Duration = Duration::from_secs(1);

/// Who listens where.
pub(super) struct Layout {
    base: u16,
    listen: IpAddr,
    pub(super) dynamodb: u16,
    console: u16,
    status: u16,
}

/// What a gate is told of the demo on these ports.
pub(crate) fn gate_env(port_base: u16) -> Vec<(&'static str, String)> {
    let local = |port| format!("http://{}", SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut env = vec![
        ("SYNTHETICS_TARGET", local(port_base)),
        ("DYNAMODB_ENDPOINT", local(dynamodb_port(port_base))),
    ];
    env.extend(LOCAL_KEYS.map(|(name, value)| (name, value.to_owned())));
    env
}

/// The embedded engine takes any key; a real one has no business there.
const LOCAL_KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_REGION", "us-east-1"),
];

fn dynamodb_port(port_base: u16) -> u16 {
    match port_base {
        PORT_BASE => DYNAMODB_PORT,
        base => base.saturating_add(PORTS),
    }
}

impl Layout {
    pub(super) fn new(args: &UpArgs) -> Self {
        let dynamodb = args.dynamodb_port.unwrap_or(dynamodb_port(args.port_base));
        let mut layout = Self {
            base: args.port_base,
            listen: args.listen_address,
            dynamodb,
            console: 0,
            status: 0,
        };
        layout.console = args.console_port.unwrap_or(layout.port(10, PAGES_PORT));
        layout.status = args.status_port.unwrap_or(layout.port(14, STATUS_PORT));
        layout
    }

    /// The usual port where the base is the usual one, else the one that far above the base.
    fn port(&self, offset: u16, usual: u16) -> u16 {
        match self.base {
            PORT_BASE => usual,
            base => base + offset,
        }
    }

    /// Where the prober shows its page.
    fn status(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.status)
    }

    /// Where the console takes telemetry.
    pub(super) fn ways(&self) -> Ways {
        let at = |offset, usual| SocketAddr::new(self.listen, self.port(offset, usual));
        Ways {
            dogstatsd: at(11, DOGSTATSD_PORT),
            otlp_grpc: at(12, OTLP_GRPC_PORT),
            otlp_http: at(13, OTLP_HTTP_PORT),
        }
    }

    fn at(&self, offset: u16) -> SocketAddr {
        SocketAddr::new(self.listen, self.base + offset)
    }

    pub(super) fn dynamodb(&self) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.dynamodb)
    }
}

/// The versions of the reviews service, in the order of their ports.
const REVIEWS: [&str; 3] = ["reviews-v1", "reviews-v2", "reviews-v3"];

/// All processes there are, in the order in which they start and are listed.
pub(super) fn all(args: &UpArgs, layout: &Layout, store: &str, report: &Path) -> Vec<Spec> {
    let [front, details, ratings] = [0, 1, 2].map(|offset| layout.at(offset));
    let reviews = [3, 4, 5].map(|offset| layout.at(offset));
    let shop = format!("http://{}", from_here(front));
    let reached = |address: SocketAddr| from_here(address).to_string();
    // The page asks those that run; where none is chosen, those that somebody else may start.
    let chosen = |version: &str| {
        args.only
            .iter()
            .any(|name| name == version || name == "reviews")
    };
    let named = REVIEWS.into_iter().zip(reviews);
    let running: Vec<_> = named
        .clone()
        .filter(|(version, _)| chosen(version))
        .collect();
    let asked = if running.is_empty() {
        named.collect()
    } else {
        running
    };
    let every_review = asked
        .into_iter()
        .map(|(_, at)| reached(at))
        .collect::<Vec<_>>()
        .join(",");

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
    // Made here, so that a productpage that comes back still knows who is signed in.
    let key = args.session_key.clone().unwrap_or_else(random_key);
    page.env.push(("SESSION_KEY", key));
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
        (
            "reviews-v2",
            "v2",
            "reviews with black stars",
            Some("black"),
        ),
        ("reviews-v3", "v3", "reviews with red stars", Some("red")),
    ];
    let of_reviews =
        of_reviews
            .into_iter()
            .zip(reviews)
            .map(|((name, version, about, stars), address)| {
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
            });

    let mut emitter = Spec::new("mymetric", Program::Mymetric, Stage::Services, 5);
    emitter.about = "sends the gauge my_metric to DogStatsD";
    let mut load = Spec::new(LOAD, Program::Loadgen, Stage::Visitors, 0);
    load.about = "goes round the shop, gently";
    load.args = ["--quiet", "--shopper-weight", "0"]
        .map(String::from)
        .into();
    load.args.extend(["--host".into(), shop.clone()]);
    load.args
        .extend(["--rate".into(), args.load_rate.to_string()]);
    let mut prober = Spec::new(PROBER, Program::Synthetics, Stage::Visitors, 1);
    prober.about = "the status page: probes the shop and judges its answers";
    prober.path = "/";
    prober.listens = Some(layout.status());
    prober.env = vec![
        ("SYNTHETICS_LISTEN_ADDRESS", args.listen_address.to_string()),
        ("SYNTHETICS_PORT", layout.status.to_string()),
    ];
    prober.args = ["run", "--target", &shop].map(String::from).into();
    if !args.no_simulate {
        prober.args.push("--simulate".into());
    }
    if args.time_scale > 1 {
        prober
            .args
            .extend(["--time-scale".into(), args.time_scale.to_string()]);
        let [interval, timeout] =
            pace(args.time_scale).map(|time| humantime::format_duration(time).to_string());
        prober.env.push(("SYNTHETICS_INTERVAL", interval));
        prober.env.push(("SYNTHETICS_TIMEOUT", timeout));
    }
    if endpoint(args).is_none() {
        prober.env.extend(on_store.clone());
        // Its history goes where everything is; in a DynamoDB that is given, who has it decides.
        prober
            .env
            .push(("SYNTHETICS_CREATE_TABLE", true.to_string()));
    }
    if let Some(time) = args.run_time {
        prober.ends_by_itself = true;
        prober
            .args
            .extend(["--for".into(), humantime::format_duration(time).to_string()]);
        prober
            .args
            .extend(["--json".into(), report.display().to_string()]);
    }

    let mut all = vec![page, console(layout, args), of_details, of_ratings];
    all.extend(of_reviews);
    all.extend([emitter, load, dynamodb]);
    all.insert(2, prober);
    for spec in &mut all {
        if endpoint(args).is_none() && uses_store(spec.program) {
            let keys = LOCAL_KEYS.map(|(name, value)| (name, value.to_owned()));
            spec.env.extend(keys);
        }
        spec.env
            .push(("DD_SERVICE", spec.program.name().to_owned()));
        spec.env.push(("DD_ENV", args.dd_env.clone()));
        // However they are shown: see `logs`.
        spec.env.push(("LOG_FORMAT", "json".to_owned()));
        let filter = args.log_filter.as_deref().unwrap_or(LOG_FILTER);
        spec.env.push(("RUST_LOG", filter.to_owned()));
    }
    all
}

/// From one probe to the next, and the longest time for one, where the clock of objectives runs so
/// many times as fast: each of its minutes is measured, as far as that costs the machine little.
///
/// A time-out has to fit into its interval: probes would overlap, and the prober refuses that. So where a
/// minute is shorter than two seconds, a probe has no two seconds either, and from a factor of 60 on one
/// alone, although a busy machine may need more. Probing every two seconds instead would leave half
/// of these minutes unmeasured.
fn pace(time_scale: u32) -> [Duration; 2] {
    let minute = Duration::from_secs(60) / time_scale.max(1);
    let interval = minute.clamp(SHORTEST, INTERVAL);
    [interval, interval.min(TIMEOUT)]
}

/// First to start and last to stop, so that it sees all.
fn console(layout: &Layout, args: &UpArgs) -> Spec {
    let ways = layout.ways();
    let pages = SocketAddr::new(layout.listen, layout.console);
    let mut spec = Spec::new(CONSOLE, Program::Console, Stage::Agent, 7);
    spec.about = "what all of it does: map, traces, metrics, logs, objectives, monitors";
    spec.path = "/";
    spec.ready = "/readyz";
    spec.listens = Some(pages);
    spec.also_listens = vec![
        Door {
            what: "DogStatsD",
            address: ways.dogstatsd,
            transport: Transport::Udp,
        },
        Door {
            what: "OTLP by gRPC",
            address: ways.otlp_grpc,
            transport: Transport::Tcp,
        },
        Door {
            what: "OTLP by HTTP",
            address: ways.otlp_http,
            transport: Transport::Tcp,
        },
    ];
    spec.env = vec![
        ("CONSOLE_LISTEN_ADDRESS", pages.ip().to_string()),
        ("CONSOLE_PORT", pages.port().to_string()),
        ("CONSOLE_DOGSTATSD_PORT", ways.dogstatsd.port().to_string()),
        ("CONSOLE_OTLP_GRPC_PORT", ways.otlp_grpc.port().to_string()),
        ("CONSOLE_OTLP_HTTP_PORT", ways.otlp_http.port().to_string()),
    ];
    if !args.no_prober {
        let status = format!("http://{}/", from_here(layout.status()));
        spec.env.push(("CONSOLE_SYNTHETICS_URL", status));
    }
    spec
}

impl Spec {
    fn new(name: &'static str, program: Program, stage: Stage, stop_rank: u8) -> Self {
        Self {
            name,
            program,
            args: Vec::new(),
            env: Vec::new(),
            listens: None,
            also_listens: Vec::new(),
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

/// 32 random bytes, as text.
fn random_key() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}
