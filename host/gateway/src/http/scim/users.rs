//! `/Users`.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::list;
use super::route::Verb;
use super::text::Text;
use crate::directory::error::FactError;
use crate::directory::groups::Represented;
use crate::directory::membership::Memberships;
use crate::directory::users::{self, StoredUser};
use crate::gateway::Gateway;
use crate::ledger::Committed;
use axum::http::StatusCode;
use gatewright_scim::{Parsed, Projection, ResourceType, Shape, User, UserPatch, parse_json};
use gatewright_store::{OrganizationId, OrganizationScope, Reader};
use serde_json::Value;

pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    verb: &Verb,
) -> Result<Answer, Failure> {
    match verb {
        Verb::List => list::handle(gateway, request, ResourceType::User),
        Verb::Get(id) => get(request, id),
        Verb::Create => create(gateway, request),
        Verb::Replace(id) => replace(gateway, request, id),
        Verb::Patch(id) => patch(gateway, request, id),
        Verb::Delete(id) => delete(gateway, request, id),
    }
}

fn get(request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let reader = request.directory.organization.read()?;
    let user = users::get(&reader, &request.directory, id)?;
    let shown = Shown::read(&reader, request, user, &projection)?;
    Ok(not_modified(request, &shown.version)?.unwrap_or_else(|| shown.into_answer(StatusCode::OK)))
}

/// The answer to who has this version already; none to who has not.
///
/// # Errors
/// Where only another version was wanted.
pub(super) fn not_modified(request: &Incoming, version: &str) -> Result<Option<Answer>, Failure> {
    let conditions = request.conditions();
    if !conditions.matched(version) {
        let version = version.to_owned();
        return Err(FactError::Changed { version }.into());
    }
    let known = conditions.known(version);
    Ok(known.then(|| Answer::empty(StatusCode::NOT_MODIFIED).versioned(version)))
}

fn create(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let Parsed { resource, ignored } = parse(gateway, request)?;
    let created = users::create(&request.directory, &request.moment(gateway), resource)?;
    written(
        gateway,
        request,
        StatusCode::CREATED,
        created,
        &projection,
        ignored,
    )
}

fn replace(gateway: &Gateway, request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let Parsed { resource, ignored } = parse(gateway, request)?;
    let replaced = users::replace(
        &request.directory,
        &request.moment(gateway),
        id,
        &request.conditions(),
        resource,
    )?;
    written(
        gateway,
        request,
        StatusCode::OK,
        replaced,
        &projection,
        ignored,
    )
}

fn patch(gateway: &Gateway, request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let limits = &gateway.limits.scim;
    let body = parse_json(&request.body, limits)?;
    let patch = UserPatch::parse(&body, request.directory.profile, limits)?;
    let ignored = patch.ignored().to_vec();
    let patched = users::patch(
        &request.directory,
        &request.moment(gateway),
        id,
        &request.conditions(),
        patch,
    )?;
    written(
        gateway,
        request,
        StatusCode::OK,
        patched,
        &projection,
        ignored,
    )
}

fn delete(gateway: &Gateway, request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let deleted = users::delete(
        &request.directory,
        &request.moment(gateway),
        id,
        &request.conditions(),
    )?;
    wake(gateway, request);
    Ok(Answer::empty(StatusCode::NO_CONTENT).at_revision(deleted.revision))
}

fn parse(gateway: &Gateway, request: &Incoming) -> Result<Parsed<User>, Failure> {
    let body = parse_json(&request.body, &gateway.limits.scim)?;
    Ok(User::parse(body, request.directory.profile)?)
}

fn written(
    gateway: &Gateway,
    request: &Incoming,
    status: StatusCode,
    user: Committed<StoredUser>,
    projection: &Projection,
    ignored: Vec<String>,
) -> Result<Answer, Failure> {
    wake(gateway, request);
    let reader = request.directory.organization.read()?;
    let shown = Shown::read(&reader, request, user.value, projection)?;
    let answer = shown.into_answer(status);
    Ok(answer.at_revision(user.revision).ignoring(ignored))
}

/// A user or group as it is shown, with what its headers say.
pub(super) struct Shown {
    resource: Represented,
    location: Value,
    pub(super) version: String,
}

impl Shown {
    fn read(
        reader: &Reader<OrganizationScope>,
        request: &Incoming,
        user: StoredUser,
        projection: &Projection,
    ) -> Result<Self, Failure> {
        let wanted = users::Wanted {
            groups: projection.includes("groups"),
            manager: true,
            meta: true,
        };
        let mut memberships = Memberships::of(reader, &request.directory);
        let body = users::represent(
            &mut memberships,
            &request.directory,
            user,
            &request.base_url,
            wanted,
        )?;
        Ok(Self::of(
            body,
            projection,
            request.shape(ResourceType::User),
        ))
    }

    /// Leaves in the full `body` what is wanted of it.
    pub(super) fn of(
        resource: impl Into<Represented>,
        projection: &Projection,
        shape: Shape,
    ) -> Self {
        let mut resource = resource.into();
        let body = &mut resource.body;
        let location = body["meta"]["location"].clone();
        let version = body["meta"]["version"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        projection.apply(body, shape);
        Self {
            resource,
            location,
            version,
        }
    }

    pub(super) fn into_answer(self, status: StatusCode) -> Answer {
        let text = Text::of(self.resource);
        let answer = Answer::text(status, text).versioned(&self.version);
        if status == StatusCode::CREATED {
            answer.located(&self.location)
        } else {
            answer
        }
    }
}

/// Tells the reconciler that there may be something to decide.
pub(super) fn wake(gateway: &Gateway, request: &Incoming) {
    let organization: OrganizationId = request.directory.organization.id();
    gateway.reconciler.wake(organization);
}
