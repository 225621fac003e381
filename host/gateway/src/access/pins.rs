//! Pins: which group an entry of the mapping means that names it by name or external id.
//!
//! The first group that matches is the one, and stays it: a rename takes nobody's role away. Where
//! several match at first, or the one is gone and another has its name, nothing is guessed: the entry
//! gives nothing more, and a person chooses.

use super::mapping::{self, MappingError};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::facts::{
    GROUPS_BY_EXTERNAL_ID, GROUPS_BY_NAME, GroupRecord, Groups, ResourceKey, text,
};
use crate::model::mapping::{GroupSelector, MappingEntry, PinRecord, Pins};
use crate::model::spread::Spread;
use crate::model::tenancy::Directories;
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// How many groups are listed for a person to choose from.
const CANDIDATES: usize = 20;

/// How a group is named, as the key of its pin; none where it is by its id, which never changes.
#[must_use]
pub fn key(group: &GroupSelector) -> Option<(u8, String)> {
    match group {
        GroupSelector::Id(_) => None,
        GroupSelector::Name(name) => Some((0, name.to_lowercase())),
        GroupSelector::ExternalId(id) => Some((1, id.clone())),
    }
}

/// The entries with each group by its id, as they are matched. One whose group has not come yet
/// stays as it is, and one whose group a person has to choose means none. `chosen` goes before what
/// is stored. An entry that was not stored yet is pinned as it would be: costs a look for each
/// directory.
///
/// # Errors
/// What the store says.
pub fn resolve(
    reader: &impl Read<OrganizationScope>,
    entries: &[MappingEntry],
    chosen: &HashMap<(u8, String), Uuid>,
) -> Result<Vec<MappingEntry>, StoreError> {
    let mut known: HashMap<(u8, String), Option<Uuid>> = HashMap::new();
    for row in reader.scan::<Pins>(Range::all())? {
        let (key, pin) = row?;
        known.insert(key, means(&pin));
    }
    known.extend(
        chosen
            .iter()
            .map(|(key, group)| (key.clone(), Some(*group))),
    );
    let mut resolved = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut entry = entry.clone();
        if let Some(key) = key(&entry.group) {
            let group = match known.get(&key) {
                Some(known) => *known,
                None => {
                    let found = means(&first(reader, &key, Timestamp(0))?);
                    known.insert(key, found);
                    found
                }
            };
            if let Some(group) = group {
                entry.group = GroupSelector::Id(group);
            }
        }
        resolved.push(entry);
    }
    Ok(resolved)
}

/// The group that a name means; nil where a person has to choose, none where there is none yet.
fn means(pin: &PinRecord) -> Option<Uuid> {
    match pin.group {
        Some((_, group)) => Some(group),
        None if pin.candidates.is_empty() => None,
        None => Some(Uuid::nil()),
    }
}

/// The pin of a name that had none: to the group that has it, if there is one and no other.
fn first(
    reader: &impl Read<OrganizationScope>,
    key: &(u8, String),
    at: Timestamp,
) -> Result<PinRecord, StoreError> {
    let index = if key.0 == 0 {
        &GROUPS_BY_NAME
    } else {
        &GROUPS_BY_EXTERNAL_ID
    };
    let mut candidates = Vec::new();
    for directory in reader.keys::<Directories>(Range::all())? {
        let wanted = (directory?, key.1.clone());
        let left = CANDIDATES - candidates.len();
        for row in reader.index_scan(index, Range::prefix(&wanted))?.take(left) {
            candidates.push(row?.1);
        }
    }
    Ok(match candidates[..] {
        [group] => PinRecord {
            group: Some(group),
            at: Some(at),
            candidates: Vec::new(),
        },
        _ => PinRecord {
            candidates,
            ..PinRecord::default()
        },
    })
}

/// Gives the names of a new mapping their pins, and forgets those of names that it does not have.
///
/// # Errors
/// What the store says.
pub fn follow(change: &mut Change<'_, '_>, entries: &[MappingEntry]) -> Result<(), StoreError> {
    let wanted: HashSet<(u8, String)> = entries.iter().filter_map(|it| key(&it.group)).collect();
    let known: Vec<(u8, String)> = change
        .tx
        .keys::<Pins>(Range::all())?
        .collect::<Result<_, _>>()?;
    for key in known.iter().filter(|key| !wanted.contains(key)) {
        change.tx.delete::<Pins>(key)?;
    }
    let known: HashSet<(u8, String)> = known.into_iter().collect();
    let mut new: Vec<(u8, String)> = wanted.difference(&known).cloned().collect();
    new.sort_unstable();
    for key in new {
        let pin = first(change.tx, &key, change.at())?;
        put(change, &key, &pin)?;
    }
    Ok(())
}

