//! Reads all that a policy may know of an account, in the shape of the plugin contract.

mod going;

use going::Going;

use super::mapping::Matcher;
use super::signals;
use super::standing::{Phases, Standing};
use crate::clock::Timestamp;
use crate::directory::nesting::Above;
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, AssignmentRecord, Assignments, GrantKind, GrantRecord,
};
use crate::model::facts::{
    Ended, Groups, MEMBERS_BY_USER, Members, ResourceKey, UserRecord, Users, text,
};
use crate::model::mapping::MappingEntry;
use crate::model::people::{SignalRecord, Signals};
use gatewright_sandbox::types;
use gatewright_scim::{Profile, Scalar, User};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Reads accounts of one organization from one snapshot; what several accounts share is read once.
pub struct Gatherer<'a, R> {
    reader: &'a R,
    mapping: &'a [MappingEntry],
    matcher: Matcher<'a>,
    /// The place in the catalogue of what each entry of the mapping gives.
    targets: Vec<Option<u32>>,
    directories: &'a HashMap<Uuid, Source>,
    phases: &'a Phases,
    /// Whether any source says anything of anybody.
    has_signals: bool,
    groups: HashMap<ResourceKey, Option<Named>>,
    going: Going,
    above: Above<'a, R>,
}

/// What was read of one account, beside what the policies are told.
pub struct Gathered {
    /// As the host stored it.
    pub record: AccountRecord,
    /// The present assignment.
    pub assignment: Option<AssignmentRecord>,
    /// The ids of the entries in the account's `mapping`, by their places.
    pub entries: Vec<Uuid>,
    /// Whether a provider says of at least one of its users that it is active.
    pub any_user_active: bool,
    /// The ended memberships that the policies are told of: consumed by the decision.
    pub ended: Vec<(Uuid, Uuid, Uuid)>,
}

/// What a policy may know of a directory, and how its users are read.
pub struct Source {
    /// The provider plugin's name.
    pub provider: String,
    /// Its schemas.
    pub profile: Profile,
}

/// What a group is called.
#[derive(Clone)]
struct Named {
    name: String,
    external_id: Option<String>,
}

impl Named {
    fn membership(self, user: u32, group: Uuid, since: Timestamp) -> types::Membership {
        types::Membership {
            user: Some(user),
            group: group.to_string(),
            group_name: self.name,
            group_external_id: self.external_id,
            since: since.0,
            ended: None,
        }
    }
}

/// Which user is in which group.
#[derive(Default)]
struct Present {
    direct: HashSet<(Uuid, Uuid)>,
    /// Only through groups that are in it.
    inherited: HashSet<(Uuid, Uuid)>,
}

impl<'a, R: Read<OrganizationScope>> Gatherer<'a, R> {
    /// Reads from `reader`. `directories` has those in force: what others say does not count.
    ///
    /// # Errors
    /// What the store says.
    pub fn new(
        reader: &'a R,
        mapping: &'a [MappingEntry],
        catalogue: &types::Catalogue,
        directories: &'a HashMap<Uuid, Source>,
        phases: &'a Phases,
    ) -> Result<Self, StoreError> {
        let signals = reader.keys::<Signals>(Range::all())?.next().transpose()?;
        Ok(Self {
            reader,
            mapping,
            matcher: Matcher::new(mapping),
            targets: targets(mapping, catalogue),
            directories,
            phases,
            has_signals: signals.is_some(),
            groups: HashMap::new(),
            going: Going::read(reader)?,
            above: Above::new(reader),
        })
    }

