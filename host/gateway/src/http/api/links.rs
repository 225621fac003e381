//! `/links`: users that wait for a person to say which account is theirs.

use super::access::Administers;
use super::accounts::id;
use super::answer::{Answer, Json};
use super::error::ApiError;
use super::query::{cut, number};
use crate::access::links;
use crate::http::Shared;
use crate::model::access::Accounts;
use crate::model::facts::{Users, primary_email, text};
use crate::model::people::{LinkRecord, Waiting};
use axum::extract::{Query, State};
use gatewright_store::{OrganizationScope, Read, Reader, StoreError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    user: Uuid,
    /// An account's id, or `"new"`.
    account: Chosen,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
enum Chosen {
    New,
    Account(Uuid),
}

impl TryFrom<String> for Chosen {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "new" => Ok(Self::New),
            id => id
                .parse()
                .map(Self::Account)
                .map_err(|_| "must be an account's id, or \"new\""),
        }
    }
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = match query.get("after") {
        Some(_) => Some(id(&query, "after")?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let mut waiting = links::waiting(&reader, after, limit + 1)?;
            let next = cut(&mut waiting, limit, |(id, _)| *id);
            let shown = waiting
                .iter()
                .map(|(user, waits)| show(&reader, *user, waits))
                .collect::<Result<Vec<_>, _>>()?;
            Ok::<_, ApiError>(json!({ "links": shown, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Links a waiting user as a person says.
pub(super) async fn resolve(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(choice): Json<Choice>,
) -> Result<Answer, ApiError> {
    let account = match choice.account {
        Chosen::New => None,
        Chosen::Account(id) => Some(id),
    };
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let (now, random) = (gateway.clock.now(), &gateway.random);
            let done = links::resolve(&organization, now, random, choice.user, account)?;
            gateway.reconciler.wake(organization.id());
            let body = json!({
                "user": choice.user, "account": done.value, "revision": done.revision,
            });
            Ok::<_, ApiError>((body, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn show(
    reader: &Reader<OrganizationScope>,
    user: Uuid,
    waits: &LinkRecord,
) -> Result<Value, StoreError> {
    let record = reader.get::<Users>(&(waits.directory, user))?;
    let document = record.map_or_else(Map::new, |record| record.document);
    let mut candidates = Vec::new();
    for id in &waits.candidates {
        if let Some(account) = reader.get::<Accounts>(id)? {
            candidates.push(json!({
                "id": id, "label": account.label, "email": account.email,
                "external_id": account.external_id, "status": account.status,
            }));
        }
    }
    Ok(json!({
        "user": user,
        "directory": waits.directory,
        "user_name": text(&document, "userName"),
        "email": primary_email(&document),
        "why": waits.why,
        "message": message(waits.why),
        "candidates": candidates,
        "since": waits.since.to_string(),
    }))
}

/// Why a user waits, in words.
pub(super) fn message(why: Waiting) -> &'static str {
    match why {
        Waiting::SeveralAccounts => "more than one account matches: choose one, or a new one",
        Waiting::SeveralUsers => {
            "more than one user of the directory matches the account: say whose it is"
        }
        Waiting::Claimed => {
            "another user of the directory has the account: choose another account, or a new one"
        }
        Waiting::Left => {
            "the directory deleted the user who had the account: say whether this is the same person"
        }
        Waiting::Unverified => {
            "the domain of the email is not verified: verify it at /domains, or choose"
        }
    }
}
