//! `/accounts/{account}/explain`, `/accounts/{account}/history` and `/history`: why an account has
//! what it has, and who had what when.

use super::access::Reads;
use super::accounts::{id, missing};
use super::answer::Answer;
use super::error::ApiError;
use super::query::{cut, number};
use crate::access::{explain, history as spans};
use crate::clock::Timestamp;
use crate::http::Shared;
use crate::model::access::{Accounts, AssignmentRecord, Assignments, GrantRecord};
use crate::model::guard::{Holds, SpanKey, SpanKind, SpanRecord, Waiting};
use axum::extract::{Path, Query, State};
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// How many spans an explanation has at most: the newest.
const SHOWN: usize = 50;

type Parameters = Query<HashMap<String, String>>;

/// Everything about one account: what it has and why, what it has not and why not, what is held,
/// and what changed when.
pub(super) async fn explain(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let account = id(&path, "account")?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            explanation(&reader, account)
        })
        .await??;
    Ok(Answer::ok(body))
}

fn explanation(reader: &Reader<OrganizationScope>, id: Uuid) -> Result<Value, ApiError> {
    let record = reader
        .get::<Accounts>(&id)?
        .ok_or_else(|| missing("account", id))?;
    let assignment = reader.get::<Assignments>(&id)?;
    let explained = explain::explain(reader, &record, assignment.as_ref())?;
    let has = |grant: &GrantRecord| {
        let source = grant.mapping_entry.and_then(|entry| {
            let source = explained.sources.get(&entry)?;
            Some(json!({
                "id": entry, "position": source.position, "group": source.group,
                "member_of": source.member_of,
            }))
        });
        json!({
            "kind": grant.kind, "name": grant.name, "reason": grant.reason,
            "origin": grant.origin, "by": grant.by, "mapping_entry": source,
            "since": grant.since.to_string(), "revision": grant.revision,
            "request": grant.request,
        })
    };
    let grants = assignment.as_ref().map_or(&[][..], |stored| &stored.grants);
    let missing: Vec<Value> = explained
        .missing
        .iter()
        .map(|one| json!({ "kind": one.kind, "name": one.name, "why": one.why }))
        .collect();
    let mut history = spans::of_account(reader, id)?;
    history.reverse();
    history.truncate(SHOWN);
    Ok(json!({
        "account": id,
        "label": record.label,
        "status": record.status,
        "status_reason": record.status_reason,
        "has": grants.iter().map(has).collect::<Vec<_>>(),
        "has_not": missing,
        "held": held(reader, id)?,
        "waits_for": waits(reader, id, assignment.as_ref())?,
        "history": history.iter().map(|(key, span)| show(key, span)).collect::<Vec<_>>(),
    }))
}

fn held(reader: &Reader<OrganizationScope>, account: Uuid) -> Result<Value, StoreError> {
    let Some(hold) = reader.get::<Holds>(&account)? else {
        return Ok(Value::Null);
    };
    let why = match (hold.pinned.is_some(), hold.owner) {
        (true, _) => "a person said that it keeps this until its own facts change",
        (false, true) => "it is the last active owner",
        (false, false) => "too many accounts would have lost something at once",
    };
    Ok(json!({
        "why": why, "wanted": hold.wanted, "since": hold.since.to_string(),
        "kept": hold.kept.iter().map(|one| json!({ "kind": one.kind, "name": one.name }))
            .collect::<Vec<_>>(),
        "kept_status": hold.kept_status,
    }))
}

fn waits(
    reader: &Reader<OrganizationScope>,
    account: Uuid,
    assignment: Option<&AssignmentRecord>,
) -> Result<Value, StoreError> {
    let mut waits = Vec::new();
    for row in reader.scan::<Waiting>(Range::prefix(&account))? {
        let ((_, seat), record) = row?;
        waits.push(json!({ "seat": seat, "since": record.since.to_string() }));
    }
    for seat in assignment.map_or(&[][..], |stored| &stored.denied) {
        if !waits.iter().any(|one| one["seat"] == **seat) {
            waits.push(json!({ "seat": seat, "since": null }));
        }
    }
    Ok(waits.into())
}

/// What an account had, from when to when, the oldest first.
pub(super) async fn of_account(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let account = id(&path, "account")?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            if !reader.contains::<Accounts>(&account)? {
                return Err(missing("account", account));
            }
            let spans = spans::of_account(&reader, account)?;
            let spans: Vec<Value> = spans.iter().map(|(key, span)| show(key, span)).collect();
            Ok::<_, ApiError>(json!({ "history": spans }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Who had a role, a seat or a status at a time.
pub(super) async fn at(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let kind = query.get("kind").map_or("base-role", String::as_str);
    let kind = SpanKind::from_name(kind).ok_or_else(|| ApiError::Query {
        name: "kind",
        problem: "must be base-role, custom-role, seat or status".into(),
    })?;
    let name = query.get("name").cloned().ok_or_else(|| ApiError::Query {
        name: "name",
        problem: "is missing: the name of the role or seat, or the status".into(),
    })?;
    let time = query.get("at").map(|text| time(text)).transpose()?;
    let after = match query.get("after") {
        Some(_) => Some(id(&query, "after")?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |gateway| {
            let reader = organization.read()?;
            let time = time.unwrap_or_else(|| gateway.clock.now());
            let mut found = spans::at(&reader, (kind, &name), time, after, limit + 1)?;
            let next = cut(&mut found, limit, |(key, _)| key.0);
            let mut accounts = Vec::new();
            for (key, span) in &found {
                let record = reader.get::<Accounts>(&key.0)?;
                let mut shown = show(key, span);
                shown["account"] = key.0.to_string().into();
                shown["label"] = record.map(|record| record.label).into();
                accounts.push(shown);
            }
            Ok::<_, ApiError>(json!({ "at": time.to_string(), "accounts": accounts, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

fn time(text: &str) -> Result<Timestamp, ApiError> {
    let time = text.parse::<jiff::Timestamp>().ok();
    let milliseconds = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
    milliseconds.map(Timestamp).ok_or(ApiError::Query {
        name: "at",
        problem: "must be a time such as 2026-03-03T12:00:00Z".into(),
    })
}

fn show(key: &SpanKey, span: &SpanRecord) -> Value {
    json!({
        "kind": key.2,
        "name": key.3,
        "from": Timestamp(key.1).to_string(),
        "until": span.until.map(|until| until.to_string()),
        "reason": span.reason,
        "origin": span.origin,
        "by": span.by,
        "revision": span.revision,
        "request": span.request,
        "ended_reason": span.ended_reason,
        "ended_revision": span.ended_revision,
        "ended_request": span.ended_request,
    })
}
