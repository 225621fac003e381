//! Bodies and answers of the API.

use super::error::ApiError;
use crate::http::{Shared, body};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A JSON body of one type. Unknown fields are refused where the type says so.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, ApiError> {
        let bytes = body::read(request.into_body(), shared.gateway.limits.body).await?;
        let bytes = if bytes.is_empty() {
            b"{}".as_slice()
        } else {
            &bytes
        };
        parse(bytes).map(Self)
    }
}

/// Reads a body, and says of what is wrong with it where it is.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // A list would be taken for the fields in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ApiError::Json("it must be a JSON object".into()));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| ApiError::Json(error.to_string()))?;
    reader
        .end()
        .map_err(|error| ApiError::Json(error.to_string()))?;
    Ok(read)
}

/// An answer.
pub(super) struct Answer {
    status: StatusCode,
    body: Value,
    revision: Option<u64>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            revision: None,
        }
    }

    pub(super) fn created(body: Value) -> Self {
        Self {
            status: StatusCode::CREATED,
            body,
            revision: None,
        }
    }

    /// What is being done and not done yet.
    pub(super) fn accepted(body: Value) -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            body,
            revision: None,
        }
    }

    /// Says which revision holds what the request wrote.
    pub(super) fn at_revision(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(revision) = self.revision {
            headers.insert("gatewright-revision", HeaderValue::from(revision));
        }
        response
    }
}
