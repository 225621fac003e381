//! Expands wide changes, a step at a time, so that no transaction touches more than about 1,000
//! rows and other organizations do not feel it.

use crate::access::guard::holds::{self, Answer};
use crate::access::standing::Phases;
use crate::access::{accounts, links};
use crate::clock::Timestamp;
use crate::directory::{erase, inherited, membership};
use crate::ledger::{Change, change};
use crate::model::access::Accounts;
use crate::model::facts::{Concerned, ConcernedRecord, Members, ResourceKey, Users, primary_email};
use crate::model::guard::{Holds, Removals};
use crate::model::plans::PlannedLinks;
use crate::model::spread::{Leaver, LostGroup, Spread, SpreadRecord, Spreads};
use crate::model::tenancy::LinkBy;
use gatewright_store::{Organization, Range, Read, StoreError, WriteError};
use uuid::Uuid;

/// Accounts to mark in one step: three rows each.
const STEP: usize = 250;

/// Users that get or lose their accounts in one step: some rows each.
const PEOPLE: usize = 100;

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
        change.follows(record.request);
        match expand(change, key, &record)? {
            Part::Upto(done) => {
                let record = SpreadRecord { done, ..record };
                change.tx.put::<Spreads>(&key, &record)
            }
            Part::Last => change.tx.delete::<Spreads>(&key).map(|_| ()),
        }
    })?;
    Ok(true)
}

/// What was done of a wide change.
enum Part {
    /// Everything up to this key.
    Upto(Option<Uuid>),
    /// Everything.
    Last,
}

impl Part {
    /// A part that may have had `most` keys, and had these.
    fn of(keys: &[Uuid], most: usize) -> Self {
        match keys.last() {
            Some(last) if keys.len() == most => Self::Upto(Some(*last)),
            _ => Self::Last,
        }
    }
}

/// Does one part.
fn expand(
    change: &mut Change<'_, '_>,
    key: (u64, u32),
    record: &SpreadRecord,
) -> Result<Part, StoreError> {
    let since = key.0;
    match &record.cause {
        Spread::Everybody => {
            let range = Range::all().behind(record.done);
            let accounts = change
                .tx
                .keys::<Accounts>(range)?
                .take(STEP)
                .collect::<Result<Vec<_>, _>>()?;
            for account in &accounts {
                match record.plan {
                    Some(plan) => change.mark_planned(*account, since, plan)?,
                    None => change.mark_since(*account, since)?,
                }
            }
            Ok(Part::of(&accounts, STEP))
        }
        Spread::GroupChanged { directory, group } => {
            let users = members(change, *group, record.done, STEP)?;
            for user in &users {
                if let Some(record) = change.tx.get::<Users>(&(*directory, *user))? {
                    change.mark_user(*user, record.account, Some(since))?;
                }
            }
            Ok(Part::of(&users, STEP))
        }
        Spread::GroupDeleted {
            directory,
            group,
            name,
            external_id,
            at,
            lost,
        } => {
            let most = users_for(lost);
            let users = members(change, *group, record.done, most)?;
            for user in &users {
                let gone = membership::Left {
                    group: *group,
                    name,
                    external_id: external_id.as_deref(),
                };
                if let Some(leaver) = membership::end(change, (*directory, *user), &gone, *at)? {
                    inherited::end(change, &leaver, lost, *directory, *at)?;
                    change.mark_user(leaver.user, leaver.account, Some(since))?;
                }
            }
            Ok(Part::of(&users, most))
        }
        Spread::HoldsApproved => over_holds(change, key.0, record.done, Answer::Approve),
        Spread::HoldsRejected => over_holds(change, key.0, record.done, Answer::Reject),
        Spread::RemovalsRestored => over_removals(change, |change, key| {
            holds::restore_one(change, key).map(|_| ())
        }),
        Spread::RemovalsAccepted => over_removals(change, |change, key| {
            change.tx.delete::<Removals>(&key).map(|_| ())
        }),
        Spread::GroupsConcerned { directory } => {
            over_groups(change, key, record.done, STEP, |change, user, _| {
                if let Some(record) = change.tx.get::<Users>(&(*directory, user.1))? {
                    change.mark_user(user.1, record.account, Some(since))?;
                }
                Ok(())
            })
        }
        Spread::GroupsLost {
            directory,
            lost,
            at,
        } => {
            let most = users_for(lost);
            over_groups(change, key, record.done, most, |change, member, group| {
                let Some(membership) = change.tx.get::<Members>(&member)? else {
                    return Ok(());
                };
                let Some(user) = change.tx.get::<Users>(&(*directory, member.1))? else {
                    return Ok(());
                };
                // Who came afterwards had none of it.
                if membership.since > *at {
                    return Ok(());
                }
                let leaver = Leaver {
                    user: member.1,
                    account: user.account,
                    since: membership.since.max(group.since),
                };
                inherited::end(change, &leaver, lost, *directory, *at)?;
                change.mark_user(member.1, user.account, Some(since))
            })
        }
        Spread::Confirmed { directory } => {
            let phases = Phases::read(change.tx)?;
            if !phases.in_force(*directory) {
                return Ok(Part::Last);
            }
            let link_by = links::link_by(change.tx, *directory)?;
            let users = users_of(change, *directory, record.done, PEOPLE)?;
            for user in &users {
                let key = (*directory, *user);
                match record.plan {
                    Some(plan) => settle_planned(change, &phases, link_by, key, (since, plan))?,
                    None => {
                        if let Some(account) = links::settle(change, &phases, link_by, key)? {
                            change.mark_since(account, since)?;
                        }
                    }
                }
            }
            Ok(Part::of(&users, PEOPLE))
        }
        Spread::Uninstalled { directory } => {
            let users = users_of(change, *directory, record.done, PEOPLE)?;
            for user in &users {
                links::forget(change, *user)?;
                let key = (*directory, *user);
                if let Some(user) = change.tx.get::<Users>(&key)? {
                    membership::forget_ended(change, user.account, key.1)?;
                    let email = primary_email(&user.document);
                    accounts::unlink(change, user.account, key, email)?;
                }
            }
            Ok(Part::of(&users, PEOPLE))
        }
        Spread::FactsErased { directory } => match erase::step(change, *directory)? {
            true => Ok(Part::Last),
            false => Ok(Part::Upto(record.done)),
        },
        Spread::Waiting => {
            let phases = Phases::read(change.tx)?;
            let waiting = links::waiting(change.tx, record.done, PEOPLE)?;
            for (user, waits) in &waiting {
                let link_by = links::link_by(change.tx, waits.directory)?;
                let key = (waits.directory, *user);
                if let Some(account) = links::settle(change, &phases, link_by, key)? {
                    change.mark_since(account, since)?;
                }
            }
            let users: Vec<_> = waiting.into_iter().map(|(user, _)| user).collect();
            Ok(Part::of(&users, PEOPLE))
        }
        Spread::UsersLost {
            directory,
            users,
            lost,
            at,
        } => {
            let most = users_for(lost);
            let begin = users.partition_point(|leaver| record.done >= Some(leaver.user));
            let part: Vec<_> = users.iter().skip(begin).take(most).collect();
            for leaver in &part {
                inherited::end(change, leaver, lost, *directory, *at)?;
                change.mark_user(leaver.user, leaver.account, Some(since))?;
            }
            let part: Vec<_> = part.iter().map(|leaver| leaver.user).collect();
            Ok(Part::of(&part, most))
        }
    }
}

