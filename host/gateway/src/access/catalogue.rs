//! The application's catalogue: what can be granted.

use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::{
    BaseRole, Catalogue, Catalogues, GrantKind, MappingEntry, MappingRecord, Mappings, SeatType,
    Spread, WhenFull,
};
use gatewright_sandbox::types;
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError};
use serde_json::json;
use std::collections::HashSet;

/// The catalogue that holds where none was set.
#[must_use]
pub fn shipped() -> Catalogue {
    let base = |name: &str, default| BaseRole {
        name: name.into(),
        default,
    };
    let seat = |name: &str, default| SeatType {
        name: name.into(),
        capacity: None,
        when_full: WhenFull::default(),
        default,
    };
    Catalogue {
        base_roles: vec![
            base("Owner", false),
            base("Admin", false),
            base("Standard", true),
            base("Viewer", false),
        ],
        custom_roles: Vec::new(),
        seat_types: vec![
            seat("viewer", true),
            seat("responder", false),
            seat("on-call", false),
        ],
    }
}

/// The organization's catalogue.
///
/// # Errors
/// What the store says.
pub fn load(reader: &impl Read<OrganizationScope>) -> Result<Catalogue, StoreError> {
    Ok(reader.get::<Catalogues>(&())?.unwrap_or_else(shipped))
}

/// Why a catalogue was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It contradicts itself.
    #[error("{field}: {problem}")]
    Invalid {
        /// A path into the catalogue.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// Something that mapping entries give would be gone.
    #[error("{kind} \"{name}\" is given by {entries} mapping entries: change the mapping first")]
    InUse {
        /// What it is, in words.
        kind: &'static str,
        /// Its name.
        name: String,
        /// How many entries give it.
        entries: usize,
    },
    /// The store failed.
    #[error("the catalogue could not be stored")]
    Store(#[from] StoreError),
}

/// Replaces the catalogue. Everybody is decided anew.
///
/// # Errors
/// Where the catalogue contradicts itself, or the mapping gives what it would no longer have.
pub fn replace(
    organization: &Organization,
    at: Timestamp,
    catalogue: Catalogue,
) -> Result<Committed<()>, WriteError<CatalogueError>> {
    change(organization, at, move |change: &mut Change<'_, '_>| {
        check(&catalogue)?;
        let mapping = change.tx.get::<Mappings>(&())?.unwrap_or_default();
        check_mapping(&catalogue, &mapping)?;
        if put(change, &catalogue)? {
            change.spread(Spread::Everybody)?;
        }
        Ok(())
    })
}

/// Stores a catalogue, and says whether it is another than before. Who is concerned is for the
/// caller to mark.
///
/// # Errors
/// What the store says.
pub fn put(change: &mut Change<'_, '_>, catalogue: &Catalogue) -> Result<bool, StoreError> {
    if load(change.tx)? == *catalogue {
        return Ok(false);
    }
    change.tx.put::<Catalogues>(&(), catalogue)?;
    change.event("catalogue.changed", json!({}))?;
    Ok(true)
}

/// Whether the catalogue has all that the mapping gives.
///
/// # Errors
/// [`CatalogueError::InUse`] with the first thing that it lacks.
pub fn check_mapping(catalogue: &Catalogue, mapping: &MappingRecord) -> Result<(), CatalogueError> {
    let lacks = |entry: &&MappingEntry| !has(catalogue, entry.kind, &entry.target);
    let Some(entry) = mapping.entries.iter().find(lacks) else {
        return Ok(());
    };
    let same = |other: &&MappingEntry| (other.kind, &other.target) == (entry.kind, &entry.target);
    Err(CatalogueError::InUse {
        kind: kind_name(entry.kind),
        name: entry.target.clone(),
        entries: mapping.entries.iter().filter(same).count(),
    })
}

/// Whether a catalogue can be one.
///
/// # Errors
/// [`CatalogueError::Invalid`] where it contradicts itself.
pub fn check(catalogue: &Catalogue) -> Result<(), CatalogueError> {
    let invalid = |field: String, problem: &str| {
        Err(CatalogueError::Invalid {
            field,
            problem: problem.to_owned(),
        })
    };
    if catalogue.base_roles.is_empty() {
        return invalid("base_roles".into(), "is empty: give at least one base role");
    }
    let lists: [(&str, Vec<(&str, bool)>); 3] = [
        (
            "base_roles",
            catalogue
                .base_roles
                .iter()
                .map(|role| (role.name.as_str(), role.default))
                .collect(),
        ),
        (
            "custom_roles",
            catalogue
                .custom_roles
                .iter()
                .map(|role| (role.name.as_str(), false))
                .collect(),
        ),
        (
            "seat_types",
            catalogue
                .seat_types
                .iter()
                .map(|seat| (seat.name.as_str(), seat.default))
                .collect(),
        ),
    ];
    for (list, items) in lists {
        let mut names = HashSet::new();
        let mut defaults = 0;
        for (place, (name, default)) in items.into_iter().enumerate() {
            let field = format!("{list}[{place}].name");
            if name.trim().is_empty() || name.trim() != name {
                return invalid(field, "must not be empty, nor begin or end with a space");
            }
            if !names.insert(name) {
                return invalid(field, "is there twice: names are unique");
            }
            defaults += usize::from(default);
        }
        if defaults > 1 {
            return invalid(list.into(), "has more than one default: mark at most one");
        }
    }
    Ok(())
}

/// Whether the catalogue has such a role or seat.
#[must_use]
pub fn has(catalogue: &Catalogue, kind: GrantKind, name: &str) -> bool {
    match kind {
        GrantKind::BaseRole => catalogue.base_roles.iter().any(|role| role.name == name),
        GrantKind::CustomRole => catalogue.custom_roles.iter().any(|role| role.name == name),
        GrantKind::Seat => catalogue.seat_types.iter().any(|seat| seat.name == name),
    }
}

/// The names of the catalogue's things of one kind, for an error that offers them.
#[must_use]
pub fn names(catalogue: &Catalogue, kind: GrantKind) -> Vec<String> {
    match kind {
        GrantKind::BaseRole => catalogue
            .base_roles
            .iter()
            .map(|r| r.name.clone())
            .collect(),
        GrantKind::CustomRole => catalogue
            .custom_roles
            .iter()
            .map(|r| r.name.clone())
            .collect(),
        GrantKind::Seat => catalogue
            .seat_types
            .iter()
            .map(|s| s.name.clone())
            .collect(),
    }
}

/// The kind in words.
#[must_use]
pub fn kind_name(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::BaseRole => "base role",
        GrantKind::CustomRole => "custom role",
        GrantKind::Seat => "seat",
    }
}

/// The catalogue as the plugin contract has it.
#[must_use]
pub fn for_plugins(catalogue: &Catalogue) -> types::Catalogue {
    types::Catalogue {
        base_roles: catalogue
            .base_roles
            .iter()
            .zip(1..)
            .map(|(role, rank)| types::BaseRole {
                name: role.name.clone(),
                rank,
                is_default: role.default,
            })
            .collect(),
        custom_roles: catalogue
            .custom_roles
            .iter()
            .map(|role| types::CustomRole {
                name: role.name.clone(),
                permissions: role.permissions.clone(),
            })
            .collect(),
        seat_types: catalogue
            .seat_types
            .iter()
            .map(|seat| types::SeatType {
                name: seat.name.clone(),
                capacity: seat.capacity,
                is_default: seat.default,
            })
            .collect(),
    }
}
