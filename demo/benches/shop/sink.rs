//! Takes telemetry as an agent would, as cheaply as possible, so that the figures are the shop's own. The
//! console's receivers decode what they take, on the cores that the shop needs: they are what `--console`
//! measures against this, so they cannot stand in for it.

use std::net::{SocketAddr, UdpSocket};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where the telemetry goes.
pub(crate) struct Sink {
    dogstatsd: SocketAddr,
    otlp: SocketAddr,
}

impl Sink {
    /// Starts two threads that last as long as this process.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let sink = Self {
            dogstatsd: udp.local_addr()?,
            otlp: listener.local_addr()?,
        };
        std::thread::spawn(move || {
            let mut packet = [0; 8192];
            while udp.recv(&mut packet).is_ok() {}
        });
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(swallow(stream));
                }
            });
        });
        Ok(sink)
    }

    /// What a program is told to find it.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", self.otlp),
            ),
            ("DD_DOGSTATSD_URL", format!("udp://{}", self.dogstatsd)),
        ]
    }
}

/// Reads each request whole and says 200.
async fn swallow(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(256 * 1024);
    while stream.read_buf(&mut buffer).await.is_ok_and(|n| n > 0) {
        let Some(head) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| {
            line.strip_prefix("content-length: ")?
                .trim()
                .parse::<usize>()
                .ok()
        });
        if buffer.len() < head + 4 + length.unwrap_or(0) {
            continue;
        }
        buffer.clear();
        if stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .is_err()
        {
            return;
        }
    }
}
