//! Memberships of users: one row each, with the time they began; those that ended wait for a
//! decision.

use super::Directory;
use super::names::{self, GroupNames};
use super::nesting::Above;
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::access::Accounts;
use crate::model::facts::{
    Ended, EndedRecord, GroupRecord, Groups, MEMBERS_BY_USER, MemberRecord, Members, ResourceKey,
    Users, text,
};
use crate::model::spread::Leaver;
use gatewright_store::{OrganizationId, OrganizationScope, Range, Read, StoreError};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// How many ids one event carries at most.
const EVENT_IDS: usize = 1_000;

/// The group that somebody left.
pub struct Left<'a> {
    /// Its id.
    pub group: Uuid,
    /// Its name now, or its last one.
    pub name: &'a str,
    /// Its external id.
    pub external_id: Option<&'a str>,
}

/// Adds a user to a group. False where the user was in it already; none where there is no such
/// user.
///
/// # Errors
/// What the store says.
pub fn begin(
    change: &mut Change<'_, '_>,
    group: Uuid,
    user: ResourceKey,
) -> Result<Option<bool>, StoreError> {
    let key = (group, user.1);
    if change.tx.contains::<Members>(&key)? {
        return Ok(Some(false));
    }
    let Some(record) = change.tx.get::<Users>(&user)? else {
        return Ok(None);
    };
    change
        .tx
        .put::<Members>(&key, &MemberRecord { since: change.at() })?;
    change.mark_user(user.1, record.account, None)?;
    Ok(Some(true))
}

/// Takes a user out of a group, and keeps that it was in it until a decision has seen it. Answers who
/// left, whose account is to be marked; none where the user was not in the group, or is gone. What
/// the user loses with the group is for [`inherited`](super::inherited).
///
/// # Errors
/// What the store says.
pub fn end(
    change: &mut Change<'_, '_>,
    user: ResourceKey,
    left: &Left<'_>,
    at: Timestamp,
) -> Result<Option<Leaver>, StoreError> {
    let key = (left.group, user.1);
    let Some(member) = change.tx.get::<Members>(&key)? else {
        return Ok(None);
    };
    change.tx.delete::<Members>(&key)?;
    let Some(record) = change.tx.get::<Users>(&user)? else {
        return Ok(None);
    };
    let leaver = Leaver {
        user: user.1,
        account: record.account,
        since: member.since,
    };
    // Who has no account yet was given nothing by the group.
    if !change.tx.contains::<Accounts>(&record.account)? {
        return Ok(Some(leaver));
    }
    let ended = EndedRecord {
        directory: user.0,
        group_name: left.name.to_owned(),
        group_external_id: left.external_id.map(str::to_owned),
        since: member.since,
        ended: at,
        inherited: false,
    };
    change
        .tx
        .put::<Ended>(&(record.account, user.1, left.group), &ended)?;
    Ok(Some(leaver))
}

/// Forgets the memberships of a user that ended and that no decision has seen: it did not have the
/// account then, or has it no longer.
///
/// # Errors
/// What the store says.
pub fn forget_ended(
    change: &mut Change<'_, '_>,
    account: Uuid,
    user: Uuid,
) -> Result<(), StoreError> {
    let rows = change.tx.keys::<Ended>(Range::prefix(&(account, user)))?;
    for row in rows.collect::<Result<Vec<_>, _>>()? {
        change.tx.delete::<Ended>(&row)?;
    }
    Ok(())
}

/// Says that a group's members changed where nothing else of the group does: its time of change and
/// its version move.
///
/// # Errors
/// What the store says.
pub fn touch(change: &mut Change<'_, '_>, group: ResourceKey) -> Result<(), StoreError> {
    let Some(mut record) = change.tx.get::<Groups>(&group)? else {
        return Ok(());
    };
    record.modified = change.at();
    record.revision = change.revision();
    change.tx.put::<Groups>(&group, &record)
}

/// Users and groups that came into a group, or left it.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// Users, by their ids.
    pub users: Vec<Uuid>,
    /// Groups, by their ids.
    pub groups: Vec<Uuid>,
}

impl Who {
    /// One user.
    #[must_use]
    pub fn user(id: Uuid) -> Self {
        Self {
            users: vec![id],
            ..Self::default()
        }
    }

    /// One group.
    #[must_use]
    pub fn group(id: Uuid) -> Self {
        Self {
            groups: vec![id],
            ..Self::default()
        }
    }
}

