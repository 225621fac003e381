//! The end of a plan's computation and of its confirmation: ready, applied, or out of date.

use super::owners::check_owners;
use super::{PlanError, proposal, watch};
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::plans::{MOVED_BY_REVISION, PlanRecord, PlanState, Plans, ProposalRecord};
use crate::model::spread::{Spread, Spreads};
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// Whether facts moved that concern accounts which are not marked yet. A change for everybody is none:
/// what it changed is in what the plan was made against.
pub(super) fn spreading(reader: &impl Read<OrganizationScope>) -> Result<bool, StoreError> {
    for row in reader.scan::<Spreads>(Range::all())? {
        let (_, record) = row?;
        if !matches!(record.cause, Spread::Everybody) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends a computation or a confirmation, if nothing has happened to any account that it has not
/// seen. Says whether the plan was put into force.
pub(super) fn finish(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    proposal: ProposalRecord,
) -> Result<bool, WriteError<StoreError>> {
    let done = change(organization, now, move |change| {
        let Some(mut record) = change.tx.get::<Plans>(&plan)? else {
            return Ok(false);
        };
        record.walked = true;
        let range = Range::all().after(&record.seen);
        if change
            .tx
            .index_scan(&MOVED_BY_REVISION, range)?
            .next()
            .is_some()
        {
            change.tx.put::<Plans>(&plan, &record)?;
            return Ok(false);
        }
        match record.state {
            PlanState::Computing => {
                record.state = PlanState::Ready;
                let counts = &record.counts;
                let event = json!({ "plan": plan, "changed": counts.changed });
                change.event("plan.ready", event)?;
                change.tx.put::<Plans>(&plan, &record)?;
                Ok(false)
            }
            PlanState::Confirming if spreading(change.tx)? => Ok(false),
            PlanState::Confirming if record.different > 0 => {
                let why = format!(
                    "what it says of {} {} has changed since: make a new plan",
                    record.different,
                    if record.different == 1 {
                        "account"
                    } else {
                        "accounts"
                    }
                );
                let state = PlanState::Outdated { why };
                close(change, plan, record, state, "plan.outdated")?;
                Ok(false)
            }
            PlanState::Confirming => {
                let holds = match proposal::base(change.tx, proposal.confirms())? == proposal.base {
                    true => still_has_owners(change, plan, &proposal, &record)?,
                    false => Err(outdated(&proposal)),
                };
                let applied = match holds {
                    Ok(()) => proposal::apply(change, plan, &record, &proposal)?,
                    Err(why) => Err(why),
                };
                if let Err(why) = applied {
                    let state = PlanState::Outdated { why };
                    close(change, plan, record, state, "plan.outdated")?;
                    return Ok(false);
                }
                let state = PlanState::Confirmed {
                    at: change.at(),
                    revision: change.revision(),
                };
                close(change, plan, record, state, "plan.confirmed")?;
                Ok(true)
            }
            PlanState::Ready
            | PlanState::Confirmed { .. }
            | PlanState::Outdated { .. }
            | PlanState::Failed { .. } => Ok(false),
        }
    })?;
    Ok(done.value)
}

/// Whether what was confirmed of the owners still holds: it was said when it was to be confirmed, and
/// the plan looked at who moved since.
fn still_has_owners(
    change: &Change<'_, '_>,
    plan: Uuid,
    proposal: &ProposalRecord,
    record: &PlanRecord,
) -> Result<Result<(), String>, StoreError> {
    let Some(by) = &record.confirmation else {
        return Ok(Ok(()));
    };
    match check_owners(change.tx, plan, proposal, by) {
        Ok(()) => Ok(Ok(())),
        Err(PlanError::Store(error)) => Err(error),
        Err(refused) => Ok(Err(format!("{refused}; that was not so before"))),
    }
}

fn outdated(proposal: &ProposalRecord) -> String {
    match proposal.confirms() {
        None => "mapping, catalogue or a binding is another than when it was made: make a new plan",
        Some(_) => {
            "mapping, catalogue, a binding, a directory's phase or a verified domain is another than \
             when it was made: make a new plan"
        }
    }
    .to_owned()
}

/// Says that a plan was made against what is no longer there.
pub(super) fn outdate(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    proposal: &ProposalRecord,
) -> Result<(), WriteError<StoreError>> {
    let why = outdated(proposal);
    end(
        organization,
        now,
        plan,
        PlanState::Outdated { why },
        "plan.outdated",
    )
}

/// Says that a plan could not be worked out.
pub(super) fn fail(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    why: String,
) -> Result<(), WriteError<StoreError>> {
    let state = PlanState::Failed { why };
    end(organization, now, plan, state, "plan.failed")
}

fn end(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    state: PlanState,
    event: &'static str,
) -> Result<(), WriteError<StoreError>> {
    change(organization, now, move |change| {
        match change.tx.get::<Plans>(&plan)? {
            Some(record) => close(change, plan, record, state.clone(), event),
            None => Ok(()),
        }
    })
    .map(|_| ())
}

pub(super) fn close(
    change: &mut Change<'_, '_>,
    plan: Uuid,
    mut record: PlanRecord,
    state: PlanState,
    event: &str,
) -> Result<(), StoreError> {
    let why = match &state {
        PlanState::Outdated { why } | PlanState::Failed { why } => Some(why.clone()),
        PlanState::Computing
        | PlanState::Ready
        | PlanState::Confirming
        | PlanState::Confirmed { .. } => None,
    };
    record.state = state;
    change.tx.put::<Plans>(&plan, &record)?;
    change.event(event, json!({ "plan": plan, "why": why }))?;
    watch(change)
}
