//! Reading one's own writes: whether the decisions about what happened up to a revision are made.

use crate::clock::Timestamp;
use crate::ledger;
use crate::model::access::{Alerts, DIRTY_BY_FIRST, Dirty};
use crate::model::events::Events;
use crate::model::spread::Spreads;
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

/// How far decisions are behind the facts.
#[derive(Debug, PartialEq, Eq)]
pub struct Lag {
    /// Everything up to this revision is decided.
    pub upto: u64,
    /// When the oldest change came that is not; none where everything is decided, or its events are
    /// gone.
    pub since: Option<Timestamp>,
}

/// How far the organization's decisions are behind. Costs a look, however much is undecided.
///
/// # Errors
/// What the store says.
pub fn lag(reader: &impl Read<OrganizationScope>) -> Result<Lag, StoreError> {
    let spread = reader.keys::<Spreads>(Range::all())?.next().transpose()?;
    let dirty = reader.index_scan(&DIRTY_BY_FIRST, Range::all())?.next();
    let dirty = dirty.transpose()?;
    let revisions = spread.map(|(revision, _)| revision);
    let oldest = revisions
        .into_iter()
        .chain(dirty.map(|(first, _)| first))
        .min();
    let Some(oldest) = oldest else {
        return Ok(Lag {
            upto: ledger::revision(reader)?,
            since: None,
        });
    };
    let event = reader.scan::<Events>(Range::prefix(&oldest))?.next();
    Ok(Lag {
        upto: oldest.saturating_sub(1),
        since: event.transpose()?.map(|(_, event)| event.at),
    })
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
