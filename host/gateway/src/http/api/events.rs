//! `/events` by cursor, and `/alerts`.

use super::access::Reads;
use super::answer::Answer;
use super::error::ApiError;
use super::query::number;
use crate::delivery::log::{self, Cursor};
use crate::http::Shared;
use crate::ledger;
use crate::model::access::Alerts;
use axum::extract::{Query, State};
use gatewright_store::{Range, Read};
use serde_json::{Value, json};
use std::collections::HashMap;

type Parameters = Query<HashMap<String, String>>;

/// Events after a cursor, in order. `next` is the cursor to go on from: also where there are none,
/// so that a reader only ever stores it and asks again.
pub(super) async fn list(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = match query.get("after") {
        Some(text) => Some(text.parse::<Cursor>()?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let page = log::after(&reader, after, limit)?;
            let next = page.events.last().map(|(cursor, _)| *cursor).or(after);
            let events: Vec<Value> = page
                .events
                .iter()
                .map(|(cursor, event)| {
                    json!({
                        "id": cursor.to_string(),
                        "revision": cursor.0.0,
                        "at": event.at.to_string(),
                        "type": event.kind,
                        "data": event.data,
                        "request": event.request,
                    })
                })
                .collect();
            Ok::<_, ApiError>(json!({
                "events": events,
                "next": next.map(|cursor| cursor.to_string()),
                "more": page.more,
                "revision": ledger::revision(&reader)?,
            }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// What went wrong and wants a person.
pub(super) async fn alerts(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let alerts = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let mut alerts = Vec::new();
            for row in reader.scan::<Alerts>(Range::all())? {
                let ((slot, _), alert) = row?;
                alerts.push(json!({
                    "slot": slot,
                    "kind": alert.kind,
                    "account": alert.account,
                    "message": alert.message,
                    "details": alert.details,
                    "report": alert.report.map(|report| report.to_string()),
                    "since": alert.since.to_string(),
                    "last": alert.last.to_string(),
                    "count": alert.count,
                }));
            }
            Ok::<_, ApiError>(alerts)
        })
        .await??;
    Ok(Answer::ok(json!({ "alerts": alerts })))
}
