//! The catalogue: what the application has to give, its versions, and the one that organizations follow.

use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, SystemScope, json_table};
use serde::{Deserialize, Serialize};

/// Base roles in rank order, custom roles and seat types: what the application has to give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The highest first.
    pub base_roles: Vec<BaseRole>,
    /// Roles made of permissions.
    #[serde(default)]
    pub custom_roles: Vec<CustomRole>,
    /// Licence seats.
    #[serde(default)]
    pub seat_types: Vec<SeatType>,
}

/// A base role. Its rank is its place in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseRole {
    /// Its name.
    pub name: String,
    /// Whether accounts that nothing gives a role have this one.
    #[serde(default)]
    pub default: bool,
}

/// A role made of named permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRole {
    /// Its name.
    pub name: String,
    /// What it allows, in the application's own names.
    #[serde(default)]
    pub permissions: Vec<String>,
}

/// What becomes of an account that is to have a seat of which all are taken. Nobody who has one
/// loses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// It gets none, not even when one is free again, before it is decided anew.
    Refuse,
    /// It waits, and gets the next that is free, in the order of waiting.
    #[default]
    Wait,
    /// It gets one beyond the capacity, and an alert says so.
    Overflow,
}

/// A kind of licence seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatType {
    /// Its name.
    pub name: String,
    /// How many there are; none: no limit.
    #[serde(default)]
    pub capacity: Option<u32>,
    /// What becomes of who is to have one when all are taken.
    #[serde(default)]
    pub when_full: WhenFull,
    /// Whether accounts that nothing gives a seat have this one.
    #[serde(default)]
    pub default: bool,
}

/// A catalogue as it was from some time on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CatalogueVersionRecord {
    /// The whole of it.
    pub catalogue: Catalogue,
    /// Since when.
    pub at: Timestamp,
    /// The version of the default catalogue that it is a copy of; none: the organization's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<u64>,
}

/// Where an organization's catalogue comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowingRecord {
    /// Whether it has one of its own.
    pub own: bool,
    /// The version of the default catalogue that it has come to, or could not take; 0: the one that
    /// the gateway is shipped with.
    pub default: u64,
}

json_table! {
    /// The catalogue: one row, or none where the default holds.
    pub struct Catalogues = 126, "catalogue", OrganizationScope, () => Catalogue;
}
json_table! {
    /// The default catalogue that the operator set, by version.
    pub struct DefaultCatalogues = 60, "default catalogues", SystemScope, u64 => CatalogueVersionRecord;
}
json_table! {
    /// The catalogues that an organization has had, by version.
    pub struct CatalogueVersions = 160, "catalogue versions", OrganizationScope, u64 => CatalogueVersionRecord;
}
json_table! {
    /// Where the catalogue comes from: one row, or none where it is the default one.
    pub struct Following = 168, "catalogue followed", OrganizationScope, () => FollowingRecord;
}
