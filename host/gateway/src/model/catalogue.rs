//! Versions of the catalogue, and the one that organizations follow.

use super::access::Catalogue;
use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, SystemScope, json_table};
use serde::{Deserialize, Serialize};

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
