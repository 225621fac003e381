//! `/plans`: what a change would come to, before anybody is concerned.

mod links;

use super::access::Administers;
use super::accounts::id;
use super::answer::{Answer, Json};
use super::bindings;
use super::error::ApiError;
use super::query::{after, cut, number};
use crate::access::plan::{self, Lockout, New, Owners, PlanError, SeatUse};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::access::GrantKind;
use crate::model::plans::{
    ChangeKind, Difference, Holding, LinkKind, PlanRecord, PlanState, PlannedGrant, PlannedRecord,
    ProposalRecord, Proposed,
};
use axum::extract::{Path, Query, State};
use gatewright_store::{Organization, OrganizationScope, Reader};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

pub(super) use links::links;

/// How long a confirmation waits until it is applied or refused. After that it goes on without the
/// request.
const WAIT: Duration = Duration::from_secs(30);

/// How many of those who lose the most are shown with a plan.
const MOST_LOSSES: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The words by which a lock-out is accepted.
    accept_lockout: Option<String>,
    /// Id or email of who confirms.
    acting: Option<String>,
}

type Parameters = Query<HashMap<String, String>>;

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let shown = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            let mut shown = Vec::new();
            for (id, record) in plan::all(&reader)? {
                shown.push(summary(&reader, id, &record)?);
            }
            Ok::<_, ApiError>(shown)
        })
        .await??;
    Ok(Answer::ok(json!({ "plans": shown })))
}

/// Makes a plan. It is computed after the answer.
pub(super) async fn create(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let (shown, revision) = shared
        .gateway
        .run(move |gateway| {
            let now = gateway.clock.now();
            let (plugins, random) = (&gateway.plugins, &gateway.random);
            let made = plan::create(&organization, plugins, random, now, new)?;
            gateway.planner.wake(organization.id());
            let reader = organization.read()?;
            let (id, record) = made.value;
            Ok::<_, ApiError>((detailed(gateway, &reader, id, &record)?, made.revision))
        })
        .await??;
    Ok(Answer::created(shown).at_revision(revision))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let id = id(&path, "plan")?;
    let (shown, _) = look(&shared, &organization, id).await?;
    Ok(Answer::ok(shown))
}

