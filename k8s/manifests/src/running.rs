//! What runs fits what is written: variables, arguments, ports, probes, and the time that a pod gets to end.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use drift::tree::Node;

use crate::Finder;
use crate::edges::{Running, running};
use crate::foreign;
use crate::object::{scalar, whole};
use crate::programs::of_image;

/// For the last telemetry after a service has drained; see `crates/telemetry`.
const LAST_TELEMETRY: Duration = Duration::from_secs(2);
/// What Kubernetes gives where nothing is written.
const DEFAULT_TERMINATION: u64 = 30;
/// Paths that the servers of ours answer, by what they run; the tests ask them.
pub const PATHS: [(&str, &[&str]); 7] = [
    ("details", &["/livez", "/readyz"]),
    ("productpage", &["/livez", "/readyz"]),
    ("ratings", &["/livez", "/readyz"]),
    ("reviews", &["/livez", "/readyz"]),
    ("console", &["/livez", "/readyz"]),
    ("synthetics", &["/livez", "/readyz"]),
    ("bookwatch", &["/"]),
];

pub(crate) fn check(find: &mut Finder) {
    let build = find.build;
    let (programs, faults) = running(build);
    for fault in faults {
        find.faults.push(fault);
    }
    for program in &programs {
        ports(find, program);
        termination(find, program);
        probes(find, program);
    }
    for pod in build.pods() {
        for container in pod.containers() {
            if of_image(container.image()).is_none() {
                foreign::check(find, &pod, container);
            }
        }
    }
}

/// Port and protocol of each thing that it listens on.
fn listens(program: &Running) -> BTreeSet<(u16, &'static str)> {
    let settings = &program.settings;
    let port = |id: &str| settings.get(id).and_then(|port| port.parse::<u16>().ok());
    let tcp = ["port", "otlp_http_port", "otlp_grpc_port"];
    let mut all: BTreeSet<_> = tcp
        .iter()
        .filter_map(|id| port(id))
        .map(|p| (p, "TCP"))
        .collect();
    // A program that has `dogstatsd_port` is told by that where to send; the console listens on it.
    if settings.get("memory_budget").is_some() {
        all.extend(port("dogstatsd_port").map(|port| (port, "UDP")));
    }
    all
}

fn ports(find: &mut Finder, program: &Running) {
    let owner = program.pod.owner;
    let named = |what: String| format!("container {}: {what}", program.container.name());
    let listens = listens(program);
    let written: BTreeSet<_> = program
        .container
        .ports()
        .map(|(_, n, on)| (n, on))
        .collect();
    for (port, protocol) in listens.difference(&written) {
        find.say(
            owner,
            named(format!(
                "the program listens on {port}/{protocol}, which is not written"
            )),
        );
    }
    for (port, protocol) in written.difference(&listens) {
        find.say(
            owner,
            named(format!(
                "{port}/{protocol} is written, and the program does not listen on it"
            )),
        );
    }
    if !listens.is_empty() {
        let address = program.settings.get("listen_address").unwrap_or_default();
        find.unless(
            address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_unspecified()),
            owner,
            named(format!(
                "it listens on {address}, where no other pod reaches it"
            )),
        );
        let probes = program.container.probes().count();
        find.unless(
            probes == 3,
            owner,
            named("it listens, and lacks one of the three probes".to_owned()),
        );
    }
}

fn termination(find: &mut Finder, program: &Running) {
    let owner = program.pod.owner;
    let time = |id| {
        let text = program.settings.get(id).unwrap_or_default();
        humantime::parse_duration(&text).unwrap_or_default()
    };
    let needed = time("drain_delay") + time("grace_period") + time("grace") + LAST_TELEMETRY;
    let given = program
        .pod
        .spec
        .get("terminationGracePeriodSeconds")
        .and_then(Node::number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a pod, from 0 to some hundred"
    )]
    let given = Duration::from_secs(given.map_or(DEFAULT_TERMINATION, |seconds| seconds as u64));
    find.unless(
        given >= needed,
        owner,
        format!("it is killed after {given:?}, and needs {needed:?} to drain and to send its last telemetry"),
    );
    let serves = program.settings.get("drain_delay").is_some();
    find.unless(
        !serves || time("drain_delay") >= Duration::from_secs(2),
        owner,
        "DRAIN_DELAY is shorter than a cluster needs to hear that it is not ready any more",
    );
}

fn probes(find: &mut Finder, program: &Running) {
    let owner = program.pod.owner;
    let image = program.container.image();
    let known = PATHS
        .iter()
        .find(|(name, _)| image.contains(&format!("bookwatch/{name}:")))
        .map_or(&[][..], |(_, paths)| paths);
    for (probe, node) in program.container.probes() {
        let named =
            |what: String| format!("container {}: {probe} {what}", program.container.name());
        let path = node
            .at(&["httpGet", "path"])
            .map(scalar)
            .unwrap_or_default();
        find.unless(
            known.contains(&path.as_str()),
            owner,
            named(format!("asks {path}, which it does not answer")),
        );
        if let Some(port) = node.at(&["httpGet", "port"]).and_then(whole) {
            find.unless(
                listens(program).contains(&(port, "TCP")),
                owner,
                named(format!("asks port {port}, where it does not listen")),
            );
        }
        let wanted = match probe {
            "readinessProbe" => known.last(),
            _ => known.first(),
        };
        find.unless(
            wanted == Some(&path.as_str()),
            owner,
            named(format!("asks {path}, the other probe's question")),
        );
    }
}
