//! An answer before it becomes bytes, so that a provider plugin can still present it.

use super::text::Text;
use crate::directory::requests::{Answered, PARSED};
use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("gatewright-request-id");
const REVISION: HeaderName = HeaderName::from_static("gatewright-revision");
const REPAIRED: HeaderName = HeaderName::from_static("gatewright-repaired");

/// A text of more bytes is written while it is being sent. What the log of requests keeps of a text
/// that is as large, it does not look into.
const LARGE: usize = PARSED;

/// What goes back.
pub(super) struct Answer {
    status: StatusCode,
    body: Option<Content>,
    headers: HeaderMap,
    repaired: Vec<String>,
    ignored: Vec<String>,
}

enum Content {
    Written(Bytes),
    Large(Text),
}

impl Answer {
    /// An answer with a resource, a list or an error.
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            body: Some(Content::Written(body.to_string().into())),
            ..Self::empty(status)
        }
    }

    /// The same, by its text.
    pub(super) fn text(status: StatusCode, body: Text) -> Self {
        let body = match body.len() {
            ..=LARGE => Content::Written(body.into_bytes()),
            _ => Content::Large(body),
        };
        Self {
            body: Some(body),
            ..Self::empty(status)
        }
    }

    /// An answer without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: None,
            headers: HeaderMap::new(),
            repaired: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// Says which revision holds what the request wrote.
    pub(super) fn at_revision(self, revision: u64) -> Self {
        self.with(REVISION, HeaderValue::from(revision))
    }

    /// Says where the new resource is: its `meta.location`.
    pub(super) fn located(self, location: &Value) -> Self {
        match location
            .as_str()
            .and_then(|location| HeaderValue::from_str(location).ok())
        {
            Some(location) => self.with(LOCATION, location),
            None => self,
        }
    }

    /// The answer to a creation, after a second step of it: what it says of version and revision.
    pub(super) fn completed_by(mut self, last: &Self) -> Self {
        for name in [ETAG, REVISION] {
            if let Some(value) = last.headers.get(&name) {
                self.headers.insert(name, value.clone());
            }
        }
        self
    }

    /// Says which version of the resource this is.
    pub(super) fn versioned(self, version: &str) -> Self {
        match HeaderValue::from_str(version) {
            Ok(version) => self.with(ETAG, version),
            Err(_) => self,
        }
    }

    pub(super) fn retry_after(self, seconds: u64) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(super) fn allowing(self, methods: &'static str) -> Self {
        self.with(ALLOW, HeaderValue::from_static(methods))
    }

    pub(super) fn challenging(self, error: Option<&'static str>) -> Self {
        let challenge = match error {
            None => HeaderValue::from_static("Bearer realm=\"gatewright\""),
            Some(_) => {
                HeaderValue::from_static("Bearer realm=\"gatewright\", error=\"invalid_token\"")
            }
        };
        self.with(WWW_AUTHENTICATE, challenge)
    }

    /// Notes what the request carried and was not kept.
    pub(super) fn ignoring(mut self, ignored: Vec<String>) -> Self {
        self.ignored = ignored;
        self
    }

    /// Notes what the provider plugin mended.
    pub(super) fn repaired_by(mut self, repairs: Vec<String>) -> Self {
        self.repaired = repairs;
        self
    }

    /// For the log; none where nothing was.
    pub(super) fn repaired(&self) -> Option<String> {
        (!self.repaired.is_empty()).then(|| self.repaired.join("; "))
    }

    /// For the log; none where nothing was.
    pub(super) fn ignored(&self) -> Option<String> {
        (!self.ignored.is_empty()).then(|| self.ignored.join(", "))
    }

    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header that was set, for the answer to many requests at once.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The revision that holds what the request wrote.
    pub(super) fn revision(&self) -> Option<u64> {
        self.header(&REVISION)?.parse().ok()
    }

    /// All of the body, for what looks into it.
    pub(super) fn body(&self) -> Option<Bytes> {
        Some(match self.body.as_ref()? {
            Content::Written(body) => body.clone(),
            Content::Large(text) => text.beginning(text.len()),
        })
    }

    /// The body and the lists, for the log of requests.
    pub(super) fn parts(&self) -> (Answered, &[String], Option<u64>) {
        let body = match &self.body {
            None => Answered::default(),
            Some(Content::Written(body)) => Answered::of(body),
            Some(Content::Large(text)) => Answered {
                beginning: text.beginning(Answered::KEPT),
                length: text.len(),
            },
        };
        let revision = self.headers.get(REVISION);
        let revision = revision.and_then(|value| value.to_str().ok()?.parse().ok());
        (body, &self.ignored, revision)
    }

    /// What a provider plugin made of the answer.
    pub(super) fn presented(mut self, status: u16, body: Option<String>) -> Self {
        self.status = StatusCode::from_u16(status).unwrap_or(self.status);
        self.body = body.map(|body| Content::Written(body.into()));
        self
    }

    pub(super) fn into_response(self, request: Uuid) -> Response {
        let repaired = self.repaired();
        let mut response = match self.body {
            Some(body) => {
                let mut response = Response::new(match body {
                    Content::Written(body) => Body::from(body),
                    Content::Large(text) => Body::new(text.into_body()),
                });
                let scim = HeaderValue::from_static("application/scim+json; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, scim);
                response
            }
            None => Response::new(Body::empty()),
        };
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        if let Ok(id) = HeaderValue::from_str(&request.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if let Some(repaired) = repaired.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(REPAIRED, repaired);
        }
        response
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}
