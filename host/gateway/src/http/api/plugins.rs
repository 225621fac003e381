//! `/plugins`: installed components.

use super::access::Operator;
use super::answer::Answer;
use super::error::ApiError;
use crate::http::{Shared, body};
use crate::model::plugins::ComponentRecord;
use axum::extract::{Request, State};
use serde_json::{Value, json};

pub(super) async fn list(State(shared): State<Shared>, _: Operator) -> Result<Answer, ApiError> {
    let all = shared
        .gateway
        .run(|gateway| gateway.plugins.installed())
        .await??;
    let all: Vec<Value> = all
        .iter()
        .map(|(digest, record)| show(digest, record))
        .collect();
    Ok(Answer::ok(json!({ "plugins": all })))
}

/// Installs the component that is the body.
pub(super) async fn install(
    State(shared): State<Shared>,
    _: Operator,
    request: Request,
) -> Result<Answer, ApiError> {
    let wasm = body::read(request.into_body(), shared.gateway.limits.component).await?;
    let (digest, record) = shared
        .gateway
        .run(move |gateway| gateway.plugins.install(&wasm))
        .await??;
    Ok(Answer::created(show(&digest, &record)))
}

fn show(digest: &str, record: &ComponentRecord) -> Value {
    json!({
        "digest": digest,
        "name": record.name,
        "version": record.version,
        "kind": record.kind,
        "summary": record.summary,
        "settings_schema": record.settings_schema,
        "size": record.size,
        "built_in": record.built_in,
        "installed": record.installed.to_string(),
    })
}
