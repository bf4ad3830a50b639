//! PyPI's `rotel`, another collector of OTLP in Rust, with nowhere to send to.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A rotel on free ports that throws away what it gets; it ends with this value.
pub(crate) struct Rotel {
    process: Child,
    pub(crate) otlp: String,
    _folder: tempfile::TempDir,
}

impl Rotel {
    pub(crate) async fn start(path: &str) -> Self {
        // It takes no port 0, so these are free now and most likely in a moment.
        let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        let [grpc, http] = listeners.map(|listener| listener.local_addr().unwrap().to_string());
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new(path)
            .args(["start", "--exporter", "blackhole"])
            .args(["--otlp-grpc-endpoint", &grpc])
            .args(["--otlp-http-endpoint", &http])
            .arg("--pid-file")
            .arg(folder.path().join("pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let listens = async {
            while TcpStream::connect(&http).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), listens)
            .await
            .expect("rotel listens");
        Self {
            process,
            otlp: format!("http://{http}"),
            _folder: folder,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id().unwrap()
    }
}
