//! `/mapping`.

use super::access::{Administers, Reads};
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::mapping;
use crate::http::Shared;
use crate::model::access::MappingRecord;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    entries: Vec<mapping::NewEntry>,
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let found = shared
        .gateway
        .run(move |_| Ok::<_, ApiError>(mapping::load(&organization.read()?)?))
        .await??;
    Ok(Answer::ok(show_record(&found)))
}

/// Replaces the mapping as a whole.
pub(super) async fn replace(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let stored = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = mapping::replace(&organization, now, &gateway.random, new.entries)?;
            gateway.reconciler.retry(organization.id());
            Ok::<_, ApiError>(stored)
        })
        .await??;
    Ok(Answer::ok(show_record(&stored.value)).at_revision(stored.revision))
}

fn show_record(mapping: &MappingRecord) -> Value {
    json!({ "entries": mapping.entries })
}
