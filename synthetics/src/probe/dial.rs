//! Opening connections: name, address, TLS, each in its phase and each past the guard.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::guard::Guard;
use super::phases::{Phase, Stopwatch};
use super::tls::{Protocols, TlsClient};
use super::{Failure, FailureKind};

/// Most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Opens connections to what the guard permits. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    pub(crate) guard: Arc<Guard>,
    /// Trusts the system's certificate authorities.
    pub(crate) system: TlsClient,
    /// Added to each round trip of a probe that plays another location.
    pub(crate) far: Option<Far>,
}

/// What makes a location look far away. Whatever is measured with it is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Far {
    /// Added to each round trip.
    pub delay: Duration,
    /// Added on top, evenly spread between none and this.
    pub jitter: Duration,
    /// Share of connections that are lost, from 0 to 1.
    pub loss: f64,
}

impl Dialer {
    /// Waits for as long as a round trip from far away takes.
    pub(crate) async fn round_trip(&self) {
        if let Some(far) = self.far {
            let share = rand::random::<f64>();
            tokio::time::sleep(far.delay + far.jitter.mul_f64(share)).await;
        }
    }

    /// Resolves `host` and connects to the first of its addresses that answers; each of them is
    /// past the guard. `budget` is the time that there is: no address takes more than its share.
    pub(crate) async fn connect(
        &self,
        host: &str,
        port: u16,
        budget: Duration,
        watch: &mut Stopwatch,
    ) -> Result<TcpStream, Failure> {
        watch.enter(Phase::Dns);
        let addresses = self.resolve(host, port).await?;
        watch.enter(Phase::Connect);
        if let Some(far) = self.far
            && rand::random::<f64>() < far.loss
        {
            let detail = "lost, as this simulated location has it";
            return Err(Failure::new(FailureKind::Connect, detail));
        }
        self.round_trip().await;
        let tried = u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut last = None;
        for address in addresses {
            let connect = tokio::time::timeout(budget / tried, TcpStream::connect(address));
            let error = match connect.await {
                Ok(Ok(stream)) => {
                    // A probe is a few small packets; none of them waits for another.
                    stream.set_nodelay(true).map_err(|e| broken(&e))?;
                    return Ok(stream);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            last = Some(format!("{address}: {error}"));
        }
        let detail = last.unwrap_or_else(|| format!("`{host}` has no address"));
        Err(Failure::new(FailureKind::Connect, &detail))
    }

    /// Addresses of `host`, all past the guard. A name of which one address is forbidden is
    /// refused as a whole: which address comes first is not ours to say.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let forbidden = |error: super::guard::Forbidden| {
            Failure::new(FailureKind::Forbidden, &error.to_string())
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            self.guard.permits(host, address).map_err(forbidden)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if !self.guard.permits_name(host) && !self.guard.has_networks() {
            // Not even the name goes to a name server.
            let host = host.to_owned();
            return Err(forbidden(super::guard::Forbidden::Host { host }));
        }
        let found = tokio::net::lookup_host((host, port)).await;
        let found: Vec<_> = found
            .map_err(|error| {
                Failure::new(
                    FailureKind::Dns,
                    &format!("`{host}` is not resolved: {error}"),
                )
            })?
            .take(MOST_ADDRESSES)
            .collect();
        for address in &found {
            let permitted = self.guard.permits(host, address.ip());
            permitted.map_err(forbidden)?;
        }
        if found.is_empty() {
            let detail = format!("`{host}` has no address");
            return Err(Failure::new(FailureKind::Dns, &detail));
        }
        Ok(found)
    }

    /// Agrees on TLS over `stream` for `name`.
    pub(crate) async fn secure(
        &self,
        stream: TcpStream,
        name: &str,
        client: Option<&TlsClient>,
        protocols: Protocols,
        watch: &mut Stopwatch,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        watch.enter(Phase::Tls);
        self.round_trip().await;
        let failure = |detail: &str| Failure::new(FailureKind::Tls, detail);
        let client = client.unwrap_or(&self.system);
        let config = client.config(protocols).map_err(|error| failure(&error))?;
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| failure(&format!("no certificate can be for `{name}`")))?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| match error.kind() {
            // The peer went away in the middle; that is no opinion on TLS.
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => broken(&error),
            _ => failure(&error.to_string()),
        })
    }
}

/// The server's own certificate.
pub(crate) fn certificate(stream: &TlsStream<TcpStream>) -> Option<CertificateDer<'static>> {
    let chain = stream.get_ref().1.peer_certificates()?;
    chain.first().map(|leaf| leaf.clone().into_owned())
}

/// A connection that broke.
pub(crate) fn broken(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Protocol, &error.to_string())
}
