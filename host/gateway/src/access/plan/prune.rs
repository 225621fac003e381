//! Plans whose time is over, and what deleted plans leave behind, erased in bounded steps.

use super::{open, watch};
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::plans::{
    Moved, PlanRecord, PlanState, Planned, PlannedAsks, PlannedOwners, Plans, Proposals,
};
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, Table, WriteError,
};
use serde_json::json;
use uuid::Uuid;

/// Rows that are erased in a step.
const STEP: usize = 250;

/// How long a plan can be looked at after it was confirmed or could have been, in milliseconds.
const KEEP: u64 = 7 * 24 * 3_600_000;

/// Does one step. Says whether there was one to do.
pub(super) fn step(
    organization: &Organization,
    now: Timestamp,
) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    if !is_due(&reader, now).map_err(WriteError::Aborted)? {
        return Ok(false);
    }
    drop(reader);
    change(organization, now, move |change| {
        for (plan, record) in plans(change.tx)? {
            expire(change, now, plan, record)?;
        }
        let mut left = STEP;
        erase::<Planned>(change, &mut left)?;
        erase::<PlannedOwners>(change, &mut left)?;
        erase::<PlannedAsks>(change, &mut left)?;
        if open(change)? == 0 {
            let keys = change.tx.keys::<Moved>(Range::all())?.take(left);
            for account in keys.collect::<Result<Vec<_>, _>>()? {
                change.tx.delete::<Moved>(&account)?;
            }
        }
        Ok(())
    })?;
    Ok(true)
}

/// When there will be something to do, if ever.
pub(super) fn next(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let plans = plans(reader)?;
    Ok(plans.iter().map(|(_, record)| due(record)).min())
}

fn plans(reader: &impl Read<OrganizationScope>) -> Result<Vec<(Uuid, PlanRecord)>, StoreError> {
    reader.scan::<Plans>(Range::all())?.collect()
}

/// When the plan expires, or is to be erased.
fn due(record: &PlanRecord) -> Timestamp {
    match &record.state {
        PlanState::Computing | PlanState::Ready => record.expires,
        PlanState::Confirming => Timestamp(u64::MAX),
        PlanState::Confirmed { at, .. } => at.plus(KEEP),
        PlanState::Outdated { .. } | PlanState::Failed { .. } => record.expires.plus(KEEP),
    }
}

fn expire(
    change: &mut Change<'_, '_>,
    now: Timestamp,
    plan: Uuid,
    mut record: PlanRecord,
) -> Result<(), StoreError> {
    if due(&record) > now {
        return Ok(());
    }
    if record.state.is_open() {
        record.state = PlanState::Outdated {
            why: format!("it expired at {}: make a new plan", record.expires),
        };
        change.tx.put::<Plans>(&plan, &record)?;
        change.event("plan.expired", json!({ "plan": plan }))?;
    } else {
        change.tx.delete::<Plans>(&plan)?;
        change.tx.delete::<Proposals>(&plan)?;
        change.event("plan.deleted", json!({ "plan": plan }))?;
    }
    watch(change)
}

fn is_due(reader: &Reader<OrganizationScope>, now: Timestamp) -> Result<bool, StoreError> {
    let plans = plans(reader)?;
    let known: Vec<Uuid> = plans.iter().map(|(plan, _)| *plan).collect();
    let none_open = !plans.iter().any(|(_, record)| record.state.is_open());
    Ok(plans.iter().any(|(_, record)| due(record) <= now)
        || orphan::<Planned>(reader, &known)?.is_some()
        || orphan::<PlannedOwners>(reader, &known)?.is_some()
        || orphan::<PlannedAsks>(reader, &known)?.is_some()
        || (none_open && reader.keys::<Moved>(Range::all())?.next().is_some()))
}

/// A plan of which there are rows, and which is not among these. Costs a look for each of these.
fn orphan<T>(
    reader: &impl Read<OrganizationScope>,
    known: &[Uuid],
) -> Result<Option<Uuid>, StoreError>
where
    T: Table<Scope = OrganizationScope, Key = (Uuid, Uuid)>,
{
    let mut range = Range::all();
    while let Some(row) = reader.keys::<T>(range)?.next() {
        let (plan, _) = row?;
        if !known.contains(&plan) {
            return Ok(Some(plan));
        }
        range = Range::all().after(&(plan, Uuid::max()));
    }
    Ok(None)
}

/// Erases rows of plans that are gone.
fn erase<T>(change: &mut Change<'_, '_>, left: &mut usize) -> Result<(), StoreError>
where
    T: Table<Scope = OrganizationScope, Key = (Uuid, Uuid)>,
{
    let known: Vec<Uuid> = plans(change.tx)?
        .into_iter()
        .map(|(plan, _)| plan)
        .collect();
    let Some(plan) = orphan::<T>(change.tx, &known)? else {
        return Ok(());
    };
    let keys = change.tx.keys::<T>(Range::prefix(&plan))?.take(*left);
    for key in keys.collect::<Result<Vec<_>, _>>()? {
        change.tx.delete::<T>(&key)?;
        *left -= 1;
    }
    Ok(())
}
