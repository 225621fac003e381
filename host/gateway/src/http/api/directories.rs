//! `/directories`.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::directory::organizations::{self, NewDirectory};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::plugins::{BoundLimits, PluginRef};
use crate::model::tenancy::{Behaviour, DirectoryRecord, Phase};
use crate::plugins::PluginError;
use axum::extract::{Path, State};
use gatewright_sandbox::{Grants, PluginKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    /// Name or digest of an installed provider plugin.
    #[serde(default = "generic")]
    provider: String,
    #[serde(default = "empty")]
    settings: Value,
    /// Where it begins.
    #[serde(default)]
    phase: Beginning,
    /// What is left: fields of [`Behaviour`], and unknown ones.
    #[serde(flatten)]
    behaviour: Map<String, Value>,
}

/// The phase of a new directory.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Beginning {
    #[default]
    Draft,
    /// For those who need no confirmation: the organization has no accounts.
    Enforcing,
}

impl From<Beginning> for Phase {
    fn from(beginning: Beginning) -> Self {
        match beginning {
            Beginning::Draft => Self::Draft,
            Beginning::Enforcing => Self::Enforcing,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Changed {
    name: Option<String>,
    provider: Option<String>,
    settings: Option<Value>,
    #[serde(flatten)]
    behaviour: Map<String, Value>,
}

fn generic() -> String {
    "generic".into()
}

/// The behaviour with some of its fields changed.
fn with(before: &Behaviour, changed: Map<String, Value>) -> Result<Behaviour, ApiError> {
    let mut fields = json!(before);
    for (name, value) in changed {
        fields[name] = value;
    }
    serde_path_to_error::deserialize(fields).map_err(|error| ApiError::Json(error.to_string()))
}

pub(super) fn empty() -> Value {
    json!({})
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let url = shared.public_url.clone();
    let all = shared
        .gateway
        .run(move |gateway| {
            let all = organizations::directories(&gateway.store, organization.id())?;
            let all = all
                .iter()
                .map(|(id, record)| show_record(gateway, &url, *id, record));
            Ok::<Vec<Value>, ApiError>(all.collect())
        })
        .await??;
    Ok(Answer::ok(json!({ "directories": all })))
}

/// Creates a directory. The answer has the endpoint, and the token: it is shown in this answer
/// only.
pub(super) async fn create(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let url = shared.public_url.clone();
    let body = shared
        .gateway
        .run(move |gateway| {
            let phase = new.phase.into();
            let new = NewDirectory {
                name: new.name,
                provider: provider(gateway, &new.provider, new.settings)?,
                behaviour: with(&Behaviour::default(), new.behaviour)?,
            };
            let created = organizations::create_directory(
                &gateway.store,
                organization.id(),
                &gateway.random,
                gateway.clock.now(),
                new,
                phase,
            )?;
            let (id, record) = &created.value;
            let mut body = show_record(gateway, &url, *id, record);
            body["token"] = created.secret.reveal().into();
            body["token_id"] = created.token_id.to_string().into();
            Ok::<_, ApiError>(body)
        })
        .await??;
    Ok(Answer::created(body))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let id = id(&path)?;
    let url = shared.public_url.clone();
    let body = shared
        .gateway
        .run(move |gateway| {
            let record = organizations::directory(&gateway.store, organization.id(), id)?;
            Ok::<_, ApiError>(show_record(gateway, &url, id, &record))
        })
        .await??;
    Ok(Answer::ok(body))
}

pub(super) async fn update(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(changed): Json<Changed>,
) -> Result<Answer, ApiError> {
    let id = id(&path)?;
    let url = shared.public_url.clone();
    let body = shared
        .gateway
        .run(move |gateway| {
            let before = organizations::directory(&gateway.store, organization.id(), id)?;
            let plugin = match (changed.provider, changed.settings) {
                (None, None) => before.provider,
                (Some(wanted), settings) => {
                    provider(gateway, &wanted, settings.unwrap_or_else(empty))?
                }
                (None, Some(settings)) => provider(gateway, &before.provider.digest, settings)?,
            };
            let new = NewDirectory {
                name: changed.name.unwrap_or(before.name),
                provider: plugin,
                behaviour: with(&before.behaviour, changed.behaviour)?,
            };
            let now = gateway.clock.now();
            let record =
                organizations::update_directory(&gateway.store, organization.id(), now, id, new)?;
            Ok::<_, ApiError>(show_record(gateway, &url, id, &record))
        })
        .await??;
    Ok(Answer::ok(body))
}

pub(super) fn provider(
    gateway: &Gateway,
    wanted: &str,
    settings: Value,
) -> Result<PluginRef, ApiError> {
    let (plugin, record) =
        gateway
            .plugins
            .prove(wanted, settings, &Grants::default(), BoundLimits::default())?;
    match record.kind {
        PluginKind::Provider => Ok(plugin),
        PluginKind::Lifecycle | PluginKind::Role | PluginKind::Seat => {
            Err(PluginError::WrongKind { slot: "provider" }.into())
        }
    }
}

pub(super) fn id(path: &HashMap<String, String>) -> Result<Uuid, ApiError> {
    super::accounts::id(path, "directory")
}

pub(super) fn show_record(
    gateway: &Gateway,
    url: &str,
    id: Uuid,
    record: &DirectoryRecord,
) -> Value {
    let mut shown = json!({
        "id": id,
        "name": record.name,
        "phase": record.phase,
        "scim_base_url": format!("{url}/scim/v2/{id}"),
        "provider": {
            "name": gateway.plugins.name(&record.provider),
            "digest": record.provider.digest,
            "settings": record.provider.settings,
        },
        "created": record.created.to_string(),
    });
    if let (Value::Object(shown), Value::Object(behaviour)) = (&mut shown, json!(record.behaviour))
    {
        shown.extend(behaviour);
    }
    shown
}
