//! Reads all that a policy may know of an account, in the shape of the plugin contract.

use super::mapping;
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, AssignmentRecord, Assignments, GrantKind, GrantRecord,
    MappingEntry,
};
use crate::model::facts::{
    Ended, GroupRecord, Groups, MEMBERS_BY_USER, Members, ResourceKey, UserRecord, Users, text,
};
use gatewright_sandbox::types;
use gatewright_scim::User;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// Reads accounts of one organization from one snapshot; what several accounts share is read once.
pub struct Gatherer<'a, R> {
    reader: &'a R,
    mapping: &'a [MappingEntry],
    /// The provider plugin's name of each directory.
    providers: &'a HashMap<Uuid, String>,
    groups: HashMap<ResourceKey, Option<GroupRecord>>,
}

/// What was read of one account.
pub struct Gathered {
    /// As the host stored it.
    pub record: AccountRecord,
    /// The present assignment.
    pub assignment: Option<AssignmentRecord>,
    /// For the policies.
    pub input: types::Account,
    /// Whether a provider says of at least one of its users that it is active.
    pub any_user_active: bool,
    /// The ended memberships that the policies are told of: consumed by the decision.
    pub ended: Vec<(Uuid, Uuid, Uuid)>,
}

impl<'a, R: Read<OrganizationScope>> Gatherer<'a, R> {
    /// Reads from `reader`.
    pub fn new(
        reader: &'a R,
        mapping: &'a [MappingEntry],
        providers: &'a HashMap<Uuid, String>,
    ) -> Self {
        Self {
            reader,
            mapping,
            providers,
            groups: HashMap::new(),
        }
    }

    /// Reads one account; none if there is none.
    ///
    /// # Errors
    /// What the store says.
    pub fn account(&mut self, id: Uuid) -> Result<Option<Gathered>, StoreError> {
        let Some(record) = self.reader.get::<Accounts>(&id)? else {
            return Ok(None);
        };
        let assignment = self.reader.get::<Assignments>(&id)?;
        let mut users = Vec::new();
        let mut memberships = Vec::new();
        let mut matching: Vec<(usize, types::MappingEntry)> = Vec::new();
        let mut any_user_active = false;
        for key in &record.users {
            let Some(user) = self.reader.get::<Users>(key)? else {
                continue;
            };
            let user = self.user(*key, user);
            any_user_active |= user.active;
            users.push(user);
            self.present(*key, &mut memberships, &mut matching)?;
        }
        let mut past = Vec::new();
        let mut ended = Vec::new();
        for row in self.reader.scan::<Ended>(Range::prefix(&id))? {
            let (key, row) = row?;
            let (_, user, group) = key;
            self.matching(
                group,
                &row.group_name,
                row.group_external_id.as_deref(),
                &mut matching,
            );
            past.push(types::Membership {
                user: user.to_string(),
                group: group.to_string(),
                group_name: row.group_name,
                group_external_id: row.group_external_id,
                directory: row.directory.to_string(),
                since: row.since.0,
                ended: Some(row.ended.0),
            });
            ended.push(key);
        }
        for part in [&mut memberships, &mut past] {
            part.sort_by(|a, b| (&a.group_name, &a.group).cmp(&(&b.group_name, &b.group)));
        }
        memberships.append(&mut past);
        users.sort_by(|a, b| a.id.cmp(&b.id));
        matching.sort_by_key(|(place, _)| *place);
        let input = types::Account {
            id: id.to_string(),
            status: status(record.status),
            users,
            memberships,
            grants: assignment
                .iter()
                .flat_map(|stored| &stored.grants)
                .map(grant)
                .collect(),
            signals: Vec::new(),
            mapping: matching.into_iter().map(|(_, entry)| entry).collect(),
            decided: assignment.as_ref().map(|stored| stored.decided.0),
            created: record.created.0,
            extra: Vec::new(),
        };
        Ok(Some(Gathered {
            record,
            assignment,
            input,
            any_user_active,
            ended,
        }))
    }

