//! `/Users`.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::route::Verb;
use crate::directory::list;
use crate::directory::users::{self, StoredUser};
use crate::gateway::Gateway;
use crate::ledger::Committed;
use axum::http::StatusCode;
use gatewright_scim::{
    ListQuery, Parsed, Projection, ResourceType, User, UserPatch, list_response, parse_json,
};
use gatewright_store::OrganizationId;

pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    verb: &Verb,
) -> Result<Answer, Failure> {
    match verb {
        Verb::List => list(gateway, request),
        Verb::Get(id) => get(request, id),
        Verb::Create => create(gateway, request),
        Verb::Replace(id) => replace(gateway, request, id),
        Verb::Patch(id) => patch(gateway, request, id),
        Verb::Delete(id) => delete(gateway, request, id),
    }
}

fn list(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    list_resources(gateway, request, ResourceType::User)
}

/// Lists users or groups: both are listed alike.
pub(super) fn list_resources(
    gateway: &Gateway,
    request: &Incoming,
    resource: ResourceType,
) -> Result<Answer, Failure> {
    let query = ListQuery::parse(&request.query, resource, &gateway.limits.scim)?;
    let page = list::page(&request.directory, resource, &query, &request.base_url)?;
    let body = list_response(page.total, query.start_index, page.resources);
    Ok(Answer::json(StatusCode::OK, &body))
}

fn get(request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let reader = request.directory.organization.read()?;
    let user = users::get(&reader, request.directory.id, id)?;
    drop(reader);
    show(request, StatusCode::OK, user, &projection)
}

fn create(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::User);
    let Parsed { resource, ignored } = parse(gateway, request)?;
    let created = users::create(&request.directory, &gateway.moment(), resource)?;
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
    let replaced = users::replace(&request.directory, &gateway.moment(), id, resource)?;
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
    let patch = UserPatch::parse(&parse_json(&request.body, limits)?, limits)?;
    let ignored = patch.ignored().to_vec();
    let patched = users::patch(&request.directory, &gateway.moment(), id, patch)?;
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
    let deleted = users::delete(&request.directory, &gateway.moment(), id)?;
    wake(gateway, request);
    Ok(Answer::empty(StatusCode::NO_CONTENT).at_revision(deleted.revision))
}

fn parse(gateway: &Gateway, request: &Incoming) -> Result<Parsed<User>, Failure> {
    Ok(User::parse(parse_json(
        &request.body,
        &gateway.limits.scim,
    )?)?)
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
    let answer = show(request, status, user.value, projection)?;
    Ok(answer.at_revision(user.revision).ignoring(ignored))
}

fn show(
    request: &Incoming,
    status: StatusCode,
    user: StoredUser,
    projection: &Projection,
) -> Result<Answer, Failure> {
    let directory = &request.directory;
    let reader = directory.organization.read()?;
    let with_groups = projection.includes("groups");
    let mut body = users::represent(&reader, directory.id, user, &request.base_url, with_groups)?;
    let location = body["meta"]["location"].take();
    body["meta"]["location"] = location.clone();
    projection.apply(&mut body, ResourceType::User);
    let answer = Answer::json(status, &body);
    Ok(if status == StatusCode::CREATED {
        answer.located(&location)
    } else {
        answer
    })
}

/// Tells the reconciler that there may be something to decide.
pub(super) fn wake(gateway: &Gateway, request: &Incoming) {
    let organization: OrganizationId = request.directory.organization.id();
    gateway.reconciler.wake(organization);
}
