//! Reading request bodies within bounds: of size, of time, and of the memory that all requests under way share.

use std::io::Read;
use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Intake;

/// The shared memory is counted in pieces of so many bytes.
const PIECE: usize = 1024;

/// Why a body was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {seconds} s")]
    TooSlow { seconds: u64 },
    #[error("too much is under way, try again")]
    Busy,
    #[error("the body broke off: {0}")]
    Broken(String),
    #[error("the body is not gzip: {0}")]
    NotGzip(String),
}

impl Refusal {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body_size",
            Self::TooSlow { .. } => "body_slow",
            Self::Busy => "busy",
            Self::Broken(_) => "body_broken",
            Self::NotGzip(_) => "gzip",
        }
    }
}

/// The memory that requests under way share.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

/// A request's part of it; it goes back when dropped.
#[derive(Debug, Default)]
pub(super) struct Held(Option<OwnedSemaphorePermit>);

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            (bytes / PIECE).min(Semaphore::MAX_PERMITS),
        )))
    }

    /// Holds so many bytes more. Nobody waits for memory while holding some, so nobody can wait for ever.
    pub(super) fn hold(&self, held: &mut Held, bytes: usize) -> Result<(), Refusal> {
        let pieces = u32::try_from(bytes.div_ceil(PIECE)).map_err(|_| Refusal::Busy)?;
        let permit = Arc::clone(&self.0)
            .try_acquire_many_owned(pieces)
            .map_err(|_| Refusal::Busy)?;
        match &mut held.0 {
            Some(all) => all.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}

/// Reads a body to its end.
pub(super) async fn read(
    body: Body,
    memory: &Memory,
    intake: Intake,
) -> Result<(Bytes, Held), Refusal> {
    tokio::time::timeout(intake.patience, collect(body, memory, intake.body))
        .await
        .map_err(|_| Refusal::TooSlow {
            seconds: intake.patience.as_secs(),
        })?
}

async fn collect(mut body: Body, memory: &Memory, limit: usize) -> Result<(Bytes, Held), Refusal> {
    let mut held = Held::default();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::Broken(error.to_string()))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if all.len().saturating_add(data.len()) > limit {
            return Err(Refusal::TooLarge { limit });
        }
        memory.hold(&mut held, data.len())?;
        all.extend_from_slice(&data);
    }
    Ok((all.freeze(), held))
}

/// Unpacks gzip, never further than the limit.
pub(super) fn gunzip(
    packed: &[u8],
    memory: &Memory,
    held: &mut Held,
    limit: usize,
) -> Result<Vec<u8>, Refusal> {
    const STEP: usize = 64 * 1024;
    let mut reader = MultiGzDecoder::new(packed);
    let mut all = Vec::new();
    loop {
        let before = all.len();
        let read = reader.by_ref().take(STEP as u64).read_to_end(&mut all);
        read.map_err(|error| Refusal::NotGzip(error.to_string()))?;
        let step = all.len() - before;
        if all.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if step == 0 {
            return Ok(all);
        }
        memory.hold(held, step)?;
    }
}
