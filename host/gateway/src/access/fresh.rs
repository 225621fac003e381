//! Reading one's own writes: whether the decisions about what happened up to a revision are made.

use crate::ledger;
use crate::model::access::{Alerts, DIRTY_BY_FIRST, Dirty, Spreads};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// Whether everything up to a revision is decided.
#[derive(Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is.
    Decided,
    /// It is not, for this reason.
    Pending(String),
}

/// Whether the account (none: the organization) has no undecided change at or below `revision`.
///
/// # Errors
/// What the store says.
pub fn at_least(
    reader: &impl Read<OrganizationScope>,
    account: Option<Uuid>,
    revision: u64,
) -> Result<Freshness, StoreError> {
    let pending = |why: String| Ok(Freshness::Pending(why));
    let newest = ledger::revision(reader)?;
    if newest < revision {
        return pending(format!(
            "revision {revision} does not exist yet: the newest is {newest}"
        ));
    }
    if let Some(spread) = reader.keys::<Spreads>(Range::all())?.next() {
        let (since, _) = spread?;
        if since <= revision {
            return pending(format!(
                "the change of revision {since} is still being spread"
            ));
        }
    }
    let undecided = match account {
        Some(account) => reader
            .get::<Dirty>(&account)?
            .map(|dirty| (account, dirty.first)),
        None => match reader.index_scan(&DIRTY_BY_FIRST, Range::all())?.next() {
            Some(first) => Some(first.map(|(first, account)| (account, first))?),
            None => None,
        },
    };
    match undecided {
        Some((account, first)) if first <= revision => pending(format!(
            "account {account} is undecided since revision {first}{}",
            { cause(reader, account)? }
        )),
        Some(_) | None => Ok(Freshness::Decided),
    }
}

fn cause(reader: &impl Read<OrganizationScope>, account: Uuid) -> Result<String, StoreError> {
    for alert in reader.scan::<Alerts>(Range::all())? {
        let ((slot, about), alert) = alert?;
        if about.is_nil() || about == account {
            return Ok(format!("; {slot}: {}", alert.message));
        }
    }
    Ok(String::new())
}
