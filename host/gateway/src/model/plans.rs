//! Plans: a change that was proposed, and what it would come to for each account.

mod links;

use super::access::{AccountStatus, GrantKind};
use super::catalogue::Catalogue;
use super::mapping::MappingRecord;
use super::plugins::{Audit, Chain, Slot};
use crate::clock::Timestamp;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

pub use links::{
    LinkCounts, LinkKind, PLANNED_LINKS_BY_ACCOUNT, PLANNED_LINKS_BY_KIND, PlannedLinkRecord,
    PlannedLinks, PlannedUnlinked,
};

/// One thing that a plan would change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Proposed {
    /// Another mapping. Its entries have the ids that they are to have.
    Mapping {
        /// The whole of it.
        mapping: MappingRecord,
    },
    /// Another catalogue.
    Catalogue {
        /// The whole of it.
        catalogue: Catalogue,
    },
    /// The group that an entry of the mapping is to mean.
    Pin {
        /// The entry.
        entry: Uuid,
        /// How it names its group, as the key of its pin.
        key: (u8, String),
        /// The group.
        group: Uuid,
    },
    /// Another binding of a slot.
    Binding {
        /// The slot.
        slot: Slot,
        /// The plugins, which have accepted their settings.
        chain: Chain,
        /// Who wants it and why.
        #[serde(default)]
        audit: Box<Audit>,
    },
    /// A directory that is to come into force.
    Confirm {
        /// The directory.
        directory: Uuid,
    },
}

impl ProposalRecord {
    /// The directory that is to come into force, if one is.
    #[must_use]
    pub fn confirms(&self) -> Option<Uuid> {
        self.changes.iter().find_map(|change| match change {
            Proposed::Confirm { directory } => Some(*directory),
            Proposed::Mapping { .. }
            | Proposed::Catalogue { .. }
            | Proposed::Pin { .. }
            | Proposed::Binding { .. } => None,
        })
    }

    /// Whether it puts a directory into force and changes nothing else: it concerns nobody but that
    /// directory's people.
    #[must_use]
    pub fn only_confirms(&self) -> bool {
        self.changes.len() == 1 && self.confirms().is_some()
    }
}

/// What a plan would change, and what it was planned against.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProposalRecord {
    /// Each thing once.
    pub changes: Vec<Proposed>,
    /// A digest of mapping, catalogue and bindings when the plan was made, and of what else links
    /// people where it confirms a directory.
    pub base: String,
}

/// How far a plan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PlanState {
    /// What it comes to is being worked out.
    Computing,
    /// It can be confirmed.
    Ready,
    /// Somebody confirmed it, and it is being seen whether it still holds.
    Confirming,
    /// It was applied.
    Confirmed {
        /// When.
        at: Timestamp,
        /// The revision that holds it.
        revision: u64,
    },
    /// It says what is no longer so, and cannot be confirmed any more.
    Outdated {
        /// A sentence: why, and what to do.
        why: String,
    },
    /// It could not be worked out.
    Failed {
        /// A sentence: why.
        why: String,
    },
}

impl PlanState {
    /// Whether what happens to accounts still matters to the plan.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Computing | Self::Ready | Self::Confirming)
    }

    /// Its name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Ready => "ready",
            Self::Confirming => "confirming",
            Self::Confirmed { .. } => "confirmed",
            Self::Outdated { .. } => "outdated",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A plan, without what it proposes and without its accounts: this is written with each step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanRecord {
    /// How far it is.
    #[serde(flatten)]
    pub state: PlanState,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it can be confirmed.
    pub expires: Timestamp,
    /// The revision that made it.
    pub made: u64,
    /// The last account of the walk through all of them.
    pub done: Option<Uuid>,
    /// Whether the walk through all accounts has come to its end.
    #[serde(default)]
    pub accounts_walked: bool,
    /// The last user of the walk through those of the directory that is to be confirmed.
    #[serde(default)]
    pub done_users: Option<Uuid>,
    /// Whether the walks have come to their end.
    pub walked: bool,
    /// What has happened to accounts up to here is seen: revision and account in [`Moved`].
    pub seen: (u64, Uuid),
    /// How many accounts were tried.
    pub considered: u64,
    /// How many accounts would change in which way.
    pub counts: Counts,
    /// How many accounts would get a seat and lose one, by the seat's name, as the policies want it:
    /// whether there are so many is another matter.
    #[serde(default)]
    pub seats: BTreeMap<String, SeatMoves>,
    /// Where it no longer held when it was to be confirmed: some accounts.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// How many accounts these are in all.
    #[serde(default)]
    pub different: u64,
    /// What becomes of the people of the directory that is to be confirmed.
    #[serde(default)]
    pub links: LinkCounts,
    /// Who confirms it, once somebody does.
    #[serde(default)]
    pub confirmation: Option<ConfirmationRecord>,
}

impl PlanRecord {
    /// One that nothing is known of yet, made by the change of this revision.
    #[must_use]
    pub fn new(created: Timestamp, expires: Timestamp, revision: u64) -> Self {
        Self {
            state: PlanState::Computing,
            created,
            expires,
            made: revision,
            done: None,
            accounts_walked: false,
            done_users: None,
            walked: false,
            seen: (revision, Uuid::max()),
            considered: 0,
            counts: Counts::default(),
            seats: BTreeMap::new(),
            differences: Vec::new(),
            different: 0,
            links: LinkCounts::default(),
            confirmation: None,
        }
    }
}

/// Who confirms a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmationRecord {
    /// Who that is, as it was said, and their accounts, which need not be opened yet.
    pub acting: Option<(String, Vec<Uuid>)>,
    /// Whether they accept that nobody, or not they, is owner afterwards.
    pub accepts_lockout: bool,
}

