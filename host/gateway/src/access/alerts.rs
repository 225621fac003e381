//! Alerts: what went wrong and wants a person.

use crate::ledger::Change;
use crate::model::access::{AlertRecord, Alerts};
use crate::model::reports::ReportId;
use gatewright_store::{Range, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// Raises an alert, or counts it up where it stands already. Only the first is an event.
///
/// # Errors
/// What the store says.
pub fn raise(
    change: &mut Change<'_, '_>,
    slot: &str,
    account: Option<Uuid>,
    kind: &str,
    message: &str,
    details: &[String],
) -> Result<(), StoreError> {
    let key = (slot.to_owned(), account.unwrap_or_else(Uuid::nil));
    let known = change.tx.get::<Alerts>(&key)?;
    let record = AlertRecord {
        kind: kind.to_owned(),
        account,
        message: message.to_owned(),
        details: details.to_vec(),
        report: known
            .as_ref()
            .filter(|known| known.message == message)
            .and_then(|known| known.report),
        since: known.as_ref().map_or(change.at(), |known| known.since),
        last: change.at(),
        count: known.as_ref().map_or(0, |known| known.count) + 1,
    };
    change.tx.put::<Alerts>(&key, &record)?;
    if known.is_none() {
        change.event(
            "alert.raised",
            json!({ "slot": slot, "account": account, "kind": kind, "message": message }),
        )?;
    }
    Ok(())
}

/// Says which report the alert of an account is about.
///
/// # Errors
/// What the store says.
pub fn refer(
    change: &mut Change<'_, '_>,
    slot: &str,
    account: Uuid,
    report: ReportId,
) -> Result<(), StoreError> {
    let key = (slot.to_owned(), account);
    if let Some(mut alert) = change.tx.get::<Alerts>(&key)? {
        alert.report = Some(report);
        change.tx.put::<Alerts>(&key, &alert)?;
    }
    Ok(())
}

/// Clears all alerts of a slot.
///
/// # Errors
/// What the store says.
pub fn clear_all(change: &mut Change<'_, '_>, slot: &str) -> Result<(), StoreError> {
    let range = Range::prefix(&slot.to_owned());
    let keys: Vec<_> = change.tx.keys::<Alerts>(range)?.collect::<Result<_, _>>()?;
    for (_, account) in keys {
        clear(
            change,
            slot,
            Some(account).filter(|account| !account.is_nil()),
        )?;
    }
    Ok(())
}

/// Clears an alert whose cause is gone.
///
/// # Errors
/// What the store says.
pub fn clear(
    change: &mut Change<'_, '_>,
    slot: &str,
    account: Option<Uuid>,
) -> Result<(), StoreError> {
    let key = (slot.to_owned(), account.unwrap_or_else(Uuid::nil));
    if change.tx.delete::<Alerts>(&key)? {
        change.event("alert.cleared", json!({ "slot": slot, "account": account }))?;
    }
    Ok(())
}
