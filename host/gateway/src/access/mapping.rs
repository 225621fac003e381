//! The mapping: the organization's own table of which group gives which role or seat.

use super::catalogue::{self, kind_name};
use super::pins;
use crate::clock::{Random, Timestamp};
use crate::ledger::{Change, Committed, change};
use crate::model::access::GrantKind;
use crate::model::catalogue::Catalogue;
use crate::model::mapping::{GroupSelector, MappingEntry, MappingRecord, Mappings};
use crate::model::spread::Spread;
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// More entries than this are refused: each step of the reconciler reads them.
pub const MAX_ENTRIES: usize = 5_000;

/// A row as the administrator writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEntry {
    /// `{"name": ...}`, `{"id": ...}` or `{"external_id": ...}`.
    pub group: GroupSelector,
    /// What it gives.
    pub kind: GrantKind,
    /// The name of the role or seat in the catalogue.
    pub target: String,
}

/// Why a mapping was not stored.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// An entry names something that the catalogue does not have.
    #[error("entries[{place}].target: the catalogue has no {kind} \"{target}\"; it has: {known}")]
    UnknownTarget {
        /// The entry's place, from 0.
        place: usize,
        /// What it is, in words.
        kind: &'static str,
        /// What was asked for.
        target: String,
        /// What there is.
        known: String,
    },
    /// An entry names no group.
    #[error("entries[{0}].group: must not be empty")]
    EmptyGroup(usize),
    /// Two entries say the same.
    #[error("entries[{second}] says the same as entries[{first}]: remove one")]
    Twice {
        /// The first one's place.
        first: usize,
        /// The second one's place.
        second: usize,
    },
    /// Too many.
    #[error("entries: {0} are too many; at most {MAX_ENTRIES}")]
    TooMany(usize),
    /// There is no such entry.
    #[error("mapping entry \"{0}\" does not exist")]
    NoEntry(Uuid),
    /// There is no such group.
    #[error("group: \"{0}\" does not exist")]
    NoGroup(Uuid),
    /// An entry names its group by the id, so that there is nothing to pin.
    #[error("mapping entry \"{0}\" names its group by the id: replace the mapping instead")]
    ById(Uuid),
    /// The store failed.
    #[error("the mapping could not be stored")]
    Store(#[from] StoreError),
}

/// The organization's mapping.
///
/// # Errors
/// What the store says.
pub fn load(reader: &impl Read<OrganizationScope>) -> Result<MappingRecord, StoreError> {
    Ok(reader.get::<Mappings>(&())?.unwrap_or_default())
}

/// The entries of the mapping as they are matched: each group by its id, where it has come.
///
/// # Errors
/// What the store says.
pub fn resolved(reader: &impl Read<OrganizationScope>) -> Result<Vec<MappingEntry>, StoreError> {
    pins::resolve(reader, &load(reader)?.entries, &HashMap::new())
}

/// Replaces the mapping. An entry that says what one said before keeps its id. Everybody is
/// decided anew.
///
/// # Errors
/// Where an entry is wrong; nothing is stored then.
pub fn replace(
    organization: &Organization,
    at: Timestamp,
    random: &Random,
    entries: Vec<NewEntry>,
) -> Result<Committed<MappingRecord>, WriteError<MappingError>> {
    let random = random.clone();
    change(organization, at, move |change| {
        let catalogue = catalogue::load(change.tx)?;
        let after = prepare(change.tx, &catalogue, &entries, &random, at)?;
        if put(change, &after)? {
            change.spread(Spread::Everybody)?;
        }
        Ok(after)
    })
}

/// The mapping that these rows make, beside this catalogue. An entry that says what one says now
/// has that one's id.
///
/// # Errors
/// Where an entry is wrong.
pub fn prepare(
    reader: &impl Read<OrganizationScope>,
    catalogue: &Catalogue,
    entries: &[NewEntry],
    random: &Random,
    at: Timestamp,
) -> Result<MappingRecord, MappingError> {
    check(catalogue, entries)?;
    let before = load(reader)?;
    let made = entries.iter().map(|new| {
        let same = |old: &&MappingEntry| {
            old.group == new.group && old.kind == new.kind && old.target == new.target
        };
        let id = before.entries.iter().find(same).map(|old| old.id);
        MappingEntry {
            id: id.unwrap_or_else(|| random.id(at)),
            group: new.group.clone(),
            kind: new.kind,
            target: new.target.clone(),
        }
    });
    Ok(MappingRecord {
        entries: made.collect(),
    })
}