/// How many seats of a type a plan gives and takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatMoves {
    /// Accounts that would have one and have none.
    pub gained: u64,
    /// Accounts that have one and would have none.
    pub lost: u64,
}

/// How many accounts of a plan would change, and in which way. One account may count in several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// All that would change, those whose policy failed not counted.
    pub changed: u64,
    /// For each kind, by its place in [`ChangeKind::ALL`].
    pub kinds: [u64; 8],
}

/// A way in which a plan changes an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It gets a role or seat that it does not have.
    Gains,
    /// It has a role or seat no more.
    Loses,
    /// Its base role becomes a higher one.
    RoleUp,
    /// Its base role becomes a lower one, or none.
    RoleDown,
    /// It may use the application again.
    Activated,
    /// It may not use the application any more.
    Deactivated,
    /// The application is told to remove it.
    Deleted,
    /// There is no decision: it would keep what it has.
    Failed,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Gains,
        Self::Loses,
        Self::RoleUp,
        Self::RoleDown,
        Self::Activated,
        Self::Deactivated,
        Self::Deleted,
        Self::Failed,
    ];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gains => "gains",
            Self::Loses => "loses",
            Self::RoleUp => "role-up",
            Self::RoleDown => "role-down",
            Self::Activated => "activated",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
        }
    }
}

/// One role or seat of one side of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGrant {
    /// What it is.
    pub kind: GrantKind,
    /// Its name in the catalogue.
    pub name: String,
    /// A sentence: why.
    pub reason: String,
}

/// What an account has, or would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Whether it may use the application.
    pub status: AccountStatus,
    /// A sentence: why.
    pub status_reason: String,
    /// Ordered by kind, then name.
    pub grants: Vec<PlannedGrant>,
}

/// What a plan changes for one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedRecord {
    /// The account's name when it was planned.
    pub label: String,
    /// What it had then.
    pub before: Holding,
    /// What it would have.
    pub after: Holding,
    /// In which ways that differs.
    pub kinds: Vec<ChangeKind>,
    /// How many things it would lose: each role and seat, and the access itself. A base role for a
    /// higher one is none.
    pub losses: u32,
    /// Why there is no decision, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How it comes to a user of the directory that is to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkKind>,
}

/// An account of which a plan no longer says what would happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// The account.
    pub account: Uuid,
    /// Its name.
    pub label: String,
    /// What the plan showed; none: that nothing changes.
    pub planned: Option<(Holding, Holding)>,
    /// What it would come to now; none: nothing changes.
    pub now: Option<(Holding, Holding)>,
    /// The user whose link is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkDifference>,
}

/// A user of which a plan no longer says which account it gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkDifference {
    /// The user.
    pub user: Uuid,
    /// What the plan showed; none: there was no such user.
    pub planned: Option<PlannedLinkRecord>,
    /// What would become of it now; none: it is gone.
    pub now: Option<PlannedLinkRecord>,
}

json_table! {
    /// Plans, by id.
    pub struct Plans = 161, "plans", OrganizationScope, Uuid => PlanRecord;
}
json_table! {
    /// What each plan proposes.
    pub struct Proposals = 162, "proposals", OrganizationScope, Uuid => ProposalRecord;
}
json_table! {
    /// The accounts that each plan changes, by plan and account.
    pub struct Planned = 163, "planned accounts", OrganizationScope, (Uuid, Uuid) => PlannedRecord,
        indexes [&PLANNED_BY_KIND, &PLANNED_BY_LOSSES];
}
/// Plan, place of the kind in [`ChangeKind::ALL`], account.
pub static PLANNED_BY_KIND: Index<Planned, (Uuid, u8, Uuid)> =
    Index::multi(1, "kind", |key, planned| {
        planned
            .kinds
            .iter()
            .map(|kind| (key.0, *kind as u8, key.1))
            .collect()
    });
/// Plan, and how many things it takes from the account, for those from whom it takes any.
pub static PLANNED_BY_LOSSES: Index<Planned, (Uuid, u32)> =
    Index::multi(2, "losses", |key, planned| {
        let losses = Some(planned.losses).filter(|losses| *losses > 0);
        losses.map(|losses| (key.0, losses)).into_iter().collect()
    });
json_table! {
    /// The accounts that would be active owners after each plan, by plan and account: its label.
    pub struct PlannedOwners = 164, "planned owners", OrganizationScope, (Uuid, Uuid) => String;
}
json_table! {
    /// When a plan's policies want to be asked again about an account, by plan and account.
    pub struct PlannedAsks = 165, "planned questions", OrganizationScope, (Uuid, Uuid) => u64,
        indexes [&PLANNED_BY_ASK];
}
/// Plan, then when.
pub static PLANNED_BY_ASK: Index<PlannedAsks, (Uuid, u64)> =
    Index::multi(1, "ask again", |key, at| vec![(key.0, *at)]);
json_table! {
    /// The revision in which something last happened to an account, or to a user that has none yet,
    /// kept while a plan is open.
    pub struct Moved = 166, "accounts that moved", OrganizationScope, Uuid => u64,
        indexes [&MOVED_BY_REVISION];
}
/// Revision, then account: what happened since a plan looked, in the order in which it happened.
pub static MOVED_BY_REVISION: Index<Moved, (u64, Uuid)> =
    Index::multi(1, "revision", |account, revision| {
        vec![(*revision, *account)]
    });
json_table! {
    /// Whether a plan is open: one row, or none.
    pub struct Watching = 167, "open plans", OrganizationScope, () => bool;
}
