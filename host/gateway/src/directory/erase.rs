//! Erases what an uninstalled directory left, a part at a time.

use super::names;
use super::users::count;
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::facts::{
    Counted, DeletedUsers, Groups, MEMBERS_BY_USER, Members, NESTED_BY_MEMBER, Nested, Users,
};
use crate::model::people::Erasures;
use crate::model::spread::Spread;
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use serde_json::json;
use uuid::Uuid;

/// Resources and memberships that are erased in one step: some rows each.
const STEP: usize = 200;

/// Says when the facts of a directory are to be erased.
pub(super) fn later(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    at: Timestamp,
) -> Result<(), StoreError> {
    change.tx.put::<Erasures>(&(at.0, directory), &())
}

/// When the next facts are to be erased.
///
/// # Errors
/// What the store says.
pub fn next(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let first = reader.keys::<Erasures>(Range::all())?.next().transpose()?;
    Ok(first.map(|(at, _)| Timestamp(at)))
}

/// Begins to erase facts whose time is over. Answers whether there were any.
///
/// # Errors
/// What the store says.
pub fn begin(organization: &Organization, now: Timestamp) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    let due = next(&reader).map_err(WriteError::Aborted)?;
    drop(reader);
    if due.is_none_or(|at| at > now) {
        return Ok(false);
    }
    change(organization, now, move |change| {
        let first = change.tx.keys::<Erasures>(Range::all())?.next();
        if let Some(key) = first.transpose()? {
            change.tx.delete::<Erasures>(&key)?;
            change.spread(Spread::FactsErased { directory: key.1 })?;
        }
        Ok(())
    })?;
    Ok(true)
}

/// Erases a part. Answers whether that was the last.
///
/// # Errors
/// What the store says.
pub fn step(change: &mut Change<'_, '_>, directory: Uuid) -> Result<bool, StoreError> {
    let mut left = STEP;
    while left > 0 {
        let first = change.tx.keys::<Users>(Range::prefix(&directory))?.next();
        let Some(user) = first.transpose()? else {
            break;
        };
        let rows = change
            .tx
            .index_scan(&MEMBERS_BY_USER, Range::prefix(&user.1))?;
        let rows = rows.take(left).map(|row| row.map(|(_, key)| key));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        for row in &rows {
            change.tx.delete::<Members>(row)?;
        }
        left -= rows.len();
        if left > 0 {
            change.tx.delete::<Users>(&user)?;
            count(change, Counted::Users, directory, -1)?;
            change.event(
                "user.erased",
                json!({ "directory": directory, "user": user.1 }),
            )?;
            left -= 1;
        }
    }
    while left > 0 {
        let rows = change.tx.keys::<DeletedUsers>(Range::prefix(&directory))?;
        let rows = rows.take(left).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() {
            break;
        }
        for key in &rows {
            change.tx.delete::<DeletedUsers>(key)?;
            change.event(
                "user.erased",
                json!({ "directory": directory, "user": key.1 }),
            )?;
        }
        left -= rows.len();
    }
    while left > 0 {
        let first = change.tx.keys::<Groups>(Range::prefix(&directory))?.next();
        let Some(group) = first.transpose()? else {
            break;
        };
        // A group that was deleted shortly before may still have members.
        let rows = change.tx.keys::<Members>(Range::prefix(&group.1))?;
        let members = rows.take(left).collect::<Result<Vec<_>, _>>()?;
        let above = change
            .tx
            .index_scan(&NESTED_BY_MEMBER, Range::prefix(&group.1))?;
        let below = change.tx.keys::<Nested>(Range::prefix(&group.1))?;
        let nested = above.map(|row| row.map(|(_, key)| key)).chain(below);
        let nested = nested.take(left).collect::<Result<Vec<_>, _>>()?;
        for row in &members {
            change.tx.delete::<Members>(row)?;
        }
        for row in &nested {
            change.tx.delete::<Nested>(row)?;
        }
        let rows = members.len() + nested.len();
        if rows < left {
            change.tx.delete::<Groups>(&group)?;
            names::moved(change)?;
            count(change, Counted::Groups, directory, -1)?;
            change.event(
                "group.erased",
                json!({ "directory": directory, "group": group.1 }),
            )?;
        }
        left = left.saturating_sub(rows + 1);
    }
    if left > 0 {
        change.event("directory.erased", json!({ "directory": directory }))?;
    }
    Ok(left > 0)
}
