//! `/livez` and `/readyz`: what Kubernetes asks. `/health` is each service's own, as the contract has it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::error::Error;
use crate::observe::Shared;

/// Path of the liveness probe: the process runs and its event loop turns.
pub const LIVE: &str = "/livez";
/// Path of the readiness probe: it can do its work now.
pub const READY: &str = "/readyz";

/// Longest time for the readiness check; a store that takes longer is out of reach.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks whether what the service needs can be reached; the error says what cannot.
pub type ReadyCheck =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>>>> + Send + Sync>;

/// A check that always passes: for services that need nothing to answer.
pub fn always_ready() -> ReadyCheck {
    Arc::new(|| Box::pin(async { Ok(()) }))
}

/// A check that asks `resource` (a store, say) each time and passes where it answers.
pub fn ready_when<T, F, Fut, E>(resource: &T, ask: F) -> ReadyCheck
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + 'static,
    E: std::fmt::Display,
{
    let resource = resource.clone();
    Arc::new(move || {
        let asked = ask(resource.clone());
        Box::pin(async move { asked.await.map_err(|error| error.to_string()) })
    })
}

pub(crate) async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

pub(crate) async fn readyz(shared: &Shared, check: ReadyCheck) -> Result<HttpResponse, Error> {
    let unready = |reason: String| Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, reason));
    if shared.draining.load(Ordering::Relaxed) {
        return unready("draining".into());
    }
    match tokio::time::timeout(READY_TIMEOUT, check()).await {
        Ok(Ok(())) => Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ready"}))),
        Ok(Err(reason)) => unready(reason),
        Err(_) => unready(format!(
            "no answer from the store within {} ms",
            READY_TIMEOUT.as_millis()
        )),
    }
}
