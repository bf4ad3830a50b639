//! OTLP over HTTP: `POST /v1/traces`, `/v1/metrics`, `/v1/logs`.
//!
//! Answers as the OTLP specification has it: 200 with an export response in the request's encoding; otherwise a `google.rpc.Status`,
//! with 503 for "try again" and 4xx for "do not".

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::body::{self, Refusal};
use super::export::{Export, Exports, Failure, write};
use crate::otlp::{self, Encoding, Signal};
use crate::store::Source;

pub(super) fn router(exports: Arc<Exports>) -> Router {
    let mut router = Router::new();
    for signal in Signal::ALL {
        let handler = move |State(exports): State<Arc<Exports>>, request: Request| {
            export(exports, signal, request)
        };
        router = router.route(&format!("/v1/{}", signal.name()), post(handler));
    }
    router.with_state(exports)
}

async fn export(exports: Arc<Exports>, signal: Signal, request: Request) -> Response {
    let (encoding, gzip) = match format(request.headers()) {
        Ok(format) => format,
        Err(what) => {
            exports.note_unread(Source::OtlpHttp, "media_type", &what);
            return status(Encoding::Json, StatusCode::UNSUPPORTED_MEDIA_TYPE, &what);
        }
    };
    let (body, held) = match body::read(request.into_body(), &exports.memory, exports.intake).await
    {
        Ok(read) => read,
        Err(refusal) => {
            let failure = refusal.into();
            exports.note(Source::OtlpHttp, &failure, b"");
            return failed(encoding, &failure);
        }
    };
    let export = Export {
        source: Source::OtlpHttp,
        signal,
        encoding,
        gzip,
        body,
        held,
    };
    match exports.take(export).await {
        Ok(answer) => (
            [(CONTENT_TYPE, media_type(encoding))],
            answer.encode(encoding),
        )
            .into_response(),
        Err(failure) => failed(encoding, &failure),
    }
}

/// How the body is written, and whether it is packed; or what is wrong with the headers.
fn format(headers: &HeaderMap) -> Result<(Encoding, bool), String> {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase())
    };
    let media = text(CONTENT_TYPE).unwrap_or_default();
    let encoding = match media.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" | "application/protobuf" => Encoding::Protobuf,
        "application/json" => Encoding::Json,
        other => {
            return Err(format!(
                "content-type is application/x-protobuf or application/json, not {other:?}"
            ));
        }
    };
    match text(CONTENT_ENCODING).as_deref() {
        None | Some("" | "identity") => Ok((encoding, false)),
        Some("gzip") => Ok((encoding, true)),
        Some(other) => Err(format!(
            "content-encoding is gzip or identity, not {other:?}"
        )),
    }
}

fn failed(encoding: Encoding, failure: &Failure) -> Response {
    let code = match failure {
        Failure::Body(Refusal::TooLarge { .. }) | Failure::Decode(otlp::Error::TooLarge { .. }) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Failure::Body(Refusal::TooSlow { .. }) => StatusCode::REQUEST_TIMEOUT,
        Failure::Body(Refusal::Busy) | Failure::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Body(Refusal::Broken(_) | Refusal::NotGzip(_)) | Failure::Decode(_) => {
            StatusCode::BAD_REQUEST
        }
    };
    let mut response = status(encoding, code, &failure.to_string());
    if code == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// `google.rpc.Status`, of which OTLP over HTTP only uses the message.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    #[serde(skip)]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn status(encoding: Encoding, code: StatusCode, message: &str) -> Response {
    let status = RpcStatus {
        code: 0,
        message: message.to_owned(),
    };
    (
        code,
        [(CONTENT_TYPE, media_type(encoding))],
        write(encoding, &status),
    )
        .into_response()
}

fn media_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    }
}
