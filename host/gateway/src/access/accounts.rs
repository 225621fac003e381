//! Accounts: how a user comes to one, and how it loses access at once.

use super::{assignment, guard, history};
use crate::ledger::Change;
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, Assignments, GrantKind, GrantRecord,
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
    };
    change.tx.put::<Accounts>(&account, &record)?;
    change.event(
        "account.created",
        json!({ "account": account, "label": label }),
    )?;
    history::status(change, account, None, record.status, &record.status_reason)?;
    change.mark(account)
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
/// users is active any more. This needs no policy: a person whom the provider deactivates is out,
/// even when every policy is broken. Roles are kept.
///
/// # Errors
/// What the store says.
pub fn user_changed(
    change: &mut Change<'_, '_>,
    account: Uuid,
    label: &str,
    why_inactive: &str,
) -> Result<(), StoreError> {
    let Some(mut record) = change.tx.get::<Accounts>(&account)? else {
        return Ok(());
    };
    if record.label != label {
        label.clone_into(&mut record.label);
        change.tx.put::<Accounts>(&account, &record)?;
    }
    if record.status == AccountStatus::Active && !any_user_active(change.tx, &record)? {
        let status = AccountStatus::Deactivated;
        set_status(change, account, &record, status, why_inactive)?;
        guard::brake::deactivated(change, account, label)?;
        guard::alert_if_last(change, account, label)?;
    }
    change.mark(account)
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
    let Some(mut record) = change.tx.get::<Accounts>(&account)? else {
        return Ok(());
    };
    record.users.retain(|linked| *linked != user);
    change.tx.put::<Accounts>(&account, &record)?;
    let label = record.label;
    user_changed(
        change,
        account,
        &label,
        "the identity provider deleted the user",
    )
}

/// Whether a provider says of at least one of the account's users that it is active.
///
/// # Errors
/// What the store says.
pub fn any_user_active(
    reader: &impl Read<OrganizationScope>,
    account: &AccountRecord,
) -> Result<bool, StoreError> {
    for user in &account.users {
        if let Some(user) = reader.get::<Users>(user)?
            && is_active(&user.document)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
