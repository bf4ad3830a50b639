//! Whether services answer yet.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

use crate::plan::Spec;

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(10);
/// Longest time for one answer.
const ANSWER: Duration = Duration::from_secs(4);
/// Longest page that is read.
const PAGE_LIMIT: usize = 1 << 20;
/// What a page says where a part of it is missing; the wire contract has the words.
const MISSING: &str = "currently unavailable";

/// Asks services on this machine.
#[derive(Clone)]
pub(crate) struct Asker(Client<HttpConnector, Empty<Bytes>>);

impl Asker {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Waits until the process says that it can work. At once where it has no address.
    pub(crate) async fn until_ready(&self, spec: &Spec) {
        let Some(url) = spec.url() else { return };
        let url = format!("{url}{}", spec.ready);
        while !matches!(self.get(&url).await, Some((StatusCode::OK, _))) {
            sleep(INTERVAL).await;
        }
    }

    /// Waits until the page is whole: the status alone would not tell.
    pub(crate) async fn until_good_page(&self, front: &Spec) {
        let Some(url) = front.url() else { return };
        let url = format!("{url}{}", front.path);
        while !self
            .get(&url)
            .await
            .is_some_and(|answer| is_good_page(&answer))
        {
            sleep(INTERVAL).await;
        }
    }

    async fn get(&self, url: &str) -> Option<(StatusCode, Bytes)> {
        let request = http::Request::get(url).body(Empty::new()).ok()?;
        let answer = async {
            let response = self.0.request(request).await.ok()?;
            let status = response.status();
            let body = Limited::new(response.into_body(), PAGE_LIMIT);
            Some((status, body.collect().await.ok()?.to_bytes()))
        };
        timeout(ANSWER, answer).await.ok()?
    }
}

fn is_good_page((status, body): &(StatusCode, Bytes)) -> bool {
    let text = String::from_utf8_lossy(body);
    *status == StatusCode::OK && text.contains("The Comedy of Errors") && !text.contains(MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_a_part_missing_is_not_good() {
        let page = |status, text: &'static str| is_good_page(&(status, Bytes::from(text)));
        let title = "<h1>The Comedy of Errors</h1>";
        assert!(page(StatusCode::OK, title));
        assert!(!page(StatusCode::BAD_GATEWAY, title));
        assert!(!page(StatusCode::OK, "<h1>Another shop</h1>"));
        assert!(!page(
            StatusCode::OK,
            "The Comedy of Errors. Sorry, product reviews are currently unavailable for this book."
        ));
    }
}
