//! Wide changes: what concerns more accounts than a request may touch.

use super::facts::{GroupRecord, text};
use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A change that concerns more accounts than a request may touch. The reconciler expands it, a
/// step at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpreadRecord {
    /// What changed.
    pub cause: Spread,
    /// The last key that was done: everything up to it is marked.
    pub done: Option<Uuid>,
    /// The request that made it, by its id in the log of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Uuid>,
    /// The confirmed plan that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
}

/// What a [`SpreadRecord`] is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Spread {
    /// A group is gone: its memberships end.
    GroupDeleted {
        /// Where it was.
        directory: Uuid,
        /// Its id.
        group: Uuid,
        /// Its last name.
        name: String,
        /// Its last external id.
        external_id: Option<String>,
        /// When it was deleted.
        at: Timestamp,
        /// The groups that its members were in through it.
        #[serde(default)]
        lost: Vec<LostGroup>,
    },
    /// A group's name or external id changed: its members may match other mapping entries.
    GroupChanged {
        /// Where it is.
        directory: Uuid,
        /// Its id.
        group: Uuid,
    },
    /// What the groups in [`Concerned`](super::facts::Concerned) are in changed: their members may
    /// match other mapping entries.
    GroupsConcerned {
        /// Where they are.
        directory: Uuid,
    },
    /// The groups in [`Concerned`](super::facts::Concerned) are in these others no longer, at least
    /// not that way.
    GroupsLost {
        /// Where they are.
        directory: Uuid,
        /// What they were in.
        lost: Vec<LostGroup>,
        /// When it ended.
        at: Timestamp,
    },
    /// Users left a group, and with it these others: more of both than one request may write.
    UsersLost {
        /// Where they are.
        directory: Uuid,
        /// Who left, by their ids.
        users: Vec<Leaver>,
        /// What they were in.
        lost: Vec<LostGroup>,
        /// When it ended.
        at: Timestamp,
    },
    /// The mapping, the catalogue or a binding changed: everybody is decided again.
    Everybody,
    /// A person approved all that the brake holds.
    HoldsApproved,
    /// A person rejected all that the brake holds.
    HoldsRejected,
    /// A person gave back all that was taken within the window.
    RemovalsRestored,
    /// A person said that all that was taken within the window was meant.
    RemovalsAccepted,
    /// A directory was confirmed: its users get their accounts.
    Confirmed {
        /// The directory.
        directory: Uuid,
    },
    /// A directory was uninstalled: its users lose their accounts, which keep what they have.
    Uninstalled {
        /// The directory.
        directory: Uuid,
    },
    /// The facts of an uninstalled directory are erased.
    FactsErased {
        /// The directory.
        directory: Uuid,
    },
    /// A domain was verified: users that wait for their account are looked at again.
    Waiting,
}

/// A group that somebody was in through another group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LostGroup {
    /// Its id.
    pub group: Uuid,
    /// Its name then.
    pub name: String,
    /// Its external id then.
    pub external_id: Option<String>,
    /// Since when the other group was in it.
    pub since: Timestamp,
}

impl LostGroup {
    /// The group as it is called now.
    #[must_use]
    pub fn of(group: Uuid, record: &GroupRecord, since: Timestamp) -> Self {
        Self {
            group,
            name: text(&record.document, "displayName")
                .unwrap_or_default()
                .to_owned(),
            external_id: text(&record.document, "externalId").map(str::to_owned),
            since,
        }
    }
}

/// A user who left a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaver {
    /// The user.
    pub user: Uuid,
    /// The user's account.
    pub account: Uuid,
    /// Since when the user had been in the group.
    pub since: Timestamp,
}

json_table! {
    /// Wide changes to expand, by the revision that made them.
    pub struct Spreads = 123, "wide changes", OrganizationScope, (u64, u32) => SpreadRecord;
}
