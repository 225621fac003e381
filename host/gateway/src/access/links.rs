//! Which account is a user's: found by what its directory links by, within verified domains, and
//! left to a person where that is not clear. Nothing here looks at a user that has its account.

mod matching;

use super::accounts;
use super::standing::Phases;
use crate::clock::{Random, Timestamp};
use crate::ledger::{Change, Committed, change};
use crate::model::access::Accounts;
use crate::model::facts::{ResourceKey, UserRecord, Users, text};
use crate::model::people::{LinkRecord, Links};
use crate::model::tenancy::{Directories, LinkBy};
pub use matching::{Match, accounts_of, find, possible, suitors};

use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// Gives a stored user the account that was found for it. `record` names it already where it is
/// there.
///
/// # Errors
/// What the store says.
pub fn apply(
    change: &mut Change<'_, '_>,
    user: ResourceKey,
    record: &UserRecord,
    found: &Match,
) -> Result<(), StoreError> {
    let label = text(&record.document, "userName").unwrap_or_default();
    match found {
        Match::New => accounts::open(change, record.account, user, label),
        Match::Account(account) => accounts::claim(change, *account, user, label),
        Match::Waits(why, candidates) => {
            let waits = LinkRecord {
                directory: user.0,
                why: *why,
                candidates: candidates.clone(),
                since: change.at(),
            };
            change.tx.put::<Links>(&user.1, &waits)?;
            change.event(
                "link.waiting",
                json!({
                    "directory": user.0, "user": user.1, "user_name": label, "why": why,
                    "candidates": candidates,
                }),
            )
        }
    }
}

/// Looks for the account of a stored user again, or for the first time when its directory comes into
/// force. Nothing happens to one that has its account, and nothing where the answer is as before.
/// Answers the account that it got.
///
/// # Errors
/// What the store says.
pub fn settle(
    change: &mut Change<'_, '_>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
) -> Result<Option<Uuid>, StoreError> {
    let Some(mut record) = change.tx.get::<Users>(&user)? else {
        return Ok(None);
    };
    if !phases.in_force(user.0) {
        change.moved(user.1)?;
        return Ok(None);
    }
    let account = change.tx.get::<Accounts>(&record.account)?;
    if account.is_some_and(|account| account.users.contains(&user)) {
        return Ok(None);
    }
    let found = find(change.tx, phases, link_by, user, &record)?;
    if let Some(known) = change.tx.get::<Links>(&user.1)? {
        if matches!(&found, Match::Waits(why, candidates)
            if known.why == *why && known.candidates == *candidates)
        {
            return Ok(None);
        }
        change.tx.delete::<Links>(&user.1)?;
    }
    if let Match::Account(account) = found {
        record.account = account;
        change.tx.put::<Users>(&user, &record)?;
    }
    apply(change, user, &record, &found)?;
    Ok(match found {
        Match::New | Match::Account(_) => Some(record.account),
        Match::Waits(_, _) => None,
    })
}

/// Why a link was not made by hand.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The user does not wait.
    #[error(
        "user: {0} does not wait for a link: only the users that /links lists do, and who is linked \
         stays so"
    )]
    NotWaiting(Uuid),
    /// There is no such account.
    #[error("account: {0} does not exist")]
    NoAccount(Uuid),
    /// Another user of the same directory has it.
    #[error(
        "account: {account} belongs to user {user} of the same directory, and cannot be two people \
         there: choose another account, or \"new\""
    )]
    Claimed {
        /// The account.
        account: Uuid,
        /// Whose it is.
        user: Uuid,
    },
    /// The store failed.
    #[error("the link could not be stored")]
    Store(#[from] StoreError),
}

/// Links a waiting user to an account, because a person says so; none: to a new one.
///
/// # Errors
/// Where the user does not wait, or the account cannot be its.
pub fn resolve(
    organization: &Organization,
    at: Timestamp,
    random: &Random,
    user: Uuid,
    account: Option<Uuid>,
) -> Result<Committed<Uuid>, WriteError<LinkError>> {
    let fresh = random.id(at);
    change(organization, at, move |change| {
        let waits = change.tx.get::<Links>(&user)?;
        let directory = waits.ok_or(LinkError::NotWaiting(user))?.directory;
        let key = (directory, user);
        let Some(mut record) = change.tx.get::<Users>(&key)? else {
            return Err(LinkError::NotWaiting(user));
        };
        let found = match account {
            None => Match::New,
            Some(account) => {
                let known = change.tx.get::<Accounts>(&account)?;
                let known = known.ok_or(LinkError::NoAccount(account))?;
                let same = known.users.iter().find(|(other, _)| *other == directory);
                if let Some((_, user)) = same {
                    let user = *user;
                    return Err(LinkError::Claimed { account, user });
                }
                Match::Account(account)
            }
        };
        change.tx.delete::<Links>(&user)?;
        // Where the provider meant an account by its id, that id is not free for a new one.
        record.account = account.unwrap_or(fresh);
        change.tx.put::<Users>(&key, &record)?;
        let account = record.account;
        change.event(
            "link.resolved",
            json!({ "directory": directory, "user": user, "account": account }),
        )?;
        apply(change, key, &record, &found)?;
        Ok(account)
    })
}

/// The users that wait, in the order of their ids, from behind `after`.
///
/// # Errors
/// What the store says.
pub fn waiting(
    reader: &impl Read<OrganizationScope>,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, LinkRecord)>, StoreError> {
    let range = Range::all().behind(after);
    reader.scan::<Links>(range)?.take(limit).collect()
}

/// Forgets that a user waits, which is gone.
///
/// # Errors
/// What the store says.
pub fn forget(change: &mut Change<'_, '_>, user: Uuid) -> Result<(), StoreError> {
    if let Some(waits) = change.tx.get::<Links>(&user)? {
        change.tx.delete::<Links>(&user)?;
        change.event(
            "link.dropped",
            json!({ "directory": waits.directory, "user": user }),
        )?;
    }
    Ok(())
}

/// How a directory links its users.
///
/// # Errors
/// What the store says.
pub fn link_by(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
) -> Result<LinkBy, StoreError> {
    let record = reader.get::<Directories>(&directory)?;
    Ok(record.map_or_else(LinkBy::default, |record| record.behaviour.link_by))
}
