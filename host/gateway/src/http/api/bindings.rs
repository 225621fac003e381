//! `/bindings`: which policies decide in which slot, and their versions.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::error::ApiError;
use super::query::{before, cut, number};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::ledger::Committed;
use crate::model::plugins::{Audit, BindingRecord, Bindings, Bound, Chain, Slot};
use crate::plugins::PluginError;
use crate::plugins::bindings;
use axum::extract::{Path, Query, State};
use gatewright_store::{Organization, OrganizationScope, Read, Reader};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) type Named = Path<HashMap<String, String>>;

/// Who wants a rollback, and to what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    /// The version; without it, the one before the present chain.
    to: Option<u64>,
    by: Option<String>,
    why: Option<String>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let shown = shared
        .gateway
        .run(move |gateway| {
            let reader = organization.read()?;
            let mut shown = Vec::new();
            for slot in Slot::ALL {
                if let Some(binding) = reader.get::<Bindings>(&slot.name().to_owned())? {
                    shown.push(show_present(gateway, &reader, slot, &binding)?);
                }
            }
            Ok::<_, ApiError>(shown)
        })
        .await??;
    Ok(Answer::ok(json!({ "bindings": shown })))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let shown = shared
        .gateway
        .run(move |gateway| {
            let reader = organization.read()?;
            let found = reader.get::<Bindings>(&slot.name().to_owned())?;
            let binding = found.ok_or(PluginError::Unbound { slot: slot.name() })?;
            show_present(gateway, &reader, slot, &binding)
        })
        .await??;
    Ok(Answer::ok(shown))
}

/// What was bound, how, by whom and why: the newest version first.
pub(super) async fn versions(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let limit = number(&query, "limit", 20, 100)?;
    let before = before(&query)?;
    let body = shared
        .gateway
        .run(move |gateway| {
            let mut found = bindings::versions(&organization.read()?, slot, before, limit + 1)?;
            let next = cut(&mut found, limit, |record| record.version);
            let shown: Vec<Value> = found
                .iter()
                .map(|record| show_record(gateway, slot, record))
                .collect();
            Ok::<_, ApiError>(json!({ "versions": shown, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Binds a plugin or a chain of them to a slot, once each has proven itself with its settings.
pub(super) async fn bind(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(new): Json<bindings::New>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    changed(shared, organization, slot, move |gateway, organization| {
        let audit = new.audit()?;
        let chain = bindings::prove(&gateway.plugins, slot, new)?;
        bindings::bind(organization, gateway.clock.now(), slot, chain, audit)
    })
    .await
}

pub(super) async fn roll_back(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(Return { to, by, why }): Json<Return>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    changed(shared, organization, slot, move |gateway, organization| {
        let audit = bindings::checked(Audit { by, why })?;
        let now = gateway.clock.now();
        bindings::roll_back(&gateway.plugins, organization, now, slot, to, audit)
    })
    .await
}

/// Has the slot's policies not be asked any more: accounts keep what they have of it.
pub(super) async fn pause(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(audit): Json<Audit>,
) -> Result<Answer, ApiError> {
    set_paused(shared, organization, slot(&path)?, true, audit).await
}

pub(super) async fn resume(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(audit): Json<Audit>,
) -> Result<Answer, ApiError> {
    set_paused(shared, organization, slot(&path)?, false, audit).await
}

async fn set_paused(
    shared: Shared,
    organization: Organization,
    slot: Slot,
    paused: bool,
    audit: Audit,
) -> Result<Answer, ApiError> {
    changed(shared, organization, slot, move |gateway, organization| {
        let audit = bindings::checked(audit)?;
        bindings::pause(organization, gateway.clock.now(), slot, paused, audit)
    })
    .await
}

/// Makes a change, and has what failed before tried again.
pub(super) async fn changed(
    shared: Shared,
    organization: Organization,
    slot: Slot,
    change: impl FnOnce(&Gateway, &Organization) -> Result<Committed<BindingRecord>, PluginError>
    + Send
    + 'static,
) -> Result<Answer, ApiError> {
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let stored = change(gateway, &organization)?;
            gateway.reconciler.retry(organization.id());
            let reader = organization.read()?;
            let shown = show_present(gateway, &reader, slot, &stored.value)?;
            Ok::<_, ApiError>((shown, stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

/// The slot that a path names.
pub(super) fn slot(path: &HashMap<String, String>) -> Result<Slot, ApiError> {
    let name = path.get("slot").map_or("", String::as_str);
    Slot::from_name(name).ok_or_else(|| ApiError::NoSlot(name.to_owned()))
}

/// One plugin of a chain.
fn show_bound(gateway: &Gateway, one: &Bound) -> Value {
    json!({
        "plugin": gateway.plugins.name(&one.plugin),
        "digest": one.plugin.digest,
        "settings": one.plugin.settings,
        "grants": one.grants,
        "limits": one.limits,
    })
}

/// The plugins of a chain, in its order.
pub(super) fn show_chain(gateway: &Gateway, chain: &Chain) -> Vec<Value> {
    chain
        .members()
        .map(|one| show_bound(gateway, one))
        .collect()
}

/// What is in force, and whether there is something to return to.
fn show_present(
    gateway: &Gateway,
    reader: &Reader<OrganizationScope>,
    slot: Slot,
    binding: &BindingRecord,
) -> Result<Value, ApiError> {
    let mut shown = show_record(gateway, slot, binding);
    shown["can_roll_back"] = json!(bindings::can_roll_back(reader, slot, binding)?);
    Ok(shown)
}

/// The fields of the first plugin stand beside the chain, where they were before there were chains.
fn show_record(gateway: &Gateway, slot: Slot, binding: &BindingRecord) -> Value {
    let chain = show_chain(gateway, &binding.chain);
    let first = &chain[0];
    let mut shown = json!({
        "slot": slot,
        "version": binding.version,
        "origin": binding.origin(),
        "paused": binding.paused,
        "plugin": first["plugin"],
        "digest": first["digest"],
        "settings": first["settings"],
        "grants": first["grants"],
        "chain": chain,
        "bound": binding.bound.to_string(),
        "by": binding.audit.by,
        "why": binding.audit.why,
    });
    if let (Value::Object(shown), Ok(Value::Object(how))) =
        (&mut shown, serde_json::to_value(&binding.how))
    {
        shown.extend(how);
    }
    shown
}
