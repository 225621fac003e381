//! Groups: create, replace, patch, delete, and how they look. A group's members are rows of their
//! own, so that what a request costs depends on what it changes and not on the group's size.

use super::error::FactError;
use super::membership::{self, Left};
use super::users::{count, key};
use super::{Directory, Moment, version};
use crate::ledger::{Change, Committed, change};
use crate::model::access::Spread;
use crate::model::facts::{
    Counted, GROUPS_BY_NAME, GroupRecord, Groups, Members, ResourceKey, text,
};
use crate::model::tenancy::UnknownMember;
use gatewright_scim::{
    Group, GroupBody, GroupOperation, GroupPatch, MemberOut, MemberRef, Meta, Preconditions,
    ResourceType,
};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use tracing::warn;
use uuid::Uuid;

/// A group as it is stored, without its members.
#[derive(Clone, Debug)]
pub struct StoredGroup {
    /// The SCIM `id`.
    pub id: Uuid,
    /// The rest.
    pub record: GroupRecord,
}

/// Creates a group.
///
/// # Errors
/// Where another group has the name and nothing says that it is a different one, or a member does
/// not exist.
pub fn create(
    directory: &Directory,
    moment: &Moment,
    body: GroupBody,
) -> Result<Committed<StoredGroup>, FactError> {
    let key = (directory.id, moment.random.id(moment.now));
    let unknown = directory.record.behaviour.unknown_member;
    let document = body.group.into_map();
    let members = body.members.unwrap_or_default();
    let created = change(&directory.organization, moment.now, move |change| {
        let mut edit = Edit::new(key, document.clone(), unknown);
        edit.check_name(change)?;
        count(change, Counted::Groups, key.0, 1)?;
        change.event("group.created", event(key, &document))?;
        edit.add(change, &members)?;
        edit.store(change, change.at())
    })?;
    Ok(created)
}

/// Replaces a group. Members that are not in the body leave; a body without `members` empties the
/// group (RFC 7644 section 3.5.1).
///
/// # Errors
/// Where there is no such group or none of the version asked for, the name is taken, or a member
/// does not exist.
pub fn replace(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    body: GroupBody,
) -> Result<Committed<StoredGroup>, FactError> {
    let document = body.group.into_map();
    let members = body.members.unwrap_or_default();
    let key = (directory.id, key(ResourceType::Group, id)?);
    let prepared = Difference::prepare(directory, key, &members)?;
    update(directory, moment, key, conditions, move |change, edit| {
        edit.document.clone_from(&document);
        edit.replace(change, &members, prepared.as_ref())
    })
}

/// Applies a patch, all of it or nothing (RFC 7644 section 3.5.2).
///
/// # Errors
/// Where there is no such group or none of the version asked for, the patch cannot be applied, or
/// a member does not exist.
pub fn patch(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    patch: GroupPatch,
) -> Result<Committed<StoredGroup>, FactError> {
    let key = (directory.id, key(ResourceType::Group, id)?);
    let prepared = match patch.operations() {
        [GroupOperation::ReplaceMembers(members)] => Difference::prepare(directory, key, members)?,
        _ => None,
    };
    update(directory, moment, key, conditions, move |change, edit| {
        for operation in patch.operations() {
            match operation {
                GroupOperation::Attributes(attributes) => {
                    let group = Group::from_stored(edit.document.clone());
                    edit.document = attributes.apply(&group)?.into_map();
                }
                GroupOperation::AddMembers(members) => edit.add(change, members)?,
                GroupOperation::RemoveMembers(ids) => edit.remove(change, ids)?,
                GroupOperation::ReplaceMembers(members) => {
                    edit.replace(change, members, prepared.as_ref())?;
                }
                GroupOperation::RemoveAllMembers => edit.replace(change, &[], None)?,
            }
        }
        Ok(())
    })
}

fn update(
    directory: &Directory,
    moment: &Moment,
    key: ResourceKey,
    conditions: &Preconditions,
    body: impl Fn(&mut Change<'_, '_>, &mut Edit) -> Result<(), FactError> + Send + 'static,
) -> Result<Committed<StoredGroup>, FactError> {
    let unknown = directory.record.behaviour.unknown_member;
    let conditions = conditions.clone();
    let updated = change(&directory.organization, moment.now, move |change| {
        let Some(record) = change.tx.get::<Groups>(&key)? else {
            return Err(not_found(key.1));
        };
        check(&conditions, &record)?;
        let mut edit = Edit::new(key, record.document.clone(), unknown);
        edit.revision = Some(record.revision);
        body(change, &mut edit)?;
        if edit.document == record.document && edit.added.is_empty() && edit.removed.is_empty() {
            return Ok(StoredGroup { id: key.1, record });
        }
        if edit.document != record.document {
            edit.check_name(change)?;
            change.event("group.updated", event(key, &edit.document))?;
            let identity = |document| (text(document, "displayName"), text(document, "externalId"));
            if identity(&edit.document) != identity(&record.document) {
                change.spread(Spread::GroupChanged {
                    directory: key.0,
                    group: key.1,
                })?;
            }
        }
        edit.store(change, record.created)
    })?;
    Ok(updated)
}

