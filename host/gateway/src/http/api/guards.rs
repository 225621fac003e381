//! `/guards`, `/holds` and `/removals`: what the guards keep from happening, and what was taken.

use super::access::{Administers, Reads};
use super::accounts::id;
use super::answer::{Answer, Json};
use super::error::ApiError;
use super::query::{cut, number};
use crate::access::guard::{self, brake, holds};
use crate::http::Shared;
use crate::model::access::GrantRecord;
use crate::model::guard::{GuardSettings, HoldRecord, Holds, RemovalRecord, Removals};
use axum::extract::{Path, Query, State};
use gatewright_store::{Organization, Range, Read};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// How many accounts one request may name.
const NAMED: usize = 250;

type Parameters = Query<HashMap<String, String>>;

/// Which accounts an answer is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    accounts: Option<Vec<Uuid>>,
    #[serde(default)]
    all: bool,
}

impl Which {
    /// The accounts; none: all of them. Nothing is never taken for everything.
    fn accounts(self) -> Result<Option<Vec<Uuid>>, ApiError> {
        match (self.accounts, self.all) {
            (None, true) => Ok(None),
            (Some(accounts), false) if accounts.is_empty() || accounts.len() > NAMED => {
                Err(ApiError::Json(format!("accounts: give 1 to {NAMED} ids")))
            }
            (Some(accounts), false) => Ok(Some(accounts)),
            _ => Err(ApiError::Json(
                "say either \"accounts\": [ids] or \"all\": true".into(),
            )),
        }
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |gateway| state(&organization, gateway.clock.now()))
        .await??;
    Ok(Answer::ok(body))
}

pub(super) async fn set(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(settings): Json<GuardSettings>,
) -> Result<Answer, ApiError> {
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = guard::set(&organization, now, settings)?;
            Ok::<_, ApiError>((state(&organization, now)?, stored.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn state(organization: &Organization, now: crate::clock::Timestamp) -> Result<Value, ApiError> {
    let reader = organization.read()?;
    let settings = brake::settings(&reader)?;
    let brake = brake::load(&reader)?;
    let (removals, deactivations) = brake::counts(&reader, &settings, now)?;
    Ok(json!({
        "window_minutes": settings.window_minutes,
        "number": settings.number,
        "share_percent": settings.share_percent,
        "allowed": brake::allowed(&reader, &settings)?,
        "removals": removals,
        "deactivations": deactivations,
        "tripped": brake.tripped.map(|at| at.to_string()),
        "waiting": brake.waiting,
    }))
}

pub(super) async fn holds(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = match query.get("after") {
        Some(_) => Some(id(&query, "after")?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let range = Range::all().behind(after);
            let rows = reader.scan::<Holds>(range)?.take(limit + 1);
            let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
            let next = cut(&mut rows, limit, |(account, _)| *account);
            let holds: Vec<Value> = rows.iter().map(|(id, hold)| show_hold(*id, hold)).collect();
            Ok::<_, ApiError>(json!({ "holds": holds, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// `/holds/approve` and `/holds/reject`.
pub(super) async fn answer(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(which): Json<Which>,
) -> Result<Answer, ApiError> {
    let answer = match path.get("answer").map(String::as_str) {
        Some("approve") => holds::Answer::Approve,
        Some("reject") => holds::Answer::Reject,
        other => {
            return Err(ApiError::NoSuchPath(format!(
                "/holds/{}",
                other.unwrap_or_default()
            )));
        }
    };
    let accounts = which.accounts()?;
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let done = holds::answer(&organization, now, answer, accounts)?;
            gateway.reconciler.wake(organization.id());
            Ok::<_, ApiError>((state(&organization, now)?, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

pub(super) async fn removals(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = query.get("after").map(|text| cursor(text)).transpose()?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let range = Range::all().behind(after);
            let rows = reader.scan::<Removals>(range)?.take(limit + 1);
            let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
            let next = cut(&mut rows, limit, |((at, account), _)| {
                format!("{at}-{account}")
            });
            let removals: Vec<Value> = rows
                .iter()
                .map(|(key, one)| show_removal(*key, one))
                .collect();
            Ok::<_, ApiError>(json!({ "removals": removals, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Gives back what was taken.
pub(super) async fn restore(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(which): Json<Which>,
) -> Result<Answer, ApiError> {
    let accounts = which.accounts()?;
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let done = holds::restore(&organization, now, accounts)?;
            gateway.reconciler.wake(organization.id());
            Ok::<_, ApiError>((state(&organization, now)?, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

/// Says that what was taken was meant.
pub(super) async fn accept(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let done = holds::accept(&organization, now)?;
            gateway.reconciler.wake(organization.id());
            Ok::<_, ApiError>((state(&organization, now)?, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn cursor(text: &str) -> Result<(u64, Uuid), ApiError> {
    let parts = text.split_once('-');
    let key = parts.and_then(|(at, account)| Some((at.parse().ok()?, account.parse().ok()?)));
    key.ok_or(ApiError::Query {
        name: "after",
        problem: "is no place in the list: take the `next` of the last answer".into(),
    })
}

fn show_hold(account: Uuid, hold: &HoldRecord) -> Value {
    json!({
        "account": account,
        "label": hold.label,
        "owner": hold.owner,
        "brake": hold.brake,
        "pinned": hold.pinned.is_some(),
        "kept": hold.kept.iter().map(show_grant).collect::<Vec<_>>(),
        "kept_status": hold.kept_status,
        "wanted": hold.wanted,
        "since": hold.since.to_string(),
        "revision": hold.revision,
        "request": hold.request,
    })
}

fn show_removal((at, account): (u64, Uuid), removal: &RemovalRecord) -> Value {
    json!({
        "account": account,
        "label": removal.label,
        "at": crate::clock::Timestamp(at).to_string(),
        "lost": removal.lost.iter().map(show_grant).collect::<Vec<_>>(),
        "status": removal.status,
        "by_provider": removal.by_provider,
        "revision": removal.revision,
        "request": removal.request,
    })
}

fn show_grant(grant: &GrantRecord) -> Value {
    json!({ "kind": grant.kind, "name": grant.name, "reason": grant.reason })
}
