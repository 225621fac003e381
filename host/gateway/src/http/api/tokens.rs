//! `/tokens`: of directories, and of the application.

use super::access::Administers;
use super::accounts::id;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::directory::organizations;
use crate::http::Shared;
use crate::model::tenancy::{Purpose, TokenRecord};
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// The directory it is for; none: the application's API.
    directory: Option<Uuid>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let tokens = shared
        .gateway
        .run(move |gateway| organizations::tokens(&gateway.store, organization.id()))
        .await??;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|(id, record)| show(*id, record))
        .collect();
    Ok(Answer::ok(json!({ "tokens": tokens })))
}

/// Creates a token, which is shown in this answer only. The ones before stay valid, so that it can
/// be exchanged without a gap.
pub(super) async fn create(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let created = shared
        .gateway
        .run(move |gateway| {
            let id = organization.id().uuid();
            let purpose = match new.directory {
                Some(directory) => Purpose::Directory {
                    organization: id,
                    directory,
                },
                None => Purpose::Application { organization: id },
            };
            let (store, random) = (&gateway.store, &gateway.random);
            let now = gateway.clock.now();
            organizations::create_token(store, organization.id(), random, now, purpose)
        })
        .await??;
    let (id, secret) = (created.token_id, created.secret);
    Ok(Answer::created(
        json!({ "id": id, "token": secret.reveal(), "hint": secret.hint() }),
    ))
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let token = id(&path, "token")?;
    let record = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            organizations::revoke_token(&gateway.store, organization.id(), now, token)
        })
        .await??;
    Ok(Answer::ok(show(token, &record)))
}

fn show(id: Uuid, record: &TokenRecord) -> Value {
    let (purpose, directory) = match &record.purpose {
        Purpose::Directory { directory, .. } => ("directory", Some(directory)),
        Purpose::Application { .. } => ("application", None),
        Purpose::Operator { .. } => ("operator", None),
    };
    json!({
        "id": id,
        "for": purpose,
        "directory": directory,
        "hint": record.hint,
        "created": record.created.to_string(),
        "revoked": record.revoked.map(|at| at.to_string()),
    })
}
