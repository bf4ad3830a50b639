//! OTLP over gRPC: the `Export` methods of the three collector services.
//!
//! The codec hands the message on as bytes, so that one decoder with one set of bounds serves gRPC and HTTP alike; tonic does framing, compression
//! and status.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Service;

use super::body::{self, Held, Refusal};
use super::export::{Export, Exports, Failure};
use crate::otlp::{self, Encoding, Signal};
use crate::store::Source;

/// Room for the five bytes before a message, and for trailers.
const FRAME: usize = 64;

/// How many bytes one byte of gzip can become at most (the limit of deflate is 1,032).
const GZIP_RATIO: usize = 1040;

pub(super) fn router(exports: Arc<Exports>) -> Router {
    let mut router = Router::new();
    for signal in Signal::ALL {
        let handler = move |State(exports): State<Arc<Exports>>, request: Request| {
            export(exports, signal, request)
        };
        router = router.route(path(signal), post(handler));
    }
    router
        .fallback(async || {
            Status::unimplemented("this receiver takes OTLP exports only").into_http::<Body>()
        })
        .with_state(exports)
}

fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

async fn export(exports: Arc<Exports>, signal: Signal, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let limit = exports.intake.body;
    let mut intake = exports.intake;
    intake.body = limit.saturating_add(FRAME);
    let read = async {
        let (body, mut held) = body::read(body, &exports.memory, intake).await?;
        if head
            .headers
            .get("grpc-encoding")
            .is_some_and(|encoding| encoding != "identity")
        {
            // tonic unpacks up to the limit, and gzip cannot do more than this with so many bytes.
            exports
                .memory
                .hold(&mut held, body.len().saturating_mul(GZIP_RATIO).min(limit))?;
        }
        Ok((body, held))
    };
    let (body, held) = match read.await {
        Ok(read) => read,
        Err(refusal) => {
            let failure = Failure::Body(refusal);
            exports.note(Source::OtlpGrpc, &failure, b"");
            return to_status(&failure).into_http::<Body>().into_response();
        }
    };
    let reached = Arc::new(AtomicBool::new(false));
    let method = Method {
        exports: Arc::clone(&exports),
        signal,
        held: Some(held),
        reached: Arc::clone(&reached),
    };
    let response = tonic::server::Grpc::new(RawCodec)
        .accept_compressed(CompressionEncoding::Gzip)
        .apply_max_message_size_config(Some(limit), None)
        .unary(method, Request::from_parts(head, Body::from(body)))
        .await;
    if !reached.load(Ordering::Relaxed) {
        let status = Status::from_header_map(response.headers());
        let message = status
            .as_ref()
            .map_or("the message could not be read", Status::message);
        exports.note_unread(Source::OtlpGrpc, "grpc", message);
    }
    response.map(Body::new)
}

/// The method behind one request.
struct Method {
    exports: Arc<Exports>,
    signal: Signal,
    held: Option<Held>,
    /// Whether tonic could make a message of the body.
    reached: Arc<AtomicBool>,
}

impl Service<tonic::Request<Bytes>> for Method {
    type Response = tonic::Response<Bytes>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        self.reached.store(true, Ordering::Relaxed);
        let exports = Arc::clone(&self.exports);
        let export = Export {
            source: Source::OtlpGrpc,
            signal: self.signal,
            encoding: Encoding::Protobuf,
            gzip: false,
            body: request.into_inner(),
            held: self.held.take().unwrap_or_default(),
        };
        Box::pin(async move {
            match exports.take(export).await {
                Ok(answer) => Ok(tonic::Response::new(answer.encode(Encoding::Protobuf))),
                Err(failure) => Err(to_status(&failure)),
            }
        })
    }
}

/// Clients try again after `unavailable` and `deadline_exceeded`, and give up after the others.
fn to_status(failure: &Failure) -> Status {
    let message = failure.to_string();
    match failure {
        Failure::Body(Refusal::TooLarge { .. }) | Failure::Decode(otlp::Error::TooLarge { .. }) => {
            Status::resource_exhausted(message)
        }
        Failure::Body(Refusal::TooSlow { .. }) => Status::deadline_exceeded(message),
        Failure::Body(Refusal::Busy) | Failure::Stopped => Status::unavailable(message),
        Failure::Body(Refusal::Broken(_) | Refusal::NotGzip(_)) | Failure::Decode(_) => {
            Status::invalid_argument(message)
        }
    }
}

/// Passes messages on as they are.
#[derive(Debug, Clone, Copy, Default)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
