//! Who is owner after a plan, and whether who confirms it would lock everybody or themselves out.

use super::read::proposal;
use super::{ACCEPT_LOCKOUT, PlanError, proposal as proposals};
use crate::access::{catalogue, guard};
use crate::model::access::{ACCOUNTS_BY_EMAIL, AccountStatus, Accounts, Assignments, GrantKind};
use crate::model::facts::{USERS_BY_EMAIL, Users};
use crate::model::plans::{
    ConfirmationRecord, LinkKind, PlannedLinks, PlannedOwners, ProposalRecord,
};
use crate::model::tenancy::Directories;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// How many owners are counted, and how many are named.
const OWNERS: (usize, usize) = (1_000, 20);

/// Accounts and users that are looked at for one email.
const MOST_ALIKE: usize = 10;

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
        proposal: &ProposalRecord,
    ) -> Result<ConfirmationRecord, PlanError> {
        let accepts_lockout = match self.accept.as_deref() {
            None => false,
            Some(ACCEPT_LOCKOUT) => true,
            Some(_) => return Err(PlanError::Words),
        };
        let acting = match &self.acting {
            None => None,
            Some(said) => Some((said.clone(), named(reader, plan, proposal, said)?)),
        };
        if acting.is_none() && !accepts_lockout && proposal.confirms().is_some() {
            return Err(PlanError::NobodyActs);
        }
        let by = ConfirmationRecord {
            acting,
            accepts_lockout,
        };
        check_owners(reader, plan, proposal, &by)?;
        Ok(by)
    }
}

/// Whether a plan leaves an owner, and who confirms it among them.
pub(super) fn check_owners(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    proposal: &ProposalRecord,
    by: &ConfirmationRecord,
) -> Result<(), PlanError> {
    let owners = owners(reader, plan)?;
    // Words or not: the guard would keep the last one's role, and the plan would not come true.
    if owners.count == 0 && guard::has_owner(reader)? {
        return Err(PlanError::LastOwner { owner: owners.role });
    }
    if by.accepts_lockout {
        return Ok(());
    }
    if owners.count == 0 {
        return Err(PlanError::NoOwner { owner: owners.role });
    }
    let Some((said, accounts)) = &by.acting else {
        return Ok(());
    };
    for account in accounts {
        let stays = reader.contains::<PlannedOwners>(&(plan, *account))?;
        // Who puts a directory into force has to be owner; who changes a mapping has not to lose it.
        if !stays && (proposal.confirms().is_some() || is_owner(reader, *account)?) {
            return Err(PlanError::LocksOutActing {
                acting: said.clone(),
                owner: owners.role,
            });
        }
    }
    Ok(())
}

/// The accounts of this id or email. Those of the people of a directory that is to come into force
/// need not be opened yet.
fn named(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    proposal: &ProposalRecord,
    said: &str,
) -> Result<Vec<Uuid>, PlanError> {
    if let Ok(id) = said.parse::<Uuid>() {
        return match reader.contains::<Accounts>(&id)? {
            true => Ok(vec![id]),
            false => Err(PlanError::UnknownActing(said.to_owned())),
        };
    }
    let email = said.to_lowercase();
    let (mut accounts, mut waiting) = (Vec::new(), Vec::new());
    let rows = reader.index_scan(&ACCOUNTS_BY_EMAIL, Range::prefix(&email))?;
    for row in rows.take(MOST_ALIKE) {
        accounts.push(row.map_err(PlanError::Store)?.1);
    }
    for directory in reader.keys::<Directories>(Range::all())? {
        let directory = directory.map_err(PlanError::Store)?;
        let wanted = (directory, email.clone());
        let rows = reader.index_scan(&USERS_BY_EMAIL, Range::prefix(&wanted))?;
        for row in rows.take(MOST_ALIKE) {
            let (_, user) = row.map_err(PlanError::Store)?;
            let shown = match proposal.confirms() == Some(directory) {
                true => reader.get::<PlannedLinks>(&(plan, user.1))?,
                false => None,
            };
            let stored: Option<_> = reader.get::<Users>(&user)?;
            match (shown, stored) {
                (Some(link), _) if link.kind != LinkKind::Waiting => accounts.push(link.account),
                // Who waits for an account is owner by none.
                (Some(link), _) => waiting.push(link.account),
                (None, Some(record)) => accounts.push(record.account),
                (None, None) => {}
            }
        }
    }
    if accounts.is_empty() {
        accounts = waiting;
    }
    accounts.sort_unstable();
    accounts.dedup();
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
