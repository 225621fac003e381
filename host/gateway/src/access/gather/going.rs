//! Memberships that have ended and whose end the reconciler has yet to tell, since it goes through
//! wide changes step by step. Until then they count: a policy that neither sees them nor is told of
//! the end could give no grace.

use crate::clock::Timestamp;
use crate::model::facts::{Concerned, MEMBERS_BY_USER, Members};
use crate::model::spread::{LostGroup, Spread, SpreadRecord, Spreads};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// The wide changes of one snapshot that end memberships. Mostly there are none.
pub(super) struct Going {
    spreads: Vec<((u64, u32), SpreadRecord)>,
    /// Where each deleted group is among them.
    deleted: HashMap<Uuid, usize>,
}

impl Going {
    pub(super) fn read(reader: &impl Read<OrganizationScope>) -> Result<Self, StoreError> {
        let mut spreads = Vec::new();
        let mut deleted = HashMap::new();
        for row in reader.scan::<Spreads>(Range::all())? {
            let (key, record) = row?;
            match &record.cause {
                Spread::GroupDeleted { group, .. } => _ = deleted.insert(*group, spreads.len()),
                Spread::GroupsLost { .. } | Spread::UsersLost { .. } => {}
                _ => continue,
            }
            spreads.push((key, record));
        }
        Ok(Self { spreads, deleted })
    }

    /// The last name and external id of a group whose deletion spreads to its members.
    pub(super) fn deleted(&self, group: Uuid) -> Option<(&str, Option<&str>)> {
        let place = self.deleted.get(&group)?;
        match &self.spreads[*place].1.cause {
            Spread::GroupDeleted {
                name, external_id, ..
            } => Some((name, external_id.as_deref())),
            _ => None,
        }
    }

    /// The groups that a user was in through others, where it is to be told yet that this ended, and
    /// since when it was. Costs nothing while no such change spreads, else a look for each of the
    /// user's groups and each of these changes.
    pub(super) fn of(
        &self,
        reader: &impl Read<OrganizationScope>,
        user: Uuid,
    ) -> Result<Vec<(&LostGroup, Timestamp)>, StoreError> {
        if self.spreads.is_empty() {
            return Ok(Vec::new());
        }
        let mut groups = Vec::new();
        for row in reader.index_scan(&MEMBERS_BY_USER, Range::prefix(&user))? {
            let (_, key) = row?;
            if let Some(member) = reader.get::<Members>(&key)? {
                groups.push((key.0, member.since));
            }
        }
        let mut found = Vec::new();
        for (key, record) in &self.spreads {
            let is_ahead = record.done.is_none_or(|done| user > done);
            match &record.cause {
                Spread::GroupDeleted { group, lost, .. } => {
                    // The row of a membership goes when its end is told.
                    let of = groups.iter().filter(|(one, _)| one == group);
                    found.extend(of.flat_map(|(_, since)| with(lost, *since)));
                }
                Spread::GroupsLost { lost, at, .. } => {
                    let first = || -> Result<Option<Uuid>, StoreError> {
                        let row = reader.keys::<Concerned>(Range::prefix(key))?.next();
                        Ok(row.transpose()?.map(|place| place.2))
                    };
                    for (group, since) in groups.iter().filter(|(_, since)| since <= at) {
                        let place = (key.0, key.1, *group);
                        let Some(concerned) = reader.get::<Concerned>(&place)? else {
                            continue;
                        };
                        // Only the first of them has been begun.
                        if is_ahead || first()? != Some(*group) {
                            found.extend(with(lost, concerned.since.max(*since)));
                        }
                    }
                }
                Spread::UsersLost { users, lost, .. } if is_ahead => {
                    let leaver = users.binary_search_by_key(&user, |leaver| leaver.user);
                    if let Ok(place) = leaver {
                        found.extend(with(lost, users[place].since));
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn with(lost: &[LostGroup], since: Timestamp) -> impl Iterator<Item = (&LostGroup, Timestamp)> {
    lost.iter().map(move |one| (one, since.max(one.since)))
}
