//! The sockets: everything that the Agent listens on, each one bound before [`Receivers::bind`] returns.

mod body;
mod datagram;
mod export;
mod grpc;
mod http;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use site::{Protocol, Room};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::store::{Limits, Source, Store};
use datagram::Datagrams;
use export::Exports;

/// How long [`Receivers::shutdown`] waits for requests under way.
const GRACE: Duration = Duration::from_secs(2);

/// Where to listen. Port 0 takes any free port; [`Receivers::addresses`] says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// DogStatsD over UDP.
    pub dogstatsd: SocketAddr,
    /// DogStatsD over a Unix datagram socket, if wanted: the file to make. A socket that a dead process left there is replaced.
    pub dogstatsd_socket: Option<PathBuf>,
    /// OTLP over HTTP.
    pub otlp_http: SocketAddr,
    /// OTLP over gRPC.
    pub otlp_grpc: SocketAddr,
}

impl Addresses {
    /// Free ports on the loopback interface, no Unix socket: for tests.
    #[must_use]
    pub fn loopback() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            dogstatsd: any,
            dogstatsd_socket: None,
            otlp_http: any,
            otlp_grpc: any,
        }
    }

    /// The Agent's ports on the loopback interface, no Unix socket.
    #[must_use]
    pub fn agent() -> Self {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            dogstatsd: at(8125),
            dogstatsd_socket: None,
            otlp_http: at(4318),
            otlp_grpc: at(4317),
        }
    }

    /// Also a Unix datagram socket.
    #[must_use]
    pub fn with_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.dogstatsd_socket = Some(path.into());
        self
    }
}

/// What a sender may ask of the receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// The largest body of an OTLP request, in bytes, packed and unpacked.
    pub body: usize,
    /// The largest OTLP request once decoded, in bytes of memory.
    pub decoded: usize,
    /// The memory of all requests under way together, in bytes. Who finds it taken is told to try again.
    pub under_way: usize,
    /// How many connections a port has open; further ones wait.
    pub connections: usize,
    /// How long a sender may take for a request's head, and for its body.
    pub patience: Duration,
}

impl Default for Intake {
    /// 16 MiB a body, 128 MiB decoded, 256 MiB under way, 256 connections, 10 seconds.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            decoded: 128 << 20,
            under_way: 256 << 20,
            connections: 256,
            patience: Duration::from_secs(10),
        }
    }
}

impl Intake {
    pub(crate) fn room(self) -> Room {
        Room {
            connections: self.connections,
            patience: self.patience,
        }
    }
}

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for {what} on {address}")]
pub struct BindError {
    /// What for.
    pub what: &'static str,
    /// Where.
    pub address: String,
    /// Why not.
    pub source: io::Error,
}

impl BindError {
    fn new(what: &'static str, address: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            what,
            address: address.to_string(),
            source,
        }
    }
}

/// The receivers, at work. Dropping them stops them at once; [`shutdown`](Self::shutdown) lets them finish what they have.
#[derive(Debug)]
pub struct Receivers {
    store: Store,
    addresses: Addresses,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Receivers {
    /// Listens, with a new store and all limits at their defaults.
    ///
    /// # Errors
    /// [`BindError`], if an address cannot be listened on.
    pub async fn bind(addresses: Addresses) -> Result<Self, BindError> {
        Self::bind_with(addresses, Store::new(Limits::default()), Intake::default()).await
    }

    /// Listens, with a store and limits of one's own.
    ///
    /// # Errors
    /// [`BindError`], if an address cannot be listened on.
    pub async fn bind_with(
        mut addresses: Addresses,
        store: Store,
        intake: Intake,
    ) -> Result<Self, BindError> {
        let udp = Datagrams::udp(addresses.dogstatsd)
            .map_err(BindError::new("DogStatsD over UDP", addresses.dogstatsd))?;
        addresses.dogstatsd = udp.local_addr().unwrap_or(addresses.dogstatsd);
        let (http, at) = listen("OTLP over HTTP", addresses.otlp_http).await?;
        addresses.otlp_http = at;
        let (grpc, at) = listen("OTLP over gRPC", addresses.otlp_grpc).await?;
        addresses.otlp_grpc = at;
        let unix = match &addresses.dogstatsd_socket {
            Some(path) => {
                let unix = Datagrams::unix(path)
                    .map_err(BindError::new("DogStatsD on a Unix socket", path.display()))?;
                Some(unix)
            }
            None => None,
        };

        let stop = CancellationToken::new();
        let exports = Arc::new(Exports::new(store.clone(), intake));
        let mut tasks = JoinSet::new();
        tasks.spawn(datagram::receive(
            udp,
            None,
            Source::Udp,
            store.clone(),
            stop.clone(),
        ));
        if let Some((unix, file)) = unix {
            tasks.spawn(datagram::receive(
                unix,
                Some(file),
                Source::Unix,
                store.clone(),
                stop.clone(),
            ));
        }
        let app = http::router(Arc::clone(&exports));
        tasks.spawn(site::serve(
            http,
            Protocol::Http1,
            app,
            intake.room(),
            stop.clone(),
        ));
        let app = grpc::router(exports);
        tasks.spawn(site::serve(
            grpc,
            Protocol::Http2,
            app,
            intake.room(),
            stop.clone(),
        ));
        Ok(Self {
            store,
            addresses,
            stop,
            tasks,
        })
    }

    /// What arrived.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Where it listens, with the ports that port 0 became.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// `udp://address:port`, as `DD_DOGSTATSD_URL` has it.
    #[must_use]
    pub fn dogstatsd_url(&self) -> String {
        format!("udp://{}", self.addresses.dogstatsd)
    }

    /// `unix://path`, as `DD_DOGSTATSD_URL` has it, if there is such a socket.
    #[must_use]
    pub fn dogstatsd_socket_url(&self) -> Option<String> {
        self.addresses
            .dogstatsd_socket
            .as_ref()
            .map(|path| format!("unix://{}", path.display()))
    }

    /// `http://address:port`, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it for `http/protobuf` and `http/json`.
    #[must_use]
    pub fn otlp_http_url(&self) -> String {
        format!("http://{}", self.addresses.otlp_http)
    }

    /// `http://address:port`, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it for `grpc`.
    #[must_use]
    pub fn otlp_grpc_url(&self) -> String {
        format!("http://{}", self.addresses.otlp_grpc)
    }

    /// How many UDP datagrams the kernel threw away because they came faster than they were read. `None` where it does not say.
    #[must_use]
    pub fn datagrams_lost(&self) -> Option<u64> {
        datagram::lost(self.addresses.dogstatsd)
    }

    /// The same for somebody else to ask.
    pub(crate) fn lost(&self) -> Box<dyn Fn() -> Option<u64> + Send + Sync> {
        let address = self.addresses.dogstatsd;
        Box::new(move || datagram::lost(address))
    }

    /// Stops listening, takes what has arrived already, and waits at most two seconds for requests under way. The store stays.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!(
                grace_ms = GRACE.as_millis(),
                "requests under way were cut off"
            );
        }
    }
}

async fn listen(
    what: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), BindError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(BindError::new(what, address))?;
    let at = listener
        .local_addr()
        .map_err(BindError::new(what, address))?;
    Ok((listener, at))
}
