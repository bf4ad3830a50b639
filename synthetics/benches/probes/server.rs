//! A server that answers every request alike, in a thread of its own.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Name of its thread.
pub(crate) const THREAD: &str = "bench-server";

/// The server; it goes on for as long as the process.
pub(crate) struct Server {
    pub(crate) url: String,
    last: Arc<Mutex<Option<Duration>>>,
}

impl Server {
    /// Answers `delay` after it has read the request.
    pub(crate) fn start(delay: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/", listener.local_addr()?);
        let last = Arc::new(Mutex::new(None));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let told = Arc::clone(&last);
        std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                        return;
                    };
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(answer(stream, delay, Arc::clone(&told)));
                    }
                });
            })?;
        Ok(Self { url, last })
    }

    /// What the newest answer really took, from request to answer.
    pub(crate) fn last_delay(&self) -> Option<Duration> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(mut stream: TcpStream, delay: Duration, told: Arc<Mutex<Option<Duration>>>) {
    let mut request = [0; 4_096];
    let Ok(1..) = stream.read(&mut request).await else {
        return;
    };
    let read = Instant::now();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.elapsed());
    let _ = stream.write_all(ANSWER).await;
}