    /// Reads one account, and what the policies are told of it; none if there is none, or nobody
    /// decides about it.
    ///
    /// # Errors
    /// What the store says.
    pub fn account(&mut self, id: Uuid) -> Result<Option<(Gathered, types::Account)>, StoreError> {
        let Some(record) = self.reader.get::<Accounts>(&id)? else {
            return Ok(None);
        };
        if !Standing::of(&record, self.phases).is_decided() {
            return Ok(None);
        }
        let assignment = self.reader.get::<Assignments>(&id)?;
        let mut keys = record.users.clone();
        keys.retain(|(directory, _)| self.directories.contains_key(directory));
        keys.sort_unstable_by_key(|(_, user)| *user);
        let mut users = Vec::new();
        let mut places: HashMap<Uuid, u32> = HashMap::new();
        let mut memberships = Vec::new();
        let mut present = Present::default();
        for key in keys {
            let Some(user) = self.reader.get::<Users>(&key)? else {
                continue;
            };
            let place = place(users.len());
            places.insert(key.1, place);
            users.push(self.user(key, user));
            self.present(key, place, &mut memberships, &mut present)?;
        }
        let mut past = Vec::new();
        let mut ended = Vec::new();
        for row in self.reader.scan::<Ended>(Range::prefix(&id))? {
            let (key, row) = row?;
            let (_, user, group) = key;
            ended.push(key);
            // The user is in the group all the same, by another way than the one that ended.
            let still = present.inherited.contains(&(user, group))
                || (row.inherited && present.direct.contains(&(user, group)));
            if still || !self.directories.contains_key(&row.directory) {
                continue;
            }
            let membership = types::Membership {
                user: places.get(&user).copied(),
                group: group.to_string(),
                group_name: row.group_name,
                group_external_id: row.group_external_id,
                since: row.since.0,
                ended: Some(row.ended.0),
            };
            past.push((group, membership));
        }
        for part in [&mut memberships, &mut past] {
            part.sort_by(|(a, one), (b, other)| (&one.group_name, a).cmp(&(&other.group_name, b)));
        }
        memberships.append(&mut past);
        let (entries, mapping) = self.matching(&memberships);
        let signals = self.signals(id)?;
        let any_user_active = users.iter().any(|user| user.active);
        let input = types::Account {
            id: id.to_string(),
            status: status(record.status),
            users,
            memberships: memberships.into_iter().map(|(_, one)| one).collect(),
            grants: grants(assignment.as_ref(), &entries),
            signals,
            mapping,
            mapping_options: Vec::new(),
            decided: assignment
                .as_ref()
                .and_then(AssignmentRecord::asked)
                .map(|at| at.0),
            created: record.created.0,
            extra: lifecycle_reasons(assignment.as_ref()),
        };
        let gathered = Gathered {
            record,
            assignment,
            entries,
            any_user_active,
            ended,
        };
        Ok(Some((gathered, input)))
    }

    fn signals(&self, account: Uuid) -> Result<Vec<types::PresenceSignal>, StoreError> {
        if !self.has_signals {
            return Ok(Vec::new());
        }
        let told = |(source, signal): (String, SignalRecord)| types::PresenceSignal {
            source,
            active: signal.active,
            at: signal.at.0,
        };
        let signals = signals::of(self.reader, account)?;
        Ok(signals.into_iter().map(told).collect())
    }

    fn user(&self, (directory, id): ResourceKey, record: UserRecord) -> types::User {
        let user = User::from_stored(record.document);
        let source = self.directories.get(&directory);
        let profile = source.map_or_else(Profile::default, |source| source.profile);
        types::User {
            id: id.to_string(),
            directory: directory.to_string(),
            provider: source.map_or_else(String::new, |source| source.provider.clone()),
            external_id: user.external_id().map(str::to_owned),
            user_name: user.user_name().to_owned(),
            display_name: user.display_name().map(str::to_owned),
            email: user.primary_email().map(str::to_owned),
            active: user.active(),
            attributes: attributes(user.flatten()),
            custom_attributes: attributes(user.flatten_declared(profile)),
            created: record.created.0,
            modified: record.modified.0,
            extra: Vec::new(),
        }
    }

    fn present(
        &mut self,
        (directory, user): ResourceKey,
        place: u32,
        memberships: &mut Vec<(Uuid, types::Membership)>,
        present: &mut Present,
    ) -> Result<(), StoreError> {
        let mut direct = Vec::new();
        for row in self
            .reader
            .index_scan(&MEMBERS_BY_USER, Range::prefix(&user))?
        {
            let (_, key) = row?;
            let (group, _) = key;
            let Some(member) = self.reader.get::<Members>(&key)? else {
                continue;
            };
            if self.group((directory, group))?.is_some() {
                direct.push((group, member.since));
            }
            let Some(named) = self.named((directory, group))? else {
                continue;
            };
            present.direct.insert((user, group));
            memberships.push((group, named.membership(place, group, member.since)));
        }
        for (group, since) in self.above.of(&direct)? {
            let Some(named) = self.group((directory, group))? else {
                continue;
            };
            present.inherited.insert((user, group));
            memberships.push((group, named.membership(place, group, since)));
        }
        for (lost, since) in self.going.of(self.reader, user)? {
            let key = (user, lost.group);
            if !present.direct.contains(&key) && present.inherited.insert(key) {
                let named = Named {
                    name: lost.name.clone(),
                    external_id: lost.external_id.clone(),
                };
                memberships.push((lost.group, named.membership(place, lost.group, since)));
            }
        }
        Ok(())
    }

    /// What a group is called, or was while its deletion spreads.
    fn named(&mut self, key: ResourceKey) -> Result<Option<Named>, StoreError> {
        if let Some(named) = self.group(key)? {
            return Ok(Some(named));
        }
        let deleted = self.going.deleted(key.1);
        Ok(deleted.map(|(name, external_id)| Named {
            name: name.to_owned(),
            external_id: external_id.map(str::to_owned),
        }))
    }

