//! What integration tests stand on: a real DynamoDB engine on loopback, servers on port 0, and (feature `browser`) a browser.
//!
//! ```no_run
//! # async fn example() {
//! let engine = sandbox::Engine::start().await;
//! let store = engine.seeded().await; // arguments for a service of the shop
//! let engine = engine.stop().await; // nobody answers there any more
//! let engine = engine.restart().await; // and the data is still there
//! # }
//! ```
//!
//! For tests only: what fails here panics, with a reason.

#![expect(
    clippy::missing_panics_doc,
    reason = "a test stops where its ground is missing"
)]

#[cfg(feature = "browser")]
mod browser;

use std::future::Future;
use std::net::SocketAddr;

use bookinfo::store::{Store, StoreArgs};
use dynoxide::{Database, server};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[cfg(feature = "browser")]
pub use browser::{Browser, artefacts};

/// A DynamoDB engine in memory.
pub struct Engine {
    address: SocketAddr,
    database: Database,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// An engine that was stopped and kept its data.
pub struct StoppedEngine {
    address: SocketAddr,
    database: Database,
}

impl Engine {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let database = Database::memory().expect("an engine in memory needs nothing");
        Self::serve(SocketAddr::from(([127, 0, 0, 1], 0)), database).await
    }

    async fn serve(address: SocketAddr, database: Database) -> Self {
        let listener = TcpListener::bind(address).await.expect("loopback port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = database.clone();
        let task = tokio::spawn(async move {
            // Cut off and not drained: kept connections would keep it alive.
            tokio::select! {
                () = server::serve_on(listener, served) => {}
                _ = stopped => {}
            }
        });
        Self {
            address,
            database,
            stop,
            task,
        }
    }

    /// Arguments that point a store here.
    pub fn store_args(&self) -> StoreArgs {
        StoreArgs {
            table_prefix: "test-".into(),
            dynamodb_endpoint: Some(format!("http://{}", self.address)),
            aws_endpoint_url_dynamodb: None,
        }
    }

    /// Creates the tables, writes the catalogue, and returns the arguments for a service.
    pub async fn seeded(&self) -> StoreArgs {
        let args = self.store_args();
        let store = Store::connect(&args).await.expect("store arguments");
        // A busy machine makes a call too late now and then; what is there already stays as it is.
        eventually("the tables and the catalogue are there", || async {
            store.create_tables().await.ok()?;
            store.seed().await.ok()
        })
        .await;
        args
    }

    /// Writes an item as somebody else's tool would: any attributes, in DynamoDB's own JSON. `table` is without prefix.
    pub async fn put_item(&self, table: &str, item: serde_json::Value) {
        let body = serde_json::json!({"TableName": format!("test-{table}"), "Item": item});
        let put = reqwest::Client::new()
            .post(format!("http://{}/", self.address))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "DynamoDB_20120810.PutItem")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
            .header("x-amz-date", "20200101T000000Z")
            .body(body.to_string());
        let (status, answer) = answer(put).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Stops it: the port is closed from now on.
    pub async fn stop(self) -> StoppedEngine {
        let _ = self.stop.send(());
        self.task.await.expect("engine task");
        StoppedEngine {
            address: self.address,
            database: self.database,
        }
    }
}

impl StoppedEngine {
    /// Starts it again on the same port with the same data.
    pub async fn restart(self) -> Engine {
        Engine::serve(self.address, self.database).await
    }
}

/// A service under test, stopped when this is dropped.
pub struct Running {
    base: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    /// Runs a bound server.
    pub fn start(server: web::Server) -> Self {
        let base = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server.run_until(shutdown).await.expect("server");
        });
        Self {
            base,
            client: reqwest::Client::new(),
            stop: Some(stop),
            task,
        }
    }

    /// `http://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Asks for a path with a method; headers and body by the builder.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("method");
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `GET`, as status and text.
    pub async fn get(&self, path: &str) -> (u16, String) {
        answer(self.request("GET", path)).await
    }

    /// `GET`, as status and JSON.
    pub async fn get_json(&self, path: &str) -> (u16, serde_json::Value) {
        let (status, body) = self.get(path).await;
        let json =
            serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path} is no JSON: {body}"));
        (status, json)
    }

    /// Tells the server to stop and waits until it has.
    pub async fn stop(mut self) {
        self.begin_stop();
        self.task.await.expect("server task");
    }

    /// Tells the server to stop.
    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// Sends a request and reads the whole answer.
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.text().await.expect("a body"))
}

/// Asks again every 10 ms until `check` finds something, for at most 60 s: a test that passes never
/// waits for as long, even where a compiler has the machine.
pub async fn eventually<T, Fut: Future<Output = Option<T>>>(
    what: &str,
    mut check: impl FnMut() -> Fut,
) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while tokio::time::Instant::now() < deadline {
        if let Some(found) = check().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
