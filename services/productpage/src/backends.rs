//! The three services behind the pages.

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use serde::de::{DeserializeOwned, IgnoredAny};
use web::{Forwarded, Outbound, OutboundError};

use crate::Cli;

/// Everything but what can never mean more than itself in a path; a dot could (`..`).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Details,
    Reviews,
    Ratings,
}

/// Clients of the services, one set a worker thread.
pub(crate) struct Backends {
    details: Outbound,
    reviews: Outbound,
    ratings: Outbound,
}

/// Why a service's answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{backend} did not answer")]
    Silent {
        backend: Backend,
        #[source]
        source: OutboundError,
    },
    #[error("{backend} answered {status}")]
    Status { backend: Backend, status: u16 },
    #[error("{backend} answered with something else than its JSON")]
    Body {
        backend: Backend,
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// One segment of a path, percent-encoded, from whatever encoding a client used for it.
pub(crate) fn segment(raw: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(raw).collect();
    percent_encode(&bytes, SEGMENT).to_string()
}

impl Backend {
    /// Sentence for a reader who cannot have its part; the contract's wording.
    pub(crate) fn sorry(self) -> &'static str {
        match self {
            Self::Details => "Sorry, product details are currently unavailable for this book.",
            Self::Reviews => "Sorry, product reviews are currently unavailable for this book.",
            Self::Ratings => "Sorry, product ratings are currently unavailable for this book.",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Reviews => "reviews",
            Self::Ratings => "ratings",
        }
    }

    /// How often it is asked before it counts as failed; the contract's numbers.
    fn tries(self) -> usize {
        match self {
            Self::Reviews => 2,
            Self::Details | Self::Ratings => 1,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    /// Status that a client of the JSON interface sees: the service's own, or 500.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Status { status, .. } => StatusCode::from_u16(*status)
                .ok()
                .filter(|status| may_carry_a_body(*status)),
            Self::Silent { .. } | Self::Body { .. } => None,
        }
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status of a page that could not do what was asked because of it.
    pub(crate) fn gateway_status(&self) -> StatusCode {
        match self {
            Self::Silent { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Status { .. } | Self::Body { .. } => StatusCode::BAD_GATEWAY,
        }
    }
}

/// An answer with one of the other statuses would break the connection if it said why.
fn may_carry_a_body(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
}

impl Backends {
    pub(crate) fn new(cli: &Cli) -> Self {
        let client = |hosts: &str, port| {
            Outbound::new(hosts, port, &cli.services_domain, cli.backend_timeout)
        };
        Self {
            details: client(&cli.details_hostname, cli.details_service_port),
            reviews: client(&cli.reviews_hostname, cli.reviews_service_port),
            ratings: client(&cli.ratings_hostname, cli.ratings_service_port),
        }
    }

    fn client(&self, backend: Backend) -> &Outbound {
        match backend {
            Backend::Details => &self.details,
            Backend::Reviews => &self.reviews,
            Backend::Ratings => &self.ratings,
        }
    }

    /// The service's answer for the product `segment` (percent-encoded), unread.
    async fn ask(
        &self,
        backend: Backend,
        segment: &str,
        forwarded: &Forwarded,
    ) -> Result<Bytes, Failure> {
        let path = format!("/{}/{segment}", backend.name());
        let mut tries = backend.tries();
        loop {
            tries -= 1;
            let failure = match self.client(backend).get(&path, forwarded).await {
                Ok(reply) if reply.status.as_u16() == 200 => return Ok(reply.body),
                Ok(reply) => Failure::Status {
                    backend,
                    status: reply.status.as_u16(),
                },
                Err(source) => Failure::Silent { backend, source },
            };
            if tries == 0 {
                return Err(failure);
            }
        }
    }

    /// The answer as JSON text, checked and otherwise as it came.
    pub(crate) async fn json(
        &self,
        backend: Backend,
        segment: &str,
        forwarded: &Forwarded,
    ) -> Result<Bytes, Failure> {
        let body = self.ask(backend, segment, forwarded).await?;
        match check(&body) {
            Ok(()) => Ok(body),
            Err(source) => Err(Failure::Body { backend, source }),
        }
    }

    /// The answer read into `T`, for a page. What fails is logged here, since the page goes on.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        backend: Backend,
        segment: &str,
        forwarded: &Forwarded,
    ) -> Option<T> {
        let read = self
            .ask(backend, segment, forwarded)
            .await
            .and_then(|body| {
                serde_json::from_slice(&body).map_err(|error| Failure::Body {
                    backend,
                    source: error.into(),
                })
            });
        match read {
            Ok(value) => Some(value),
            Err(failure) => {
                log(&failure, "a part of the page is missing");
                None
            }
        }
    }

    /// Asks for reviews `times` more, all at once, and looks at no answer.
    pub(crate) async fn flood(&self, times: u8, segment: &str, forwarded: &Forwarded) {
        if times == 0 {
            return;
        }
        let path = format!("/{}/{segment}", Backend::Reviews.name());
        let calls = (0..times).map(|_| self.reviews.get(&path, forwarded));
        futures_util::future::join_all(calls).await;
    }

    /// Stores ratings: `body` is a JSON map, reviewer to stars.
    pub(crate) async fn rate(
        &self,
        segment: &str,
        forwarded: &Forwarded,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let backend = Backend::Ratings;
        let path = format!("/{}/{segment}", backend.name());
        let failure = match self.ratings.post_json(&path, forwarded, body).await {
            Ok(reply) if reply.status.is_success() => return Ok(()),
            Ok(reply) => Failure::Status {
                backend,
                status: reply.status.as_u16(),
            },
            Err(source) => Failure::Silent { backend, source },
        };
        log(&failure, "a rating is lost");
        Err(failure)
    }
}

/// Whether `body` is JSON; the parser alone does not look at the bytes of texts that it skips.
fn check(body: &[u8]) -> Result<(), Box<dyn StdError + Send + Sync>> {
    serde_json::from_str::<IgnoredAny>(std::str::from_utf8(body)?)?;
    Ok(())
}

fn log(failure: &Failure, what: &'static str) {
    let error: &(dyn StdError + 'static) = failure;
    tracing::warn!(error, "{what}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_segment_is_one_and_means_the_same(id in any::<Vec<u8>>()) {
            let once = segment(&percent_encode(&id, NON_ALPHANUMERIC).to_string());
            prop_assert!(once.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_~%".contains(&b)));
            prop_assert_eq!(percent_decode_str(&once).collect::<Vec<u8>>(), id);
            prop_assert_eq!(segment(&once), once);
        }

        #[test]
        fn any_status_that_is_kept_can_carry_a_body(status in 100_u16..1000) {
            let kept = Failure::Status { backend: Backend::Details, status }.status();
            prop_assert!(may_carry_a_body(kept));
            prop_assert!(kept.as_u16() == status || kept == StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}