/// Gives a user the account that a confirmed plan showed, and lets the account's mark name the plan:
/// a person has seen what becomes of it.
fn settle_planned(
    change: &mut Change<'_, '_>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
    (since, plan): (u64, Uuid),
) -> Result<(), StoreError> {
    let shown = change.tx.get::<PlannedLinks>(&(plan, user.1))?;
    let untouched = match &shown {
        Some(shown) => change.is_untouched(shown.account, since, plan)?,
        None => false,
    };
    let Some(account) = links::settle(change, phases, link_by, user)? else {
        return Ok(());
    };
    let as_planned = untouched && shown.is_some_and(|shown| shown.account == account);
    change.put_planned(account, since, plan, as_planned)
}

/// Answers the brake's holds that nobody has answered yet.
fn over_holds(
    change: &mut Change<'_, '_>,
    since: u64,
    done: Option<Uuid>,
    answer: Answer,
) -> Result<Part, StoreError> {
    let range = Range::all().behind(done);
    let rows = change.tx.scan::<Holds>(range)?.take(STEP);
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let accounts: Vec<Uuid> = rows.iter().map(|(account, _)| *account).collect();
    for (account, hold) in rows {
        if hold.brake && hold.pinned.is_none() {
            holds::answer_one(change, account, &hold, answer, since)?;
        }
    }
    Ok(Part::of(&accounts, STEP))
}

/// Goes through what was taken: each goes with it, so that the next part begins at the front.
fn over_removals(
    change: &mut Change<'_, '_>,
    mut each: impl FnMut(&mut Change<'_, '_>, (u64, Uuid)) -> Result<(), StoreError>,
) -> Result<Part, StoreError> {
    let rows = change.tx.keys::<Removals>(Range::all())?.take(STEP);
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    for key in &rows {
        each(change, *key)?;
    }
    Ok(match rows.len() == STEP {
        true => Part::Upto(None),
        false => Part::Last,
    })
}

/// How many users are a part, where each loses these groups.
fn users_for(lost: &[LostGroup]) -> usize {
    // An ended membership is as much as a mark.
    (STEP / (1 + lost.len())).max(1)
}

/// Goes through the members of the groups that the change is about, up to `most` of them, one group
/// after the other.
fn over_groups(
    change: &mut Change<'_, '_>,
    key: (u64, u32),
    mut done: Option<Uuid>,
    mut most: usize,
    mut each: impl FnMut(&mut Change<'_, '_>, (Uuid, Uuid), &ConcernedRecord) -> Result<(), StoreError>,
) -> Result<Part, StoreError> {
    loop {
        let first = change.tx.scan::<Concerned>(Range::prefix(&key))?.next();
        let Some((place, concerned)) = first.transpose()? else {
            return Ok(Part::Last);
        };
        if most == 0 {
            return Ok(Part::Upto(done));
        }
        let group = place.2;
        let users = members(change, group, done, most)?;
        for user in &users {
            each(change, (group, *user), &concerned)?;
        }
        if users.len() == most {
            return Ok(Part::Upto(users.last().copied()));
        }
        change.tx.delete::<Concerned>(&place)?;
        done = None;
        // A group of nobody is work, too.
        most -= users.len().max(1);
    }
}

fn users_of(
    change: &Change<'_, '_>,
    directory: Uuid,
    done: Option<Uuid>,
    most: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let range = Range::prefix(&directory);
    let range = range.behind(done.map(|done| (directory, done)));
    let rows = change.tx.keys::<Users>(range)?.take(most);
    rows.map(|row| row.map(|(_, user)| user)).collect()
}

fn members(
    change: &Change<'_, '_>,
    group: Uuid,
    done: Option<Uuid>,
    most: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let range = Range::prefix(&group);
    let range = range.behind(done.map(|done| (group, done)));
    let rows = change.tx.keys::<Members>(range)?.take(most);
    rows.map(|row| row.map(|(_, user)| user)).collect()
}

#[cfg(test)]
mod people;
#[cfg(test)]
mod tests;
