//! The product page under test, its three fakes, and a browser without scripts.

use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use clap::Parser as _;
use productpage::Cli;
use telemetry::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fake::{DETAILS, Fake, RATINGS, REVIEWS_V3, ok};

/// Time-out of the services behind the page in tests that wait for one.
pub(crate) const SHORT: &str = "250ms";

/// A test that waits longer for an answer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Spans are real, so that their ids travel; they go nowhere.
fn telemetry() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let settings = telemetry::Settings {
            otlp_endpoint: Some("http://127.0.0.1:1".into()),
            dd_dogstatsd_disable: true,
            otel_bsp_schedule_delay: 1000,
            log_filter: "off".into(),
            ..telemetry::Settings::default()
        };
        std::mem::forget(telemetry::init("productpage", &settings).expect("usable settings"));
    });
}

pub(crate) fn cli(arguments: &[&str]) -> Result<Cli, clap::Error> {
    let base = [
        "productpage",
        "--listen-address",
        "127.0.0.1",
        "--port",
        "0",
    ];
    Cli::try_parse_from(base.iter().chain(arguments))
}

/// Starts a product page that runs until the test ends.
pub(crate) async fn start(arguments: &[&str]) -> SocketAddr {
    telemetry();
    let cli = cli(arguments).expect("usable arguments");
    let server = productpage::server(&cli, Metrics::disabled()).expect("a free port");
    let address = server.address();
    tokio::spawn(server.run_until(std::future::pending()));
    address
}

/// A product page and the services behind it.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) details: Fake,
    pub(crate) reviews: Fake,
    pub(crate) ratings: Fake,
}

impl Shop {
    pub(crate) async fn good() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let details = Fake::answering(ok(DETAILS));
        let reviews = Fake::answering(ok(REVIEWS_V3));
        let ratings = Fake::answering(ok(RATINGS));
        Self::of(details, reviews, ratings, arguments).await
    }

    pub(crate) async fn of(
        details: Fake,
        reviews: Fake,
        ratings: Fake,
        arguments: &[&str],
    ) -> Self {
        let (d, v, t) = (details.host(), reviews.host(), ratings.host());
        let mut all = vec![
            "--details-hostname",
            &d,
            "--reviews-hostname",
            &v,
            "--ratings-hostname",
            &t,
        ];
        all.extend(arguments);
        let address = start(&all).await;
        Self {
            address,
            details,
            reviews,
            ratings,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        get(self.address, path, &[]).await
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.address)
    }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn is_html(&self) -> bool {
        self.header("content-type").starts_with("text/html")
            && self.body.starts_with("<!DOCTYPE html>")
    }

    /// The token in the page's forms.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self
            .body
            .split_once(r#"name="csrf" value=""#)
            .expect("a form with a token");
        rest.split('"').next().expect("its value").to_owned()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().expect("ASCII").to_owned())
            .find(|cookie| cookie.starts_with(&format!("{name}=")))
    }
}

pub(crate) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .no_proxy()
}

async fn see(request: reqwest::RequestBuilder) -> Seen {
    let response = request.send().await.expect("an answer");
    Seen {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body"),
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Seen {
    send(reqwest::Method::GET, address, path, headers, None).await
}

pub(crate) async fn send(
    method: reqwest::Method,
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    form: Option<&str>,
) -> Seen {
    let client = client().build().expect("a client");
    let mut request = client.request(method, format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(form) = form {
        request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
    }
    see(request).await
}

/// Sends a path as it is, and reads the head and the body that come back.
pub(crate) async fn raw(address: SocketAddr, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time")
        .expect("an answer")
}

/// Keeps cookies, follows nothing.
pub(crate) struct Browser {
    client: reqwest::Client,
    address: SocketAddr,
}

impl Browser {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let client = client().cookie_store(true).build().expect("a client");
        Self { client, address }
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        see(self.client.get(format!("http://{}{path}", self.address))).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Seen {
        let request = self
            .client
            .post(format!("http://{}{path}", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", format!("http://{}", self.address))
            .body(form.to_owned());
        see(request).await
    }

    /// Signs in with the form on the home page, as people do.
    pub(crate) async fn sign_in(&self, name: &str) -> Seen {
        let token = self.get("/").await.token();
        let seen = self
            .post("/login", &format!("csrf={token}&username={name}"))
            .await;
        assert_eq!(seen.status, 302, "{}", seen.body);
        seen
    }
}
