//! `/bindings`: which policies decide in which slot.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::plugins::{BindingRecord, Bindings, Bound, Slot};
use crate::plugins::PluginError;
use crate::plugins::bindings;
use axum::extract::{Path, State};
use gatewright_store::Read;
use serde_json::{Value, json};
use std::collections::HashMap;

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
                    shown.push(show_record(gateway, slot, &binding));
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
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let shown = shared
        .gateway
        .run(move |gateway| {
            let found = organization
                .read()?
                .get::<Bindings>(&slot.name().to_owned())?;
            let binding = found.ok_or(PluginError::Unbound { slot: slot.name() })?;
            Ok::<_, ApiError>(show_record(gateway, slot, &binding))
        })
        .await??;
    Ok(Answer::ok(shown))
}

/// Binds a plugin or a chain of them to a slot, once each has proven itself with its settings.
pub(super) async fn bind(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(new): Json<bindings::New>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let chain = bindings::prove(&gateway.plugins, slot, new)?;
            let stored = bindings::bind(&organization, gateway.clock.now(), slot, chain)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>((show_record(gateway, slot, &stored.value), stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

pub(super) async fn roll_back(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let stored = bindings::roll_back(&organization, gateway.clock.now(), slot)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>((show_record(gateway, slot, &stored.value), stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

fn slot(path: &HashMap<String, String>) -> Result<Slot, ApiError> {
    let name = path.get("slot").map_or("", String::as_str);
    Slot::from_name(name).ok_or_else(|| ApiError::NotFound {
        what: "slot",
        id: name.to_owned(),
    })
}

/// The fields of the first plugin stand beside the chain, where they were before there were chains.
/// One plugin of a chain.
pub(super) fn show_bound(gateway: &Gateway, one: &Bound) -> Value {
    json!({
        "plugin": gateway.plugins.name(&one.plugin),
        "digest": one.plugin.digest,
        "settings": one.plugin.settings,
        "grants": one.grants,
    })
}

fn show_record(gateway: &Gateway, slot: Slot, binding: &BindingRecord) -> Value {
    let members = binding.chain.members();
    let chain: Vec<Value> = members.map(|one| show_bound(gateway, one)).collect();
    let first = &chain[0];
    json!({
        "slot": slot,
        "version": binding.version,
        "plugin": first["plugin"],
        "digest": first["digest"],
        "settings": first["settings"],
        "grants": first["grants"],
        "chain": chain,
        "bound": binding.bound.to_string(),
        "can_roll_back": !binding.previous.is_empty(),
    })
}
