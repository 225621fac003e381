//! `/catalogue` of an organization, and `/default-catalogue`, which organizations without one of
//! their own follow.
//!
//! The default has a path of its own, since `/catalogue` without an organization is that of a key
//! that is bound to one; and it is no part of the configuration file, so that it changes without a
//! restart and has versions as any other.

use super::access::{Administers, Operator, Reads};
use super::answer::{Answer, Json};
use super::error::ApiError;
use super::query::{before, cut, number};
use crate::access::catalogue::{self, New, Use, default, versions};
use crate::directory::organizations;
use crate::http::Shared;
use crate::model::catalogue::Catalogue;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use gatewright_store::{OrganizationId, OrganizationScope, Reader};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The version that a request wants to replace: of the header, else of the body.
fn wanted(headers: &HeaderMap, new: &New) -> Result<Option<u64>, ApiError> {
    match headers.get(IF_MATCH) {
        Some(value) => version(value.to_str().unwrap_or_default()),
        None => Ok(new.version),
    }
}

/// `"3"`, or `*` for whichever there is.
fn version(text: &str) -> Result<Option<u64>, ApiError> {
    let text = text.trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let number = number.and_then(|number| number.parse().ok());
    number.map(Some).ok_or(ApiError::Header {
        name: "If-Match",
        problem: "must be a version in quotes, such as \"3\", or *",
    })
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |_| represent(&organization.read()?))
        .await??;
    Ok(Answer::ok(body))
}

/// Replaces the catalogue as a whole.
pub(super) async fn replace(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    headers: HeaderMap,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let wanted = wanted(&headers, &new)?;
    let new = Catalogue::from(new);
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = catalogue::replace(&organization, now, new, wanted)?;
            gateway.reconciler.retry(organization.id());
            let body = represent(&organization.read()?)?;
            Ok::<_, ApiError>((body, stored.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

/// Has the organization follow the default catalogue.
pub(super) async fn follow(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let stored = default::adopt(&gateway.store, &organization, now)?;
            gateway.reconciler.retry(organization.id());
            let body = represent(&organization.read()?)?;
            Ok::<_, ApiError>((body, stored.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

/// What the catalogue was, the newest version first.
pub(super) async fn list(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let limit = number(&query, "limit", 20, 100)?;
    let before = before(&query)?;
    let body = shared
        .gateway
        .run(move |_| {
            let mut found = versions::list(&organization.read()?, before, limit + 1)?;
            let next = cut(&mut found, limit, |(version, _)| *version);
            let shown: Vec<Value> = found
                .iter()
                .map(|(version, record)| {
                    json!({
                        "version": version,
                        "at": record.at.to_string(),
                        "default": record.default,
                        "catalogue": record.catalogue,
                    })
                })
                .collect();
            Ok::<_, ApiError>(json!({ "versions": shown, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

pub(super) async fn show_default(
    State(shared): State<Shared>,
    _: Operator,
) -> Result<Answer, ApiError> {
    let (version, record) = shared
        .gateway
        .run(|gateway| default::newest(&gateway.store.system().read()?))
        .await?
        .map_err(ApiError::Store)?;
    Ok(Answer::ok(with_version(&record.catalogue, version)))
}

/// Replaces the default catalogue. Organizations that follow it have it afterwards.
pub(super) async fn replace_default(
    State(shared): State<Shared>,
    _: Operator,
    headers: HeaderMap,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let wanted = wanted(&headers, &new)?;
    let new = Catalogue::from(new);
    let body = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let version = default::replace(&gateway.store, now, new.clone(), wanted)?;
            for (id, _) in organizations::all(&gateway.store)? {
                gateway.reconciler.retry(OrganizationId::from(id));
            }
            Ok::<_, ApiError>(with_version(&new, version))
        })
        .await??;
    Ok(Answer::ok(body))
}

fn represent(reader: &Reader<OrganizationScope>) -> Result<Value, ApiError> {
    let mut shown = with_version(&catalogue::load(reader)?, versions::current(reader)?);
    shown["follows_default"] = default::is_followed(reader)?.into();
    Ok(shown)
}

fn with_version(catalogue: &Catalogue, version: u64) -> Value {
    let mut shown = json!(catalogue);
    shown["version"] = version.into();
    shown
}

/// Who uses what is to be removed.
pub(super) fn show_uses(uses: &[Use]) -> Value {
    let shown: Vec<Value> = uses
        .iter()
        .map(|one| {
            let accounts: Vec<Value> = one
                .some_accounts
                .iter()
                .map(|(account, label)| json!({ "account": account, "label": label }))
                .collect();
            json!({
                "kind": one.kind,
                "name": one.name,
                "mapping_entries": { "count": one.entries, "some": one.some_entries },
                "accounts": { "count": one.accounts, "some": accounts },
            })
        })
        .collect();
    shown.into()
}
