//! The mapping: the organization's own table of which group gives which role or seat.

use super::catalogue::{self, kind_name};
use crate::clock::{Random, Timestamp};
use crate::ledger::{Committed, change};
use crate::model::access::{
    GrantKind, GroupSelector, MappingEntry, MappingRecord, Mappings, Spread,
};
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// More entries than this are refused: each decision looks through them.
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
        check(change.tx, &entries)?;
        let before = load(change.tx)?;
        let after = MappingRecord {
            entries: entries
                .iter()
                .map(|new| {
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
                })
                .collect(),
        };
        if after.entries != before.entries {
            change.tx.put::<Mappings>(&(), &after)?;
            change.event("mapping.changed", json!({ "entries": after.entries.len() }))?;
            change.spread(Spread::Everybody)?;
        }
        Ok(after)
    })
}

fn check(reader: &impl Read<OrganizationScope>, entries: &[NewEntry]) -> Result<(), MappingError> {
    if entries.len() > MAX_ENTRIES {
        return Err(MappingError::TooMany(entries.len()));
    }
    let catalogue = catalogue::load(reader)?;
    let mut seen = std::collections::HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let group = match &entry.group {
            GroupSelector::Id(id) => id.to_string(),
            GroupSelector::Name(name) => name.clone(),
            GroupSelector::ExternalId(id) => id.clone(),
        };
        if group.trim().is_empty() {
            return Err(MappingError::EmptyGroup(place));
        }
        if !catalogue::has(&catalogue, entry.kind, &entry.target) {
            return Err(MappingError::UnknownTarget {
                place,
                kind: kind_name(entry.kind),
                target: entry.target.clone(),
                known: catalogue::names(&catalogue, entry.kind).join(", "),
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

/// Whether a mapping entry is about this group.
#[must_use]
pub fn matches(entry: &MappingEntry, id: Uuid, name: &str, external_id: Option<&str>) -> bool {
    match &entry.group {
        GroupSelector::Id(wanted) => *wanted == id,
        GroupSelector::Name(wanted) => wanted.to_lowercase() == name.to_lowercase(),
        GroupSelector::ExternalId(wanted) => external_id == Some(wanted),
    }
}
