//! Reading a request's body, up to a limit.

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// How long a client may take to send its body.
const TIME: Duration = Duration::from_secs(60);

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

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let collected = tokio::time::timeout(TIME, Limited::new(body, limit).collect());
    match collected.await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(limit)),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}
