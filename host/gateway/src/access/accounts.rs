//! Accounts: how a user comes to one, and how it loses access at once.

use crate::ledger::Change;
use crate::model::access::{AccountRecord, AccountStatus, Accounts, Assignments, GrantKind};
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
        take_seats(change, account)?;
    }
    record.users.push(user);
    label.clone_into(&mut record.label);
    change.tx.put::<Accounts>(&account, &record)?;
    change.mark(account)
}

fn take_seats(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    let Some(mut assignment) = change.tx.get::<Assignments>(&account)? else {
        return Ok(());
    };
    let (seats, kept) = assignment
        .grants
        .into_iter()
        .partition::<Vec<_>, _>(|grant| grant.kind == GrantKind::Seat);
    assignment.grants = kept;
    for seat in &seats {
        let reason = "the identity provider had deleted the user";
        change.event(
            "grant.removed",
            json!({ "account": account, "kind": "seat", "name": seat.name, "reason": reason }),
        )?;
    }
    if !seats.is_empty() {
        change.tx.put::<Assignments>(&account, &assignment)?;
    }
    Ok(())
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
    let mut store = false;
    if record.label != label {
        label.clone_into(&mut record.label);
        store = true;
    }
    if record.status == AccountStatus::Active && !any_user_active(change.tx, &record)? {
        record.status = AccountStatus::Deactivated;
        why_inactive.clone_into(&mut record.status_reason);
        change.event(
            "account.deactivated",
            json!({ "account": account, "label": label, "reason": why_inactive }),
        )?;
        store = true;
    }
    if store {
        change.tx.put::<Accounts>(&account, &record)?;
    }
    change.mark(account)
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
