//! Seats are given while there are any. The count and the grant are one transaction, so the
//! capacity is exact; nobody who has a seat loses it to another.

use super::{Account, Outcome};
use crate::access::{alerts, catalogue};
use crate::ledger::Change;
use crate::model::access::GrantKind;
use crate::model::catalogue::{SeatType, WhenFull};
use crate::model::guard::{SeatsTaken, WAITING_BY_SEAT, WaitRecord, Waiting};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// How many of those who wait are decided anew for one seat that is given back.
const CALLED: u64 = 100;

/// Takes from the outcome the seats that are not to be had.
pub(super) fn limit(
    change: &mut Change<'_, '_>,
    account: &Account<'_>,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let wanted: Vec<String> = outcome
        .grants
        .iter()
        .filter(|grant| grant.kind == GrantKind::Seat)
        .map(|grant| grant.name.clone())
        .collect();
    let waiting: Vec<(Uuid, String)> = change
        .tx
        .keys::<Waiting>(Range::prefix(&account.id))?
        .collect::<Result<_, _>>()?;
    for key in waiting {
        if !wanted.contains(&key.1) {
            change.tx.delete::<Waiting>(&key)?;
        }
    }
    let has = |name: &String| {
        let mut grants = account.grants.iter();
        grants.any(|grant| grant.kind == GrantKind::Seat && grant.name == *name)
    };
    let new: Vec<&String> = wanted.iter().filter(|name| !has(name)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let seats = catalogue::load(change.tx)?.seat_types;
    for name in new {
        let Some(seat) = seats.iter().find(|seat| seat.name == *name) else {
            continue;
        };
        if !take(change, account, seat)? {
            outcome.denied.push(name.clone());
        }
    }
    let denied = &outcome.denied;
    outcome
        .grants
        .retain(|grant| grant.kind != GrantKind::Seat || !denied.contains(&grant.name));
    Ok(())
}

/// Whether the account may have the seat.
fn take(
    change: &mut Change<'_, '_>,
    account: &Account<'_>,
    seat: &SeatType,
) -> Result<bool, StoreError> {
    let Some(free) = free(change.tx, seat)? else {
        return Ok(true);
    };
    let key = (account.id, seat.name.clone());
    match seat.when_full {
        WhenFull::Overflow => {
            if free == 0 {
                tell(change, seat, "is given beyond its capacity")?;
            }
            Ok(true)
        }
        WhenFull::Refuse => {
            if free == 0 {
                tell(
                    change,
                    seat,
                    "is wanted by more people than there are seats",
                )?;
                denied(change, account, seat)?;
            }
            Ok(free > 0)
        }
        WhenFull::Wait => {
            let own = change.tx.get::<Waiting>(&key)?;
            if ahead(change, &key, own.as_ref(), free)? < free {
                if own.is_some() {
                    change.tx.delete::<Waiting>(&key)?;
                }
                return Ok(true);
            }
            if own.is_none() {
                let record = WaitRecord {
                    since: change.at(),
                    revision: change.revision(),
                };
                change.tx.put::<Waiting>(&key, &record)?;
                tell(
                    change,
                    seat,
                    "is waited for by more people than there are seats",
                )?;
                denied(change, account, seat)?;
            }
            Ok(false)
        }
    }
}

/// How many are left; none: as many as like.
///
/// # Errors
/// What the store says.
pub fn free(
    reader: &impl Read<OrganizationScope>,
    seat: &SeatType,
) -> Result<Option<u64>, StoreError> {
    let Some(capacity) = seat.capacity else {
        return Ok(None);
    };
    let taken = reader.get::<SeatsTaken>(&seat.name)?.unwrap_or(0);
    Ok(Some(u64::from(capacity).saturating_sub(taken)))
}

/// Whether there is a seat to give. One that is given beyond its capacity has room always.
///
/// # Errors
/// What the store says.
pub fn has_room(reader: &impl Read<OrganizationScope>, name: &str) -> Result<bool, StoreError> {
    let seats = catalogue::load(reader)?.seat_types;
    let Some(seat) = seats.iter().find(|seat| seat.name == name) else {
        return Ok(false);
    };
    let free = free(reader, seat)?;
    Ok(seat.when_full == WhenFull::Overflow || free.is_none_or(|free| free > 0))
}

/// How many have waited longer, `enough` at most.
fn ahead(
    change: &Change<'_, '_>,
    key: &(Uuid, String),
    own: Option<&WaitRecord>,
    enough: u64,
) -> Result<u64, StoreError> {
    let mut ahead = 0;
    for row in change
        .tx
        .index_scan(&WAITING_BY_SEAT, Range::prefix(&key.1))?
    {
        let ((_, since, revision), other) = row?;
        let before =
            own.is_none_or(|own| (since, revision, other.0) < (own.since.0, own.revision, key.0));
        if ahead == enough || !before {
            break;
        }
        if other != *key {
            ahead += 1;
        }
    }
    Ok(ahead)
}

/// A seat was given back: those who have waited longest are decided anew.
///
/// # Errors
/// What the store says.
pub fn freed(change: &mut Change<'_, '_>, seat: &str) -> Result<(), StoreError> {
    let name = seat.to_owned();
    let first = change
        .tx
        .index_scan(&WAITING_BY_SEAT, Range::prefix(&name))?
        .next();
    if first.transpose()?.is_none() {
        return alerts::clear(change, &slot(seat), None);
    }
    let seats = catalogue::load(change.tx)?.seat_types;
    let Some(seat) = seats.iter().find(|one| one.name == name) else {
        return Ok(());
    };
    let free = free(change.tx, seat)?.unwrap_or(CALLED).min(CALLED);
    let called: Vec<Uuid> = change
        .tx
        .index_scan(&WAITING_BY_SEAT, Range::prefix(&name))?
        .take(usize::try_from(free).unwrap_or(usize::MAX))
        .map(|row| row.map(|(_, (account, _))| account))
        .collect::<Result<_, _>>()?;
    for account in called {
        change.mark(account)?;
    }
    Ok(())
}

/// The slot of the alerts about a seat type.
fn slot(seat: &str) -> String {
    format!("seats/{seat}")
}

fn tell(change: &mut Change<'_, '_>, seat: &SeatType, what: &str) -> Result<(), StoreError> {
    let capacity = seat.capacity.unwrap_or(0);
    let message = format!("the seat \"{}\" {what}: it has {capacity}", seat.name);
    alerts::raise(
        change,
        &slot(&seat.name),
        None,
        "seats-taken",
        &message,
        &[],
    )
}

fn denied(
    change: &mut Change<'_, '_>,
    account: &Account<'_>,
    seat: &SeatType,
) -> Result<(), StoreError> {
    if account.denied.contains(&seat.name) {
        return Ok(());
    }
    change.event(
        "seat.denied",
        json!({
            "account": account.id, "label": account.label, "seat": seat.name,
            "when_full": seat.when_full,
        }),
    )
}