/// The accounts that a plan changes.
pub(super) async fn accounts(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let id = id(&path, "plan")?;
    let limit = number(&query, "limit", 100, 1_000)?;
    let after = after(
        &query,
        "is no account's id: take the `next` of the last answer",
    )?;
    let kind = match query.get("kind") {
        Some(text) => Some(kind(text)?),
        None => None,
    };
    let body = shared
        .gateway
        .run(move |_| {
            let reader = organization.read()?;
            plan::find(&reader, id)?;
            let mut found = plan::accounts(&reader, id, kind, after, limit + 1)?;
            let next = cut(&mut found, limit, |(account, _)| *account);
            let shown: Vec<Value> = found
                .iter()
                .map(|(account, record)| show_account(*account, record))
                .collect();
            Ok::<_, ApiError>(json!({ "accounts": shown, "next": next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Applies a plan as it was shown, or says what is no longer so.
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(body): Json<Confirmation>,
) -> Result<Answer, ApiError> {
    let id = id(&path, "plan")?;
    let lockout = Lockout {
        accept: body.accept_lockout,
        acting: body.acting,
    };
    let (shown, revision) = apply(&shared, &organization, id, None, lockout).await?;
    Ok(match revision {
        Some(revision) => Answer::ok(shown).at_revision(revision),
        None => Answer::accepted(shown),
    })
}

/// Applies a plan, which has to confirm `directory` where one is named. Answers the plan and the
/// revision that applied it; none where it takes longer than a request should.
pub(super) async fn apply(
    shared: &Shared,
    organization: &Organization,
    id: Uuid,
    directory: Option<Uuid>,
    lockout: Lockout,
) -> Result<(Value, Option<u64>), ApiError> {
    let mut progress = shared.gateway.planner.progress();
    let handle = organization.clone();
    shared
        .gateway
        .run(move |gateway| {
            plan::confirm(&handle, gateway.clock.now(), id, directory, &lockout)?;
            gateway.planner.wake(handle.id());
            Ok::<_, ApiError>(())
        })
        .await??;
    let deadline = tokio::time::Instant::now() + WAIT;
    loop {
        progress.mark_unchanged();
        let (shown, record) = look(shared, organization, id).await?;
        match record.state {
            PlanState::Confirmed { revision, .. } => return Ok((shown, Some(revision))),
            PlanState::Outdated { why } => {
                return Err(ApiError::Plan(PlanError::Outdated {
                    why,
                    differences: record.differences,
                    different: record.different,
                }));
            }
            PlanState::Computing
            | PlanState::Ready
            | PlanState::Confirming
            | PlanState::Failed { .. } => {}
        }
        let changed = tokio::time::timeout_at(deadline, progress.changed()).await;
        if changed.is_err() {
            return Ok((shown, None));
        }
    }
}

pub(super) async fn delete(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let id = id(&path, "plan")?;
    let revision = shared
        .gateway
        .run(move |gateway| {
            let revision = plan::delete(&organization, gateway.clock.now(), id)?;
            gateway.planner.wake(organization.id());
            Ok::<_, ApiError>(revision)
        })
        .await??;
    Ok(Answer::ok(json!({ "id": id, "deleted": true })).at_revision(revision))
}

async fn look(
    shared: &Shared,
    organization: &Organization,
    id: Uuid,
) -> Result<(Value, PlanRecord), ApiError> {
    let organization = organization.clone();
    shared
        .gateway
        .run(move |gateway| {
            let reader = organization.read()?;
            let record = plan::find(&reader, id)?;
            let shown = detailed(gateway, &reader, id, &record)?;
            Ok::<_, ApiError>((shown, record))
        })
        .await?
}

fn kind(text: &str) -> Result<ChangeKind, ApiError> {
    let known = ChangeKind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| ApiError::Query {
        name: "kind",
        problem: format!(
            "must be one of {}",
            ChangeKind::ALL.map(ChangeKind::name).join(", ")
        ),
    })
}

/// What lists show.
fn summary(
    reader: &Reader<OrganizationScope>,
    id: Uuid,
    record: &PlanRecord,
) -> Result<Value, ApiError> {
    let (why, confirmed) = match &record.state {
        PlanState::Outdated { why } | PlanState::Failed { why } => (Some(why), None),
        PlanState::Confirmed { at, revision } => (
            None,
            Some(json!({ "at": at.to_string(), "revision": revision })),
        ),
        PlanState::Computing | PlanState::Ready | PlanState::Confirming => (None, None),
    };
    let mut counts = json!({ "accounts": record.counts.changed });
    for (kind, count) in ChangeKind::ALL.into_iter().zip(record.counts.kinds) {
        counts[kind.name()] = count.into();
    }
    let proposal = plan::proposal(reader, id)?;
    let links = proposal.confirms().map(|_| {
        let mut links = json!({ "unlinked": record.links.unlinked });
        for (kind, count) in LinkKind::ALL.into_iter().zip(record.links.kinds) {
            links[kind.name()] = count.into();
        }
        links
    });
    Ok(json!({
        "id": id,
        "state": record.state.name(),
        "why": why,
        "confirmed": confirmed,
        "created": record.created.to_string(),
        "expires": record.expires.to_string(),
        "changes": changes(&proposal),
        "progress": {
            "considered": record.considered,
            "of_about": plan::about(reader, record)?,
        },
        "counts": counts,
        "links": links,
    }))
}

/// What is proposed, in a word each.
fn changes(proposal: &ProposalRecord) -> Vec<String> {
    let named = |change: &Proposed| match change {
        Proposed::Mapping { .. } => "mapping".to_owned(),
        Proposed::Catalogue { .. } => "catalogue".to_owned(),
        Proposed::Pin { .. } => "pins".to_owned(),
        Proposed::Binding { slot, .. } => format!("bindings.{}", slot.name()),
        Proposed::Confirm { .. } => "confirm".to_owned(),
    };
    proposal.changes.iter().map(named).collect()
}

fn detailed(
    gateway: &Gateway,
    reader: &Reader<OrganizationScope>,
    id: Uuid,
    record: &PlanRecord,
) -> Result<Value, ApiError> {
    let mut shown = summary(reader, id, record)?;
    let most: Vec<Value> = plan::most_losses(reader, id, MOST_LOSSES)?
        .iter()
        .map(|(account, record)| show_account(*account, record))
        .collect();
    shown["most_losses"] = most.into();
    let Owners { role, count, some } = plan::owners(reader, id)?;
    let some: Vec<Value> = some
        .iter()
        .map(|(account, label)| json!({ "account": account, "label": label }))
        .collect();
    shown["owners"] = json!({
        "role": role, "remains": count > 0, "count": count, "accounts": some,
    });
    let proposal = plan::proposal(reader, id)?;
    shown["seats"] = plan::seats(reader, &proposal, record)?
        .iter()
        .map(show_seat)
        .collect();
    shown["differences"] = show_differences(&record.differences);
    shown["different"] = record.different.into();
    shown["proposal"] = show_proposal(gateway, &proposal);
    Ok(shown)
}

fn show_seat(seat: &SeatUse) -> Value {
    json!({
        "name": seat.name,
        "taken": seat.taken,
        "gained": seat.moves.gained,
        "lost": seat.moves.lost,
        "wanted": seat.wanted(),
        "capacity": seat.capacity,
        "beyond": seat.beyond(),
        "when_full": seat.when_full,
    })
}

/// In the shape in which it was asked for.
fn show_proposal(gateway: &Gateway, proposal: &ProposalRecord) -> Value {
    let mut shown = json!({});
    for change in &proposal.changes {
        match change {
            Proposed::Mapping { mapping } => {
                shown["mapping"] = json!({ "entries": mapping.entries });
            }
            Proposed::Catalogue { catalogue } => shown["catalogue"] = json!(catalogue),
            Proposed::Pin { entry, group, .. } => {
                shown["pins"][entry.to_string()] = json!(group);
            }
            Proposed::Binding { slot, chain, audit } => {
                let chain = bindings::show_chain(gateway, chain);
                shown["bindings"][slot.name()] =
                    json!({ "chain": chain, "by": audit.by, "why": audit.why });
            }
            Proposed::Confirm { directory } => shown["confirm"] = json!(directory),
        }
    }
    shown
}

fn show_account(account: Uuid, record: &PlannedRecord) -> Value {
    json!({
        "account": account,
        "label": record.label,
        "kinds": record.kinds,
        "losses": record.losses,
        "before": show_holding(&record.before),
        "after": show_holding(&record.after),
        "failure": record.failure,
        "link": record.link,
    })
}

/// Some accounts of which a plan no longer says what would happen.
pub(super) fn show_differences(differences: &[Difference]) -> Value {
    let sides = |sides: &Option<(Holding, Holding)>| match sides {
        None => Value::Null,
        Some((before, after)) => {
            json!({ "before": show_holding(before), "after": show_holding(after) })
        }
    };
    let shown: Vec<Value> = differences
        .iter()
        .map(|one| {
            json!({
                "account": one.account,
                "label": one.label,
                "planned": sides(&one.planned),
                "now": sides(&one.now),
                "link": one.link.as_ref().map(links::show_link_difference),
            })
        })
        .collect();
    shown.into()
}

/// In the shape of an account.
pub(super) fn show_holding(holding: &Holding) -> Value {
    let grant = |grant: &PlannedGrant| json!({ "name": grant.name, "reason": grant.reason });
    let of = |kind: GrantKind| -> Vec<Value> {
        let grants = holding.grants.iter().filter(|grant| grant.kind == kind);
        grants.map(grant).collect()
    };
    json!({
        "status": holding.status,
        "status_reason": holding.status_reason,
        "role": of(GrantKind::BaseRole).first(),
        "custom_roles": of(GrantKind::CustomRole),
        "seats": of(GrantKind::Seat),
    })
}
