//! A group being changed, and who is in it: users and other groups, each a row.

use super::error::FactError;
use super::membership::{self, Left, Who};
use super::{Directory, groups::StoredGroup, identifier, inherited, names, nesting, users};
use crate::access::pins;
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::facts::{
    GROUPS_BY_NAME, GROUPS_BY_TERM, GroupRecord, Groups, Members, Nested, ResourceKey, text,
};
use crate::model::spread::{Leaver, LostGroup};
use crate::model::tenancy::UnknownMember;
use gatewright_scim::schema::IndexTerm;
use gatewright_scim::{MemberKind, MemberRef, ResourceType, Shape};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use tracing::warn;
use uuid::Uuid;

/// A group being changed: its document, and who came and left so far.
pub(super) struct Edit {
    pub(super) key: ResourceKey,
    pub(super) document: Map<String, Value>,
    /// The revision of the group before; none for a new one.
    pub(super) revision: Option<u64>,
    /// Whether it is new, or called otherwise than before.
    pub(super) renamed: bool,
    unknown: UnknownMember,
    shape: Shape,
    /// How indexes found it before.
    pub(super) terms: Vec<IndexTerm>,
    users_added: BTreeSet<Uuid>,
    users_removed: BTreeSet<Uuid>,
    /// Each time that a user left, also one who came back.
    left: Vec<Leaver>,
    groups_added: BTreeSet<Uuid>,
    /// Since when they had been in it.
    groups_removed: BTreeMap<Uuid, Timestamp>,
}

impl Edit {
    pub(super) fn new(
        key: ResourceKey,
        document: Map<String, Value>,
        unknown: UnknownMember,
        shape: Shape,
    ) -> Self {
        Self {
            key,
            document,
            revision: None,
            renamed: true,
            unknown,
            shape,
            terms: Vec::new(),
            users_added: BTreeSet::new(),
            users_removed: BTreeSet::new(),
            left: Vec::new(),
            groups_added: BTreeSet::new(),
            groups_removed: BTreeMap::new(),
        }
    }

    /// Whether somebody came or left.
    pub(super) fn moves_members(&self) -> bool {
        let users = !self.users_added.is_empty() || !self.users_removed.is_empty();
        users || !self.groups_added.is_empty() || !self.groups_removed.is_empty()
    }

