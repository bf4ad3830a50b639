//! From the bytes of an OTLP request to the store and the answer, the same for HTTP and gRPC.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::{
    logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse},
    metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse},
    trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse},
};
use prost::Message;
use serde::Serialize;

use super::Intake;
use super::body::{self, Held, Memory, Refusal};
use crate::otlp::{self, Encoding, Rejected, Signal};
use crate::store::{Source, Store};

/// A body up to this size is decoded where it is; a larger one would keep other connections waiting.
const INLINE: usize = 16 * 1024;

/// What the two OTLP receivers share.
#[derive(Debug)]
pub(super) struct Exports {
    store: Store,
    pub(super) intake: Intake,
    pub(super) memory: Memory,
}

/// One request.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) source: Source,
    pub(super) signal: Signal,
    pub(super) encoding: Encoding,
    pub(super) gzip: bool,
    pub(super) body: Bytes,
    pub(super) held: Held,
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Body(#[from] Refusal),
    #[error(transparent)]
    Decode(#[from] otlp::Error),
    #[error("the decoder stopped")]
    Stopped,
}

impl Exports {
    pub(super) fn new(store: Store, intake: Intake) -> Self {
        Self {
            store,
            intake,
            memory: Memory::new(intake.under_way),
        }
    }

    /// Decodes a request and keeps what it carries.
    pub(super) async fn take(
        self: &std::sync::Arc<Self>,
        export: Export,
    ) -> Result<Answer, Failure> {
        if export.body.len() <= INLINE {
            return self.take_now(export);
        }
        let this = std::sync::Arc::clone(self);
        tokio::task::spawn_blocking(move || this.take_now(export))
            .await
            .unwrap_or(Err(Failure::Stopped))
    }

    fn take_now(&self, export: Export) -> Result<Answer, Failure> {
        let Export {
            source,
            signal,
            encoding,
            gzip,
            body,
            mut held,
        } = export;
        let result = self.decode(signal, encoding, gzip, &body, &mut held);
        match result {
            Ok(batch) => {
                let rejected = batch.rejected.clone();
                self.store.take_batch(source, batch);
                Ok(Answer { signal, rejected })
            }
            Err(failure) => {
                self.note(source, &failure, &body);
                Err(failure)
            }
        }
    }

    fn decode(
        &self,
        signal: Signal,
        encoding: Encoding,
        gzip: bool,
        body: &[u8],
        held: &mut Held,
    ) -> Result<otlp::Batch, Failure> {
        let unpacked;
        let body = if gzip {
            unpacked = body::gunzip(body, &self.memory, held, self.intake.body)?;
            &unpacked
        } else {
            body
        };
        let weight = otlp::weigh(signal, encoding, body)?;
        if weight <= self.intake.decoded {
            self.memory.hold(held, weight)?;
        }
        Ok(otlp::decode(signal, encoding, body, self.intake.decoded)?)
    }

    /// Counts a request that was not taken.
    pub(super) fn note(&self, source: Source, failure: &Failure, body: &[u8]) {
        let code = match failure {
            Failure::Body(refusal) => refusal.code(),
            Failure::Decode(error) => error.code(),
            Failure::Stopped => "decoder_stopped",
        };
        self.store
            .take_bad(source, code, &failure.to_string(), body);
    }

    /// Counts a request that was not even read.
    pub(super) fn note_unread(&self, source: Source, reason: &'static str, detail: &str) {
        self.store.take_bad(source, reason, detail, b"");
    }
}

/// The answer to a request that was taken.
#[derive(Debug)]
pub(super) struct Answer {
    signal: Signal,
    rejected: Option<Rejected>,
}

impl Answer {
    pub(super) fn encode(&self, encoding: Encoding) -> Bytes {
        if self.rejected.is_none() {
            // All is well: the message without fields.
            return Bytes::from_static(if encoding == Encoding::Json {
                b"{}"
            } else {
                b""
            });
        }
        let rejected = self.rejected.as_ref();
        let count = rejected.map_or(0, |rejected| {
            i64::try_from(rejected.items).unwrap_or(i64::MAX)
        });
        let error_message = rejected.map_or_else(String::new, |rejected| rejected.why.to_owned());
        match self.signal {
            Signal::Traces => write(
                encoding,
                &ExportTraceServiceResponse {
                    partial_success: rejected.map(|_| ExportTracePartialSuccess {
                        rejected_spans: count,
                        error_message,
                    }),
                },
            ),
            Signal::Metrics => write(
                encoding,
                &ExportMetricsServiceResponse {
                    partial_success: rejected.map(|_| ExportMetricsPartialSuccess {
                        rejected_data_points: count,
                        error_message,
                    }),
                },
            ),
            Signal::Logs => write(
                encoding,
                &ExportLogsServiceResponse {
                    partial_success: rejected.map(|_| ExportLogsPartialSuccess {
                        rejected_log_records: count,
                        error_message,
                    }),
                },
            ),
        }
    }
}

/// Writes an answer. The answers are plain structures, which JSON can always hold.
pub(super) fn write<T: Message + Serialize>(encoding: Encoding, answer: &T) -> Bytes {
    match encoding {
        Encoding::Protobuf => answer.encode_to_vec().into(),
        Encoding::Json => serde_json::to_vec(answer)
            .unwrap_or_else(|_| b"{}".to_vec())
            .into(),
    }
}
