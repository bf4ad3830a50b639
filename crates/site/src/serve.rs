//! Serving HTTP on a listener, with bounds on connections and on patience, and a stop that lets requests finish.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many requests one HTTP/2 connection may have under way.
const STREAMS: u32 = 64;

/// What is spoken on a port. A port that would take both has to wait for a first byte without any limit of time.
#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, known beforehand.
    Http2,
}

/// How much there is for clients.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// How many connections are open at the same time; further ones wait.
    pub connections: usize,
    /// How long a client may take for its first byte, and for a request's head.
    pub patience: Duration,
}

/// Serves `app` until `stop`, and then lets requests under way end. Dropping it cuts them off.
pub async fn serve(
    listener: TcpListener,
    protocol: Protocol,
    app: Router,
    limits: Room,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    // Dropped with this task, which then cuts off what is still under way.
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            () = stop.cancelled() => break,
            // Finished ones are taken out as they end, so that the set does not grow.
            Some(_) = connections.join_next() => {}
            (permit, accepted) = accept => match accepted {
                Ok((stream, _)) => {
                    let (app, stop) = (app.clone(), stop.clone());
                    connections.spawn(async move {
                        connection(stream, protocol, app, limits.patience, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, mostly: it passes, and must not make a busy loop.
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    protocol: Protocol,
    app: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    // A connection that never says anything is not kept. `peek`, since `readable` may wake up for nothing.
    let mut byte = [0];
    let first = tokio::select! {
        () = stop.cancelled() => return,
        first = tokio::time::timeout(patience, stream.peek(&mut byte)) => first,
    };
    if !matches!(first, Ok(Ok(1..))) {
        return;
    }
    // Answers are small and at once: without this they wait for the other side's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(patience);
    let builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
