//! Groups: create, replace, patch, delete, and how they look. A group's members are rows of their
//! own, so that what a request costs depends on what it changes and not on the group's size.

use super::edit::{Difference, Edit};
use super::error::FactError;
use super::membership::{self, Who};
use super::users::{count, key};
use super::{Directory, Moment, inherited, names, nesting, phases, version};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::facts::{Counted, GroupRecord, Groups, Members, Nested, ResourceKey, text};
use crate::model::spread::{LostGroup, Spread};
use crate::model::tenancy::Directories;
use gatewright_scim::{
    Group, GroupBody, GroupOperation, GroupPatch, MemberKind, MemberOut, Meta, Preconditions,
    ResourceType,
};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
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
    body.group.check_required(directory.profile)?;
    let key = (directory.id, moment.random.id(moment.now));
    let unknown = directory.record.behaviour.unknown_member;
    let shape = directory.profile.shape(ResourceType::Group);
    let document = body.group.into_map();
    let members = body.members.unwrap_or_default();
    let created = change(&directory.organization, moment, move |change| {
        let mut edit = Edit::new(key, document.clone(), unknown, shape);
        edit.check_name(change)?;
        let record = change.tx.get::<Directories>(&key.0)?;
        phases::arrived(change, key.0, record.map(|record| record.phase))?;
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
/// Where there is no such group or none of the version asked for, the name is taken, a member does
/// not exist, or an attribute that is set once is given another value.
pub fn replace(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    body: GroupBody,
) -> Result<Committed<StoredGroup>, FactError> {
    let group = body.group;
    let members = body.members.unwrap_or_default();
    let profile = directory.profile;
    let key = (directory.id, key(ResourceType::Group, id)?);
    let prepared = Difference::prepare(directory, key, &members)?;
    update(directory, moment, key, conditions, move |change, edit| {
        let before = Group::from_stored(edit.document.clone());
        edit.document = before.replaced_by(group.clone(), profile)?.into_map();
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
    let profile = directory.profile;
    update(directory, moment, key, conditions, move |change, edit| {
        let before = Group::from_stored(edit.document.clone());
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
        let after = Group::from_stored(edit.document.clone());
        before.check_patched(&after, profile)?;
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
    let shape = directory.profile.shape(ResourceType::Group);
    let conditions = conditions.clone();
    let updated = change(&directory.organization, moment, move |change| {
        let Some(record) = change.tx.get::<Groups>(&key)? else {
            return Err(not_found(key.1));
        };
        check(&conditions, &record)?;
        let mut edit = Edit::new(key, record.document.clone(), unknown, shape);
        edit.revision = Some(record.revision);
        edit.terms.clone_from(&record.terms);
        body(change, &mut edit)?;
        let identity = |document| (text(document, "displayName"), text(document, "externalId"));
        edit.renamed = identity(&edit.document) != identity(&record.document);
        if edit.document == record.document && !edit.moves_members() {
            return Ok(StoredGroup { id: key.1, record });
        }
        if edit.document != record.document {
            edit.check_name(change)?;
            change.event("group.updated", event(key, &edit.document))?;
            if edit.renamed {
                change.spread(Spread::GroupChanged {
                    directory: key.0,
                    group: key.1,
                })?;
                inherited::group_changed(change, key)?;
            }
        }
        edit.store(change, record.created)
    })?;
    Ok(updated)
}

/// Deletes a group. Its memberships end in steps after the answer; nobody sees them meanwhile. What
/// it was in and what was in it are so no longer.
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
    let deleted = change(&directory.organization, moment, move |change| {
        let Some(record) = change.tx.get::<Groups>(&key)? else {
            return Err(not_found(key.1));
        };
        check(&conditions, &record)?;
        let lost = inherited::through(change.tx, key)?;
        let mut left = BTreeMap::new();
        for (member, since) in nesting::members(change.tx, key.1)? {
            nesting::end(change, key.1, member)?;
            left.insert(member, since);
        }
        let mut with_it = lost.clone();
        with_it.push(LostGroup::of(key.1, &record, Timestamp(0)));
        inherited::groups_left(change, key.0, &left, with_it)?;
        for (holder, _) in nesting::holders(change.tx, key.1)? {
            nesting::end(change, holder, key.1)?;
            leave(change, (key.0, holder), key.1)?;
        }
        change.tx.delete::<Groups>(&key)?;
        names::moved(change)?;
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
            lost,
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

/// A resource as SCIM shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Represented {
    /// Where a group has members, its `members` are two that stand for them: one of each kind,
    /// the user first, with the id [`Uuid::nil`].
    pub body: Value,
    /// The members themselves. As JSON, 100,000 of them would be fifty times as large.
    pub members: Vec<(MemberKind, Uuid)>,
}

impl From<Value> for Represented {
    fn from(body: Value) -> Self {
        Self {
            body,
            members: Vec::new(),
        }
    }
}

/// The group as SCIM shows it. Members are read only where they are wanted.
///
/// # Errors
/// What the store says.
pub fn represent(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    group: StoredGroup,
    base_url: &str,
    with_members: bool,
) -> Result<Represented, StoreError> {
    if !with_members {
        return Ok(document(directory, group, base_url, None).into());
    }
    let members: Vec<_> = members(reader, group.id)?.collect::<Result<_, _>>()?;
    let outline = [MemberKind::User, MemberKind::Group];
    let outline = outline.map(|kind| member(kind, Uuid::nil(), base_url));
    let outline: &[_] = if members.is_empty() { &[] } else { &outline };
    Ok(Represented {
        body: document(directory, group, base_url, Some(outline)),
        members,
    })
}

/// The group with those of its members that are asked for by their ids, or with all of them, to see
/// whether a filter holds.
///
/// # Errors
/// What the store says.
pub fn to_match(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    group: StoredGroup,
    base_url: &str,
    asked: Option<&[Uuid]>,
) -> Result<Value, StoreError> {
    let mut found = Vec::new();
    let mut add = |(kind, id)| found.push(member(kind, id, base_url));
    if let Some(asked) = asked {
        for id in asked {
            if reader.contains::<Members>(&(group.id, *id))? {
                add((MemberKind::User, *id));
            } else if reader.contains::<Nested>(&(group.id, *id))? {
                add((MemberKind::Group, *id));
            }
        }
    } else {
        for one in members(reader, group.id)? {
            add(one?);
        }
    }
    Ok(document(directory, group, base_url, Some(&found)))
}

/// The members of a group: the users in the order of their ids, then the groups.
///
/// # Errors
/// What the store says.
pub fn members(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
) -> Result<impl Iterator<Item = Result<(MemberKind, Uuid), StoreError>>, StoreError> {
    let users = reader.keys::<Members>(Range::prefix(&group))?;
    let groups = reader.keys::<Nested>(Range::prefix(&group))?;
    let of = |kind| move |row: Result<(Uuid, Uuid), StoreError>| row.map(|(_, id)| (kind, id));
    Ok(users
        .map(of(MemberKind::User))
        .chain(groups.map(of(MemberKind::Group))))
}

fn member(kind: MemberKind, id: Uuid, base_url: &str) -> MemberOut {
    let endpoint = match kind {
        MemberKind::User => ResourceType::User,
        MemberKind::Group => ResourceType::Group,
    }
    .endpoint();
    MemberOut {
        value: id.to_string(),
        kind,
        // It would cost a read for each member, and nobody needs it.
        display: None,
        location: format!("{base_url}{endpoint}/{id}"),
    }
}

fn document(
    directory: &Directory,
    group: StoredGroup,
    base_url: &str,
    members: Option<&[MemberOut]>,
) -> Value {
    let meta = Meta {
        created: group.record.created.into(),
        last_modified: group.record.modified.into(),
        location: format!("{base_url}/Groups/{}", group.id),
        version: version::of_group(&group.record),
    };
    let document = Group::from_stored(group.record.document);
    let id = group.id.to_string();
    document.to_response(directory.profile, &id, &meta, members)
}

/// Says of a group that another one, which is gone, is no longer in it.
fn leave(change: &mut Change<'_, '_>, group: ResourceKey, member: Uuid) -> Result<(), StoreError> {
    let Some(record) = change.tx.get::<Groups>(&group)? else {
        return Ok(());
    };
    let name = text(&record.document, "displayName").unwrap_or_default();
    let (nobody, gone) = (Who::default(), Who::group(member));
    membership::report(change, group, name, &nobody, &gone)?;
    membership::touch(change, group)
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
