//! Accounts: how a user comes to one, and how it loses access at once.

use super::standing::{Phases, Standing};
use super::{assignment, guard, history, links, signals};
use crate::directory::membership;
use crate::ledger::Change;
use crate::model::access::{
    AccountOrigin, AccountRecord, AccountStatus, Accounts, Assignments, GrantKind, GrantRecord,
};
use crate::model::facts::{ResourceKey, Users, is_active};
use gatewright_store::{OrganizationScope, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// Creates the account of a new user.
///
/// It may not use the application before a lifecycle policy said so: an account is never opened by
/// the mere absence of a decision.
///
/// # Errors
/// What the store says.
pub fn open(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
    label: &str,
) -> Result<(), StoreError> {
    let record = AccountRecord {
        users: vec![user],
        status: AccountStatus::Deactivated,
        status_reason: "not decided yet".into(),
        created: change.at(),
        label: label.to_owned(),
        origin: AccountOrigin::Directory,
        external_id: None,
        email: None,
        free: false,
        left: None,
    };
    change.tx.put::<Accounts>(&account, &record)?;
    change.event(
        "account.created",
        json!({ "account": account, "label": label }),
    )?;
    history::status(change, account, None, record.status, &record.status_reason)?;
    change.mark(account)
}

/// Links an account to a user that is stored. It keeps what it has until it is decided; access it
/// loses at once if its provider says that the person is not active.
///
/// # Errors
/// What the store says.
pub fn claim(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
    label: &str,
) -> Result<(), StoreError> {
    let Some(mut record) = change.tx.get::<Accounts>(&account)? else {
        return open(change, account, user, label);
    };
    record.users.push(user);
    label.clone_into(&mut record.label);
    record.free = false;
    record.left = None;
    change.tx.put::<Accounts>(&account, &record)?;
    membership::forget_ended(change, account, user.1)?;
    change.event(
        "account.linked",
        json!({ "account": account, "label": label, "directory": user.0, "user": user.1 }),
    )?;
    let why = "the identity provider says that the user is not active";
    take_access(change, account, why)?;
    change.mark(account)
}

/// Takes a user from its account for good: its directory is uninstalled. The account keeps what it
/// has, and its email, by which a later directory may find it again.
///
/// # Errors
/// What the store says.
pub fn unlink(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
    email: Option<&str>,
) -> Result<(), StoreError> {
    let Some(mut record) = change.tx.get::<Accounts>(&account)? else {
        return Ok(());
    };
    if !record.users.contains(&user) {
        return Ok(());
    }
    record.users.retain(|linked| *linked != user);
    record.free = record.users.is_empty();
    if record.email.is_none() {
        record.email = email.map(str::to_lowercase);
    }
    change.tx.put::<Accounts>(&account, &record)?;
    change.event(
        "account.unlinked",
        json!({
            "account": account, "label": record.label, "directory": user.0, "user": user.1,
            "email": record.email,
        }),
    )?;
    change.moved(account)
}

/// Links the account of a user that came back to it. What the account may do is for the policies to
/// say: until then it stays as the deletion left it. Seats that it still has do not come back with
/// the user, unless another user kept the account in use meanwhile.
///
/// # Errors
/// What the store says.
pub fn reopen(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
    label: &str,
) -> Result<(), StoreError> {
    let Some(mut record) = change.tx.get::<Accounts>(&account)? else {
        return open(change, account, user, label);
    };
    if record.users.is_empty() {
        take_seats(change, account, label)?;
    }
    record.users.push(user);
    label.clone_into(&mut record.label);
    record.free = false;
    record.left = None;
    change.tx.put::<Accounts>(&account, &record)?;
    change.mark(account)
}

fn take_seats(change: &mut Change<'_, '_>, account: Uuid, label: &str) -> Result<(), StoreError> {
    let Some(mut assignment) = change.tx.get::<Assignments>(&account)? else {
        return Ok(());
    };
    let before = assignment.grants.clone();
    assignment
        .grants
        .retain(|grant| grant.kind != GrantKind::Seat);
    if assignment.grants.len() == before.len() {
        return Ok(());
    }
    let why = |_: &GrantRecord| "the identity provider had deleted the user".to_owned();
    assignment::changed(change, (account, label), &before, &assignment.grants, &why)?;
    change.tx.put::<Assignments>(&account, &assignment)
}

/// Marks the account of a user that changed, and takes its access away at once where none of its
/// users is active any more. Nothing happens where the user has no account yet.
///
/// # Errors
/// What the store says.
pub fn user_changed(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
    label: &str,
) -> Result<(), StoreError> {
    let Some(mut record) = linked(change, account, user)? else {
        return Ok(());
    };
    if record.label != label {
        label.clone_into(&mut record.label);
        change.tx.put::<Accounts>(&account, &record)?;
    }
    let why = "the identity provider deactivated the user";
    deactivate(change, account, &record, why)?;
    change.mark(account)
}

/// Takes the access of an account away at once where none of its users is active, if a directory
/// manages it.
///
/// # Errors
/// What the store says.
pub fn take_access(
    change: &mut Change<'_, '_>,
    account: Uuid,
    why_inactive: &str,
) -> Result<(), StoreError> {
    match change.tx.get::<Accounts>(&account)? {
        Some(record) => deactivate(change, account, &record, why_inactive),
        None => Ok(()),
    }
}

/// This needs no policy: a person whom the provider deactivates is out, even when every policy is
/// broken. Roles are kept. Only where another source says that the person is active it is left to
/// the lifecycle policy.
fn deactivate(
    change: &mut Change<'_, '_>,
    account: Uuid,
    record: &AccountRecord,
    why_inactive: &str,
) -> Result<(), StoreError> {
    if record.status != AccountStatus::Active {
        return Ok(());
    }
    let phases = Phases::read(change.tx)?;
    if Standing::of(record, &phases) == Standing::Free
        || any_user_active(change.tx, record, &phases)?
        || signals::any_active(change.tx, account)?
    {
        return Ok(());
    }
    let status = AccountStatus::Deactivated;
    set_status(change, account, record, status, why_inactive)?;
    guard::brake::deactivated(change, account, &record.label)?;
    guard::alert_if_last(change, account, &record.label)
}

/// Gives an account another status, or another reason for the one it has.
///
/// # Errors
/// What the store says.
pub fn set_status(
    change: &mut Change<'_, '_>,
    account: Uuid,
    record: &AccountRecord,
    status: AccountStatus,
    reason: &str,
) -> Result<(), StoreError> {
    if record.status == status && record.status_reason == reason {
        return Ok(());
    }
    let after = AccountRecord {
        status,
        status_reason: reason.to_owned(),
        ..record.clone()
    };
    change.tx.put::<Accounts>(&account, &after)?;
    if record.status == status {
        return Ok(());
    }
    let kind = match status {
        AccountStatus::Active => "account.activated",
        AccountStatus::Deactivated => "account.deactivated",
        AccountStatus::Deleted => "account.deleted",
    };
    change.event(
        kind,
        json!({ "account": account, "label": record.label, "reason": reason }),
    )?;
    history::status(change, account, Some(record.status), status, reason)?;
    if status == AccountStatus::Active {
        guard::activated(change, account)?;
    }
    Ok(())
}

/// Takes a deleted user from its account.
///
/// # Errors
/// What the store says.
pub fn user_deleted(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
) -> Result<(), StoreError> {
    links::forget(change, user.1)?;
    let Some(mut record) = linked(change, account, user)? else {
        return Ok(());
    };
    record.users.retain(|linked| *linked != user);
    if record.users.is_empty() {
        record.left = Some(user.0);
    }
    change.tx.put::<Accounts>(&account, &record)?;
    let why = "the identity provider deleted the user";
    deactivate(change, account, &record, why)?;
    change.mark(account)
}

/// The account of a user that has one. Of another one only a plan may have to know that it changed.
fn linked(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: ResourceKey,
) -> Result<Option<AccountRecord>, StoreError> {
    let record = change.tx.get::<Accounts>(&account)?;
    let record = record.filter(|record| record.users.contains(&user));
    if record.is_none() {
        change.moved(user.1)?;
    }
    Ok(record)
}

/// Whether the provider of a directory in force says of at least one of the account's users that it
/// is active.
fn any_user_active(
    reader: &impl Read<OrganizationScope>,
    account: &AccountRecord,
    phases: &Phases,
) -> Result<bool, StoreError> {
    let users = account.users.iter();
    for user in users.filter(|(directory, _)| phases.in_force(*directory)) {
        if let Some(user) = reader.get::<Users>(user)?
            && is_active(&user.document)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
