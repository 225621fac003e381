//! What it means for users that groups are in groups. No membership by way of another group is
//! stored. When one may have ended, that is written down, and a decision asks whether the user is
//! still in the group by another way.

use super::nesting::{self, Above, Reached};
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::access::Accounts;
use crate::model::facts::{
    CONCERNED_BY_GROUP, Concerned, ConcernedRecord, Ended, EndedRecord, Groups, ResourceKey,
};
use crate::model::spread::{Leaver, LostGroup, Spread, Spreads};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many ended memberships one request writes beyond those that it ends itself. The rest is done
/// step by step.
const ROWS: usize = 1_000;

/// How many users one wide change names.
const USERS: usize = 1_000;

/// The groups that those in a group are in through it, as they are called now.
///
/// # Errors
/// What the store says.
pub fn through(
    reader: &impl Read<OrganizationScope>,
    group: ResourceKey,
) -> Result<Vec<LostGroup>, StoreError> {
    let mut groups = Vec::new();
    for (above, since) in Above::new(reader).of(&[(group.1, Timestamp(0))])? {
        if let Some(record) = reader.get::<Groups>(&(group.0, above))? {
            groups.push(LostGroup::of(above, &record, since));
        }
    }
    Ok(groups)
}

/// After groups came into another one: whoever is in them is decided anew.
///
/// # Errors
/// What the store says.
pub fn groups_came(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    came: impl IntoIterator<Item = Uuid>,
) -> Result<(), StoreError> {
    let from: Vec<Reached> = came
        .into_iter()
        .map(|group| (group, Timestamp(0)))
        .collect();
    if from.is_empty() {
        return Ok(());
    }
    let spread = change.spread(Spread::GroupsConcerned { directory })?;
    concern(change, spread, &from)
}

/// After a group changed its name or external id: whoever is in groups in it is decided anew.
///
/// # Errors
/// What the store says.
pub fn group_changed(change: &mut Change<'_, '_>, group: ResourceKey) -> Result<(), StoreError> {
    let members = nesting::members(change.tx, group.1)?;
    groups_came(change, group.0, members.into_iter().map(|(id, _)| id))
}

/// After groups left others, `lost`, since when they had been in the first of them: whoever is in
/// them may be in these no longer.
///
/// # Errors
/// What the store says.
pub fn groups_left(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    left: &BTreeMap<Uuid, Timestamp>,
    lost: Vec<LostGroup>,
) -> Result<(), StoreError> {
    if left.is_empty() {
        return Ok(());
    }
    let at = change.at();
    let spread = change.spread(Spread::GroupsLost {
        directory,
        lost,
        at,
    })?;
    let from: Vec<Reached> = left.iter().map(|(group, since)| (*group, *since)).collect();
    concern(change, spread, &from)
}

/// Writes down over which groups a wide change is to be expanded: these, and all in them.
fn concern(
    change: &mut Change<'_, '_>,
    (revision, number): (u64, u32),
    from: &[Reached],
) -> Result<(), StoreError> {
    let below = nesting::below(change.tx, from)?;
    for (group, since) in from.iter().copied().chain(below) {
        let record = ConcernedRecord { since };
        change
            .tx
            .put::<Concerned>(&(revision, number, group), &record)?;
    }
    Ok(())
}

/// What the members of a group lose with it.
struct Loss {
    lost: Vec<LostGroup>,
    /// Since when the group had been in the first of these.
    since: Timestamp,
    /// When it ended. Who came later had none of it.
    at: Timestamp,
    /// The last user for whom that was written down already.
    done: Option<Uuid>,
}

/// After users left a group: they may be no longer in what it is in.
///
/// # Errors
/// What the store says.
pub fn users_left(
    change: &mut Change<'_, '_>,
    group: ResourceKey,
    left: &[Leaver],
) -> Result<(), StoreError> {
    if left.is_empty() {
        return Ok(());
    }
    let mut rows = 0;
    let mut losses = Vec::new();
    for loss in losses_of(change, group)? {
        let mut leavers: Vec<Leaver> = left
            .iter()
            .filter(|leaver| leaver.since <= loss.at)
            .filter(|leaver| loss.done.is_none_or(|done| leaver.user > done))
            .cloned()
            .collect();
        for leaver in &mut leavers {
            leaver.since = leaver.since.max(loss.since);
        }
        leavers.sort_unstable_by_key(|leaver| leaver.user);
        rows += leavers.len() * loss.lost.len();
        losses.push((loss, leavers));
    }
    for (loss, leavers) in losses {
        if rows <= ROWS {
            for leaver in &leavers {
                end(change, leaver, &loss.lost, group.0, loss.at)?;
            }
            continue;
        }
        for users in leavers.chunks(USERS) {
            change.spread(Spread::UsersLost {
                directory: group.0,
                users: users.to_vec(),
                lost: loss.lost.clone(),
                at: loss.at,
            })?;
        }
    }
    Ok(())
}

/// What the group is in now, and what it left a moment ago, as long as that has not been written
/// down for its members: those who leave it now would be forgotten.
fn losses_of(change: &Change<'_, '_>, group: ResourceKey) -> Result<Vec<Loss>, StoreError> {
    let mut losses = vec![Loss {
        lost: through(change.tx, group)?,
        since: Timestamp(0),
        at: change.at(),
        done: None,
    }];
    for row in change
        .tx
        .index_scan(&CONCERNED_BY_GROUP, Range::prefix(&group.1))?
    {
        let (_, key) = row?;
        let spread = (key.0, key.1);
        let Some(record) = change.tx.get::<Spreads>(&spread)? else {
            continue;
        };
        let Spread::GroupsLost { lost, at, .. } = record.cause else {
            continue;
        };
        let mut waiting = change.tx.scan::<Concerned>(Range::prefix(&spread))?;
        // Only the first of them has been begun.
        let begun = waiting.next().transpose()?.map(|(first, _)| first);
        let since = change.tx.get::<Concerned>(&key)?;
        losses.push(Loss {
            lost,
            since: since.map_or(Timestamp(0), |record| record.since),
            at,
            done: record.done.filter(|_| begun == Some(key)),
        });
    }
    losses.retain(|loss| !loss.lost.is_empty());
    Ok(losses)
}

/// Writes down that a user's memberships in `lost` may have ended.
///
/// # Errors
/// What the store says.
pub fn end(
    change: &mut Change<'_, '_>,
    leaver: &Leaver,
    lost: &[LostGroup],
    directory: Uuid,
    at: Timestamp,
) -> Result<(), StoreError> {
    // Who has no account yet was given nothing.
    if lost.is_empty() || !change.tx.contains::<Accounts>(&leaver.account)? {
        return Ok(());
    }
    for lost in lost {
        let key = (leaver.account, leaver.user, lost.group);
        let since = leaver.since.max(lost.since);
        // Who left it directly, too, was in it all the time.
        let before = change.tx.get::<Ended>(&key)?;
        let ended = EndedRecord {
            directory,
            group_name: lost.name.clone(),
            group_external_id: lost.external_id.clone(),
            since: before.map_or(since, |before| before.since.min(since)),
            ended: at,
            inherited: true,
        };
        change.tx.put::<Ended>(&key, &ended)?;
    }
    Ok(())
}
