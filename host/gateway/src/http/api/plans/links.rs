//! `/plans/{plan}/links`: what becomes of the people of a directory that a plan confirms.

use super::Parameters;
use crate::access::plan;
use crate::http::Shared;
use crate::http::api::access::Administers;
use crate::http::api::accounts::id;
use crate::http::api::answer::Answer;
use crate::http::api::error::ApiError;
use crate::http::api::links;
use crate::http::api::query::{after, cut, number};
use crate::model::plans::{LinkDifference, LinkKind, PlannedLinkRecord};
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// What becomes of the users of the directory that a plan confirms, and the accounts that nobody
/// claims.
pub(in crate::http::api) async fn links(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let id = id(&path, "plan")?;
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = after(&query, "is no id: take the `next` of the last answer")?;
    let kind = query.get("kind").map(|text| link_kind(text)).transpose()?;
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            plan::find(&reader, id)?;
            let kind = match kind {
                Some(Shown::Unlinked) => {
                    let found = plan::unlinked(&reader, id, after, limit + 1)?;
                    return Ok::<_, ApiError>(page(found, limit, show_unlinked));
                }
                Some(Shown::Users(kind)) => Some(kind),
                None => None,
            };
            let found = plan::links(&reader, id, kind, after, limit + 1)?;
            Ok(page(found, limit, show_user))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// What a page of links shows.
#[derive(Clone, Copy)]
enum Shown {
    Users(LinkKind),
    Unlinked,
}

fn link_kind(text: &str) -> Result<Shown, ApiError> {
    let known = LinkKind::ALL.into_iter().find(|kind| kind.name() == text);
    match known {
        Some(kind) => Ok(Shown::Users(kind)),
        None if text == "unlinked" => Ok(Shown::Unlinked),
        None => Err(ApiError::Query {
            name: "kind",
            problem: "must be one of linked, new, waiting, unlinked".into(),
        }),
    }
}

fn page<T>(mut found: Vec<(Uuid, T)>, limit: usize, show: impl Fn(Uuid, &T) -> Value) -> Value {
    let next = cut(&mut found, limit, |(id, _)| *id);
    let shown: Vec<Value> = found.iter().map(|(id, one)| show(*id, one)).collect();
    json!({ "links": shown, "next": next })
}

fn show_unlinked(account: Uuid, label: &String) -> Value {
    json!({ "kind": "unlinked", "account": account, "label": label })
}

fn show_user(user: Uuid, link: &PlannedLinkRecord) -> Value {
    let account = Some(link.account).filter(|_| link.kind != LinkKind::Waiting);
    json!({
        "user": user,
        "label": link.label,
        "kind": link.kind,
        "account": account,
        "why": link.why,
        "message": link.why.map(links::message),
        "candidates": link.candidates,
    })
}

/// How a link is another than it was planned.
pub(super) fn show_link_difference(link: &LinkDifference) -> Value {
    let side =
        |side: &Option<PlannedLinkRecord>| side.as_ref().map(|one| show_user(link.user, one));
    json!({ "planned": side(&link.planned), "now": side(&link.now) })
}
