//! Plans as they are read: what they come to, and whom they concern.

use super::PlanError;
use crate::model::facts::{Counted, Counters};
use crate::model::plans::{
    ChangeKind, LinkKind, PLANNED_BY_KIND, PLANNED_BY_LOSSES, PLANNED_LINKS_BY_KIND, PlanRecord,
    Planned, PlannedLinkRecord, PlannedLinks, PlannedRecord, PlannedUnlinked, Plans,
    ProposalRecord, Proposals,
};
use crate::model::tenancy::Directories;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// All plans, the oldest first.
///
/// # Errors
/// What the store says.
pub fn all(reader: &impl Read<OrganizationScope>) -> Result<Vec<(Uuid, PlanRecord)>, StoreError> {
    reader.scan::<Plans>(Range::all())?.collect()
}

/// One plan.
///
/// # Errors
/// Where there is none.
pub fn find(reader: &impl Read<OrganizationScope>, plan: Uuid) -> Result<PlanRecord, PlanError> {
    let found: Option<PlanRecord> = reader.get::<Plans>(&plan)?;
    found.ok_or(PlanError::NotFound(plan))
}

/// About how many accounts there are to try: as many as users, since most accounts have one.
///
/// # Errors
/// What the store says.
pub fn about(
    reader: &impl Read<OrganizationScope>,
    record: &PlanRecord,
) -> Result<u64, StoreError> {
    let mut all = 0;
    for directory in reader.keys::<Directories>(Range::all())? {
        let users = reader.get::<Counters>(&Counted::Users.of(directory?))?;
        all += users.unwrap_or(0);
    }
    Ok(if record.walked {
        record.considered
    } else {
        all.max(record.considered)
    })
}

/// What a plan proposes.
///
/// # Errors
/// Where there is no such plan.
pub fn proposal(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
) -> Result<ProposalRecord, PlanError> {
    let found: Option<ProposalRecord> = reader.get::<Proposals>(&plan)?;
    found.ok_or(PlanError::NotFound(plan))
}

/// The accounts that a plan changes, in the order of their creation, from behind `after` on.
///
/// # Errors
/// What the store says.
pub fn accounts(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    kind: Option<ChangeKind>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, PlannedRecord)>, StoreError> {
    let Some(kind) = kind else {
        let range = Range::prefix(&plan);
        let range = range.behind(after.map(|after| (plan, after)));
        let rows = reader.scan::<Planned>(range)?.take(limit);
        return rows
            .map(|row| row.map(|((_, account), record)| (account, record)))
            .collect();
    };
    let range = Range::prefix(&(plan, kind as u8));
    let range = range.behind(after.map(|after| (plan, kind as u8, after)));
    let mut found = Vec::new();
    for row in reader.index_scan(&PLANNED_BY_KIND, range)?.take(limit) {
        let (_, key) = row?;
        if let Some(record) = reader.get::<Planned>(&key)? {
            found.push((key.1, record));
        }
    }
    Ok(found)
}

/// Those who would lose the most, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn most_losses(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    limit: usize,
) -> Result<Vec<(Uuid, PlannedRecord)>, StoreError> {
    let range = Range::prefix(&plan).reverse();
    let mut found = Vec::new();
    for row in reader.index_scan(&PLANNED_BY_LOSSES, range)?.take(limit) {
        let (_, key) = row?;
        if let Some(record) = reader.get::<Planned>(&key)? {
            found.push((key.1, record));
        }
    }
    Ok(found)
}

/// What becomes of the users of the directory that a plan confirms, in the order of their ids, from
/// behind `after` on.
///
/// # Errors
/// What the store says.
pub fn links(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    kind: Option<LinkKind>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, PlannedLinkRecord)>, StoreError> {
    let Some(kind) = kind else {
        let range = Range::prefix(&plan);
        let range = range.behind(after.map(|after| (plan, after)));
        let rows = reader.scan::<PlannedLinks>(range)?.take(limit);
        return rows
            .map(|row| row.map(|((_, user), record)| (user, record)))
            .collect();
    };
    let range = Range::prefix(&(plan, kind as u8));
    let range = range.behind(after.map(|after| (plan, kind as u8, after)));
    let mut found = Vec::new();
    let rows = reader.index_scan(&PLANNED_LINKS_BY_KIND, range)?;
    for row in rows.take(limit) {
        let (_, key) = row?;
        if let Some(record) = reader.get::<PlannedLinks>(&key)? {
            found.push((key.1, record));
        }
    }
    Ok(found)
}

/// The accounts that no user claims after a plan that confirms a directory, with their labels.
///
/// # Errors
/// What the store says.
pub fn unlinked(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    let range = Range::prefix(&plan);
    let range = range.behind(after.map(|after| (plan, after)));
    let rows = reader.scan::<PlannedUnlinked>(range)?.take(limit);
    rows.map(|row| row.map(|((_, account), label)| (account, label)))
        .collect()
}