/// Deletes a group. Its memberships end in steps after the answer; nobody sees them meanwhile.
///
/// # Errors
/// Where there is no such group, or none of the version asked for.
pub fn delete(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
) -> Result<Committed<()>, FactError> {
    let key = (directory.id, key(ResourceType::Group, id)?);
    let conditions = conditions.clone();
    let deleted = change(&directory.organization, moment.now, move |change| {
        let Some(record) = change.tx.get::<Groups>(&key)? else {
            return Err(not_found(key.1));
        };
        check(&conditions, &record)?;
        change.tx.delete::<Groups>(&key)?;
        count(change, Counted::Groups, key.0, -1)?;
        change.event("group.deleted", event(key, &record.document))?;
        change.spread(Spread::GroupDeleted {
            directory: key.0,
            group: key.1,
            name: text(&record.document, "displayName")
                .unwrap_or_default()
                .to_owned(),
            external_id: text(&record.document, "externalId").map(str::to_owned),
            at: change.at(),
        })?;
        Ok::<_, FactError>(())
    })?;
    Ok(deleted)
}

/// One group, without its members.
///
/// # Errors
/// Where there is no such group.
pub fn get(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    id: &str,
) -> Result<StoredGroup, FactError> {
    let uuid = key(ResourceType::Group, id)?;
    let record = reader
        .get::<Groups>(&(directory, uuid))?
        .ok_or_else(|| not_found(uuid))?;
    Ok(StoredGroup { id: uuid, record })
}

/// The group as SCIM shows it. Members are read only where they are wanted.
///
/// # Errors
/// What the store says.
pub fn represent(
    reader: &impl Read<OrganizationScope>,
    group: StoredGroup,
    base_url: &str,
    with_members: bool,
) -> Result<Value, StoreError> {
    if !with_members {
        return Ok(document(group, base_url, None));
    }
    let members: Vec<MemberOut> = members(reader, group.id)?
        .map(|user| Ok(member(user?, base_url)))
        .collect::<Result<_, StoreError>>()?;
    Ok(document(group, base_url, Some(&members)))
}

/// The group as SCIM shows it, with one member, [`Uuid::nil`], that stands for all of them.
#[must_use]
pub fn outline(group: StoredGroup, base_url: &str) -> Value {
    document(group, base_url, Some(&[member(Uuid::nil(), base_url)]))
}

/// The users in a group, in the order of their ids.
///
/// # Errors
/// What the store says.
pub fn members(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
) -> Result<impl Iterator<Item = Result<Uuid, StoreError>>, StoreError> {
    let rows = reader.keys::<Members>(Range::prefix(&group))?;
    Ok(rows.map(|row| row.map(|(_, user)| user)))
}

fn member(user: Uuid, base_url: &str) -> MemberOut {
    MemberOut {
        value: user.to_string(),
        // It would cost a read for each member, and nobody needs it.
        display: None,
        location: format!("{base_url}/Users/{user}"),
    }
}

fn document(group: StoredGroup, base_url: &str, members: Option<&[MemberOut]>) -> Value {
    let meta = Meta {
        created: group.record.created.into(),
        last_modified: group.record.modified.into(),
        location: format!("{base_url}/Groups/{}", group.id),
        version: version::of_group(&group.record),
    };
    let document = Group::from_stored(group.record.document);
    document.to_response(&group.id.to_string(), &meta, members)
}

/// A group being changed: its document, and who came and left so far.
struct Edit {
    key: ResourceKey,
    document: Map<String, Value>,
    /// The revision of the group before; none for a new one.
    revision: Option<u64>,
    unknown: UnknownMember,
    added: BTreeSet<Uuid>,
    removed: BTreeSet<Uuid>,
}

impl Edit {
    fn new(key: ResourceKey, document: Map<String, Value>, unknown: UnknownMember) -> Self {
        Self {
            key,
            document,
            revision: None,
            unknown,
            added: BTreeSet::new(),
            removed: BTreeSet::new(),
        }
    }

