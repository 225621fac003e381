//! The one way in which an account's grants change: with the events that tell of it, the history
//! and the count of seats.

use super::guard::capacity;
use super::history;
use crate::ledger::Change;
use crate::model::access::{GrantKind, GrantRecord};
use crate::model::guard::{Holders, SeatsTaken};
use gatewright_store::{Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// Notes that an account has these grants instead of those. The assignment itself is for the
/// caller to store. `why` says of a grant that is gone why that is so.
///
/// # Errors
/// What the store says.
pub fn changed(
    change: &mut Change<'_, '_>,
    (account, label): (Uuid, &str),
    before: &[GrantRecord],
    after: &[GrantRecord],
    why: &dyn Fn(&GrantRecord) -> String,
) -> Result<(), StoreError> {
    for grant in missing(before, after) {
        let reason = why(grant);
        change.event(
            "grant.removed",
            json!({
                "account": account, "label": label, "kind": grant.kind, "name": grant.name,
                "reason": reason,
            }),
        )?;
        history::ended(change, account, grant, &reason)?;
        if grant.kind == GrantKind::Seat {
            count(change, &grant.name, false)?;
            capacity::freed(change, &grant.name)?;
        }
    }
    for grant in missing(after, before) {
        change.event(
            "grant.added",
            json!({
                "account": account, "label": label, "kind": grant.kind, "name": grant.name,
                "reason": grant.reason,
            }),
        )?;
        history::began(change, account, grant)?;
        if grant.kind == GrantKind::Seat {
            count(change, &grant.name, true)?;
        }
    }
    if before.is_empty() != after.is_empty() {
        let holders = change.tx.get::<Holders>(&())?.unwrap_or(0);
        let holders = if before.is_empty() {
            holders + 1
        } else {
            holders.saturating_sub(1)
        };
        change.tx.put::<Holders>(&(), &holders)?;
    }
    Ok(())
}

/// The grants of `all` that `others` do not have.
pub fn missing<'a>(
    all: &'a [GrantRecord],
    others: &'a [GrantRecord],
) -> impl Iterator<Item = &'a GrantRecord> {
    all.iter()
        .filter(|one| !others.iter().any(|other| same(one, other)))
}

/// Whether two grants are of the same thing.
#[must_use]
pub fn same(a: &GrantRecord, b: &GrantRecord) -> bool {
    a.kind == b.kind && a.name == b.name
}

/// Puts grants in the order in which they are stored.
pub fn sort(grants: &mut [GrantRecord]) {
    grants.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
}

fn count(change: &mut Change<'_, '_>, seat: &str, more: bool) -> Result<(), StoreError> {
    let key = seat.to_owned();
    let taken = change.tx.get::<SeatsTaken>(&key)?.unwrap_or(0);
    let taken = if more {
        taken + 1
    } else {
        taken.saturating_sub(1)
    };
    change.tx.put::<SeatsTaken>(&key, &taken)
}
