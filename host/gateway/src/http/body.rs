//! Reading a request's body, up to a limit.

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use std::time::Duration;

/// How long a client may take to send its body.
const TIME: Duration = Duration::from_secs(60);

/// How much of a body that is too large is read and dropped.
const DRAIN: usize = 64 << 20;

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// More bytes than allowed.
    #[error("the body is larger than {0} bytes, the limit here")]
    TooLarge(usize),
    /// It took too long.
    #[error("the body did not arrive within {} seconds", TIME.as_secs())]
    TooSlow,
    /// The connection broke.
    #[error("the body could not be read to its end")]
    Broken,
}

/// Reads a body of at most `limit` bytes. Of a larger one the rest is read and dropped, up to a
/// bound: a client that is still sending would see a broken connection instead of the answer.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(TIME, collect(body, limit)).await {
        Ok(collected) => collected,
        Err(_) => Err(BodyError::TooSlow),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    // A body that came in one piece, as nearly all do, is not copied.
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
            continue;
        };
        length += data.len();
        if length > limit.saturating_add(DRAIN) {
            break;
        } else if length > limit {
            first.clear();
            rest.clear();
        } else if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if length > limit {
        return Err(BodyError::TooLarge(limit));
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = Vec::with_capacity(length);
    whole.extend_from_slice(&first);
    whole.append(&mut rest);
    Ok(whole.into())
}