    fn add(&mut self, change: &mut Change<'_, '_>, members: &[MemberRef]) -> Result<(), FactError> {
        for member in members {
            let id = member.value();
            let begun = match key(ResourceType::User, id) {
                Ok(user) => membership::begin(change, self.key.1, (self.key.0, user))?
                    .map(|new| (user, new)),
                Err(_) => None,
            };
            match (begun, self.unknown) {
                (Some((user, true)), _) if !self.removed.remove(&user) => {
                    self.added.insert(user);
                }
                (Some(_), _) => {}
                (None, UnknownMember::Skip) => {
                    warn!(group = %self.key.1, member = id, "member does not exist: left out");
                }
                (None, UnknownMember::Refuse) => {
                    return Err(FactError::UnknownMember(id.to_owned()));
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self, change: &mut Change<'_, '_>, ids: &[String]) -> Result<(), FactError> {
        for id in ids {
            // Who cannot be in the group need not be taken out of it.
            if let Ok(user) = key(ResourceType::User, id) {
                self.end(change, user)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, change: &mut Change<'_, '_>, user: Uuid) -> Result<(), FactError> {
        let left = Left {
            group: self.key.1,
            name: text(&self.document, "displayName").unwrap_or_default(),
            external_id: text(&self.document, "externalId"),
        };
        if let Some(account) = membership::end(change, (self.key.0, user), &left, change.at())? {
            change.mark(account)?;
            if !self.added.remove(&user) {
                self.removed.insert(user);
            }
        }
        Ok(())
    }

    fn replace(
        &mut self,
        change: &mut Change<'_, '_>,
        members: &[MemberRef],
        prepared: Option<&Difference>,
    ) -> Result<(), FactError> {
        // The difference was taken before the transaction; it holds if the group is as it was.
        let prepared = prepared.filter(|prepared| Some(prepared.revision) == self.revision);
        if let Some(difference) = prepared {
            for user in &difference.gone {
                self.end(change, *user)?;
            }
            return self.add(change, &difference.new);
        }
        for user in gone(change.tx, self.key.1, members)? {
            self.end(change, user)?;
        }
        self.add(change, members)
    }

    /// Two groups may have one name only where their external ids say that they are two: else a
    /// create that is sent again would make a twin.
    fn check_name(&self, change: &Change<'_, '_>) -> Result<(), FactError> {
        let name = text(&self.document, "displayName").unwrap_or_default();
        let wanted = (self.key.0, name.to_lowercase());
        for row in change
            .tx
            .index_scan(&GROUPS_BY_NAME, Range::prefix(&wanted))?
        {
            let (_, other) = row?;
            if other == self.key {
                continue;
            }
            let Some(other) = change.tx.get::<Groups>(&other)? else {
                continue;
            };
            let theirs = text(&other.document, "externalId");
            let ours = text(&self.document, "externalId");
            if theirs.is_none() || ours.is_none() || theirs == ours {
                return Err(FactError::GroupNameTaken(name.to_owned()));
            }
        }
        Ok(())
    }

    fn store(
        self,
        change: &mut Change<'_, '_>,
        created: crate::clock::Timestamp,
    ) -> Result<StoredGroup, FactError> {
        let record = GroupRecord {
            document: self.document,
            created,
            modified: change.at(),
            revision: change.revision(),
        };
        change.tx.put::<Groups>(&self.key, &record)?;
        let name = text(&record.document, "displayName").unwrap_or_default();
        let added: Vec<Uuid> = self.added.into_iter().collect();
        let removed: Vec<Uuid> = self.removed.into_iter().collect();
        membership::report(change, self.key, name, &added, &removed)?;
        Ok(StoredGroup {
            id: self.key.1,
            record,
        })
    }
}

/// What a full list of members changes, worked out before the transaction, so that comparing
/// 100,000 members holds nobody up.
struct Difference {
    revision: u64,
    gone: Vec<Uuid>,
    new: Vec<MemberRef>,
}

impl Difference {
    fn prepare(
        directory: &Directory,
        key: ResourceKey,
        members: &[MemberRef],
    ) -> Result<Option<Self>, FactError> {
        let reader = directory.organization.read()?;
        let Some(record) = reader.get::<Groups>(&key)? else {
            return Ok(None);
        };
        let mut new = Vec::new();
        for member in members {
            let known = match super::users::key(ResourceType::User, member.value()) {
                Ok(user) => reader.contains::<Members>(&(key.1, user))?,
                Err(_) => false,
            };
            if !known {
                new.push(member.clone());
            }
        }
        let gone = gone(&reader, key.1, members)?;
        Ok(Some(Self {
            revision: record.revision,
            gone,
            new,
        }))
    }
}

fn gone(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
    members: &[MemberRef],
) -> Result<Vec<Uuid>, StoreError> {
    let wanted: BTreeSet<Uuid> = members
        .iter()
        .filter_map(|member| member.value().parse().ok())
        .collect();
    let mut gone = Vec::new();
    for row in reader.keys::<Members>(Range::prefix(&group))? {
        let (_, user) = row?;
        if !wanted.contains(&user) {
            gone.push(user);
        }
    }
    Ok(gone)
}

fn check(conditions: &Preconditions, record: &GroupRecord) -> Result<(), FactError> {
    version::check(conditions, || {
        Ok::<_, StoreError>(version::of_group(record))
    })
}

fn not_found(id: Uuid) -> FactError {
    FactError::NotFound {
        resource: ResourceType::Group,
        id: id.to_string(),
    }
}

fn event(key: ResourceKey, document: &Map<String, Value>) -> Value {
    json!({
        "directory": key.0,
        "group": key.1,
        "name": text(document, "displayName"),
        "external_id": text(document, "externalId"),
    })
}
