//! `/bindings/{slot}/shadow`: a chain that is tried beside the one that is bound.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::bindings::{Named, changed, show_chain, slot};
use super::error::ApiError;
use super::plans::show_holding;
use super::query::{after, cut, number};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::access::Accounts;
use crate::model::plugins::{Audit, ShadowDifference, ShadowRecord, Slot};
use crate::plugins::{bindings, shadows};
use axum::extract::{Path, Query, State};
use gatewright_store::{OrganizationScope, Read, Reader};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let shown = shared
        .gateway
        .run(move |gateway| {
            let shadow = shadows::find(&organization.read()?, slot)?;
            Ok::<_, ApiError>(represent(gateway, slot, &shadow))
        })
        .await??;
    Ok(Answer::ok(shown))
}

/// Runs a plugin or a chain of them in shadow, once each has proven itself with its settings.
pub(super) async fn start(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(new): Json<bindings::New>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let audit = new.audit()?;
            let chain = bindings::prove(&gateway.plugins, slot, new)?;
            let now = gateway.clock.now();
            let stored = shadows::start(&organization, now, slot, chain, audit)?;
            gateway.reconciler.wake(organization.id());
            let shown = represent(gateway, slot, &stored.value);
            Ok::<_, ApiError>((shown, stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

/// The accounts for which it wants something else, in the order of their ids.
pub(super) async fn differences(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = after(
        &query,
        "is no account's id: take the `next` of the last answer",
    )?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            shadows::find(&reader, slot)?;
            let mut found = shadows::differences(&reader, slot, after, limit + 1)?;
            let next = cut(&mut found, limit, |(account, _)| *account);
            let shown = found
                .iter()
                .map(|(account, one)| difference(&reader, *account, one));
            let shown = shown.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, ApiError>(json!({ "differences": shown, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Binds what runs in shadow.
pub(super) async fn activate(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(audit): Json<Audit>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    changed(shared, organization, slot, move |gateway, organization| {
        let audit = bindings::checked(audit)?;
        shadows::activate(organization, gateway.clock.now(), slot, audit)
    })
    .await
}

/// Ends it. The answer is what it had come to.
pub(super) async fn stop(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(audit): Json<Audit>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let audit = bindings::checked(audit)?;
            let stored = shadows::stop(&organization, gateway.clock.now(), slot, audit)?;
            let shown = represent(gateway, slot, &stored.value);
            Ok::<_, ApiError>((shown, stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

fn represent(gateway: &Gateway, slot: Slot, shadow: &ShadowRecord) -> Value {
    json!({
        "slot": slot,
        "chain": show_chain(gateway, &shadow.chain),
        "started": shadow.started.to_string(),
        "revision": shadow.revision,
        "by": shadow.audit.by,
        "why": shadow.audit.why,
        "tried": shadow.tried,
        "different": shadow.different,
        "failed": shadow.failed,
        "stopped": shadow.stopped,
    })
}

fn difference(
    reader: &Reader<OrganizationScope>,
    account: Uuid,
    difference: &ShadowDifference,
) -> Result<Value, ApiError> {
    let record = reader.get::<Accounts>(&account)?;
    let mut shown = json!({
        "account": account,
        "label": record.map(|record| record.label),
        "active": show_holding(&difference.active),
        "since": difference.since.to_string(),
    });
    match &difference.shadow {
        Ok(wanted) => shown["shadow"] = show_holding(wanted),
        Err(why) => shown["failure"] = json!(why),
    }
    Ok(shown)
}
