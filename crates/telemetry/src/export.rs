//! Sends spans to an OTLP receiver over HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::otlp;

/// Longest answer that is read from the receiver.
const ANSWER_LIMIT: u64 = 1 << 20;
/// After a failed batch the next ones are dropped unsent for this long.
const PAUSE: Duration = Duration::from_secs(5);

/// Sends batches, waiting for the answer: it has a thread to itself. Says once when the receiver goes and once
/// when it comes back, and spares the work in between.
#[derive(Debug)]
pub(crate) struct Exporter {
    agent: ureq::Agent,
    endpoint: String,
    resource: Resource,
    reachable: AtomicBool,
    paused_until: Mutex<Option<Instant>>,
    headers: Headers,
}

/// What goes along with each request. It may hold a key, so it shows nowhere.
struct Headers(Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Headers(..)")
    }
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the receiver answered {0}")]
    Status(u16),
    #[error(transparent)]
    Http(#[from] ureq::Error),
}

impl Exporter {
    pub(crate) fn new(endpoint: &str, headers: Vec<(String, String)>, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .user_agent(concat!("bookwatch/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self {
            agent: config.into(),
            endpoint: endpoint.to_owned(),
            resource: Resource::builder_empty().build(),
            reachable: AtomicBool::new(true),
            paused_until: Mutex::new(None),
            headers: Headers(headers),
        }
    }

    fn paused_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, body: &[u8]) -> Result<(), SendError> {
        let mut request = self
            .agent
            .post(&self.endpoint)
            .content_type("application/x-protobuf");
        for (name, value) in &self.headers.0 {
            request = request.header(name, value);
        }
        let mut response = request.send(body)?;
        let status = response.status();
        // Read to its end, so that the connection serves again.
        let body = response.body_mut().with_config().limit(ANSWER_LIMIT);
        body.read_to_vec()?;
        match status.is_success() {
            true => Ok(()),
            false => Err(SendError::Status(status.as_u16())),
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let failed = |why: String| Err(OTelSdkError::InternalFailure(why));
        if self.paused_until().is_some_and(|end| Instant::now() < end) {
            return failed("receiver out of reach".into());
        }
        let result = self.send(&otlp::request(&self.resource, &batch));
        *self.paused_until() = result.is_err().then(|| Instant::now() + PAUSE);
        match result {
            Ok(()) => {
                if !self.reachable.swap(true, Ordering::Relaxed) {
                    tracing::info!(endpoint = %self.endpoint, "the receiver for traces answers again");
                }
                Ok(())
            }
            Err(error) => {
                if self.reachable.swap(false, Ordering::Relaxed) {
                    tracing::warn!(endpoint = %self.endpoint, %error, "no receiver for traces, spans are dropped until it answers");
                }
                failed(error.to_string())
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.clone();
    }
}
