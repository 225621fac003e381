//! `/organizations`.

use super::access::{Operator, Reads};
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::fresh;
use crate::clock::Timestamp;
use crate::directory::organizations;
use crate::http::Shared;
use crate::ledger;
use crate::model::tenancy::OrganizationRecord;
use crate::plugins::bindings;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
}

pub(super) async fn list(State(shared): State<Shared>, _: Operator) -> Result<Answer, ApiError> {
    let all = shared
        .gateway
        .run(|gateway| organizations::all(&gateway.store))
        .await??;
    let all: Vec<Value> = all
        .iter()
        .map(|(id, record)| show_record(*id, record))
        .collect();
    Ok(Answer::ok(json!({ "organizations": all })))
}

/// Creates an organization with its application's key, which is shown in this answer only.
pub(super) async fn create(
    State(shared): State<Shared>,
    _: Operator,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let bound = bindings::shipped(&gateway.plugins, now)?;
            let (store, random) = (&gateway.store, &gateway.random);
            let created = organizations::create(store, random, now, &new.name, bound)?;
            Ok::<_, ApiError>(json!({
                "id": created.value.uuid(),
                "name": new.name,
                "api_key": created.secret.reveal(),
                "api_key_id": created.token_id,
            }))
        })
        .await??;
    Ok(Answer::created(body))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |gateway| {
            let id = organization.id().uuid();
            let (_, record) = organizations::find(&gateway.store, id)?;
            let mut body = show_record(id, &record);
            let reader = organization.read()?;
            body["revision"] = ledger::revision(&reader)?.into();
            let lag = fresh::lag(&reader)?;
            let behind = |since: Timestamp| gateway.clock.now().0.saturating_sub(since.0);
            body["decisions"] = json!({
                "upto_revision": lag.upto,
                "undecided_since": lag.since.map(|since| since.to_string()),
                "lag_ms": lag.since.map_or(0, behind),
            });
            Ok::<_, ApiError>(body)
        })
        .await??;
    Ok(Answer::ok(body))
}

fn show_record(id: Uuid, record: &OrganizationRecord) -> Value {
    json!({ "id": id, "name": record.name, "created": record.created.to_string() })
}
