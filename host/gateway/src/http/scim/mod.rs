//! SCIM 2.0 below `/scim/v2/{directory}`.
//!
//! A request passes: authentication, body limit, provider plugin, then the one function of its
//! route, which parses, commits and answers. From the plugin on it is one synchronous function on
//! the blocking pool. Every answer, also to an unknown path or method, is SCIM JSON.

mod answer;
mod discovery;
mod error;
mod groups;
mod provider;
mod route;
mod search;
mod users;

use super::{Shared, auth, body};
use crate::directory::{Directory, organizations};
use crate::gateway::Gateway;
use answer::Answer;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use error::Failure;
use gatewright_scim::{Projection, ResourceType};
use route::Route;
use std::sync::Arc;
use std::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

/// One SCIM request that was let in.
struct Incoming {
    directory: Directory,
    route: Route,
    /// Query parameters, decoded.
    query: Vec<(String, String)>,
    /// Headers but for credentials and cookies.
    headers: Vec<(String, String)>,
    body: Bytes,
    /// The SCIM base URL of the directory.
    base_url: String,
}

impl Incoming {
    /// Which attributes the answer is to have.
    fn projection(&self, resource: ResourceType) -> Projection {
        Projection::from_query(&self.query, resource)
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
    let (directory, route) = route::parse(parts.uri.path())?;
    let entered = enter(&shared.gateway, &parts, &directory).await?;
    seen.directory = Some(entered.id);
    seen.organization = Some(entered.organization.id().to_string());
    let route = route.with_method(&parts.method)?;
    let limit = match route.resource() {
        "Groups" => shared.gateway.limits.group_body,
        _ => shared.gateway.limits.body,
    };
    let bytes = if route.has_body() {
        route::check_media_type(&parts.headers)?;
        body::read(body, limit).await?
    } else {
        Bytes::new()
    };
    let incoming = Incoming {
        directory: entered,
        route,
        query: route::query(&parts),
        headers: route::headers(&parts.headers),
        body: bytes,
        base_url: format!("{}/scim/v2/{directory}", shared.public_url),
    };
    shared
        .gateway
        .run(move |gateway| provider::through(gateway, incoming, dispatch))
        .await?
}

/// Resolves the token to the directory of the path. Whether another directory exists is not told.
async fn enter(
    gateway: &Arc<Gateway>,
    parts: &Parts,
    directory: &str,
) -> Result<Directory, Failure> {
    let secret = auth::bearer(&parts.headers)?;
    let directory = directory.to_owned();
    let entered = gateway
        .run(move |gateway| {
            let credential = crate::directory::credentials::resolve(&gateway.store, &secret)?;
            match credential {
                Some(credential) => organizations::enter(&gateway.store, &credential, &directory),
                None => Ok(None),
            }
        })
        .await?;
    entered.map_err(Failure::Store)?.ok_or(Failure::WrongToken)
}

/// The one function of each route.
fn dispatch(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    match &request.route {
        Route::Search(of) => search::handle(gateway, request, *of),
        Route::Users(verb) => users::handle(gateway, request, verb),
        Route::Groups(verb) => groups::handle(gateway, request, verb),
        Route::Discovery(what) => discovery::handle(gateway, request, what),
    }
}
