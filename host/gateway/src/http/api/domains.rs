//! `/domains`: which are the organization's, and what shows it.

use super::access::{Administers, Reads};
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::domains;
use crate::http::Shared;
use crate::model::people::{DomainRecord, VerifiedBy};
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

type Parameters = Path<HashMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    /// What shows it.
    #[serde(default = "dns")]
    by: VerifiedBy,
}

fn dns() -> VerifiedBy {
    VerifiedBy::Dns
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Reads(organization): Reads,
) -> Result<Answer, ApiError> {
    let all = shared
        .gateway
        .run(move |_| Ok::<_, ApiError>(domains::all(&organization.read()?)?))
        .await??;
    let all: Vec<Value> = all
        .iter()
        .map(|(domain, record)| show(domain, record))
        .collect();
    Ok(Answer::ok(json!({ "domains": all })))
}

/// Names a domain. The answer says which TXT record shows that it is the organization's.
pub(super) async fn put(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(_): Json<Nothing>,
) -> Result<Answer, ApiError> {
    let domain = name(&path)?;
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let (now, random) = (gateway.clock.now(), &gateway.random);
            let stored = domains::put(&organization, now, random, domain.clone())?;
            Ok::<_, ApiError>((show(&domain, &stored.value), stored.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
) -> Result<Answer, ApiError> {
    let domain = name(&path)?;
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let done = domains::remove(&organization, gateway.clock.now(), domain.clone())?;
            Ok::<_, ApiError>((json!({ "domain": domain }), done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

/// Looks for the TXT record; or takes the operator's word.
pub(super) async fn verify(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(way): Json<Way>,
) -> Result<Answer, ApiError> {
    let domain = name(&path)?;
    let known = domain.clone();
    let handle = organization.clone();
    let record = shared
        .gateway
        .run(move |_| Ok::<_, ApiError>(domains::get(&handle.read()?, &known)?))
        .await??;
    if way.by == VerifiedBy::Dns {
        let record_name = domains::record_name(&domain);
        let texts = shared.gateway.resolver.txt(&record_name).await?;
        domains::check(&domain, &record, &texts)?;
    }
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let done = domains::verified(&organization, now, domain.clone(), way.by)?;
            gateway.reconciler.wake(organization.id());
            Ok::<_, ApiError>((show(&domain, &done.value), done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn name(path: &HashMap<String, String>) -> Result<String, ApiError> {
    let text = path.get("domain").map_or("", String::as_str);
    Ok(domains::parse(text)?)
}

fn show(domain: &str, record: &DomainRecord) -> Value {
    json!({
        "domain": domain,
        "verified": record.verified.is_some(),
        "verified_at": record.verified.map(|(at, _)| at.to_string()),
        "verified_by": record.verified.map(|(_, by)| by),
        "record": {
            "name": domains::record_name(domain),
            "type": "TXT",
            "value": domains::record_value(record),
        },
        "created": record.created.to_string(),
    })
}
