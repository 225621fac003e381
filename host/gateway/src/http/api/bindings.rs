//! `/bindings`: which policy decides in which slot.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::plugins::{BindingRecord, Bindings, Slot};
use crate::plugins::bindings;
use axum::extract::{Path, State};
use gatewright_sandbox::Grants;
use gatewright_store::Read;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// Name or digest of an installed plugin.
    plugin: String,
    #[serde(default = "empty")]
    settings: Value,
    /// What it may grant; without it, everything in the catalogue.
    #[serde(default)]
    grants: Grants,
}

fn empty() -> Value {
    json!({})
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
            let binding =
                found.ok_or(crate::plugins::PluginError::Unbound { slot: slot.name() })?;
            Ok::<_, ApiError>(show_record(gateway, slot, &binding))
        })
        .await??;
    Ok(Answer::ok(shown))
}

/// Binds a plugin to a slot, once it has proven itself with its settings.
pub(super) async fn bind(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let stored = bindings::bind(
                &gateway.plugins,
                &organization,
                gateway.clock.now(),
                slot,
                &new.plugin,
                new.settings,
                new.grants,
            )?;
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

fn show_record(gateway: &Gateway, slot: Slot, binding: &BindingRecord) -> Value {
    json!({
        "slot": slot,
        "version": binding.version,
        "plugin": gateway.plugins.name(&binding.plugin),
        "digest": binding.plugin.digest,
        "settings": binding.plugin.settings,
        "grants": binding.grants,
        "bound": binding.bound.to_string(),
        "can_roll_back": !binding.previous.is_empty(),
    })
}
