//! `/directories/{directory}/deleted-users`: users whom the provider deleted and who are still kept.

use super::access::Administers;
use super::accounts::id;
use super::answer::Answer;
use super::error::ApiError;
use super::query::{cut, number};
use crate::directory::{Directory, deleted, organizations};
use crate::http::Shared;
use crate::model::facts::{DeletedUserRecord, text};
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let directory = id(&path, "directory")?;
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = match query.get("after") {
        Some(_) => Some(id(&query, "after")?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |gateway| {
            organizations::directory(&gateway.store, organization.id(), directory)?;
            let reader = organization.read()?;
            let now = gateway.clock.now();
            let mut kept = deleted::list(&reader, directory, after, now, limit + 1)?;
            let next = cut(&mut kept, limit, |(id, _)| *id);
            let users: Vec<Value> = kept.iter().map(|(id, user)| show(*id, user)).collect();
            Ok::<_, ApiError>(json!({ "users": users, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Makes a deleted user exist again.
pub(super) async fn restore(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let directory = id(&path, "directory")?;
    let user = id(&path, "user")?;
    let body = shared
        .gateway
        .run(move |gateway| {
            let record = organizations::directory(&gateway.store, organization.id(), directory)?;
            let reader = organization.read()?;
            let entered = Directory::new(organization.clone(), &reader, directory, record)?;
            drop(reader);
            let restored = deleted::restore(&entered, gateway.clock.now(), &user.to_string())?;
            gateway.reconciler.wake(organization.id());
            let document = &restored.value.record.document;
            Ok::<_, ApiError>(json!({
                "id": user,
                "user_name": text(document, "userName"),
                "account": restored.value.record.account,
                "revision": restored.revision,
            }))
        })
        .await??;
    Ok(Answer::ok(body))
}

fn show(id: Uuid, kept: &DeletedUserRecord) -> Value {
    json!({
        "id": id,
        "user_name": text(&kept.record.document, "userName"),
        "external_id": text(&kept.record.document, "externalId"),
        "account": kept.record.account,
        "deleted": kept.deleted.to_string(),
        "kept_until": kept.expires.to_string(),
    })
}