/// Tells the application who came and who left, users and groups apart: an event has ids in `users`
/// or in `groups`, and the other list is empty.
///
/// # Errors
/// What the store says.
pub fn report(
    change: &mut Change<'_, '_>,
    group: ResourceKey,
    name: &str,
    added: &Who,
    removed: &Who,
) -> Result<(), StoreError> {
    for (kind, who) in [
        ("group.members_added", added),
        ("group.members_removed", removed),
    ] {
        let users = who.users.chunks(EVENT_IDS).map(|users| (users, &[][..]));
        let groups = who.groups.chunks(EVENT_IDS).map(|groups| (&[][..], groups));
        for (users, groups) in users.chain(groups) {
            change.event(
                kind,
                json!({
                    "directory": group.0, "group": group.1, "name": name, "users": users,
                    "groups": groups,
                }),
            )?;
        }
    }
    Ok(())
}

/// A group that a user is in.
#[derive(Clone)]
pub struct GroupOf {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its external id.
    pub external_id: Option<String>,
    /// Whether the user is in it only through groups that are in it.
    pub indirect: bool,
}

impl GroupOf {
    fn new(id: Uuid, record: &GroupRecord) -> Self {
        Self {
            id,
            name: text(&record.document, "displayName")
                .unwrap_or_default()
                .to_owned(),
            external_id: text(&record.document, "externalId").map(str::to_owned),
            indirect: false,
        }
    }
}

/// Finds the groups that users are in. What was read of a group is kept, since many users are in the
/// same ones.
pub struct Memberships<'a, R> {
    reader: &'a R,
    above: Above<'a, R>,
    groups: HashMap<ResourceKey, Option<GroupOf>>,
    kept: Option<Kept<'a>>,
}

/// What was read for others.
struct Kept<'a> {
    names: &'a GroupNames,
    organization: OrganizationId,
    /// Of the names that the reader sees, once it was read.
    revision: Option<u64>,
}

impl<'a, R: Read<OrganizationScope>> Memberships<'a, R> {
    /// Reads from `reader`.
    pub fn new(reader: &'a R) -> Self {
        Self {
            reader,
            above: Above::new(reader),
            groups: HashMap::new(),
            kept: None,
        }
    }

    /// Also takes what was read for others, and keeps what it reads for them. `reader` is one of the
    /// directory's organization.
    pub fn of(reader: &'a R, directory: &'a Directory) -> Self {
        let kept = directory.names.as_deref().map(|names| Kept {
            names,
            organization: directory.organization.id(),
            revision: None,
        });
        Self {
            kept,
            ..Self::new(reader)
        }
    }

    /// Where it reads from.
    pub fn reader(&self) -> &'a R {
        self.reader
    }

    /// The groups that a user is in itself: costs what the user has of them.
    ///
    /// # Errors
    /// What the store says.
    pub fn direct(&mut self, user: ResourceKey) -> Result<Vec<GroupOf>, StoreError> {
        let mut groups = Vec::new();
        let rows = self
            .reader
            .index_scan(&MEMBERS_BY_USER, Range::prefix(&user.1))?;
        for row in rows {
            let (_, (group, _)) = row?;
            // The rows of a deleted group go step by step.
            groups.extend(self.group((user.0, group))?);
        }
        Ok(groups)
    }

    /// The groups that a user is in, then those that it is in through them, each in the order of
    /// creation.
    ///
    /// # Errors
    /// What the store says.
    pub fn all(&mut self, user: ResourceKey) -> Result<Vec<GroupOf>, StoreError> {
        let mut groups = self.direct(user)?;
        let direct: Vec<_> = groups
            .iter()
            .map(|group| (group.id, Timestamp(0)))
            .collect();
        let mut above = self.above.of(&direct)?;
        above.sort_unstable_by_key(|(group, _)| *group);
        for (group, _) in above {
            groups.extend(self.group((user.0, group))?.map(|group| GroupOf {
                indirect: true,
                ..group
            }));
        }
        Ok(groups)
    }

    fn group(&mut self, key: ResourceKey) -> Result<Option<GroupOf>, StoreError> {
        if let Some(known) = self.groups.get(&key) {
            return Ok(known.clone());
        }
        let group = match &mut self.kept {
            Some(kept) => kept.group(self.reader, key)?,
            None => read(self.reader, key)?,
        };
        self.groups.insert(key, group.clone());
        Ok(group)
    }
}

impl Kept<'_> {
    fn group(
        &mut self,
        reader: &impl Read<OrganizationScope>,
        key: ResourceKey,
    ) -> Result<Option<GroupOf>, StoreError> {
        let revision = match self.revision {
            Some(revision) => revision,
            None => *self.revision.insert(names::revision(reader)?),
        };
        if let Some(known) = self.names.get(self.organization, key.1, revision) {
            return Ok(Some(known));
        }
        let group = read(reader, key)?;
        if let Some(group) = &group {
            self.names.keep(self.organization, revision, group);
        }
        Ok(group)
    }
}

fn read(
    reader: &impl Read<OrganizationScope>,
    key: ResourceKey,
) -> Result<Option<GroupOf>, StoreError> {
    let record = reader.get::<Groups>(&key)?;
    Ok(record.map(|record| GroupOf::new(key.1, &record)))
}
