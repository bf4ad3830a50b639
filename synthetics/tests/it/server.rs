//! A server for probes to talk to: HTTP/1.1 and HTTP/2, with and without TLS.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use synthetics::probe::tls::{TlsClient, Trust};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server answers: to the request, with its whole body.
pub(crate) type Handler = fn(&Request<Incoming>, &str) -> Response<String>;

/// An authority that signs certificates for tests.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a certificate");
        let (root, pem) = (root.der().clone(), root.pem());
        let issuer = Issuer::new(params, key);
        Self { issuer, root, pem }
    }

    /// A client that trusts this authority.
    pub(crate) fn client(&self) -> TlsClient {
        TlsClient::new(Trust::Also(vec![self.root.clone()]))
    }

    /// A certificate for 127.0.0.1 and `localhost` that is good for so many seconds from now.
    fn sign(&self, seconds: i64) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        let clock = synthetics::clock::SystemClock::new();
        let now = synthetics::clock::Clock::now(&clock).as_micros() / 1_000_000;
        let at = |seconds: i64| {
            let unix = i64::try_from(now).expect("this century") + seconds;
            rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(unix.unsigned_abs())
        };
        params.not_before = at(seconds.min(0) - 86_400);
        params.not_after = at(seconds);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        (certificate.der().clone(), key)
    }

    /// Its own certificate, as a file has it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A server with a certificate that is good for so many seconds, speaking `protocols`.
    pub(crate) async fn serve(
        &self,
        seconds: i64,
        protocols: &[&str],
        handler: Handler,
    ) -> SocketAddr {
        listen(Some(self.acceptor(seconds, protocols)), handler).await
    }

    /// The server's side of TLS, with such a certificate.
    pub(crate) fn acceptor(&self, seconds: i64, protocols: &[&str]) -> TlsAcceptor {
        let (certificate, key) = self.sign(seconds);
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("TLS 1.2 and 1.3")
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .expect("the key fits");
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server without TLS.
pub(crate) async fn serve(handler: Handler) -> SocketAddr {
    listen(None, handler).await
}

async fn listen(tls: Option<TlsAcceptor>, handler: Handler) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let service = service_fn(move |mut request: Request<Incoming>| async move {
                    let body = request
                        .body_mut()
                        .collect()
                        .await
                        .map(|body| body.to_bytes());
                    let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
                    let answer = handler(&request, &body);
                    Ok::<_, Infallible>(answer.map(|text| Full::new(Bytes::from(text))))
                });
                let builder = auto::Builder::new(TokioExecutor::new());
                // A probe that refuses the certificate, or stops reading, is part of the tests.
                match tls {
                    None => {
                        let _ = builder
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    }
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            let io = TokioIo::new(stream);
                            let _ = builder.serve_connection(io, service).await;
                        }
                    }
                }
            });
        }
    });
    address
}

/// An answer with this status, these headers and this body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<String> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.to_owned()).expect("a sound answer")
}