    pub(super) fn add(
        &mut self,
        change: &mut Change<'_, '_>,
        members: &[MemberRef],
    ) -> Result<(), FactError> {
        for member in members {
            let id = member.value();
            let known = match users::key(ResourceType::User, id) {
                Ok(uuid) => self.begin(change, uuid, member.kind())?,
                Err(_) => false,
            };
            match self.unknown {
                _ if known => {}
                UnknownMember::Skip => {
                    warn!(group = %self.key.1, member = id, "member does not exist: left out");
                }
                UnknownMember::Refuse => {
                    return Err(FactError::UnknownMember(id.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// False where there is neither a user nor a group of that id. A user costs nothing more than
    /// it would if there were no groups in groups.
    fn begin(
        &mut self,
        change: &mut Change<'_, '_>,
        id: Uuid,
        said: Option<MemberKind>,
    ) -> Result<bool, FactError> {
        let of = |is: MemberKind| match said {
            Some(said) if said != is => Err(FactError::MemberType { id, is, said }),
            _ => Ok(()),
        };
        let member = (self.key.0, id);
        if let Some(new) = membership::begin(change, self.key.1, member)? {
            of(MemberKind::User)?;
            if new && !self.users_removed.remove(&id) {
                self.users_added.insert(id);
            }
            return Ok(true);
        }
        let Some(new) = nesting::begin(change, self.key.1, member)? else {
            return Ok(false);
        };
        of(MemberKind::Group)?;
        if new && self.groups_removed.remove(&id).is_none() {
            self.groups_added.insert(id);
            if self.groups_added.len() > nesting::MAX_FAMILY {
                let name = text(&self.document, "displayName").unwrap_or_default();
                return Err(FactError::NestedTooWide {
                    name: name.to_owned(),
                });
            }
        }
        Ok(true)
    }

    pub(super) fn remove(
        &mut self,
        change: &mut Change<'_, '_>,
        ids: &[String],
    ) -> Result<(), FactError> {
        for id in ids {
            // Who cannot be in the group need not be taken out of it.
            if let Ok(id) = users::key(ResourceType::User, id) {
                self.end(change, id)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, change: &mut Change<'_, '_>, id: Uuid) -> Result<(), FactError> {
        let left = Left {
            group: self.key.1,
            name: text(&self.document, "displayName").unwrap_or_default(),
            external_id: text(&self.document, "externalId"),
        };
        if let Some(leaver) = membership::end(change, (self.key.0, id), &left, change.at())? {
            change.mark_user(leaver.user, leaver.account, None)?;
            self.left.push(leaver);
            if !self.users_added.remove(&id) {
                self.users_removed.insert(id);
            }
        } else if let Some(since) = nesting::end(change, self.key.1, id)?
            && !self.groups_added.remove(&id)
        {
            self.groups_removed.insert(id, since);
        }
        Ok(())
    }

    pub(super) fn replace(
        &mut self,
        change: &mut Change<'_, '_>,
        members: &[MemberRef],
        prepared: Option<&Difference>,
    ) -> Result<(), FactError> {
        // The difference was taken before the transaction; it holds if the group is as it was.
        let prepared = prepared.filter(|prepared| Some(prepared.revision) == self.revision);
        if let Some(difference) = prepared {
            for id in &difference.gone {
                self.end(change, *id)?;
            }
            return self.add(change, &difference.new);
        }
        for id in gone(change.tx, self.key.1, members)? {
            self.end(change, id)?;
        }
        self.add(change, members)
    }

    /// Two groups may have one name only where their external ids say that they are two: else a
    /// create that is sent again would make a twin.
    pub(super) fn check_name(&self, change: &Change<'_, '_>) -> Result<(), FactError> {
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

    pub(super) fn store(
        self,
        change: &mut Change<'_, '_>,
        created: Timestamp,
    ) -> Result<StoredGroup, FactError> {
        let terms = self.shape.index_terms(&self.document, &self.terms);
        identifier::check_terms(change.tx, &GROUPS_BY_TERM, self.key, &terms)?;
        let record = GroupRecord {
            document: self.document,
            terms,
            created,
            modified: change.at(),
            revision: change.revision(),
        };
        change.tx.put::<Groups>(&self.key, &record)?;
        if self.renamed && self.revision.is_some() {
            names::moved(change)?;
        }
        if self.renamed {
            pins::group_named(change, self.key, &record)?;
        }
        let name = text(&record.document, "displayName").unwrap_or_default();
        if !self.groups_added.is_empty() {
            nesting::check(change.tx, self.key, name)?;
        }
        inherited::groups_came(change, self.key.0, self.groups_added.iter().copied())?;
        if !self.groups_removed.is_empty() {
            let mut lost = inherited::through(change.tx, self.key)?;
            lost.push(LostGroup::of(self.key.1, &record, Timestamp(0)));
            inherited::groups_left(change, self.key.0, &self.groups_removed, lost)?;
        }
        inherited::users_left(change, self.key, &self.left)?;
        let added = Who {
            users: self.users_added.into_iter().collect(),
            groups: self.groups_added.into_iter().collect(),
        };
        let removed = Who {
            users: self.users_removed.into_iter().collect(),
            groups: self.groups_removed.into_keys().collect(),
        };
        membership::report(change, self.key, name, &added, &removed)?;
        Ok(StoredGroup {
            id: self.key.1,
            record,
        })
    }
}

/// What a full list of members changes, worked out before the transaction, so that comparing
/// 100,000 members holds nobody up.
pub(super) struct Difference {
    revision: u64,
    gone: Vec<Uuid>,
    new: Vec<MemberRef>,
}

impl Difference {
    pub(super) fn prepare(
        directory: &Directory,
        key: ResourceKey,
        members: &[MemberRef],
    ) -> Result<Option<Self>, FactError> {
        let reader = directory.organization.read()?;
        let Some(record) = reader.get::<Groups>(&key)? else {
            return Ok(None);
        };
        let groups = reader.keys::<Nested>(Range::prefix(&key.1))?;
        let groups: HashSet<Uuid> = groups
            .map(|row| row.map(|(_, group)| group))
            .collect::<Result<_, _>>()?;
        let mut new = Vec::new();
        for member in members {
            let known = match users::key(ResourceType::User, member.value()) {
                Ok(id) if groups.contains(&id) => Some(MemberKind::Group),
                Ok(id) if reader.contains::<Members>(&(key.1, id))? => Some(MemberKind::User),
                _ => None,
            };
            // Who is said to be something else is refused where the others are added.
            if known.is_none() || member.kind().is_some_and(|said| Some(said) != known) {
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

/// The members that are not in the list: users first, then groups.
fn gone(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
    members: &[MemberRef],
) -> Result<Vec<Uuid>, StoreError> {
    let wanted: BTreeSet<Uuid> = members
        .iter()
        .filter_map(|member| member.value().parse().ok())
        .collect();
    let users = reader.keys::<Members>(Range::prefix(&group))?;
    let groups = reader.keys::<Nested>(Range::prefix(&group))?;
    users
        .chain(groups)
        .map(|row| row.map(|(_, member)| member))
        .filter(|row| row.as_ref().map_or(true, |member| !wanted.contains(member)))
        .collect()
}
