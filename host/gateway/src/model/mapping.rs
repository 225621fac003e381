//! The mapping: which group gives which role or seat, and which groups are meant.

use super::access::GrantKind;
use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An organization's mapping: which group gives which role or seat.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MappingRecord {
    /// In the administrator's order.
    pub entries: Vec<MappingEntry>,
}

/// One row of the mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingEntry {
    /// Its id, kept while the row says the same.
    pub id: Uuid,
    /// Which group.
    pub group: GroupSelector,
    /// What it gives.
    pub kind: GrantKind,
    /// The name of the role or seat in the catalogue.
    pub target: String,
}

/// How a mapping entry names its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSelector {
    /// By SCIM `id`.
    Id(Uuid),
    /// By `displayName`, without regard to case.
    Name(String),
    /// By `externalId`.
    ExternalId(String),
}

/// Which group a mapping entry means that names it by what a group can change or another one can
/// have: one for all entries that name it so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// The group that matched first, or that a person chose: its directory and id. It may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<(Uuid, Uuid)>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Groups among which a person has to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<(Uuid, Uuid)>,
}

json_table! {
    /// Pins, by how the group is named: 0 and the name in lower case, or 1 and the external id.
    pub struct Pins = 169, "pins of the mapping", OrganizationScope, (u8, String) => PinRecord;
}

json_table! {
    /// The mapping: one row.
    pub struct Mappings = 125, "mapping", OrganizationScope, () => MappingRecord;
}
