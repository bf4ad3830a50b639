//! One request to a webhook, and what its answer means.
//!
//! The address stands in the operator's own configuration, so it needs no entry in the list of
//! what may be probed: a chat's host is nothing to probe. But a name can be moved, and what leads
//! to a link-local or metadata address is refused here as it is there. Redirects are not followed
//! and proxy settings are not used: nobody else says where an alert goes. The address is a secret
//! and stands in no message.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use url::{Host, Url};

use super::message::Message;
use super::slack::slack;
use crate::config::Webhook;
use crate::probe::guard::protected;

const AGENT: &str = concat!("bookwatch-synthetics/", env!("CARGO_PKG_VERSION"));

/// Whom to trust is said to the system's libraries, and so to checks and to webhooks alike.
const UNTRUSTED: &str = "its certificate is signed by an authority that is not trusted here; SSL_CERT_FILE takes a file of those that are";

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Delivered {
        /// Status code.
        status: u16,
    },
    /// It will never be taken: there is no use in asking again.
    Refused {
        /// Why.
        why: String,
    },
    /// It may be taken later.
    Later {
        /// Why.
        why: String,
        /// How long to wait, where the receiver said so.
        after: Option<Duration>,
    },
}

/// Posts messages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client whose requests take no longer than `timeout`.
    ///
    /// # Errors
    /// Where there is no TLS to be had.
    pub fn new(timeout: Duration) -> anyhow::Result<Self> {
        let builder = || {
            reqwest::Client::builder()
                .timeout(timeout)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Guarded)
        };
        // Where the system knows no authorities, nobody's certificate is trusted, and what needs
        // none goes on.
        let client = builder().build();
        let client = client.or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self(client))
    }

    /// Posts `message` once. `now` is real time, for a `Retry-After` that names a date.
    pub async fn post(&self, webhook: &Webhook, message: &Message, now: SystemTime) -> Answer {
        let refused = |why: &str| Answer::Refused {
            why: why.to_owned(),
        };
        let Ok(url) = Url::parse(webhook.url.expose()) else {
            return refused("its address is none");
        };
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        };
        if let Some(what) = literal.and_then(protected) {
            return refused(&Protected(what).to_string());
        }
        let body = match webhook.slack {
            true => slack(message).to_string(),
            false => match serde_json::to_string(message) {
                Ok(body) => body,
                Err(error) => return refused(&format!("it cannot be written: {error}")),
            },
        };
        let request = self
            .0
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header("idempotency-key", message.key())
            .body(body);
        match request.send().await {
            Ok(response) => judge(response.status().as_u16(), response.headers(), now),
            Err(error) => failed(&error.without_url()),
        }
    }
}

/// What a status code means for the next attempt.
fn judge(status: u16, headers: &HeaderMap, now: SystemTime) -> Answer {
    let why = match status {
        200..=299 => return Answer::Delivered { status },
        // Too early, too many, too long, or broken: it may pass.
        408 | 425 | 429 | 500.. => format!("status {status}"),
        300..=399 => {
            return Answer::Refused {
                why: format!("status {status}: redirects are not followed"),
            };
        }
        404 | 410 => {
            return Answer::Refused {
                why: format!("status {status}: there is no such webhook any more"),
            };
        }
        _ => {
            return Answer::Refused {
                why: format!("status {status}"),
            };
        }
    };
    let after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    Answer::Later {
        why,
        after: after.and_then(|text| retry_after(text.trim(), now)),
    }
}

/// Seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// No answer came.
fn failed(error: &reqwest::Error) -> Answer {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = within(cause) {
        cause = inner;
    }
    if let Some(protected) = cause.downcast_ref::<Protected>() {
        return Answer::Refused {
            why: protected.to_string(),
        };
    }
    let why = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if is_untrusted(cause) {
        UNTRUSTED.to_owned()
    } else {
        // The innermost cause: the outer texts only repeat what was tried.
        cause.to_string()
    };
    Answer::Later { why, after: None }
}

/// What an error comes from. An I/O error says what the error in it says, and passes it over.
fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Whether nobody who is trusted has signed the certificate. An authority with the name of a
/// trusted one and another key is not that one.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    use rustls::CertificateError::{BadSignature, UnknownIssuer};
    let error = error.downcast_ref::<rustls::Error>();
    matches!(
        error,
        Some(rustls::Error::InvalidCertificate(
            UnknownIssuer | BadSignature
        ))
    )
}

/// An address that no message goes to.
#[derive(Debug)]
struct Protected(&'static str);

impl fmt::Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its address is {}, which no alert is sent to", self.0)
    }
}

impl Error for Protected {}

/// Resolves names as the system does, and refuses those that lead where no alert goes.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            if let Some(what) = found.iter().find_map(|address| protected(address.ip())) {
                return Err(Protected(what).into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let read = |text| retry_after(text, now).map(|after| after.as_secs());
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0), "past");
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }
}
