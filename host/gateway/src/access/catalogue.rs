//! The application's catalogue: what can be granted.

pub mod default;
pub mod usage;
pub mod versions;

use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::GrantKind;
use crate::model::catalogue::{
    BaseRole, Catalogue, Catalogues, CustomRole, Following, FollowingRecord, SeatType, WhenFull,
};
use crate::model::mapping::MappingRecord;
use crate::model::spread::Spread;
use gatewright_sandbox::types;
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError};
use serde::Deserialize;
use std::collections::HashSet;
pub use usage::Use;

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

/// A catalogue as it is written. What was read can be sent back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// The highest first.
    pub base_roles: Vec<BaseRole>,
    /// Roles made of permissions.
    #[serde(default)]
    pub custom_roles: Vec<CustomRole>,
    /// Licence seats.
    #[serde(default)]
    pub seat_types: Vec<SeatType>,
    /// Only to replace this version.
    pub version: Option<u64>,
    /// As it is shown. Who sends a catalogue gives the organization one of its own.
    #[serde(default)]
    pub follows_default: bool,
}

impl From<New> for Catalogue {
    fn from(new: New) -> Self {
        Self {
            base_roles: new.base_roles,
            custom_roles: new.custom_roles,
            seat_types: new.seat_types,
        }
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
    /// Something that is in use would be gone.
    #[error(
        "{} is in use: {}. Change the mapping first, or see by a plan what would become of them \
         (`gatewright plan --catalogue FILE --mapping FILE`)",
        .0.first().map_or_else(String::new, Use::thing),
        .0.first().map_or_else(String::new, Use::users)
    )]
    InUse(Vec<Use>),
    /// Somebody else changed it meanwhile.
    #[error("version: the catalogue is at version {present} by now, not {wanted}: read it again")]
    Changed {
        /// The version that it has.
        present: u64,
        /// The one that was asked for.
        wanted: u64,
    },
    /// The store failed.
    #[error("the catalogue could not be stored")]
    Store(#[from] StoreError),
}

/// Replaces the catalogue by one of the organization's own. Everybody is decided anew.
///
/// # Errors
/// Where it is not at version `wanted` any more, the new one contradicts itself, or the mapping gives
/// or somebody has what it would no longer have.
pub fn replace(
    organization: &Organization,
    at: Timestamp,
    catalogue: Catalogue,
    wanted: Option<u64>,
) -> Result<Committed<u64>, WriteError<CatalogueError>> {
    change(organization, at, move |change: &mut Change<'_, '_>| {
        check_version(change.tx, wanted)?;
        check(&catalogue)?;
        let uses = usage::of_removed(change.tx, &catalogue)?;
        if !uses.is_empty() {
            return Err(CatalogueError::InUse(uses));
        }
        if put(change, &catalogue)? {
            change.spread(Spread::Everybody)?;
        }
        Ok(versions::current(change.tx)?)
    })
}

/// Whether the catalogue is at the version that somebody has seen, if they say one.
///
/// # Errors
/// [`CatalogueError::Changed`] where it is not.
pub fn check_version(
    reader: &impl Read<OrganizationScope>,
    wanted: Option<u64>,
) -> Result<(), CatalogueError> {
    let present = versions::current(reader)?;
    match wanted {
        Some(wanted) if wanted != present => Err(CatalogueError::Changed { present, wanted }),
        Some(_) | None => Ok(()),
    }
}

/// Stores a catalogue of the organization's own, and says whether it is another than before. Who is
/// concerned is for the caller to mark.
///
/// # Errors
/// What the store says.
pub fn put(change: &mut Change<'_, '_>, catalogue: &Catalogue) -> Result<bool, StoreError> {
    if load(change.tx)? == *catalogue {
        return Ok(false);
    }
    let following = FollowingRecord {
        own: true,
        ..change.tx.get::<Following>(&())?.unwrap_or_default()
    };
    change.tx.put::<Following>(&(), &following)?;
    versions::add(change, catalogue, None)?;
    Ok(true)
}

/// Whether the catalogue has all that the mapping gives.
///
/// # Errors
/// [`CatalogueError::InUse`] with the things that it lacks.
pub fn check_mapping(catalogue: &Catalogue, mapping: &MappingRecord) -> Result<(), CatalogueError> {
    let uses = usage::by_mapping(catalogue, mapping);
    if uses.is_empty() {
        Ok(())
    } else {
        Err(CatalogueError::InUse(uses))
    }
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
    for (place, seat) in catalogue.seat_types.iter().enumerate() {
        if seat.capacity.is_none() && seat.when_full != WhenFull::default() {
            return invalid(
                format!("seat_types[{place}].when_full"),
                "says what becomes of a seat that is never full: give it a capacity, or leave this out",
            );
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
