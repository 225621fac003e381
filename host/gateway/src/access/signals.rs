//! What other sources, such as a chat workspace, say of who is there. The application reports it; a
//! policy may let it count, and the host lets it defer what a provider's deactivation does at once.

use super::accounts;
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::Accounts;
use crate::model::people::{SignalRecord, Signals};
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// Sources that one account may have.
pub const MOST_SOURCES: usize = 20;

/// Characters of a source's name.
pub const MOST_NAME: usize = 64;

/// Why a signal was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// There is no such account.
    #[error("account {0} does not exist")]
    NoAccount(Uuid),
    /// The source's name is not acceptable.
    #[error(
        "source: \"{0}\" is no name of a source: 1 to {MOST_NAME} letters, digits, hyphens, dots and \
         underscores"
    )]
    Name(String),
    /// Too many.
    #[error("source: the account has signals of {MOST_SOURCES} sources, and may have no more")]
    TooMany,
    /// It has not happened yet.
    #[error("at: is in the future; leave it out for now")]
    Future,
    /// The store failed.
    #[error("the signal could not be stored")]
    Store(#[from] StoreError),
}

/// Stores what a source says of an account. What it says of an earlier time than was stored changes
/// nothing.
///
/// # Errors
/// Where there is no such account, or the signal is not acceptable.
pub fn put(
    organization: &Organization,
    now: Timestamp,
    account: Uuid,
    source: &str,
    signal: SignalRecord,
) -> Result<Committed<SignalRecord>, WriteError<SignalError>> {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !(1..=MOST_NAME).contains(&source.len()) || !source.bytes().all(named) {
        return Err(WriteError::Aborted(SignalError::Name(source.to_owned())));
    }
    if signal.at > now {
        return Err(WriteError::Aborted(SignalError::Future));
    }
    let key = (account, source.to_owned());
    change(organization, now, move |change| {
        if !change.tx.contains::<Accounts>(&account)? {
            return Err(SignalError::NoAccount(account));
        }
        match change.tx.get::<Signals>(&key)? {
            Some(known) if known.at > signal.at || known == signal => return Ok(known),
            Some(_) => {}
            None => {
                let sources = change.tx.keys::<Signals>(Range::prefix(&account))?;
                if sources.count() >= MOST_SOURCES {
                    return Err(SignalError::TooMany);
                }
            }
        }
        change.tx.put::<Signals>(&key, &signal)?;
        change.event(
            "signal.reported",
            json!({
                "account": account, "source": key.1, "active": signal.active,
                "at": signal.at.to_string(),
            }),
        )?;
        ended(change, account)?;
        change.mark(account)?;
        Ok(signal.clone())
    })
}

/// What a signal deferred happens when it ends.
fn ended(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    let why = "the identity provider says that the user is not active, and no other source says \
               otherwise any more";
    accounts::take_access(change, account, why)
}

/// What the sources say of an account, in the order of their names.
///
/// # Errors
/// What the store says.
pub fn of(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
) -> Result<Vec<(String, SignalRecord)>, StoreError> {
    let rows = reader.scan::<Signals>(Range::prefix(&account))?;
    rows.map(|row| row.map(|((_, source), signal)| (source, signal)))
        .collect()
}

/// Whether a source says that the person is active.
///
/// # Errors
/// What the store says.
pub fn any_active(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
) -> Result<bool, StoreError> {
    let mut signals = of(reader, account)?.into_iter();
    Ok(signals.any(|(_, signal)| signal.active))
}
