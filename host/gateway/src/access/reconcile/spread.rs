//! Expands wide changes, a step at a time, so that no transaction touches more than about 1,000
//! rows and other organizations do not feel it.

use crate::clock::Timestamp;
use crate::directory::membership;
use crate::ledger::{Change, change};
use crate::model::access::{Accounts, Spread, SpreadRecord, Spreads};
use crate::model::facts::{Members, Users};
use gatewright_store::{Organization, Range, Read, StoreError, WriteError};
use uuid::Uuid;

/// Accounts to mark in one step: three rows each.
const STEP: usize = 250;

/// Does a part of the oldest wide change. Answers whether there was one.
pub(super) fn step(
    organization: &Organization,
    now: Timestamp,
) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    let oldest = reader
        .scan::<Spreads>(Range::all())
        .map_err(WriteError::Aborted)?
        .next();
    let Some(oldest) = oldest.transpose().map_err(WriteError::Aborted)? else {
        return Ok(false);
    };
    drop(reader);
    let (key, _) = oldest;
    change(organization, now, move |change| {
        let Some(record) = change.tx.get::<Spreads>(&key)? else {
            return Ok(());
        };
        match expand(change, key.0, &record)? {
            Some(done) => {
                let record = SpreadRecord {
                    done: Some(done),
                    ..record
                };
                change.tx.put::<Spreads>(&key, &record)
            }
            None => change.tx.delete::<Spreads>(&key).map(|_| ()),
        }
    })?;
    Ok(true)
}

/// Does one part and answers up to where; none when it was the last.
fn expand(
    change: &mut Change<'_, '_>,
    since: u64,
    record: &SpreadRecord,
) -> Result<Option<Uuid>, StoreError> {
    match &record.cause {
        Spread::Everybody => {
            let range = match record.done {
                Some(done) => Range::all().after(&done),
                None => Range::all(),
            };
            let accounts = change
                .tx
                .keys::<Accounts>(range)?
                .take(STEP)
                .collect::<Result<Vec<_>, _>>()?;
            for account in &accounts {
                change.mark_since(*account, since)?;
            }
            Ok(accounts.last().copied().filter(|_| accounts.len() == STEP))
        }
        Spread::GroupChanged { directory, group } => {
            let users = members(change, *group, record.done)?;
            for user in &users {
                if let Some(user) = change.tx.get::<Users>(&(*directory, *user))? {
                    change.mark_since(user.account, since)?;
                }
            }
            Ok(users.last().copied().filter(|_| users.len() == STEP))
        }
        Spread::GroupDeleted {
            directory,
            group,
            name,
            external_id,
            at,
        } => {
            let users = members(change, *group, record.done)?;
            for user in &users {
                let gone = membership::Left {
                    group: *group,
                    name,
                    external_id: external_id.as_deref(),
                };
                if let Some(account) = membership::end(change, (*directory, *user), &gone, *at)? {
                    change.mark_since(account, since)?;
                }
            }
            Ok(users.last().copied().filter(|_| users.len() == STEP))
        }
    }
}

fn members(
    change: &Change<'_, '_>,
    group: Uuid,
    done: Option<Uuid>,
) -> Result<Vec<Uuid>, StoreError> {
    let range = Range::prefix(&group);
    let range = match done {
        Some(done) => range.after(&(group, done)),
        None => range,
    };
    let rows = change.tx.keys::<Members>(range)?.take(STEP);
    rows.map(|row| row.map(|(_, user)| user)).collect()
}
