//! `/mapping`.

use super::access::{Administers, Reads};
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::{mapping, pins};
use crate::http::Shared;
use crate::model::facts::{Groups, ResourceKey, text};
use crate::model::mapping::{PinRecord, Pins};
use axum::extract::{Path, State};
use gatewright_store::{OrganizationScope, Read, Reader, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    entries: Vec<mapping::NewEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// The group that the entry means.
    group: Uuid,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let shown = shared
        .gateway
        .run(move |_| represent(&organization.read()?))
        .await??;
    Ok(Answer::ok(shown))
}

/// Replaces the mapping as a whole.
pub(super) async fn replace(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = mapping::replace(&organization, now, &gateway.random, new.entries)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>((represent(&organization.read()?)?, stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

/// Says which group an entry means that names it by name or external id.
pub(super) async fn pin(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(pin): Json<Pin>,
) -> Result<Answer, ApiError> {
    let entry = super::accounts::id(&path, "entry")?;
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = pins::choose(&organization, now, entry, pin.group)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>((represent(&organization.read()?)?, stored.revision))
        })
        .await??;
    Ok(Answer::ok(shown).at_revision(revision))
}

/// The entries, each with the group that it means.
fn represent(reader: &Reader<OrganizationScope>) -> Result<Value, ApiError> {
    let mut entries = Vec::new();
    for entry in mapping::load(reader)?.entries {
        let mut shown = json!(entry);
        if let Some(key) = pins::key(&entry.group) {
            let pin = reader.get::<Pins>(&key)?;
            shown["pin"] = show_pin(reader, &pin.unwrap_or_default())?;
        }
        entries.push(shown);
    }
    Ok(json!({ "entries": entries }))
}

fn show_pin(reader: &Reader<OrganizationScope>, pin: &PinRecord) -> Result<Value, ApiError> {
    let named = |key: &ResourceKey| -> Result<Value, StoreError> {
        let record = reader.get::<Groups>(key)?;
        let document = record.as_ref().map(|record| &record.document);
        let name = document.and_then(|document| text(document, "displayName"));
        Ok(json!({ "id": key.1, "name": name }))
    };
    let state = match (pin.group, pin.candidates.is_empty()) {
        (None, true) => "waiting",
        (None, false) => "ambiguous",
        (Some(_), true) => "pinned",
        (Some(_), false) => "proposed",
    };
    let group = pin.group.as_ref().map(named).transpose()?;
    let mut proposed = Vec::new();
    for candidate in &pin.candidates {
        // One that is gone can no longer be chosen.
        if reader.contains::<Groups>(candidate)? {
            proposed.push(named(candidate)?);
        }
    }
    Ok(json!({
        "state": state,
        "group": group,
        "since": pin.at.map(|at| at.to_string()),
        "proposed": proposed,
    }))
}
