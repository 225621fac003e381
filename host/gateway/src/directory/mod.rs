//! Facts: organizations, their directories and credentials, and what identity providers push.

pub mod credentials;
pub mod deleted;
mod edit;
pub mod erase;
pub mod error;
mod exposed;
pub mod groups;
mod identifier;
pub mod inherited;
pub mod list;
pub mod membership;
pub mod names;
pub mod nesting;
pub mod organizations;
pub mod phases;
pub mod requests;
pub mod schemas;
pub mod users;
pub mod version;
pub mod walk;

use crate::clock::{Random, Timestamp};
use crate::ledger::Cause;
use crate::model::tenancy::DirectoryRecord;
use gatewright_scim::Profile;
use gatewright_store::{Organization, OrganizationScope, Read, StoreError};
use names::GroupNames;
use std::sync::Arc;
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
    /// How what is sent to it is read.
    pub profile: Profile,
    /// What its groups are called, where that is kept between requests. What is only tried out has
    /// revisions that others will have, and keeps nothing.
    pub names: Option<Arc<GroupNames>>,
}

impl Directory {
    /// A directory with the schemas that it declares. `reader` is one of `organization`.
    ///
    /// # Errors
    /// What the store says.
    pub fn new(
        organization: Organization,
        reader: &impl Read<OrganizationScope>,
        id: Uuid,
        record: DirectoryRecord,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            organization,
            id,
            profile: schemas::profile(reader, id, &record)?,
            record,
            names: None,
        })
    }
}

/// Where a write takes its time and ids from.
#[derive(Clone)]
pub struct Moment {
    /// The time of the request.
    pub now: Timestamp,
    /// For the ids of what it creates.
    pub random: Random,
    /// The request in the log that makes it; none where it is no identity provider's.
    pub request: Option<Uuid>,
}

impl From<&Moment> for Cause {
    fn from(moment: &Moment) -> Self {
        Self {
            at: moment.now,
            request: moment.request,
        }
    }
}