    fn group(&mut self, key: ResourceKey) -> Result<Option<Named>, StoreError> {
        if let Some(known) = self.groups.get(&key) {
            return Ok(known.clone());
        }
        let named = self.reader.get::<Groups>(&key)?.map(|record| Named {
            name: text(&record.document, "displayName")
                .unwrap_or_default()
                .to_owned(),
            external_id: text(&record.document, "externalId").map(str::to_owned),
        });
        self.groups.insert(key, named.clone());
        Ok(named)
    }

    /// The entries that match the memberships, each once for each group, in the contract's order,
    /// with their ids. Costs three look-ups for each membership and a step for each match, however
    /// long the mapping is; what is found is sorted.
    fn matching(
        &self,
        memberships: &[(Uuid, types::Membership)],
    ) -> (Vec<Uuid>, Vec<types::MappingEntry>) {
        let mut seen = HashSet::new();
        let mut matching = Vec::new();
        for (at, (group, membership)) in memberships.iter().enumerate() {
            let external_id = membership.group_external_id.as_deref();
            let rows = self
                .matcher
                .places(*group, &membership.group_name, external_id);
            // Two users in one group, or one who left it and another who did not.
            let first = rows.filter(|row| seen.insert((*row, *group)));
            matching.extend(first.map(|row| (row, at)));
        }
        matching.sort_unstable();
        matching
            .into_iter()
            .filter_map(|(row, at)| {
                let entry = &self.mapping[row];
                let told = types::MappingEntry {
                    membership: place(at),
                    kind: kind(entry.kind),
                    target: self.targets[row]?,
                    position: place(row),
                };
                Some((entry.id, told))
            })
            .unzip()
    }
}

/// A place as the contract has it. No list comes near the limit.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The place in the catalogue of what each entry gives. The catalogue has it: neither is stored
/// without a look at the other.
fn targets(mapping: &[MappingEntry], catalogue: &types::Catalogue) -> Vec<Option<u32>> {
    let base_roles = catalogue.base_roles.iter().map(|role| &role.name).zip(0..);
    let custom_roles = catalogue
        .custom_roles
        .iter()
        .map(|role| &role.name)
        .zip(0..);
    let seats = catalogue.seat_types.iter().map(|seat| &seat.name).zip(0..);
    let places: HashMap<(GrantKind, &str), u32> = base_roles
        .map(|(name, place)| ((GrantKind::BaseRole, name.as_str()), place))
        .chain(custom_roles.map(|(name, place)| ((GrantKind::CustomRole, name.as_str()), place)))
        .chain(seats.map(|(name, place)| ((GrantKind::Seat, name.as_str()), place)))
        .collect();
    mapping
        .iter()
        .map(|entry| places.get(&(entry.kind, entry.target.as_str())).copied())
        .collect()
}

fn attributes(flat: Vec<(String, Scalar)>) -> Vec<types::Attribute> {
    let told = |(name, value)| types::Attribute {
        name,
        value: attribute(value),
    };
    flat.into_iter().map(told).collect()
}

fn attribute(value: Scalar) -> types::AttributeValue {
    match value {
        Scalar::Text(text) => types::AttributeValue::Text(text),
        Scalar::Truth(truth) => types::AttributeValue::Truth(truth),
        Scalar::Integer(number) => types::AttributeValue::Integer(number),
        Scalar::Decimal(number) => types::AttributeValue::Decimal(number),
        Scalar::Json(text) => types::AttributeValue::Json(text),
    }
}

/// What the account has, each with the first place of its entry among those that match.
fn grants(assignment: Option<&AssignmentRecord>, entries: &[Uuid]) -> Vec<types::Grant> {
    let Some(assignment) = assignment else {
        return Vec::new();
    };
    // From the end, so that the first place is what remains.
    let places: HashMap<Uuid, u32> = (entries.iter().enumerate().rev())
        .map(|(index, id)| (*id, place(index)))
        .collect();
    let told = |grant: &GrantRecord| types::Grant {
        kind: kind(grant.kind),
        name: grant.name.clone(),
        origin: grant.origin.name().into(),
        is_mapped: grant.mapping_entry.is_some(),
        mapping_entry: grant.mapping_entry.and_then(|id| places.get(&id).copied()),
        reason: grant.reason.clone(),
        since: grant.since.0,
        extra: Vec::new(),
    };
    assignment.grants.iter().map(told).collect()
}

/// What each lifecycle policy said last.
fn lifecycle_reasons(assignment: Option<&AssignmentRecord>) -> Vec<types::NamedValue> {
    let reasons = assignment.map_or(&[][..], |stored| &stored.lifecycle_reasons);
    let told = |reason: &String| types::NamedValue {
        name: "lifecycle-reason".to_owned(),
        value: reason.clone(),
    };
    reasons.iter().map(told).collect()
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
