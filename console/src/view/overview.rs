//! The services, and who calls whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregate::map::NodeKind;
use crate::aggregate::red::{Red, Requests};
use crate::aggregate::services::Kind;
use crate::store::Store;

/// The service map with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// The figures are of the last so many seconds.
    pub window_s: f64,
    /// Everything that sends telemetry or is called, by name.
    pub nodes: Vec<Node>,
    /// Who calls whom, by names.
    pub edges: Vec<Edge>,
}

/// Something that sends telemetry or is called.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its versions, as far as its telemetry names them.
    pub versions: Vec<String>,
    /// Whether it sends spans: one that sends only metrics or logs has no requests to show.
    pub traced: bool,
    /// Whether it has answered requests: one that only asks has none to show.
    pub answers: bool,
    /// The requests it answered; of a database or an unknown address, the calls of it.
    pub red: Red,
}

/// Calls from one to the other, as the caller saw them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Edge {
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// What is called.
    pub kind: NodeKind,
    /// The calls.
    pub red: Red,
}

/// The requests of one route.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Route {
    /// The service.
    pub service: String,
    /// Method and template, or the span's name.
    pub route: String,
    /// The requests.
    pub red: Red,
}

/// Reads the map.
#[must_use]
pub fn overview(store: &Store, window: Duration) -> Overview {
    let read = store.read(|figures, now| {
        let window = figures.window(now, window);
        let mut nodes: BTreeMap<Arc<str>, Node> = BTreeMap::new();
        for (name, service) in figures.services.sorted() {
            let red = service.requests().sum(window.from).over(window.length);
            let node = Node {
                name: name.to_string(),
                kind: NodeKind::Service,
                versions: service.versions().map(str::to_owned).collect(),
                traced: service.total(Kind::Traces) > 0,
                answers: !service.requests().is_empty(),
                red,
            };
            nodes.insert(Arc::clone(name), node);
        }
        let mut called: BTreeMap<Arc<str>, (NodeKind, Requests)> = BTreeMap::new();
        let mut edges = Vec::new();
        for ((from, to), edge) in figures.map.edges() {
            let calls = edge.calls.sum(window.from);
            // One that sends no spans, a database that only logs say, is known by its calls.
            if nodes.get(to).is_none_or(|node| !node.traced) {
                let node = called.entry(Arc::clone(to));
                let (_, sum) = node.or_insert_with(|| (edge.kind, Requests::default()));
                sum.merge(&calls);
            }
            edges.push(Edge {
                from: from.to_string(),
                to: to.to_string(),
                kind: edge.kind,
                red: calls.over(window.length),
            });
        }
        for (name, (kind, calls)) in called {
            let node = Node {
                versions: nodes
                    .remove(&name)
                    .map(|node| node.versions)
                    .unwrap_or_default(),
                name: name.to_string(),
                kind,
                traced: false,
                answers: true,
                red: calls.over(window.length),
            };
            nodes.insert(name, node);
        }
        edges.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        Overview {
            window_s: window.length.as_secs_f64(),
            nodes: nodes.into_values().collect(),
            edges,
        }
    });
    read.unwrap_or(Overview {
        window_s: window.as_secs_f64(),
        nodes: Vec::new(),
        edges: Vec::new(),
    })
}

/// Reads the requests by route, of all services or of one, and of all routes or of one.
#[must_use]
pub fn routes(
    store: &Store,
    window: Duration,
    service: Option<&str>,
    route: Option<&str>,
) -> Vec<Route> {
    let read = store.read(|figures, now| {
        let window = figures.window(now, window);
        let mut all = Vec::new();
        for (name, found) in figures.services.sorted() {
            if service.is_some_and(|wanted| wanted != &**name) {
                continue;
            }
            for (path, requests) in found.routes() {
                if route.is_none_or(|wanted| wanted == path) {
                    all.push(Route {
                        service: name.to_string(),
                        route: path.to_owned(),
                        red: requests.sum(window.from).over(window.length),
                    });
                }
            }
        }
        all
    });
    read.unwrap_or_default()
}

impl Overview {
    /// Which services call nobody and are called by nobody: emitters, probers, load.
    pub fn lone(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| {
            !self
                .edges
                .iter()
                .any(|edge| edge.from == node.name || edge.to == node.name)
        })
    }
}
