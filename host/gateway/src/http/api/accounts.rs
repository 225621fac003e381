//! `/accounts`: who may do what, and why.

use super::access::Reads;
use super::answer::Answer;
use super::error::ApiError;
use super::query::{after, cut, number};
use crate::access::fresh::{self, Freshness};
use crate::access::signals;
use crate::http::Shared;
use crate::ledger;
use crate::model::access::{
    ACCOUNTS_BY_EMAIL, ACCOUNTS_UNLINKED, AccountRecord, Accounts, Alerts, AssignmentRecord,
    Assignments, Dirty, GrantKind, GrantRecord,
};
use crate::model::facts::{USERS_BY_EMAIL, Users, primary_email, text};
use crate::model::plugins::Slot;
use crate::model::tenancy::Directories;
use axum::extract::{Path, Query, State};
use gatewright_store::{Organization, OrganizationScope, Range, Read, Reader, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// How long a read waits for the revision that it wants decided.
const WAIT: Duration = Duration::from_secs(5);

type Parameters = Query<HashMap<String, String>>;

pub(super) async fn list(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    wait(&shared, &organization, None, &query).await?;
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = after(
        &query,
        "is no account's id: take the `next` of the last answer",
    )?;
    let email = query.get("email").cloned();
    let unlinked = match query.get("linked").map(String::as_str) {
        None => false,
        Some("false") => true,
        Some(_) => {
            return Err(ApiError::Query {
                name: "linked",
                problem: "must be false: to list the accounts that no user claims".into(),
            });
        }
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let revision = ledger::revision(&reader)?;
            let (ids, more) = match email {
                Some(email) => (by_email(&reader, &email)?, false),
                None if unlinked => unclaimed(&reader, after, limit)?,
                None => page(&reader, after, limit)?,
            };
            let mut accounts = Vec::with_capacity(ids.len());
            for id in &ids {
                if let Some(record) = reader.get::<Accounts>(id)? {
                    accounts.push(represent(&reader, *id, &record)?);
                }
            }
            let next = ids.last().filter(|_| more);
            Ok::<_, ApiError>(json!({ "accounts": accounts, "next": next, "revision": revision }))
        })
        .await??;
    Ok(Answer::ok(body))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let id = id(&path, "account")?;
    wait(&shared, &organization, Some(id), &query).await?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let record = reader
                .get::<Accounts>(&id)?
                .ok_or_else(|| missing("account", id))?;
            Ok::<_, ApiError>(represent(&reader, id, &record)?)
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Waits until everything up to `at_least` is decided, if the request asks for it.
async fn wait(
    shared: &Shared,
    organization: &Organization,
    account: Option<Uuid>,
    query: &HashMap<String, String>,
) -> Result<(), ApiError> {
    let Some(revision) = query.get("at_least") else {
        return Ok(());
    };
    let revision: u64 = revision.parse().map_err(|_| ApiError::Query {
        name: "at_least",
        problem: "is no revision: a whole number".into(),
    })?;
    let mut progress = shared.gateway.reconciler.progress();
    let deadline = tokio::time::Instant::now() + WAIT;
    loop {
        progress.mark_unchanged();
        let organization = organization.clone();
        let state = shared
            .gateway
            .run(move |_| {
                let reader = organization.read()?;
                fresh::at_least(&reader, account, revision)
            })
            .await??;
        let Freshness::Pending(why) = state else {
            return Ok(());
        };
        if tokio::time::timeout_at(deadline, progress.changed())
            .await
            .is_err()
        {
            return Err(ApiError::NotFresh {
                revision,
                seconds: WAIT.as_secs(),
                why,
            });
        }
    }
}

fn page(
    reader: &Reader<OrganizationScope>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<(Vec<Uuid>, bool), StoreError> {
    let range = Range::all().behind(after);
    some(reader.keys::<Accounts>(range)?, limit)
}

/// Those that no user claims.
fn unclaimed(
    reader: &Reader<OrganizationScope>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<(Vec<Uuid>, bool), StoreError> {
    let range = Range::all().behind(after);
    let rows = reader.index_scan(&ACCOUNTS_UNLINKED, range)?;
    some(rows.map(|row| row.map(|(_, id)| id)), limit)
}

/// So many of them, and whether there are more.
fn some(
    ids: impl Iterator<Item = Result<Uuid, StoreError>>,
    limit: usize,
) -> Result<(Vec<Uuid>, bool), StoreError> {
    let mut ids = ids.take(limit + 1).collect::<Result<Vec<_>, _>>()?;
    let more = cut(&mut ids, limit, |_| ()).is_some();
    Ok((ids, more))
}

/// Those of the email itself, and those of users with it.
fn by_email(reader: &Reader<OrganizationScope>, email: &str) -> Result<Vec<Uuid>, StoreError> {
    let own = reader.index_scan(&ACCOUNTS_BY_EMAIL, Range::prefix(&email.to_lowercase()))?;
    let own = own.take(100).map(|row| row.map(|(_, id)| id));
    let mut ids = own.collect::<Result<Vec<_>, _>>()?;
    for directory in reader.keys::<Directories>(Range::all())? {
        let wanted = (directory?, email.to_lowercase());
        for row in reader.index_scan(&USERS_BY_EMAIL, Range::prefix(&wanted))? {
            let (_, user) = row?;
            if let Some(user) = reader.get::<Users>(&user)?
                && !ids.contains(&user.account)
                && reader.contains::<Accounts>(&user.account)?
            {
                ids.push(user.account);
            }
        }
    }
    Ok(ids)
}

/// An account with everything that was decided about it.
pub(super) fn represent(
    reader: &Reader<OrganizationScope>,
    id: Uuid,
    record: &AccountRecord,
) -> Result<Value, StoreError> {
    let assignment = reader.get::<Assignments>(&id)?;
    let undecided = reader.get::<Dirty>(&id)?;
    let decided = assignment.as_ref().and_then(AssignmentRecord::decided);
    let signals: Vec<Value> = (signals::of(reader, id)?.into_iter())
        .map(|(source, signal)| {
            json!({ "source": source, "active": signal.active, "at": signal.at.to_string() })
        })
        .collect();
    let grants = assignment.as_ref().map_or(&[][..], |stored| &stored.grants);
    let of = |kind| grants.iter().filter(move |grant| grant.kind == kind);
    let mut users = Vec::new();
    for (directory, user) in &record.users {
        let Some(found) = reader.get::<Users>(&(*directory, *user))? else {
            continue;
        };
        users.push(json!({
            "directory": directory,
            "id": user,
            "user_name": text(&found.document, "userName"),
            "external_id": text(&found.document, "externalId"),
            "display_name": text(&found.document, "displayName"),
            "email": primary_email(&found.document),
            "active": found.document.get("active").and_then(Value::as_bool).unwrap_or(true),
        }));
    }
    Ok(json!({
        "id": id,
        "label": record.label,
        "status": record.status,
        "status_reason": record.status_reason,
        "link": if record.users.is_empty() { "unlinked" } else { "linked" },
        "origin": record.origin,
        "external_id": record.external_id,
        "email": record.email,
        "signals": signals,
        "users": users,
        "role": of(GrantKind::BaseRole).next().map(grant),
        "custom_roles": of(GrantKind::CustomRole).map(grant).collect::<Vec<_>>(),
        "seats": of(GrantKind::Seat).map(grant).collect::<Vec<_>>(),
        "decided": decided.map(|at| at.to_string()),
        "decided_revision": assignment.as_ref().map(|stored| stored.revision).filter(|_| decided.is_some()),
        "undecided_since": undecided.as_ref().map(|dirty| dirty.first),
        "stale": stale(reader, id, undecided.is_some())?,
        "created": record.created.to_string(),
    }))
}

/// Why the assignment is not of today, where that is so.
fn stale(
    reader: &Reader<OrganizationScope>,
    id: Uuid,
    undecided: bool,
) -> Result<Value, StoreError> {
    if undecided {
        for slot in Slot::ALL {
            for about in [id, Uuid::nil()] {
                if let Some(alert) = reader.get::<Alerts>(&(slot.name().to_owned(), about))? {
                    return Ok(json!({ "slot": slot, "message": alert.message }));
                }
            }
        }
    }
    Ok(Value::Null)
}

fn grant(grant: &GrantRecord) -> Value {
    json!({
        "name": grant.name,
        "reason": grant.reason,
        "mapping_entry": grant.mapping_entry,
        "since": grant.since.to_string(),
        "origin": grant.origin,
        "by": grant.by,
        "revision": grant.revision,
        "request": grant.request,
    })
}

/// The id that a path has at `name`.
pub(super) fn id(path: &HashMap<String, String>, name: &'static str) -> Result<Uuid, ApiError> {
    let text = path.get(name).map_or("", String::as_str);
    text.parse().map_err(|_| ApiError::NotFound {
        what: name,
        id: text.to_owned(),
    })
}

pub(super) fn missing(what: &'static str, id: Uuid) -> ApiError {
    ApiError::NotFound {
        what,
        id: id.to_string(),
    }
}
