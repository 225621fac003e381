//! Plans as they are read: what they come to, whom they concern, and who stays owner.

use super::{ACCEPT_LOCKOUT, PlanError, proposal as proposals};
use crate::access::{catalogue, guard};
use crate::model::access::{AccountStatus, Accounts, Assignments, GrantKind};
use crate::model::facts::{Counted, Counters, USERS_BY_EMAIL, Users};
use crate::model::plans::{
    ChangeKind, PLANNED_BY_KIND, PLANNED_BY_LOSSES, PlanRecord, Planned, PlannedOwners,
    PlannedRecord, Plans, ProposalRecord, Proposals,
};
use crate::model::tenancy::Directories;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// How many owners are counted, and how many are named.
const OWNERS: (usize, usize) = (1_000, 20);

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
        let range = match after {
            Some(after) => range.after(&(plan, after)),
            None => range,
        };
        let rows = reader.scan::<Planned>(range)?.take(limit);
        return rows
            .map(|row| row.map(|((_, account), record)| (account, record)))
            .collect();
    };
    let range = Range::prefix(&(plan, kind as u8));
    let range = match after {
        Some(after) => range.after(&(plan, kind as u8, after)),
        None => range,
    };
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

/// Who would be an active owner after a plan.
pub struct Owners {
    /// The owner role: the highest base role of the catalogue that there would be.
    pub role: String,
    /// How many, counted up to 1,000.
    pub count: usize,
    /// Some of them, with their labels.
    pub some: Vec<(Uuid, String)>,
}

/// Who would be an active owner after a plan.
///
/// # Errors
/// Where there is no such plan.
pub fn owners(reader: &impl Read<OrganizationScope>, plan: Uuid) -> Result<Owners, PlanError> {
    let proposal = proposal(reader, plan)?;
    let catalogue = proposals::catalogue(reader, &proposal)?;
    let role = catalogue.base_roles.first();
    let mut owners = Owners {
        role: role.map_or_else(String::new, |role| role.name.clone()),
        count: 0,
        some: Vec::new(),
    };
    let rows = reader.scan::<PlannedOwners>(Range::prefix(&plan))?;
    for row in rows.take(OWNERS.0) {
        let ((_, account), label) = row.map_err(PlanError::Store)?;
        owners.count += 1;
        if owners.some.len() < OWNERS.1 {
            owners.some.push((account, label));
        }
    }
    Ok(owners)
}

/// Who confirms a plan, and whether they accept that nobody, or not they, is owner afterwards.
#[derive(Clone, Debug, Default)]
pub struct Lockout {
    /// The words by which that is accepted.
    pub accept: Option<String>,
    /// Id or email of the account of who confirms.
    pub acting: Option<String>,
}

impl Lockout {
    /// Whether the plan may be confirmed so.
    pub(super) fn check(
        &self,
        reader: &impl Read<OrganizationScope>,
        plan: Uuid,
    ) -> Result<(), PlanError> {
        let accepted = match self.accept.as_deref() {
            None => false,
            Some(ACCEPT_LOCKOUT) => true,
            Some(_) => return Err(PlanError::Words),
        };
        let acting = match &self.acting {
            None => None,
            Some(said) => Some((said, named(reader, said)?)),
        };
        let owners = owners(reader, plan)?;
        // Words or not: the guard would keep the last one's role, and the plan would not come true.
        if owners.count == 0 && guard::has_owner(reader)? {
            return Err(PlanError::LastOwner { owner: owners.role });
        }
        if accepted {
            return Ok(());
        }
        if owners.count == 0 {
            return Err(PlanError::NoOwner { owner: owners.role });
        }
        if let Some((said, accounts)) = acting {
            for account in accounts {
                let stays = reader.contains::<PlannedOwners>(&(plan, account))?;
                if !stays && is_owner(reader, account)? {
                    return Err(PlanError::LocksOutActing {
                        acting: said.clone(),
                        owner: owners.role,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The accounts of this id or email.
fn named(reader: &impl Read<OrganizationScope>, said: &str) -> Result<Vec<Uuid>, PlanError> {
    let mut accounts = Vec::new();
    if let Ok(id) = said.parse::<Uuid>() {
        if reader.contains::<Accounts>(&id)? {
            accounts.push(id);
        }
    } else {
        for directory in reader.keys::<Directories>(Range::all())? {
            let wanted = (directory.map_err(PlanError::Store)?, said.to_lowercase());
            for row in reader.index_scan(&USERS_BY_EMAIL, Range::prefix(&wanted))? {
                let (_, user) = row.map_err(PlanError::Store)?;
                let user: Option<_> = reader.get::<Users>(&user)?;
                accounts.extend(user.map(|user| user.account));
            }
        }
    }
    if accounts.is_empty() {
        return Err(PlanError::UnknownActing(said.to_owned()));
    }
    Ok(accounts)
}

/// Whether the account is an active owner now.
fn is_owner(reader: &impl Read<OrganizationScope>, account: Uuid) -> Result<bool, StoreError> {
    let Some(record) = reader.get::<Accounts>(&account)? else {
        return Ok(false);
    };
    let Some(assignment) = reader.get::<Assignments>(&account)? else {
        return Ok(false);
    };
    let catalogue = catalogue::load(reader)?;
    let owner = catalogue.base_roles.first().map(|role| role.name.as_str());
    let mut grants = assignment.grants.iter();
    let role = grants.find(|grant| grant.kind == GrantKind::BaseRole);
    Ok(record.status == AccountStatus::Active
        && owner.is_some()
        && role.map(|grant| grant.name.as_str()) == owner)
}
