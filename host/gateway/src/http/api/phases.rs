//! `/directories/{directory}/confirm`, `/pause`, `/resume` and `/uninstall`.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::directories::{id, show_record};
use super::error::ApiError;
use super::plans;
use crate::access::plan::Lockout;
use crate::directory::phases::{self, Facts, PhaseError};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::ledger::Committed;
use crate::model::tenancy::{Directories, DirectoryRecord};
use axum::extract::{Path, State};
use gatewright_store::{Organization, Read};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

type Parameters = Path<HashMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// The plan that shows what becomes of whom.
    plan: Option<Uuid>,
    /// Who confirms: an account's id or an email.
    acting: Option<String>,
    /// The words by which they accept to be locked out.
    accept_lockout: Option<String>,
}

/// What takes no particulars.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    facts: Kept,
    days: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kept {
    Keep,
    Erase,
}

/// Puts a directory into force, by a plan that shows what becomes of whom; without one only where
/// nobody is concerned.
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(said): Json<Said>,
) -> Result<Answer, ApiError> {
    let Some(plan) = said.plan else {
        return enter(
            &shared,
            organization,
            &path,
            move |gateway, organization, id| {
                let (now, accept) = (gateway.clock.now(), said.accept_lockout);
                Ok(phases::confirm(organization, now, id, said.acting, accept)?)
            },
        )
        .await;
    };
    let id = id(&path)?;
    let lockout = Lockout {
        accept: said.accept_lockout,
        acting: said.acting,
    };
    let (_, revision) = plans::apply(&shared, &organization, plan, Some(id), lockout).await?;
    let url = shared.public_url.clone();
    let body = shared
        .gateway
        .run(move |gateway| {
            let record = organization.read()?.get::<Directories>(&id)?;
            let record = record.ok_or(PhaseError::NoDirectory(id))?;
            let mut body = show_record(gateway, &url, id, &record);
            body["plan"] = json!(plan);
            body["revision"] = revision.into();
            Ok::<_, ApiError>(body)
        })
        .await??;
    Ok(match revision {
        Some(revision) => Answer::ok(body).at_revision(revision),
        None => Answer::accepted(body),
    })
}

/// Freezes the decisions about its people.
pub(super) async fn pause(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(_): Json<Nothing>,
) -> Result<Answer, ApiError> {
    enter(&shared, organization, &path, |gateway, organization, id| {
        Ok(phases::pause(organization, gateway.clock.now(), id)?)
    })
    .await
}

/// Ends a pause.
pub(super) async fn resume(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(_): Json<Nothing>,
) -> Result<Answer, ApiError> {
    enter(&shared, organization, &path, |gateway, organization, id| {
        Ok(phases::resume(organization, gateway.clock.now(), id)?)
    })
    .await
}

/// Ends a directory; every account keeps what it has.
pub(super) async fn uninstall(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(ending): Json<Ending>,
) -> Result<Answer, ApiError> {
    let facts = match (ending.facts, ending.days) {
        (Kept::Erase, None) => Facts::Erase,
        (Kept::Keep, Some(days)) => Facts::Keep(days),
        (Kept::Erase, Some(_)) | (Kept::Keep, None) => return Err(PhaseError::Days.into()),
    };
    enter(
        &shared,
        organization,
        &path,
        move |gateway, organization, id| {
            let now = gateway.clock.now();
            let (store, organization) = (&gateway.store, organization.id());
            Ok(phases::uninstall(store, organization, now, id, facts)?)
        },
    )
    .await
}

type Entered = Result<Committed<DirectoryRecord>, ApiError>;

async fn enter(
    shared: &Shared,
    organization: Organization,
    path: &HashMap<String, String>,
    enter: impl FnOnce(&Arc<Gateway>, &Organization, Uuid) -> Entered + Send + 'static,
) -> Result<Answer, ApiError> {
    let id = id(path)?;
    let url = shared.public_url.clone();
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let entered = enter(gateway, &organization, id)?;
            // A changed phase may end a pause of the reconciler's.
            gateway.reconciler.retry(organization.id());
            let mut body = show_record(gateway, &url, id, &entered.value);
            body["revision"] = entered.revision.into();
            Ok::<_, ApiError>((body, entered.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}
