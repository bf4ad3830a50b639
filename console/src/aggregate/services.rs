//! What each service sends, and how it answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use super::names::{OTHER, short};
use super::red::Requests;
use super::ring::{Ring, Slot};

/// So many services are told apart; later ones are one together.
const SERVICES: usize = 100;

/// So many routes of a service are told apart.
const ROUTES: usize = 50;

/// The kinds of telemetry.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Spans.
    Traces,
    /// DogStatsD samples and OTLP data points.
    Metrics,
    /// Log lines, by OTLP or as JSON.
    Logs,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    fn index(self) -> usize {
        match self {
            Self::Traces => 0,
            Self::Metrics => 1,
            Self::Logs => 2,
        }
    }
}

/// How much of each kind arrived.
#[derive(Debug, Clone, Copy, Default)]
struct Heard([u32; 3]);

/// All services.
#[derive(Debug, Default)]
pub struct Services {
    by_name: HashMap<Arc<str>, Service>,
}

/// One service.
#[derive(Debug, Default)]
pub struct Service {
    requests: Ring<Requests>,
    routes: BTreeMap<Box<str>, Ring<Requests>>,
    heard: Ring<Heard>,
    last: [Option<SystemTime>; 3],
    total: [u64; 3],
    versions: Vec<Box<str>>,
}

impl Services {
    /// The name under which a service is shown.
    pub fn name(&mut self, service: &str) -> Arc<str> {
        let service = short(service);
        if let Some((name, _)) = self.by_name.get_key_value(service) {
            return Arc::clone(name);
        }
        let name: Arc<str> = if self.by_name.len() < SERVICES {
            service.into()
        } else {
            OTHER.into()
        };
        self.by_name.entry(Arc::clone(&name)).or_default();
        name
    }

    /// Notes that something of it arrived.
    pub(super) fn heard(&mut self, service: &Arc<str>, kind: Kind, slot: Slot, now: SystemTime) {
        let Some(service) = self.by_name.get_mut(service) else {
            return;
        };
        let at = kind.index();
        if let Some(count) = service.heard.at(slot).0.get_mut(at) {
            *count = count.saturating_add(1);
        }
        if let (Some(last), Some(total)) = (service.last.get_mut(at), service.total.get_mut(at)) {
            *last = Some(now);
            *total += 1;
        }
    }

    /// Counts a request.
    pub(super) fn request(
        &mut self,
        service: &Arc<str>,
        route: &str,
        slot: Slot,
        take: impl Fn(&mut Requests),
    ) {
        let Some(service) = self.by_name.get_mut(service) else {
            return;
        };
        take(service.requests.at(slot));
        let route = short(route);
        let room = service.routes.len() < ROUTES;
        match service.routes.get_mut(route) {
            Some(ring) => take(ring.at(slot)),
            None => {
                let name = if room { route } else { OTHER };
                take(service.routes.entry(name.into()).or_default().at(slot));
            }
        }
    }

    /// Remembers a version of a service, of the first few.
    pub(super) fn version(&mut self, service: &Arc<str>, version: &str) {
        if let Some(service) = self.by_name.get_mut(service)
            && service.versions.len() < 8
            && !service
                .versions
                .iter()
                .any(|known| **known == *short(version))
        {
            service.versions.push(short(version).into());
            service.versions.sort();
        }
    }

    /// All services by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&Arc<str>, &Service)> {
        let mut all: Vec<_> = self.by_name.iter().collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// One service.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.by_name.get(name)
    }

    /// Lets go what is too old: a service of which nothing is left gives its place back.
    pub(super) fn trim(&mut self, oldest: Slot) {
        self.by_name.retain(|_, service| {
            service.requests.trim(oldest);
            service.heard.trim(oldest);
            service.routes.retain(|_, ring| {
                ring.trim(oldest);
                !ring.is_empty()
            });
            !service.heard.is_empty() || !service.requests.is_empty()
        });
    }

    pub(super) fn bytes(&self) -> usize {
        let services = self.by_name.values();
        services
            .map(|service| {
                let routes = service.routes.values();
                512 + service.heard.heap_bytes(|_| 0)
                    + service.requests.heap_bytes(Requests::heap_bytes)
                    + routes
                        .map(|ring| 128 + ring.heap_bytes(Requests::heap_bytes))
                        .sum::<usize>()
            })
            .sum()
    }
}

impl Service {
    /// Its requests.
    #[must_use]
    pub fn requests(&self) -> &Ring<Requests> {
        &self.requests
    }

    /// Its requests by route.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &Ring<Requests>)> {
        self.routes.iter().map(|(route, ring)| (&**route, ring))
    }

    /// How many items of a kind it sent from a slot on.
    #[must_use]
    pub fn heard_since(&self, kind: Kind, from: Slot) -> u64 {
        let at = kind.index();
        let counts = self
            .heard
            .since(from)
            .filter_map(|(_, heard)| heard.0.get(at));
        counts.map(|count| u64::from(*count)).sum()
    }

    /// How many items of a kind it sent in all.
    #[must_use]
    pub fn total(&self, kind: Kind) -> u64 {
        self.total.get(kind.index()).copied().unwrap_or(0)
    }

    /// When the last item of a kind came.
    #[must_use]
    pub fn last(&self, kind: Kind) -> Option<SystemTime> {
        self.last.get(kind.index()).copied().flatten()
    }

    /// Its versions, as far as its telemetry names them.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(|version| &**version)
    }
}
