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
mod journal;
mod list;
mod provider;
pub(super) mod replay;
mod route;
mod search;
mod text;
mod users;

use super::body::BodyError;
use super::{Shared, auth, body};
use crate::directory::Moment;
use crate::directory::credentials::Secret;
use crate::directory::walk::Walker;
use crate::directory::{Directory, organizations, phases};
use crate::gateway::Gateway;
use crate::model::tenancy::Phase;
use answer::Answer;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use error::Failure;
use gatewright_scim::{Preconditions, Projection, ResourceType, Shape};
use journal::Notes;
use provider::{Passed, Room};
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
    /// Its id in the log of requests; none in a dry run.
    id: Option<Uuid>,
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
    /// Where its write takes time and ids from.
    fn moment(&self, gateway: &Gateway) -> Moment {
        gateway.moment(self.id)
    }

    /// Which attributes the answer is to have.
    fn projection(&self, resource: ResourceType) -> Projection {
        Projection::from_query(&self.query, self.shape(resource))
    }

    /// What resources of that kind are like in its directory.
    fn shape(&self, resource: ResourceType) -> Shape {
        self.directory.profile.shape(resource)
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

/// Answers any path that is not the API's.
pub(super) async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let began = Instant::now();
    let now = shared.gateway.clock.now();
    let id = shared.gateway.request_ids.id(now, &shared.gateway.random);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let head = journal::Head::of(&shared.gateway, &request);
    let mut notes = Notes::default();
    let answer = match answer(&shared, request, id, &mut notes).await {
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
        organization = notes.organization().map(tracing::field::display),
        directory = notes.directory().map(tracing::field::display),
        repaired = answer.repaired(), ignored = answer.ignored(),
        "SCIM"
    );
    if let Some(head) = head {
        let seen = head.with(id, now, began.elapsed(), notes, &answer);
        if let Some(seen) = seen {
            shared.gateway.requests.note(seen);
        }
    }
    answer.into_response(id)
}

async fn answer(
    shared: &Shared,
    request: Request,
    id: Uuid,
    notes: &mut Notes,
) -> Result<Answer, Failure> {
    let (parts, body) = request.into_parts();
    let (directory, place) = route::parse(parts.uri.path())?;
    let head = Head {
        id,
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
        let (passed, noted) = shared
            .gateway
            .run(move |gateway| {
                let mut notes = Notes::default();
                let passed = head
                    .enter(gateway, &mut notes)
                    .and_then(|entered| entered.with_body(bytes, &mut notes))
                    .and_then(|incoming| work(gateway, incoming, Room::ToTake, &mut notes));
                (passed, notes)
            })
            .await?;
        *notes = noted;
        return finish(shared, passed?, notes).await;
    }
    let (entered, known) = shared
        .gateway
        .run(move |gateway| {
            let mut notes = Notes::default();
            (head.enter(gateway, &mut notes), notes)
        })
        .await?;
    *notes = known;
    let entered = entered?;
    let bytes = match entered.limit {
        Some(limit) => body::read(body, limit).await?,
        None => Bytes::new(),
    };
    let incoming = entered.with_body(bytes, notes)?;
    let passed = pass(shared, incoming, Room::ToTake, notes).await?;
    finish(shared, passed, notes).await
}

/// Hands a request over to a thread that may block.
async fn pass(
    shared: &Shared,
    incoming: Incoming,
    room: Room,
    notes: &mut Notes,
) -> Result<Passed, Failure> {
    let mut known = std::mem::take(notes);
    let (passed, noted) = shared
        .gateway
        .run(move |gateway| {
            let passed = work(gateway, incoming, room, &mut known);
            (passed, known)
        })
        .await?;
    *notes = noted;
    passed
}

/// Waits, without a worker, for as long as the directory's other requests are in its plugin.
async fn finish(shared: &Shared, mut passed: Passed, notes: &mut Notes) -> Result<Answer, Failure> {
    loop {
        let incoming = match passed {
            Passed::Answered(answer) => return Ok(answer),
            Passed::Waits(incoming) => *incoming,
        };
        let turn = shared.gateway.turns.wait(incoming.directory.id).await;
        let room = Room::Turn(turn.ok_or(Failure::PluginBusy)?);
        passed = pass(shared, incoming, room, notes).await?;
    }
}

/// A request before anybody was let in.
struct Head {
    id: Uuid,
    parts: Parts,
    secret: Secret,
    directory: String,
    place: Place,
    base_url: String,
}

impl Head {
    /// Resolves the token to the directory of the path. Whether another directory exists is not
    /// told.
    fn enter(self, gateway: &Gateway, notes: &mut Notes) -> Result<Entered, Failure> {
        let directory = organizations::enter(&gateway.store, &self.secret, &self.directory)?;
        let (mut directory, credential) = directory.ok_or(Failure::WrongToken)?;
        directory.names = Some(Arc::clone(&gateway.names));
        notes.entered(&directory, credential);
        gateway.rates.check(credential)?;
        if directory.record.phase == Phase::Draft {
            let now = gateway.clock.now();
            phases::seen(&directory.organization, now, directory.id)?;
        }
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
            id: Some(self.id),
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
    fn with_body(self, bytes: Bytes, notes: &mut Notes) -> Result<Incoming, Failure> {
        if self.limit.is_some_and(|limit| bytes.len() <= limit) {
            notes.came(&bytes);
        }
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

/// The synchronous part of a request. Of many at once each goes through the provider plugin, with
/// one turn for all of them.
fn work(
    gateway: &Arc<Gateway>,
    request: Incoming,
    room: Room,
    notes: &mut Notes,
) -> Result<Passed, Failure> {
    match &request.route {
        Route::Bulk => {
            let turn = match room {
                Room::ToTake => gateway.turns.take(request.directory.id),
                Room::Turn(turn) => Some(turn),
                Room::Held => None,
            };
            let Some(turn) = turn else {
                return Ok(Passed::Waits(Box::new(request)));
            };
            let answer = bulk::handle(gateway, &request);
            drop(turn);
            answer.map(Passed::Answered)
        }
        Route::Users(_) | Route::Groups(_) | Route::Search(_) | Route::Discovery(_) => {
            provider::through(gateway, request, room, notes, dispatch)
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