/// Stores a mapping, and says whether it is another than before. Who is concerned is for the caller
/// to mark.
///
/// # Errors
/// What the store says.
pub fn put(change: &mut Change<'_, '_>, after: &MappingRecord) -> Result<bool, StoreError> {
    if load(change.tx)?.entries == after.entries {
        return Ok(false);
    }
    change.tx.put::<Mappings>(&(), after)?;
    pins::follow(change, &after.entries)?;
    change.event("mapping.changed", json!({ "entries": after.entries.len() }))?;
    Ok(true)
}

fn check(catalogue: &Catalogue, entries: &[NewEntry]) -> Result<(), MappingError> {
    if entries.len() > MAX_ENTRIES {
        return Err(MappingError::TooMany(entries.len()));
    }
    let mut seen = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let group = match &entry.group {
            GroupSelector::Id(id) => id.to_string(),
            GroupSelector::Name(name) => name.clone(),
            GroupSelector::ExternalId(id) => id.clone(),
        };
        if group.trim().is_empty() {
            return Err(MappingError::EmptyGroup(place));
        }
        if !catalogue::has(catalogue, entry.kind, &entry.target) {
            return Err(MappingError::UnknownTarget {
                place,
                kind: kind_name(entry.kind),
                target: entry.target.clone(),
                known: catalogue::names(catalogue, entry.kind).join(", "),
            });
        }
        let key = (
            std::mem::discriminant(&entry.group),
            group,
            entry.kind,
            &entry.target,
        );
        if let Some(first) = seen.insert(key, place) {
            return Err(MappingError::Twice {
                first,
                second: place,
            });
        }
    }
    Ok(())
}

/// Finds the entries that are about a group, by looking up and not by looking through: with 50
/// groups and 5,000 entries that is the difference between 150 steps and 250,000.
pub struct Matcher<'a> {
    by_id: HashMap<Uuid, Vec<usize>>,
    /// In lower case.
    by_name: HashMap<String, Vec<usize>>,
    by_external_id: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Matcher<'a> {
    /// Costs a step for each entry.
    pub fn new(entries: impl IntoIterator<Item = &'a MappingEntry>) -> Self {
        let mut matcher = Self {
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            by_external_id: HashMap::new(),
        };
        for (place, entry) in entries.into_iter().enumerate() {
            let places = match &entry.group {
                GroupSelector::Id(id) => matcher.by_id.entry(*id).or_default(),
                GroupSelector::Name(name) => {
                    matcher.by_name.entry(name.to_lowercase()).or_default()
                }
                GroupSelector::ExternalId(id) => matcher.by_external_id.entry(id).or_default(),
            };
            places.push(place);
        }
        matcher
    }

    /// The places of the entries that are about this group, each once. Costs three look-ups and a
    /// step for each of them.
    pub fn places(
        &self,
        id: Uuid,
        name: &str,
        external_id: Option<&str>,
    ) -> impl Iterator<Item = usize> {
        let by_external_id = external_id.and_then(|id| self.by_external_id.get(id));
        [
            self.by_id.get(&id),
            self.by_name.get(&name.to_lowercase()),
            by_external_id,
        ]
        .into_iter()
        .flatten()
        .flatten()
        .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_id_by_name_whatever_the_case_and_by_external_id() {
        let id = Uuid::from_u128(7);
        let selectors = [
            GroupSelector::Id(id),
            GroupSelector::Name("Straße".to_owned()),
            GroupSelector::ExternalId("x-1".to_owned()),
            GroupSelector::Id(Uuid::from_u128(8)),
            GroupSelector::Name("STRASSE".to_owned()),
            GroupSelector::ExternalId("X-1".to_owned()),
            GroupSelector::Name("STRAßE".to_owned()),
        ];
        let entries = selectors.map(|group| MappingEntry {
            id: Uuid::nil(),
            group,
            kind: GrantKind::Seat,
            target: "Full".to_owned(),
        });
        let matcher = Matcher::new(&entries);
        let places = |id, name, external_id| {
            let mut places: Vec<_> = matcher.places(id, name, external_id).collect();
            places.sort_unstable();
            places
        };
        assert_eq!(places(id, "straße", Some("x-1")), [0, 1, 2, 6]);
        assert_eq!(places(id, "other", None), [0]);
        assert!(places(Uuid::nil(), "other", Some("x-2")).is_empty());
    }
}
