//! Facts: organizations, their directories and credentials, and what identity providers push.

pub mod credentials;
pub mod deleted;
mod edit;
pub mod error;
pub mod groups;
mod identifier;
pub mod inherited;
pub mod list;
pub mod membership;
pub mod nesting;
pub mod organizations;
pub mod requests;
pub mod users;
pub mod version;
pub mod walk;

use crate::clock::{Random, Timestamp};
use crate::model::tenancy::DirectoryRecord;
use gatewright_store::Organization;
use uuid::Uuid;

/// One directory, as a request that was let in sees it.
#[derive(Clone)]
pub struct Directory {
    /// The organization, and nothing beyond it.
    pub organization: Organization,
    /// The directory's id.
    pub id: Uuid,
    /// Its settings.
    pub record: DirectoryRecord,
}

/// Where a write takes its time and ids from.
#[derive(Clone)]
pub struct Moment {
    /// The time of the request.
    pub now: Timestamp,
    /// For the ids of what it creates.
    pub random: Random,
}
