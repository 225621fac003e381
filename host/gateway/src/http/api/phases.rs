//! `/directories/{directory}/confirm`, `/pause`, `/resume` and `/uninstall`.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::directories::{id, show_record};
use super::error::ApiError;
use crate::directory::phases::{self, Confirmation, Facts, PhaseError};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::ledger::Committed;
use crate::model::tenancy::DirectoryRecord;
use axum::extract::{Path, State};
use gatewright_store::Organization;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

type Parameters = Path<HashMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
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

/// Puts a directory into force.
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Parameters,
    Json(said): Json<Said>,
) -> Result<Answer, ApiError> {
    enter(
        &shared,
        organization,
        &path,
        move |gateway, organization, id| {
            let reader = organization.read()?;
            let (acting, accept) = (said.acting.as_deref(), said.accept_lockout.as_deref());
            let confirmation = Confirmation::read(&reader, id, acting, accept)?;
            drop(reader);
            let now = gateway.clock.now();
            Ok(phases::confirm(organization, now, id, confirmation)?)
        },
    )
    .await
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
