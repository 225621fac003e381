//! The one place where what goes wrong in a SCIM request becomes an answer (RFC 7644 section 3.12).

use super::answer::Answer;
use crate::directory::error::FactError;
use crate::gateway::Lost;
use crate::http::auth::NoToken;
use crate::http::body::BodyError;
use crate::plugins::PluginError;
use crate::rate::TooOften;
use crate::telemetry::chain;
use axum::http::{Method, StatusCode};
use gatewright_sandbox::CallError;
use gatewright_scim::{Error as ScimError, ScimType};
use gatewright_store::StoreError;

/// What providers are told to wait after a provider plugin failed, in seconds: they retry a 429,
/// while Okta leaves a task that got a 503 until a person resubmits it.
const RETRY_SECONDS: u64 = 10;

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    NoToken(#[from] NoToken),
    #[error("the token is not valid for this directory: check the base URL and the token")]
    WrongToken,
    #[error("{0} does not exist here; a SCIM base URL looks like /scim/v2/DIRECTORY")]
    NoSuchPath(String),
    #[error("{method} is not possible here; possible: {allowed}")]
    Method {
        method: Method,
        allowed: &'static str,
    },
    #[error(
        "/Me is not possible: a token is for a directory and not for a user; ask for /Users with \
         a filter"
    )]
    Me,
    #[error("Content-Type \"{0}\" is not supported: send application/scim+json")]
    MediaType(String),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Fact(#[from] FactError),
    /// The provider plugin says in its own words that the request is wrong.
    #[error("{0}")]
    Refused(String),
    #[error("the plugin of this directory's provider failed; nothing was changed")]
    Plugin(#[source] CallError),
    #[error("the plugin of this directory's provider cannot be used; nothing was changed")]
    PluginNotLoaded(#[source] PluginError),
    #[error(transparent)]
    TooOften(#[from] TooOften),
    #[error(
        "the plugin of this directory's provider is busy with other requests of this directory; \
         nothing was changed"
    )]
    PluginBusy,
    #[error("the store failed")]
    Store(#[source] StoreError),
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl From<ScimError> for Failure {
    fn from(error: ScimError) -> Self {
        Self::Fact(FactError::Scim(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// What to log beyond the answer: the whole chain of what is not the client's fault.
    pub(super) fn cause(&self) -> Option<String> {
        match self {
            Self::Plugin(_)
            | Self::PluginNotLoaded(_)
            | Self::Store(_)
            | Self::Lost(_)
            | Self::Fact(FactError::Store(_) | FactError::Engine(_)) => Some(chain(self)),
            Self::NoToken(_)
            | Self::WrongToken
            | Self::NoSuchPath(_)
            | Self::Method { .. }
            | Self::Me
            | Self::MediaType(_)
            | Self::Body(_)
            | Self::Refused(_)
            | Self::TooOften(_)
            | Self::PluginBusy
            | Self::Fact(
                FactError::NotFound { .. }
                | FactError::UserNameTaken(_)
                | FactError::IdentifierTaken { .. }
                | FactError::ValueTaken { .. }
                | FactError::GroupNameTaken(_)
                | FactError::UnknownMember(_)
                | FactError::MemberType { .. }
                | FactError::NestedTooDeep { .. }
                | FactError::NestedTooWide { .. }
                | FactError::Changed { .. }
                | FactError::Scim(_),
            ) => None,
        }
    }

    pub(super) fn into_answer(self) -> Answer {
        let detail = self.to_string();
        match self {
            Self::NoToken(NoToken::Missing) => {
                plain(StatusCode::UNAUTHORIZED, detail).challenging(None)
            }
            Self::NoToken(NoToken::Malformed) | Self::WrongToken => {
                plain(StatusCode::UNAUTHORIZED, detail).challenging(Some("invalid_token"))
            }
            Self::NoSuchPath(_) => plain(StatusCode::NOT_FOUND, detail),
            Self::Method { allowed, .. } => {
                plain(StatusCode::METHOD_NOT_ALLOWED, detail).allowing(allowed)
            }
            // RFC 7644 section 3.11.
            Self::Me => plain(StatusCode::NOT_IMPLEMENTED, detail),
            Self::MediaType(_) => plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail),
            Self::Body(BodyError::TooLarge(_)) => plain(StatusCode::PAYLOAD_TOO_LARGE, detail),
            Self::Body(BodyError::TooSlow) => plain(StatusCode::REQUEST_TIMEOUT, detail),
            Self::Body(BodyError::Broken) => plain(StatusCode::BAD_REQUEST, detail),
            Self::Fact(FactError::NotFound { .. }) => plain(StatusCode::NOT_FOUND, detail),
            Self::Fact(
                FactError::UserNameTaken(_)
                | FactError::IdentifierTaken { .. }
                | FactError::ValueTaken { .. }
                | FactError::GroupNameTaken(_),
            ) => typed(StatusCode::CONFLICT, ScimType::Uniqueness, detail),
            Self::Fact(FactError::Changed { .. }) => plain(StatusCode::PRECONDITION_FAILED, detail),
            Self::Fact(
                FactError::UnknownMember(_)
                | FactError::MemberType { .. }
                | FactError::NestedTooDeep { .. }
                | FactError::NestedTooWide { .. },
            )
            | Self::Refused(_) => typed(StatusCode::BAD_REQUEST, ScimType::InvalidValue, detail),
            Self::Fact(FactError::Scim(error)) => scim(&error),
            Self::TooOften(TooOften { seconds }) => {
                plain(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds)
            }
            Self::Plugin(_) | Self::PluginNotLoaded(_) | Self::PluginBusy => {
                plain(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(RETRY_SECONDS)
            }
            Self::Fact(FactError::Store(_) | FactError::Engine(_))
            | Self::Store(_)
            | Self::Lost(_) => {
                let detail = "the gateway could not do this; nothing was changed. Its log has the \
                              cause under this answer's Gatewright-Request-Id";
                plain(StatusCode::INTERNAL_SERVER_ERROR, detail.to_owned())
            }
        }
    }
}

fn plain(status: StatusCode, detail: String) -> Answer {
    scim(&ScimError {
        status: status.as_u16(),
        scim_type: None,
        detail,
    })
}

fn typed(status: StatusCode, scim_type: ScimType, detail: String) -> Answer {
    scim(&ScimError {
        status: status.as_u16(),
        scim_type: Some(scim_type),
        detail,
    })
}

fn scim(error: &ScimError) -> Answer {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    Answer::json(status, &error.to_json())
}