    fn user(&self, (directory, id): ResourceKey, record: UserRecord) -> types::User {
        let user = User::from_stored(record.document);
        types::User {
            id: id.to_string(),
            directory: directory.to_string(),
            provider: self.providers.get(&directory).cloned().unwrap_or_default(),
            external_id: user.external_id().map(str::to_owned),
            user_name: user.user_name().to_owned(),
            display_name: user.display_name().map(str::to_owned),
            email: user.primary_email().map(str::to_owned),
            active: user.active(),
            attributes: user
                .flatten()
                .into_iter()
                .map(|(name, value)| types::Attribute {
                    name,
                    value: attribute(value),
                })
                .collect(),
            custom_attributes: Vec::new(),
            created: record.created.0,
            modified: record.modified.0,
            extra: Vec::new(),
        }
    }

    fn present(
        &mut self,
        (directory, user): ResourceKey,
        memberships: &mut Vec<types::Membership>,
        matching: &mut Vec<(usize, types::MappingEntry)>,
    ) -> Result<(), StoreError> {
        for row in self
            .reader
            .index_scan(&MEMBERS_BY_USER, Range::prefix(&user))?
        {
            let (_, key) = row?;
            let (group, _) = key;
            // A row of a group that is gone waits for the reconciler to end it.
            let Some(record) = self.group((directory, group))? else {
                continue;
            };
            let name = text(&record.document, "displayName")
                .unwrap_or_default()
                .to_owned();
            let external_id = text(&record.document, "externalId").map(str::to_owned);
            let Some(member) = self.reader.get::<Members>(&key)? else {
                continue;
            };
            self.matching(group, &name, external_id.as_deref(), matching);
            memberships.push(types::Membership {
                user: user.to_string(),
                group: group.to_string(),
                group_name: name,
                group_external_id: external_id,
                directory: directory.to_string(),
                since: member.since.0,
                ended: None,
            });
        }
        Ok(())
    }

    fn group(&mut self, key: ResourceKey) -> Result<Option<GroupRecord>, StoreError> {
        if let Some(known) = self.groups.get(&key) {
            return Ok(known.clone());
        }
        let record = self.reader.get::<Groups>(&key)?;
        self.groups.insert(key, record.clone());
        Ok(record)
    }

    fn matching(
        &self,
        group: Uuid,
        name: &str,
        external_id: Option<&str>,
        to: &mut Vec<(usize, types::MappingEntry)>,
    ) {
        for (place, entry) in self.mapping.iter().enumerate() {
            let known = |(other, found): &(usize, types::MappingEntry)| {
                *other == place && found.group == group.to_string()
            };
            if mapping::matches(entry, group, name, external_id) && !to.iter().any(known) {
                to.push((
                    place,
                    types::MappingEntry {
                        id: entry.id.to_string(),
                        group: group.to_string(),
                        kind: kind(entry.kind),
                        target: entry.target.clone(),
                        position: u32::try_from(place).unwrap_or(u32::MAX),
                        settings: Vec::new(),
                    },
                ));
            }
        }
    }
}

fn attribute(value: gatewright_scim::Scalar) -> types::AttributeValue {
    use gatewright_scim::Scalar;
    match value {
        Scalar::Text(text) => types::AttributeValue::Text(text),
        Scalar::Truth(truth) => types::AttributeValue::Truth(truth),
        Scalar::Integer(number) => types::AttributeValue::Integer(number),
        Scalar::Decimal(number) => types::AttributeValue::Decimal(number),
    }
}

fn grant(grant: &GrantRecord) -> types::Grant {
    types::Grant {
        kind: kind(grant.kind),
        name: grant.name.clone(),
        origin: "policy".into(),
        mapping_entry: grant.mapping_entry.map(|id| id.to_string()),
        reason: grant.reason.clone(),
        since: grant.since.0,
        extra: Vec::new(),
    }
}

/// The kind of a grant as the contract has it.
#[must_use]
pub fn kind(kind: GrantKind) -> types::GrantKind {
    match kind {
        GrantKind::BaseRole => types::GrantKind::BaseRole,
        GrantKind::CustomRole => types::GrantKind::CustomRole,
        GrantKind::Seat => types::GrantKind::Seat,
    }
}

/// The status of an account as the contract has it.
#[must_use]
pub fn status(status: AccountStatus) -> types::AccountStatus {
    match status {
        AccountStatus::Active => types::AccountStatus::Active,
        AccountStatus::Deactivated => types::AccountStatus::Deactivated,
        AccountStatus::Deleted => types::AccountStatus::Deleted,
    }
}
