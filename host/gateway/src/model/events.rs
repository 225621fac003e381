//! The event log and the revision: what the application is told, in order.

use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Where an event is in its organization's log: the revision that it belongs to, and its place
/// among that revision's events.
pub type EventKey = (u64, u32);

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    /// When it was committed.
    pub at: Timestamp,
    /// What it is: `user.created`, `grant.added`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The particulars.
    pub data: Value,
    /// The identity provider's request that it follows from, by its id in the log of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Uuid>,
}

json_table! {
    /// The event log, in order.
    pub struct Events = 130, "events", OrganizationScope, EventKey => EventRecord;
}
json_table! {
    /// The organization's revision: one row.
    pub struct Revision = 131, "revision", OrganizationScope, () => u64;
}
