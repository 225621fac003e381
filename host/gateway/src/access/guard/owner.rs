//! The last active owner keeps the owner role, the catalogue's highest base role, and the access
//! that a policy would take. Only the identity provider can end the access: that is told.

use super::{Account, Losses, Outcome, is_active};
use crate::access::{alerts, catalogue};
use crate::ledger::Change;
use crate::model::access::{
    ASSIGNMENTS_BY_GRANT, AccountStatus, Assignments, GrantKind, GrantRecord,
};
use crate::model::guard::HOLDS_OF_OWNERS;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// The slot of the guard's alerts.
pub(super) const SLOT: &str = "owner-guard";

/// How many held owners are decided anew when there is another one. There is seldom more than one.
const RELEASED: usize = 100;

/// The owner role's name.
///
/// # Errors
/// What the store says.
pub fn owner_role(reader: &impl Read<OrganizationScope>) -> Result<Option<String>, StoreError> {
    let roles = catalogue::load(reader)?.base_roles;
    Ok(roles.into_iter().next().map(|role| role.name))
}

/// Moves what the last active owner keeps from `losses` to `kept`. Answers whether there is any.
pub(super) fn keep(
    change: &Change<'_, '_>,
    account: &Account<'_>,
    outcome: &Outcome,
    losses: &mut Losses,
    kept: &mut Losses,
) -> Result<bool, StoreError> {
    let Some(owner) = owner_role(change.tx)? else {
        return Ok(false);
    };
    let has_role = |one: &GrantRecord| one.kind == GrantKind::BaseRole && one.name == owner;
    if !account.grants.iter().any(has_role) {
        return Ok(false);
    }
    let role = losses.grants.iter().position(has_role);
    // What the provider says of a person's access is not for a guard to keep.
    let status = losses.status.filter(|_| account.said_active);
    if role.is_none() && status.is_none() {
        return Ok(false);
    }
    if another(change.tx, account.id, &owner)? {
        return Ok(false);
    }
    if let Some(place) = role {
        kept.grants.push(losses.grants.remove(place));
    }
    if status.is_some() && outcome.status != AccountStatus::Active {
        kept.status = losses.status.take();
    }
    Ok(true)
}

/// Whether any active account has the owner role. Costs a step for each that has it and is not
/// active.
///
/// # Errors
/// What the store says.
pub fn has_owner(reader: &impl Read<OrganizationScope>) -> Result<bool, StoreError> {
    let Some(owner) = owner_role(reader)? else {
        return Ok(false);
    };
    another(reader, Uuid::nil(), &owner)
}

/// Whether another active account has the owner role.
fn another(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
    owner: &str,
) -> Result<bool, StoreError> {
    let wanted = (GrantKind::BaseRole as u8, owner.to_owned());
    for row in reader.index_scan(&ASSIGNMENTS_BY_GRANT, Range::prefix(&wanted))? {
        let (_, other) = row?;
        if other != account && is_active(reader, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an account that is to have these grants instead of those is the last active owner and
/// would not be any more.
///
/// # Errors
/// What the store says.
pub fn is_last(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
    before: &[GrantRecord],
    after: &[GrantRecord],
) -> Result<bool, StoreError> {
    let Some(owner) = owner_role(reader)? else {
        return Ok(false);
    };
    let is_owner = |grants: &[GrantRecord]| {
        let mut grants = grants.iter();
        grants.any(|one| one.kind == GrantKind::BaseRole && one.name == owner)
    };
    Ok(is_owner(before) && !is_owner(after) && !another(reader, account, &owner)?)
}

/// Raises an alert where the account, which may not use the application any more, was the last
/// active owner: a person of the operator has to make another one.
///
/// # Errors
/// What the store says.
pub fn alert_if_last(
    change: &mut Change<'_, '_>,
    account: Uuid,
    label: &str,
) -> Result<(), StoreError> {
    let Some(assignment) = change.tx.get::<Assignments>(&account)? else {
        return Ok(());
    };
    let Some(owner) = owner_role(change.tx)? else {
        return Ok(());
    };
    let has_role = |one: &GrantRecord| one.kind == GrantKind::BaseRole && one.name == owner;
    if !assignment.grants.iter().any(has_role) || another(change.tx, account, &owner)? {
        return Ok(());
    }
    let message = format!(
        "the identity provider deactivated {label}, the last active {owner}: give the role to \
         somebody else, or restore the account"
    );
    alerts::raise(
        change,
        SLOT,
        Some(account),
        "last-owner-deactivated",
        &message,
        &[],
    )
}

/// An account may use the application again: it may be an owner.
///
/// # Errors
/// What the store says.
pub fn activated(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    let Some(assignment) = change.tx.get::<Assignments>(&account)? else {
        return Ok(());
    };
    let owner = owner_role(change.tx)?;
    let mut grants = assignment.grants.iter();
    let role = grants.find(|grant| grant.kind == GrantKind::BaseRole);
    if role.is_some_and(|role| owner.as_ref() == Some(&role.name)) {
        returned(change, account)?;
    }
    Ok(())
}

/// An account is an active owner now: what was held for the want of one is decided anew, and what
/// was told of it is over.
///
/// # Errors
/// What the store says.
pub fn returned(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    let rows = change.tx.index_scan(&HOLDS_OF_OWNERS, Range::all())?;
    let held: Vec<Uuid> = rows
        .take(RELEASED)
        .map(|row| row.map(|(_, held)| held))
        .collect::<Result<_, _>>()?;
    for held in held {
        if held != account {
            change.mark(held)?;
        }
    }
    alerts::clear_all(change, SLOT)
}
