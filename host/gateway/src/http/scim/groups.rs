//! `/Groups`.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::list;
use super::route::Verb;
use super::users::{Shown, not_modified, wake};
use crate::directory::groups::{self, StoredGroup};
use crate::directory::version;
use crate::gateway::Gateway;
use crate::ledger::Committed;
use axum::http::StatusCode;
use gatewright_scim::{Group, GroupBody, GroupPatch, Parsed, Projection, ResourceType, parse_json};
use gatewright_store::{OrganizationScope, Reader};

pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    verb: &Verb,
) -> Result<Answer, Failure> {
    match verb {
        Verb::List => list::handle(gateway, request, ResourceType::Group),
        Verb::Get(id) => get(request, id),
        Verb::Create => create(gateway, request),
        Verb::Replace(id) => replace(gateway, request, id),
        Verb::Patch(id) => patch(gateway, request, id),
        Verb::Delete(id) => delete(gateway, request, id),
    }
}

fn get(request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::Group);
    let reader = request.directory.organization.read()?;
    let group = groups::get(&reader, request.directory.id, id)?;
    // Before its members are read: a client that has them costs nothing.
    if let Some(answer) = not_modified(request, &version::of_group(&group.record))? {
        return Ok(answer);
    }
    show(&reader, request, StatusCode::OK, group, &projection)
}

fn create(gateway: &Gateway, request: &Incoming) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::Group);
    let Parsed { resource, ignored } = parse(gateway, request)?;
    let created = groups::create(&request.directory, &request.moment(gateway), resource)?;
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
    let projection = request.projection(ResourceType::Group);
    let Parsed { resource, ignored } = parse(gateway, request)?;
    let replaced = groups::replace(
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

/// A patched group is answered with 204, so that adding one member to 100,000 does not list them;
/// with the group, where the request asks for attributes (RFC 7644 section 3.5.2).
fn patch(gateway: &Gateway, request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let projection = request.projection(ResourceType::Group);
    let limits = &gateway.limits.scim;
    let body = parse_json(&request.body, limits)?;
    let patch = GroupPatch::parse(&body, request.directory.profile, limits)?;
    let ignored = patch.ignored().to_vec();
    let patched = groups::patch(
        &request.directory,
        &request.moment(gateway),
        id,
        &request.conditions(),
        patch,
    )?;
    if request
        .query
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("attributes"))
    {
        return written(
            gateway,
            request,
            StatusCode::OK,
            patched,
            &projection,
            ignored,
        );
    }
    wake(gateway, request);
    let version = version::of_group(&patched.value.record);
    let answer = Answer::empty(StatusCode::NO_CONTENT).versioned(&version);
    Ok(answer.at_revision(patched.revision).ignoring(ignored))
}

fn delete(gateway: &Gateway, request: &Incoming, id: &str) -> Result<Answer, Failure> {
    let deleted = groups::delete(
        &request.directory,
        &request.moment(gateway),
        id,
        &request.conditions(),
    )?;
    wake(gateway, request);
    Ok(Answer::empty(StatusCode::NO_CONTENT).at_revision(deleted.revision))
}

fn parse(gateway: &Gateway, request: &Incoming) -> Result<Parsed<GroupBody>, Failure> {
    let body = parse_json(&request.body, &gateway.limits.scim)?;
    Ok(Group::parse(body, request.directory.profile)?)
}

fn written(
    gateway: &Gateway,
    request: &Incoming,
    status: StatusCode,
    group: Committed<StoredGroup>,
    projection: &Projection,
    ignored: Vec<String>,
) -> Result<Answer, Failure> {
    wake(gateway, request);
    let reader = request.directory.organization.read()?;
    let answer = show(&reader, request, status, group.value, projection)?;
    Ok(answer.at_revision(group.revision).ignoring(ignored))
}

fn show(
    reader: &Reader<OrganizationScope>,
    request: &Incoming,
    status: StatusCode,
    group: StoredGroup,
    projection: &Projection,
) -> Result<Answer, Failure> {
    let wanted = projection.includes("members");
    let body = groups::represent(reader, &request.directory, group, &request.base_url, wanted)?;
    Ok(Shown::of(body, projection, request.shape(ResourceType::Group)).into_answer(status))
}
