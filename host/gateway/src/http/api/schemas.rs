//! `/directories/{directory}/schemas`: what a directory declares beside the schemas of the RFC.

use super::access::Administers;
use super::accounts::id;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::directory::{organizations, schemas};
use crate::http::Shared;
use axum::extract::{Path, State};
use gatewright_scim::schema::SchemaDefinition;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    schemas: Vec<SchemaDefinition>,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let directory = id(&path, "directory")?;
    let body = shared
        .gateway
        .run(move |gateway| {
            organizations::directory(&gateway.store, organization.id(), directory)?;
            let declared = schemas::declared(&organization.read()?, directory)?;
            Ok::<_, ApiError>(show_all(&declared))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Replaces what is declared as a whole.
pub(super) async fn declare(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let directory = id(&path, "directory")?;
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let done = schemas::declare(&organization, now, directory, &new.schemas)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>((show_all(&new.schemas), done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn show_all(declared: &[SchemaDefinition]) -> Value {
    json!({ "schemas": declared })
}
