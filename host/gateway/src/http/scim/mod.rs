//! SCIM 2.0 below `/scim/v2/{directory}`.
//!
//! A request passes: authentication, body limit, provider plugin, then the one function of its
//! route, which parses, commits and answers. From the plugin on it is one synchronous function on
//! the blocking pool. Every answer, also to an unknown path or method, is SCIM JSON.

mod answer;
mod bulk;
mod discovery;
mod error;
mod groups;
mod list;
mod provider;
mod route;
mod search;
mod users;

use super::body::BodyError;
use super::{Shared, auth, body};
use crate::directory::credentials::Secret;
use crate::directory::walk::Walker;
use crate::directory::{Directory, organizations};
use crate::gateway::Gateway;
use answer::Answer;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use error::Failure;
use gatewright_scim::{Preconditions, Projection, ResourceType};
use route::{Place, Route};
use std::sync::Arc;
use std::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

/// Bytes of a body that is read before it is known who sends it: no more than the connection's own
/// buffer takes anyway.
const SMALL_BODY: u64 = 64 << 10;

/// One SCIM request that was let in.
struct Incoming {
    directory: Directory,
    /// Whose token it came with.
    walker: Walker,
    route: Route,
    /// Query parameters, decoded.
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    /// The SCIM base URL of the directory.
    base_url: String,
}

impl Incoming {
    /// Which attributes the answer is to have.
    fn projection(&self, resource: ResourceType) -> Projection {
        Projection::from_query(&self.query, resource)
    }

    /// Which version of the resource it is about.
    fn conditions(&self) -> Preconditions {
        let joined = |name: HeaderName| {
            let values = self.headers.get_all(name).iter();
            let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
            (!texts.is_empty()).then(|| texts.join(","))
        };
        Preconditions::parse(
            joined(IF_MATCH).as_deref(),
            joined(IF_NONE_MATCH).as_deref(),
        )
    }
}

/// What is known of a request for its log line.
#[derive(Default)]
struct Seen {
    directory: Option<Uuid>,
    organization: Option<String>,
}

/// Answers any path that is not the API's.
pub(super) async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let began = Instant::now();
    let id = shared.gateway.random.id(shared.gateway.clock.now());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut seen = Seen::default();
    let answer = match answer(&shared, request, &mut seen).await {
        Ok(answer) => answer,
        Err(failure) => {
            if let Some(cause) = failure.cause() {
                warn!(request = %id, %method, path, error = cause, "SCIM request failed");
            }
            failure.into_answer()
        }
    };
    info!(
        request = %id, %method, path, status = answer.status(),
        ms = began.elapsed().as_secs_f64() * 1_000.0,
        organization = seen.organization, directory = seen.directory.map(tracing::field::display),
        repaired = answer.repaired(), ignored = answer.ignored(),
        "SCIM"
    );
    answer.into_response(id)
}

async fn answer(shared: &Shared, request: Request, seen: &mut Seen) -> Result<Answer, Failure> {
    let (parts, body) = request.into_parts();
    let (directory, place) = route::parse(parts.uri.path())?;
    let head = Head {
        secret: auth::bearer(&parts.headers)?,
        base_url: format!("{}/scim/v2/{directory}", shared.public_url),
        directory,
        place,
        parts,
    };
    // A small body is mostly there already. Reading it first lets one hand-over to a thread that
    // may block do for the whole request; a large one is read only from those who were let in.
    if body
        .size_hint()
        .upper()
        .is_some_and(|bytes| bytes <= SMALL_BODY)
    {
        let bytes = body::read(body, SMALL_BODY as usize).await?;
        let (answer, entered) = shared
            .gateway
            .run(move |gateway| {
                let mut seen = Seen::default();
                let answer = head
                    .enter(gateway, &mut seen)
                    .and_then(|entered| entered.with_body(bytes))
                    .and_then(|incoming| work(gateway, incoming));
                (answer, seen)
            })
            .await?;
        *seen = entered;
        return answer;
    }
    let (entered, known) = shared
        .gateway
        .run(move |gateway| {
            let mut seen = Seen::default();
            (head.enter(gateway, &mut seen), seen)
        })
        .await?;
    *seen = known;
    let entered = entered?;
    let bytes = match entered.limit {
        Some(limit) => body::read(body, limit).await?,
        None => Bytes::new(),
    };
    let incoming = entered.with_body(bytes)?;
    shared
        .gateway
        .run(move |gateway| work(gateway, incoming))
        .await?
}

/// A request before anybody was let in.
struct Head {
    parts: Parts,
    secret: Secret,
    directory: String,
    place: Place,
    base_url: String,
}

impl Head {
    /// Resolves the token to the directory of the path. Whether another directory exists is not
    /// told.
    fn enter(self, gateway: &Gateway, seen: &mut Seen) -> Result<Entered, Failure> {
        let directory = organizations::enter(&gateway.store, &self.secret, &self.directory)?;
        let directory = directory.ok_or(Failure::WrongToken)?;
        seen.directory = Some(directory.id);
        seen.organization = Some(directory.organization.id().to_string());
        let route = self.place.with_method(&self.parts.method)?;
        let limit = if route.has_body() {
            route::check_media_type(&self.parts.headers)?;
            Some(match route {
                Route::Groups(_) => gateway.limits.group_body,
                Route::Bulk => gateway.limits.bulk_body,
                Route::Users(_) | Route::Search(_) | Route::Discovery(_) => gateway.limits.body,
            })
        } else {
            None
        };
        let incoming = Incoming {
            directory,
            walker: self.secret.digest(),
            route,
            query: route::query(&self.parts),
            headers: self.parts.headers,
            body: Bytes::new(),
            base_url: self.base_url,
        };
        Ok(Entered { incoming, limit })
    }
}

/// A request that was let in and waits for its body.
struct Entered {
    incoming: Incoming,
    /// Bytes that its body may have; none where it has no body to look at.
    limit: Option<usize>,
}

impl Entered {
    fn with_body(self, bytes: Bytes) -> Result<Incoming, Failure> {
        match self.limit {
            Some(limit) if bytes.len() > limit => Err(BodyError::TooLarge(limit).into()),
            Some(_) => Ok(Incoming {
                body: bytes,
                ..self.incoming
            }),
            None => Ok(self.incoming),
        }
    }
}

/// The synchronous part of a request. Of many at once each goes through the provider plugin.
fn work(gateway: &Arc<Gateway>, request: Incoming) -> Result<Answer, Failure> {
    match &request.route {
        Route::Bulk => bulk::handle(gateway, &request),
        Route::Users(_) | Route::Groups(_) | Route::Search(_) | Route::Discovery(_) => {
            provider::through(gateway, request, dispatch)
        }
    }
}

/// The one function of each route.
fn dispatch(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    match &request.route {
        Route::Search(of) => search::handle(gateway, request, *of),
        Route::Users(verb) => users::handle(gateway, request, verb),
        Route::Groups(verb) => groups::handle(gateway, request, verb),
        Route::Bulk => Err(Failure::NoSuchPath("/Bulk in itself".into())),
        Route::Discovery(what) => discovery::handle(gateway, request, what),
    }
}
