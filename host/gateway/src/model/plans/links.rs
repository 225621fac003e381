//! What becomes of the people of a directory that a plan confirms.

use crate::model::people::Waiting;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many of a directory's users get which account, and how many accounts nobody claims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkCounts {
    /// For each kind, by its place in [`LinkKind::ALL`].
    pub kinds: [u64; 3],
    /// Accounts without a user.
    pub unlinked: u64,
}

/// What becomes of a user when its directory is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// It is linked to an account that is there.
    Linked,
    /// It gets a new account.
    New,
    /// It waits for a person to say whose account is its.
    Waiting,
}

impl LinkKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Linked, Self::New, Self::Waiting];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::New => "new",
            Self::Waiting => "waiting",
        }
    }
}

/// What becomes of one user when its directory is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLinkRecord {
    /// Its name when it was planned.
    pub label: String,
    /// What becomes of it.
    pub kind: LinkKind,
    /// The account that it gets; of one that waits, the id that is reserved for it.
    pub account: Uuid,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Waiting>,
    /// The accounts that match one that waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Uuid>,
}

impl PlannedLinkRecord {
    /// The accounts that have to do with it.
    pub fn accounts(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.account).chain(self.candidates.iter().copied())
    }
}

json_table! {
    /// What becomes of the users of a directory that each plan confirms, by plan and user.
    pub struct PlannedLinks = 178, "planned links", OrganizationScope, (Uuid, Uuid) => PlannedLinkRecord,
        indexes [&PLANNED_LINKS_BY_KIND, &PLANNED_LINKS_BY_ACCOUNT];
}
/// Plan, place of the kind in [`LinkKind::ALL`], user.
pub static PLANNED_LINKS_BY_KIND: Index<PlannedLinks, (Uuid, u8, Uuid)> =
    Index::multi(1, "kind", |key, link| vec![(key.0, link.kind as u8, key.1)]);
/// Plan, and each account that has to do with the link.
pub static PLANNED_LINKS_BY_ACCOUNT: Index<PlannedLinks, (Uuid, Uuid)> =
    Index::multi(2, "account", |key, link| {
        link.accounts().map(|account| (key.0, account)).collect()
    });
json_table! {
    /// The accounts that no user claims after a plan that confirms a directory, by plan and account:
    /// its label.
    pub struct PlannedUnlinked = 179, "planned unlinked", OrganizationScope, (Uuid, Uuid) => String;
}
