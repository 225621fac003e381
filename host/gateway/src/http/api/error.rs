//! The one place where what goes wrong in the API becomes an answer: a problem document
//! (RFC 9457).

use super::{catalogue, plans, plugins};
use crate::access::catalogue::CatalogueError;
use crate::access::domains::DomainError;
use crate::access::guard::GuardError;
use crate::access::guard::holds::HoldError;
use crate::access::hand::HandError;
use crate::access::import::ImportError;
use crate::access::links::LinkError;
use crate::access::mapping::MappingError;
use crate::access::plan::PlanError;
use crate::access::reports::ReplayError;
use crate::access::signals::SignalError;
use crate::delivery::log::BadCursor;
use crate::directory::error::FactError;
use crate::directory::organizations::TenancyError;
use crate::directory::phases::PhaseError;
use crate::dns::DnsError;
use crate::gateway::Lost;
use crate::http::auth::NoToken;
use crate::http::body::BodyError;
use crate::http::scim::replay::NoReplay;
use crate::plugins::PluginError;
use crate::telemetry::chain;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gatewright_store::{EngineError, StoreError, WriteError};
use serde_json::{Value, json};

/// What the log says of an answer, beyond its status.
#[derive(Clone)]
pub(super) struct Cause(pub(super) String);

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error(transparent)]
    NoToken(#[from] NoToken),
    #[error("the key is not known, or was revoked")]
    UnknownToken,
    #[error("a directory's token is for SCIM only: use an API key")]
    ScimToken,
    #[error("this takes an operator's key")]
    NotOperator,
    #[error("this key is bound to no organization: use /api/v1/organizations/ID{0}")]
    NoOrganizationInPath(String),
    #[error("organization {0} does not exist")]
    NoOrganization(String),
    #[error("{what} \"{id}\" does not exist")]
    NotFound { what: &'static str, id: String },
    #[error("slot \"{0}\" does not exist: there are lifecycle, roles and seats")]
    NoSlot(String),
    #[error("{0} is no path of the API")]
    NoSuchPath(String),
    #[error("{0} is not possible here")]
    Method(Method),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the body is not what this takes: {0}")]
    Json(String),
    #[error("query parameter {name}: {problem}")]
    Query { name: &'static str, problem: String },
    #[error("header {name}: {problem}")]
    Header {
        name: &'static str,
        problem: &'static str,
    },
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error("the request cannot be run again: {0}")]
    Replay(#[from] NoReplay),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error(transparent)]
    Hand(#[from] HandError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Domain(#[from] DomainError),
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error(transparent)]
    Phase(#[from] PhaseError),
    #[error("not decided up to revision {revision} within {seconds} s: {why}")]
    NotFresh {
        revision: u64,
        seconds: u64,
        why: String,
    },
    #[error(transparent)]
    Fact(#[from] FactError),
    #[error(transparent)]
    Tenancy(#[from] TenancyError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error(transparent)]
    Report(#[from] ReplayError),
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the change could not be stored")]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl<E: Into<ApiError>> From<WriteError<E>> for ApiError {
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Aborted(error) => error.into(),
            WriteError::Engine(error) => Self::Engine(error),
        }
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoToken(_) | Self::UnknownToken => StatusCode::UNAUTHORIZED,
            Self::ScimToken | Self::NotOperator => StatusCode::FORBIDDEN,
            Self::NoOrganizationInPath(_)
            | Self::Json(_)
            | Self::Query { .. }
            | Self::Header { .. }
            | Self::Cursor(_)
            | Self::Body(BodyError::Broken)
            | Self::Fact(
                FactError::UnknownMember(_)
                | FactError::MemberType { .. }
                | FactError::NestedTooDeep { .. }
                | FactError::NestedTooWide { .. }
                | FactError::Scim(_),
            )
            | Self::Tenancy(
                TenancyError::Name | TenancyError::KeepDeletedDays | TenancyError::Declaration(_),
            )
            | Self::Mapping(
                MappingError::UnknownTarget { .. }
                | MappingError::EmptyGroup(_)
                | MappingError::Twice { .. }
                | MappingError::TooMany(_)
                | MappingError::ById(_),
            )
            | Self::Catalogue(CatalogueError::Invalid { .. })
            | Self::Guard(GuardError::Window | GuardError::Share)
            | Self::Hand(HandError::Unknown { .. })
            | Self::Signal(SignalError::Name(_) | SignalError::TooMany | SignalError::Future)
            | Self::Import(ImportError::TooMany(_))
            | Self::Link(LinkError::NoAccount(_))
            | Self::Domain(DomainError::Invalid(_))
            | Self::Plan(
                PlanError::Nothing
                | PlanError::NobodyActs
                | PlanError::Expires
                | PlanError::Slot(_)
                | PlanError::Mapping(_)
                | PlanError::UnknownActing(_)
                | PlanError::Words
                | PlanError::Catalogue(CatalogueError::Invalid { .. }),
            ) => StatusCode::BAD_REQUEST,
            Self::NoOrganization(_)
            | Self::NotFound { .. }
            | Self::NoSlot(_)
            | Self::NoSuchPath(_)
            | Self::Hand(HandError::NoAccount(_) | HandError::Missing { .. })
            | Self::Signal(SignalError::NoAccount(_))
            | Self::Domain(DomainError::Unknown(_))
            | Self::Hold(HoldError::Missing { .. } | HoldError::NothingTaken { .. })
            | Self::Fact(FactError::NotFound { .. })
            | Self::Tenancy(
                TenancyError::NoOrganization(_)
                | TenancyError::NoDirectory(_)
                | TenancyError::NoToken(_),
            )
            | Self::Mapping(MappingError::NoEntry(_) | MappingError::NoGroup(_))
            | Self::Report(ReplayError::NoReport(_))
            | Self::Plan(PlanError::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Plugin(error)
            | Self::Report(ReplayError::Plugin(error))
            | Self::Plan(PlanError::Plugin(error)) => of_plugin(error),
            Self::Phase(error) | Self::Plan(PlanError::Phase(error)) => of_phase(error),
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(BodyError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            Self::Catalogue(CatalogueError::InUse(_))
            | Self::Hold(HoldError::LastOwner { .. })
            | Self::Tenancy(
                TenancyError::Form { .. } | TenancyError::Uninstalled(_) | TenancyError::Unseen,
            )
            | Self::Hand(
                HandError::FromGroup { .. }
                | HandError::Managed { .. }
                | HandError::Full(_)
                | HandError::LastOwner(_),
            )
            | Self::Link(LinkError::NotWaiting(_) | LinkError::Claimed { .. })
            | Self::Domain(DomainError::TooMany | DomainError::NotShown { .. })
            | Self::Fact(
                FactError::UserNameTaken(_)
                | FactError::IdentifierTaken { .. }
                | FactError::ValueTaken { .. }
                | FactError::GroupNameTaken(_),
            )
            | Self::Plan(
                PlanError::TooMany
                | PlanError::NotReady { .. }
                | PlanError::Expired(_)
                | PlanError::Outdated { .. }
                | PlanError::LastOwner { .. }
                | PlanError::NoOwner { .. }
                | PlanError::LocksOutActing { .. }
                | PlanError::Catalogue(CatalogueError::InUse(_)),
            )
            | Self::Report(ReplayError::Call(_))
            | Self::Replay(NoReplay::Stranger | NoReplay::Gap | NoReplay::Masked | NoReplay::Cut) => {
                StatusCode::CONFLICT
            }
            Self::Fact(FactError::Changed { .. })
            | Self::Catalogue(CatalogueError::Changed { .. })
            | Self::Plan(PlanError::Catalogue(CatalogueError::Changed { .. })) => {
                StatusCode::PRECONDITION_FAILED
            }
            Self::Replay(NoReplay::Busy) | Self::NotFresh { .. } | Self::Dns(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(_)
            | Self::Engine(_)
            | Self::Lost(_)
            | Self::Report(ReplayError::Store(_))
            | Self::Replay(NoReplay::Store(_))
            | Self::Guard(GuardError::Store(_))
            | Self::Hold(HoldError::Store(_))
            | Self::Hand(HandError::Store(_))
            | Self::Signal(SignalError::Store(_))
            | Self::Import(ImportError::Store(_))
            | Self::Link(LinkError::Store(_))
            | Self::Domain(DomainError::Store(_))
            | Self::Fact(FactError::Store(_) | FactError::Engine(_))
            | Self::Tenancy(TenancyError::Store(_) | TenancyError::Engine(_))
            | Self::Mapping(MappingError::Store(_))
            | Self::Catalogue(CatalogueError::Store(_))
            | Self::Plan(
                PlanError::Store(_)
                | PlanError::Engine(_)
                | PlanError::Catalogue(CatalogueError::Store(_)),
            ) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

fn of_plugin(error: &PluginError) -> StatusCode {
    match error {
        PluginError::InChain { error, .. } => of_plugin(error),
        PluginError::Load(_)
        | PluginError::WrongKind { .. }
        | PluginError::OneOrChain
        | PluginError::TooLong { .. }
        | PluginError::Limit { .. }
        | PluginError::ChainLength(_) => StatusCode::BAD_REQUEST,
        PluginError::Unknown { .. }
        | PluginError::Unbound { .. }
        | PluginError::NoVersion { .. }
        | PluginError::NoShadow { .. } => StatusCode::NOT_FOUND,
        PluginError::NothingBefore { .. }
        | PluginError::Several { .. }
        | PluginError::BuiltIn { .. }
        | PluginError::InUse(_)
        | PluginError::Removed(_) => StatusCode::CONFLICT,
        PluginError::Store(_) | PluginError::Engine(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn of_phase(error: &PhaseError) -> StatusCode {
    match error {
        PhaseError::Words | PhaseError::NoAccounts | PhaseError::Days => StatusCode::BAD_REQUEST,
        PhaseError::NoDirectory(_) => StatusCode::NOT_FOUND,
        PhaseError::Wrong { .. } | PhaseError::Unseen(_) | PhaseError::OtherPlan(_) => {
            StatusCode::CONFLICT
        }
        PhaseError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ApiError {
    /// What the answer has beside its sentence, under a name of its own.
    fn more(&self) -> Option<(&'static str, Value)> {
        if let Self::Plan(PlanError::Outdated { differences, .. }) = self
            && !differences.is_empty()
        {
            return Some(("differences", plans::show_differences(differences)));
        }
        if let Self::Catalogue(CatalogueError::InUse(uses))
        | Self::Plan(PlanError::Catalogue(CatalogueError::InUse(uses))) = self
        {
            return Some(("used_by", catalogue::show_uses(uses)));
        }
        if let Self::Plugin(PluginError::InUse(uses)) = self {
            return Some(("used_by", plugins::show_uses(uses)));
        }
        None
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let internal = status == StatusCode::INTERNAL_SERVER_ERROR;
        let detail = match &self {
            _ if internal => "the gateway could not do this; its log has the cause under this \
                              answer's Gatewright-Request-Id"
                .to_owned(),
            // Why a component was refused is what its author needs.
            Self::Plugin(PluginError::Load(_) | PluginError::InChain { .. })
            | Self::Report(ReplayError::Plugin(PluginError::Load(_)))
            | Self::Plan(PlanError::Plugin(PluginError::Load(_) | PluginError::InChain { .. })) => {
                chain(&self)
            }
            other => other.to_string(),
        };
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Some((name, more)) = self.more() {
            body[name] = more;
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"gatewright\""),
            );
        }
        if status.is_server_error() {
            response.extensions_mut().insert(Cause(chain(&self)));
        }
        response
    }
}