/// A group came, or is called otherwise now: where it is the first one that an entry of the mapping
/// names, it is the one from now on; where that one is gone, it is proposed. Costs two looks where
/// the mapping does not name it.
///
/// # Errors
/// What the store says.
pub fn group_named(
    change: &mut Change<'_, '_>,
    group: ResourceKey,
    record: &GroupRecord,
) -> Result<(), StoreError> {
    let name = text(&record.document, "displayName").map(|name| (0, name.to_lowercase()));
    let external_id = text(&record.document, "externalId").map(|id| (1, id.to_owned()));
    for key in name.into_iter().chain(external_id) {
        let Some(mut pin) = change.tx.get::<Pins>(&key)? else {
            continue;
        };
        if pin.group == Some(group) || pin.candidates.contains(&group) {
            continue;
        }
        match pin.group {
            None if pin.candidates.is_empty() => {
                pin.group = Some(group);
                pin.at = Some(change.at());
            }
            Some(present) if change.tx.contains::<Groups>(&present)? => continue,
            _ if pin.candidates.len() >= CANDIDATES => continue,
            Some(_) | None => pin.candidates.push(group),
        }
        put(change, &key, &pin)?;
    }
    Ok(())
}

fn put(change: &mut Change<'_, '_>, key: &(u8, String), pin: &PinRecord) -> Result<(), StoreError> {
    let before = change.tx.get::<Pins>(key)?;
    change.tx.put::<Pins>(key, pin)?;
    let by = if key.0 == 0 { "name" } else { "external_id" };
    let ids = |groups: &[ResourceKey]| -> Vec<Uuid> { groups.iter().map(|it| it.1).collect() };
    if before.is_some_and(|before| before.group == pin.group) && !pin.candidates.is_empty() {
        let data = json!({ by: key.1, "candidates": ids(&pin.candidates) });
        return change.event("mapping.pin_proposed", data);
    }
    match pin.group {
        Some((_, group)) => change.event("mapping.pinned", json!({ by: key.1, "group": group })),
        None if pin.candidates.is_empty() => Ok(()),
        None => {
            let data = json!({ by: key.1, "candidates": ids(&pin.candidates) });
            change.event("mapping.pin_proposed", data)
        }
    }
}

/// Says which group an entry of the mapping means. Who is in it, and who was in the one before, is
/// decided anew.
///
/// # Errors
/// Where there is no such entry or group, or the entry names its group by the id.
pub fn choose(
    organization: &Organization,
    at: Timestamp,
    entry: Uuid,
    group: Uuid,
) -> Result<Committed<()>, WriteError<MappingError>> {
    change(organization, at, move |change| {
        let entries = mapping::load(change.tx)?.entries;
        let key = check(change.tx, &entries, entry, group)?;
        let before = change.tx.get::<Pins>(&key)?.and_then(|pin| pin.group);
        set(change, &key, group)?;
        let after = change.tx.get::<Pins>(&key)?.and_then(|pin| pin.group);
        if before != after {
            for (directory, group) in before.into_iter().chain(after) {
                change.spread(Spread::GroupChanged { directory, group })?;
            }
        }
        Ok(())
    })
}

/// The pin that choosing this group for an entry is about.
///
/// # Errors
/// Where there is no such entry or group, or the entry names its group by the id.
pub fn check(
    reader: &impl Read<OrganizationScope>,
    entries: &[MappingEntry],
    entry: Uuid,
    group: Uuid,
) -> Result<(u8, String), MappingError> {
    let found = entries.iter().find(|one| one.id == entry);
    let found = found.ok_or(MappingError::NoEntry(entry))?;
    let key = key(&found.group).ok_or(MappingError::ById(entry))?;
    locate(reader, group)?.ok_or(MappingError::NoGroup(group))?;
    Ok(key)
}

/// Pins a name to a group that there is. Who is concerned is for the caller to mark.
///
/// # Errors
/// What the store says.
pub fn set(change: &mut Change<'_, '_>, key: &(u8, String), group: Uuid) -> Result<(), StoreError> {
    let Some(found) = locate(change.tx, group)? else {
        return Ok(());
    };
    let before = change.tx.get::<Pins>(key)?.unwrap_or_default();
    if before.group == Some(found) {
        return Ok(());
    }
    let pin = PinRecord {
        group: Some(found),
        at: Some(change.at()),
        candidates: Vec::new(),
    };
    put(change, key, &pin)
}

fn locate(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
) -> Result<Option<ResourceKey>, StoreError> {
    for directory in reader.keys::<Directories>(Range::all())? {
        let key = (directory?, group);
        if reader.contains::<Groups>(&key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
