//! Holds: what accounts keep though their policies want to take it, until a person says what was
//! meant, or their own facts change.

use super::brake;
use crate::access::{accounts, alerts, assignment, facts};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::{
    AccountRecord, Accounts, AssignmentRecord, Assignments, GrantKind, GrantRecord,
};
use crate::model::guard::{HoldRecord, Holds, RemovalRecord, Removals};
use crate::model::spread::Spread;
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// What a person says of holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was meant: the policies take what they want to take.
    Approve,
    /// It was not: the accounts keep what they have until their own facts change.
    Reject,
}

/// Why holds were not answered.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The account has none.
    #[error("accounts[{place}]: nothing is held for the account {account}")]
    Missing {
        /// Its place in what was asked.
        place: usize,
        /// The account.
        account: Uuid,
    },
    /// It is the last active owner.
    #[error(
        "accounts[{place}]: {label} is the last active owner: make somebody else owner first, and \
         the hold ends by itself"
    )]
    LastOwner {
        /// Its place in what was asked.
        place: usize,
        /// The account's name.
        label: String,
    },
    /// Nothing was taken from the account.
    #[error("accounts[{place}]: nothing was taken from the account {account} within the window")]
    NothingTaken {
        /// Its place in what was asked.
        place: usize,
        /// The account.
        account: Uuid,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// What the account is pinned to, if a person pinned it and its facts are what they were.
pub(super) fn still_pinned(
    change: &Change<'_, '_>,
    account: Uuid,
    hold: Option<&HoldRecord>,
) -> Result<Option<String>, StoreError> {
    let Some(pinned) = hold.and_then(|hold| hold.pinned.as_ref()) else {
        return Ok(None);
    };
    let now = facts::digest(change.tx, account)?;
    Ok((now == *pinned).then_some(now))
}

/// Notes a hold, in the place of the one before.
pub(super) fn place(
    change: &mut Change<'_, '_>,
    account: Uuid,
    before: Option<&HoldRecord>,
    record: HoldRecord,
) -> Result<(), StoreError> {
    let waited = before.is_some_and(waits);
    let since = before.map_or(record.since, |before| before.since);
    let record = HoldRecord { since, ..record };
    let news = before.is_none_or(|before| {
        (&before.kept, before.kept_status) != (&record.kept, record.kept_status)
            || before.pinned.is_some() != record.pinned.is_some()
    });
    change.tx.put::<Holds>(&account, &record)?;
    if news {
        let kept = |grant: &GrantRecord| json!({ "kind": grant.kind, "name": grant.name });
        change.event(
            "hold.placed",
            json!({
                "account": account, "label": record.label, "owner": record.owner,
                "brake": record.brake, "pinned": record.pinned.is_some(),
                "kept": record.kept.iter().map(kept).collect::<Vec<_>>(),
                "kept_status": record.kept_status, "wanted": record.wanted,
            }),
        )?;
    }
    match (waited, waits(&record)) {
        (false, true) => brake::waits(change, true),
        (true, false) => brake::waits(change, false),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Ends a hold: there is nothing to keep any more, or it is taken.
pub(super) fn end(
    change: &mut Change<'_, '_>,
    account: Uuid,
    hold: &HoldRecord,
) -> Result<(), StoreError> {
    change.tx.delete::<Holds>(&account)?;
    change.event(
        "hold.ended",
        json!({ "account": account, "label": hold.label }),
    )?;
    if waits(hold) {
        brake::waits(change, false)?;
    }
    Ok(())
}

/// Whether the brake holds it and nobody has said anything yet.
fn waits(hold: &HoldRecord) -> bool {
    hold.brake && hold.pinned.is_none()
}

/// Answers the holds of these accounts; none: all holds of the brake. Of all, the rest of a
/// thousand and more follows in steps.
///
/// # Errors
/// Where one of them has no hold, or is the last active owner; nothing is answered then.
pub fn answer(
    organization: &Organization,
    at: Timestamp,
    answer: Answer,
    accounts: Option<Vec<Uuid>>,
) -> Result<Committed<()>, WriteError<HoldError>> {
    change(organization, at, move |change| {
        let Some(accounts) = &accounts else {
            change.event("holds.answered", json!({ "answer": answer.name() }))?;
            change.spread(match answer {
                Answer::Approve => Spread::HoldsApproved,
                Answer::Reject => Spread::HoldsRejected,
            })?;
            return Ok(brake::reset(change)?);
        };
        for (place, account) in accounts.iter().enumerate() {
            let account = *account;
            let Some(hold) = change.tx.get::<Holds>(&account)? else {
                return Err(HoldError::Missing { place, account });
            };
            if hold.owner && !hold.brake && answer == Answer::Approve {
                let label = hold.label;
                return Err(HoldError::LastOwner { place, label });
            }
            answer_one(change, account, &hold, answer, change.revision())?;
        }
        Ok(())
    })
}

impl Answer {
    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// Answers one hold, as a person said in the change of revision `since`.
///
/// # Errors
/// What the store says.
pub fn answer_one(
    change: &mut Change<'_, '_>,
    account: Uuid,
    hold: &HoldRecord,
    answer: Answer,
    since: u64,
) -> Result<(), StoreError> {
    match answer {
        Answer::Approve => change.approve(account, since),
        Answer::Reject => {
            let pinned = Some(facts::digest(change.tx, account)?);
            let record = HoldRecord {
                pinned,
                ..hold.clone()
            };
            place(change, account, Some(hold), record)
        }
    }
}

/// Gives back what these accounts lost within the window, or all of them, and pins them to it until
/// their own facts change. It brings access back, too, that the identity provider took.
///
/// # Errors
/// Where nothing was taken from one of them; nothing is given back then.
pub fn restore(
    organization: &Organization,
    at: Timestamp,
    accounts: Option<Vec<Uuid>>,
) -> Result<Committed<()>, WriteError<HoldError>> {
    change(organization, at, move |change| {
        let Some(accounts) = &accounts else {
            change.event("removals.restored", json!({}))?;
            change.spread(Spread::RemovalsRestored)?;
            return Ok(());
        };
        for (place, account) in accounts.iter().enumerate() {
            let account = *account;
            let mut any = false;
            for key in removals_of(change.tx, account)? {
                any |= restore_one(change, key)?;
            }
            if !any {
                return Err(HoldError::NothingTaken { place, account });
            }
        }
        Ok(())
    })
}

/// Says that what was taken within the window was meant: it is forgotten, and no alert about it
/// stands any more.
///
/// # Errors
/// What the store says.
pub fn accept(
    organization: &Organization,
    at: Timestamp,
) -> Result<Committed<()>, WriteError<StoreError>> {
    change(organization, at, |change| {
        change.event("removals.accepted", json!({}))?;
        alerts::clear_all(change, brake::DEACTIVATIONS)?;
        change.spread(Spread::RemovalsAccepted)?;
        Ok(())
    })
}

fn removals_of(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
) -> Result<Vec<(u64, Uuid)>, StoreError> {
    let rows = reader.keys::<Removals>(Range::all())?;
    rows.filter(|row| row.as_ref().map_or(true, |(_, of)| *of == account))
        .collect()
}

/// Gives back what one removal took. Answers whether it was still there.
///
/// # Errors
/// What the store says.
pub fn restore_one(change: &mut Change<'_, '_>, key: (u64, Uuid)) -> Result<bool, StoreError> {
    let account = key.1;
    let Some(removal) = change.tx.get::<Removals>(&key)? else {
        return Ok(false);
    };
    change.tx.delete::<Removals>(&key)?;
    let Some(record) = change.tx.get::<Accounts>(&account)? else {
        return Ok(true);
    };
    let hold = change.tx.get::<Holds>(&account)?;
    give_back(change, account, &record, &removal)?;
    let record = HoldRecord {
        owner: false,
        brake: hold.as_ref().is_some_and(|hold| hold.brake),
        pinned: Some(facts::digest(change.tx, account)?),
        kept: removal.lost,
        kept_status: removal.status,
        wanted: "it was taken, and a person gave it back".into(),
        label: record.label,
        since: change.at(),
        revision: removal.revision,
        request: removal.request,
    };
    place(change, account, hold.as_ref(), record)?;
    Ok(true)
}

fn give_back(
    change: &mut Change<'_, '_>,
    account: Uuid,
    record: &AccountRecord,
    removal: &RemovalRecord,
) -> Result<(), StoreError> {
    if let Some(status) = removal.status
        && record.status.is_worse_than(status)
    {
        let reason = "a person gave the access back";
        accounts::set_status(change, account, record, status, reason)?;
    }
    let Some(stored) = change.tx.get::<Assignments>(&account)? else {
        return Ok(());
    };
    let mut grants = stored.grants.clone();
    for lost in &removal.lost {
        if lost.kind == GrantKind::BaseRole {
            grants.retain(|grant| grant.kind != GrantKind::BaseRole);
        }
        if !grants.iter().any(|grant| assignment::same(grant, lost)) {
            grants.push(GrantRecord {
                since: change.at(),
                ..lost.clone()
            });
        }
    }
    assignment::sort(&mut grants);
    let why = |_: &GrantRecord| "another role was given back".to_owned();
    assignment::changed(
        change,
        (account, &record.label),
        &stored.grants,
        &grants,
        &why,
    )?;
    change
        .tx
        .put::<Assignments>(&account, &AssignmentRecord { grants, ..stored })
}
