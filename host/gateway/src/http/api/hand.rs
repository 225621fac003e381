//! `/accounts/{account}/roles`, `/seats` and `/signals`: what people and other sources say of an
//! account.

use super::access::Reads;
use super::accounts::{id, missing, represent};
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::hand::{self, HandError};
use crate::access::signals;
use crate::clock::Timestamp;
use crate::http::Shared;
use crate::ledger::Committed;
use crate::model::access::Accounts;
use crate::model::people::SignalRecord;
use axum::extract::{Path, State};
use gatewright_store::{Organization, Read, WriteError};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

type Parameters = Path<HashMap<String, String>>;

/// One of the functions that give or take.
type Change =
    fn(&Organization, Timestamp, Uuid, &str) -> Result<Committed<()>, WriteError<HandError>>;

pub(super) async fn give_role(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Parameters,
) -> Result<Answer, ApiError> {
    by_hand(&shared, organization, &path, "role", hand::give_role).await
}

pub(super) async fn take_role(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Parameters,
) -> Result<Answer, ApiError> {
    by_hand(&shared, organization, &path, "role", hand::take_role).await
}

pub(super) async fn give_seat(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Parameters,
) -> Result<Answer, ApiError> {
    by_hand(&shared, organization, &path, "seat", hand::give_seat).await
}

/// Takes away a seat that no group gives, such as one that its group gave before the member left.
pub(super) async fn take_seat(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Parameters,
) -> Result<Answer, ApiError> {
    by_hand(&shared, organization, &path, "seat", hand::take_seat).await
}

async fn by_hand(
    shared: &Shared,
    organization: Organization,
    path: &HashMap<String, String>,
    what: &'static str,
    change: Change,
) -> Result<Answer, ApiError> {
    let id = id(path, "account")?;
    let name = path.get(what).cloned().unwrap_or_default();
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let done = change(&organization, gateway.clock.now(), id, &name)?;
            gateway.reconciler.wake(organization.id());
            let reader = organization.read()?;
            let record = reader
                .get::<Accounts>(&id)?
                .ok_or_else(|| missing("account", id))?;
            Ok::<_, ApiError>((represent(&reader, id, &record)?, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    active: bool,
    /// RFC 3339; now where it is not there.
    at: Option<jiff::Timestamp>,
}

/// Stores what a source says. What it said of a later time stays.
pub(super) async fn put_signal(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Path(path): Parameters,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let id = id(&path, "account")?;
    let source = path.get("source").cloned().unwrap_or_default();
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let said = new.at.map(|at| u64::try_from(at.as_millisecond()));
            let signal = SignalRecord {
                active: new.active,
                at: said.map_or(now, |at| Timestamp(at.unwrap_or(0))),
            };
            let done = signals::put(&organization, now, id, &source, signal)?;
            gateway.reconciler.wake(organization.id());
            let body = json!({
                "account": id, "source": source, "active": done.value.active,
                "at": done.value.at.to_string(), "revision": done.revision,
            });
            Ok::<_, ApiError>((body, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}
