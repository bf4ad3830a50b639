//! TLS sessions of probes: whom they trust, and how long a certificate lasts.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_cert::der::Decode as _;

use super::check::HttpVersion;
use crate::clock::Timestamp;

/// Whom a check trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's certificate authorities.
    #[default]
    System,
    /// These as well.
    Also(Vec<CertificateDer<'static>>),
    /// Everybody: what the certificate says is not checked, only that the server holds its key.
    Everybody,
}

/// What a TLS session needs, made once and shared by the probes.
#[derive(Clone)]
pub struct TlsClient {
    verifier: Result<Arc<dyn ServerCertVerifier>, String>,
    by_protocol: [Option<Arc<ClientConfig>>; 4],
}

/// What the two sides may agree to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// HTTP/2 or HTTP/1.1.
    Both = 0,
    /// HTTP/1.1.
    Http1 = 1,
    /// HTTP/2.
    Http2 = 2,
    /// Nothing is said about it.
    Unsaid = 3,
}

impl From<HttpVersion> for Protocols {
    fn from(version: HttpVersion) -> Self {
        match version {
            HttpVersion::Auto => Self::Both,
            HttpVersion::One => Self::Http1,
            HttpVersion::Two => Self::Http2,
        }
    }
}

impl TlsClient {
    /// A client that trusts `trust`. Where the system has no certificate authorities, that is
    /// told by the first probe that needs them, because most may not.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Result<Arc<dyn ServerCertVerifier>, String> = match trust {
            Trust::System => system(Verifier::new(Arc::clone(&provider))),
            Trust::Also(roots) => {
                system(Verifier::new_with_extra_roots(roots, Arc::clone(&provider)))
            }
            Trust::Everybody => Ok(Arc::new(Unverified(
                provider.signature_verification_algorithms,
            ))),
        };
        let by_protocol = [
            Protocols::Both,
            Protocols::Http1,
            Protocols::Http2,
            Protocols::Unsaid,
        ]
        .map(|protocols| {
            let verifier = verifier.as_ref().ok()?;
            Some(Arc::new(config(&provider, verifier, protocols)?))
        });
        Self {
            verifier,
            by_protocol,
        }
    }

    pub(crate) fn config(&self, protocols: Protocols) -> Result<Arc<ClientConfig>, String> {
        match (&self.verifier, &self.by_protocol[protocols as usize]) {
            (_, Some(config)) => Ok(Arc::clone(config)),
            (Err(error), None) => Err(error.clone()),
            (Ok(_), None) => Err("TLS 1.2 and 1.3 are not there".to_owned()),
        }
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").finish_non_exhaustive()
    }
}

fn system(
    verifier: Result<Verifier, rustls::Error>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    match verifier {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) => Err(error.to_string()),
    }
}

/// Each probe agrees on TLS from the beginning, as a new visitor does: nothing is resumed.
fn config(
    provider: &Arc<CryptoProvider>,
    verifier: &Arc<dyn ServerCertVerifier>,
    protocols: Protocols,
) -> Option<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider));
    let mut config = builder
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = match protocols {
        Protocols::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Protocols::Http1 => vec![b"http/1.1".to_vec()],
        Protocols::Http2 => vec![b"h2".to_vec()],
        Protocols::Unsaid => Vec::new(),
    };
    Some(config)
}

/// Takes any certificate, as long as the server holds its key.
#[derive(Debug)]
struct Unverified(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Whole days from `now` until the certificate ends, rounded down; `None` where it cannot be read.
#[must_use]
pub fn days_left(certificate: &[u8], now: Timestamp) -> Option<i64> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    let end = i64::try_from(end.to_unix_duration().as_secs()).ok()?;
    let now = i64::try_from(now.as_micros() / 1_000_000).ok()?;
    Some((end - now).div_euclid(86_400))
}
