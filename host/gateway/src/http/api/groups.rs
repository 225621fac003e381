//! `/groups`: the groups of all directories, with their members.

use super::access::Reads;
use super::accounts::{id, missing};
use super::answer::Answer;
use super::error::ApiError;
use super::query::number;
use crate::directory::nesting;
use crate::http::Shared;
use crate::model::facts::{GroupRecord, Groups, Members, ResourceKey, Users, text};
use crate::model::tenancy::Directories;
use axum::extract::{Path, Query, State};
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

type Parameters = Query<HashMap<String, String>>;

pub(super) async fn list(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = match query.get("after") {
        Some(text) => Some(cursor(text)?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let range = Range::all().behind(after);
            let mut groups = Vec::new();
            let mut next = None;
            for row in reader.scan::<Groups>(range)? {
                let (key, record) = row?;
                if groups.len() == limit {
                    next = groups.last().map(|(key, _)| *key);
                    break;
                }
                groups.push((key, record));
            }
            let next = next.map(|(directory, group): ResourceKey| format!("{directory}:{group}"));
            let groups: Vec<_> = groups
                .iter()
                .map(|(key, record)| show_record(*key, record))
                .collect();
            Ok::<_, ApiError>(json!({ "groups": groups, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let group = id(&path, "group")?;
    let body = shared
        .gateway
        .run(move |_| {
            let (key, record) = find(&organization.read()?, group)?;
            Ok::<_, ApiError>(show_record(key, &record))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// The members of a group: its users, a page at a time, and on the first page the groups in it.
pub(super) async fn members(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let group = id(&path, "group")?;
    let limit = number(&query, "limit", 1_000, 10_000)?;
    let after = match query.get("after") {
        Some(_) => Some(id(&query, "after")?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let ((directory, _), _) = find(&reader, group)?;
            let range = Range::prefix(&group);
            let range = range.behind(after.map(|after| (group, after)));
            let mut members = Vec::new();
            let mut next: Option<Uuid> = None;
            let mut last = None;
            for row in reader.scan::<Members>(range)? {
                let ((_, user), member) = row?;
                if members.len() == limit {
                    next = last;
                    break;
                }
                last = Some(user);
                let Some(record) = reader.get::<Users>(&(directory, user))? else {
                    continue;
                };
                members.push(json!({
                    "user": user,
                    "account": record.account,
                    "user_name": text(&record.document, "userName"),
                    "since": member.since.to_string(),
                }));
            }
            let mut body = json!({ "members": members, "next": next });
            if after.is_none() {
                body["groups"] = groups_in(&reader, (directory, group))?;
            }
            Ok::<_, ApiError>(body)
        })
        .await??;
    Ok(Answer::ok(body))
}

/// The groups in a group itself. There are not so many that they would need pages.
fn groups_in(reader: &Reader<OrganizationScope>, group: ResourceKey) -> Result<Value, StoreError> {
    let mut groups = Vec::new();
    for (member, since) in nesting::members(reader, group.1)? {
        let Some(record) = reader.get::<Groups>(&(group.0, member))? else {
            continue;
        };
        groups.push(json!({
            "group": member,
            "name": text(&record.document, "displayName"),
            "since": since.to_string(),
        }));
    }
    Ok(groups.into())
}

fn find(
    reader: &Reader<OrganizationScope>,
    group: Uuid,
) -> Result<(ResourceKey, GroupRecord), ApiError> {
    // A group's key begins with its directory; an organization has few of them.
    for directory in reader.keys::<Directories>(Range::all())? {
        let key = (directory.map_err(ApiError::Store)?, group);
        let found: Result<_, StoreError> = reader.get::<Groups>(&key);
        if let Some(record) = found? {
            return Ok((key, record));
        }
    }
    Err(missing("group", group))
}

fn cursor(text: &str) -> Result<ResourceKey, ApiError> {
    let parse = |text: &str| {
        let (directory, group) = text.split_once(':')?;
        Some((directory.parse().ok()?, group.parse().ok()?))
    };
    parse(text).ok_or_else(|| ApiError::Query {
        name: "after",
        problem: "is no cursor: take the `next` of the last answer".into(),
    })
}

fn show_record((directory, id): ResourceKey, record: &GroupRecord) -> Value {
    json!({
        "id": id,
        "directory": directory,
        "name": text(&record.document, "displayName"),
        "external_id": text(&record.document, "externalId"),
        "created": record.created.to_string(),
        "modified": record.modified.to_string(),
    })
}
