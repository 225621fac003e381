//! Accounts, what they are granted, and what is still to be decided.

use super::plugins::Slot;
use super::reports::ReportId;
use crate::clock::Timestamp;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whether an account may use the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It may not, and keeps its data.
    Deactivated,
    /// It may not, and the application is to remove it.
    Deleted,
}

impl AccountStatus {
    /// As events and the API spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
        }
    }

    /// Whether it lets a person do less.
    #[must_use]
    pub fn is_worse_than(self, other: Self) -> bool {
        self.severity() > other.severity()
    }

    fn severity(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Deactivated => 1,
            Self::Deleted => 2,
        }
    }
}

/// Where an account comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountOrigin {
    /// The gateway opened it for a user.
    #[default]
    Directory,
    /// The application brought it.
    Import,
}

/// A person in the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// The users that are linked to it: directory and id. Empty: unlinked.
    pub users: Vec<(Uuid, Uuid)>,
    /// Whether it may use the application.
    pub status: AccountStatus,
    /// A sentence: why.
    pub status_reason: String,
    /// When it was created.
    pub created: Timestamp,
    /// The user name it had last, so that an unlinked account still has a name.
    pub label: String,
    /// Where it comes from.
    #[serde(default)]
    pub origin: AccountOrigin,
    /// The application's own id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Its email in the application, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// No directory decides about it as long as no user claims it: it was brought by the
    /// application, or its directory was uninstalled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free: bool,
    /// The directory that deleted the last of its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Uuid>,
}

/// What can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKind {
    /// The one base role.
    BaseRole,
    /// A role made of permissions.
    CustomRole,
    /// A licence seat.
    Seat,
}

/// Who gave a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantOrigin {
    /// A decision.
    #[default]
    Policy,
    /// A person, in the application or through the API.
    Manual,
    /// The account had it when the application brought it.
    Import,
}

impl GrantOrigin {
    /// As the plugin contract and the API spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Manual => "manual",
            Self::Import => "import",
        }
    }
}

/// A policy that decided: a plugin in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decider {
    /// The slot it is bound to.
    pub slot: Slot,
    /// Its place in the slot's chain, from 0.
    #[serde(default)]
    pub place: u32,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's own version.
    pub version: String,
    /// The version of the binding.
    pub binding: u64,
}

/// One role or seat of one account, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// What it is.
    pub kind: GrantKind,
    /// Its name in the catalogue.
    pub name: String,
    /// A sentence: why.
    pub reason: String,
    /// The mapping entry it follows from.
    pub mapping_entry: Option<Uuid>,
    /// Since when the account has it.
    pub since: Timestamp,
    /// Who gave it.
    #[serde(default)]
    pub origin: GrantOrigin,
    /// The policy that wanted it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Decider>,
    /// The revision of the fact that it was given for; 0: not known.
    #[serde(default)]
    pub revision: u64,
    /// The request that it was given for, by its id in the log of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Uuid>,
}

/// All of an account's grants together, as they were decided last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssignmentRecord {
    /// Ordered by kind, then name.
    pub grants: Vec<GrantRecord>,
    /// When it was decided.
    pub decided: Timestamp,
    /// The newest fact that the decision has seen; 0: no policy has decided.
    pub revision: u64,
    /// When the policies want to be asked again.
    pub ask_again: Option<Timestamp>,
    /// Seats that the policies wanted and that were all taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
    /// What each lifecycle policy of the chain gave as its reason: they are handed back, since it is
    /// there that a policy notes what it is told once only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifecycle_reasons: Vec<String>,
    /// Where a slot was paused when it was decided: when the policies of all slots were last asked, 0
    /// where they never were. Else they were with the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
}

/// That an account's facts moved and no decision has seen it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirtyRecord {
    /// The revision of the first change that is undecided.
    pub first: u64,
    /// The revision of the last one.
    pub last: u64,
    /// Not to be tried before: 0, or when the last try failed, the time of the next.
    pub due: Timestamp,
    /// How often deciding has failed since `first`.
    pub failures: u32,
    /// The request that the last change follows from, by its id in the log of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Uuid>,
    /// The confirmed plan that shows what is to be decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// A person said that the account may lose what is to be taken from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}

/// What went wrong and wants a person. One for each subject: a repeated failure counts up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlertRecord {
    /// `policy-failed` or `decision-refused`, ...
    pub kind: String,
    /// The account it is about; none: the whole binding.
    pub account: Option<Uuid>,
    /// A sentence.
    pub message: String,
    /// More of it, such as the guest's frames.
    pub details: Vec<String>,
    /// The report of the call that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportId>,
    /// When it was raised.
    pub since: Timestamp,
    /// When it last happened.
    pub last: Timestamp,
    /// How often it happened.
    pub count: u64,
}

json_table! {
    /// Accounts, by id.
    pub struct Accounts = 120, "accounts", OrganizationScope, Uuid => AccountRecord,
        indexes [
            &ACCOUNTS_BY_EXTERNAL_ID, &ACCOUNTS_BY_EMAIL, &ACCOUNTS_UNLINKED, &ACCOUNTS_FREE,
        ];
}
/// The application's own id.
pub static ACCOUNTS_BY_EXTERNAL_ID: Index<Accounts, String> =
    Index::unique(1, "external id", |_, account| {
        account.external_id.clone().into_iter().collect()
    });
/// The email in the application, which two may share.
pub static ACCOUNTS_BY_EMAIL: Index<Accounts, String> = Index::multi(2, "email", |_, account| {
    account.email.clone().into_iter().collect()
});
/// Accounts that no user claims, in the order of their ids.
pub static ACCOUNTS_UNLINKED: Index<Accounts, Uuid> = Index::multi(3, "unlinked", |id, account| {
    match account.users.is_empty() {
        true => vec![*id],
        false => Vec::new(),
    }
});
/// Accounts that no user claims and no directory decides about, by the domain of their email.
pub static ACCOUNTS_FREE: Index<Accounts, String> = Index::multi(4, "free", |_, account| {
    let email = account.email.as_deref();
    let email = email.filter(|_| account.is_free() && account.status != AccountStatus::Deleted);
    let domain = email.and_then(|email| email.rsplit_once('@'));
    domain
        .map(|(_, domain)| domain.to_owned())
        .into_iter()
        .collect()
});

impl AccountRecord {
    /// Whether no user claims it and no directory ever did, or its directory was uninstalled.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.free && self.users.is_empty()
    }
}

impl AssignmentRecord {
    /// That of an account which no policy has decided about yet.
    #[must_use]
    pub fn undecided(at: Timestamp) -> Self {
        Self {
            grants: Vec::new(),
            decided: at,
            revision: 0,
            ask_again: None,
            denied: Vec::new(),
            lifecycle_reasons: Vec::new(),
            asked: None,
        }
    }

    /// When it was decided; none where no policy did.
    #[must_use]
    pub fn decided(&self) -> Option<Timestamp> {
        (self.revision > 0).then_some(self.decided)
    }

    /// When the policies of all slots were last asked, and so told of what ended before; none where
    /// they never were.
    #[must_use]
    pub fn asked(&self) -> Option<Timestamp> {
        let asked = self.asked.map_or_else(|| self.decided(), Some);
        asked.filter(|at| *at > Timestamp(0))
    }

    /// Brings the grants into their order.
    pub fn sort(&mut self) {
        let key = |grant: &GrantRecord| (grant.kind, grant.name.clone());
        self.grants.sort_by_key(key);
    }
}
json_table! {
    /// Assignments, by account.
    pub struct Assignments = 121, "assignments", OrganizationScope, Uuid => AssignmentRecord,
        indexes [&ASSIGNMENTS_TO_ASK_AGAIN, &ASSIGNMENTS_BY_GRANT];
}
/// When a policy wants to be asked again.
pub static ASSIGNMENTS_TO_ASK_AGAIN: Index<Assignments, u64> =
    Index::multi(1, "ask again", |_, assignment| {
        assignment.ask_again.map(|at| at.0).into_iter().collect()
    });
/// Kind and name of each grant: who has it.
pub static ASSIGNMENTS_BY_GRANT: Index<Assignments, (u8, String)> =
    Index::multi(10, "grant", |_, assignment| {
        let grants = assignment.grants.iter();
        grants
            .map(|grant| (grant.kind as u8, grant.name.clone()))
            .collect()
    });

json_table! {
    /// Undecided accounts, by account.
    pub struct Dirty = 122, "undecided accounts", OrganizationScope, Uuid => DirtyRecord,
        indexes [&DIRTY_BY_DUE, &DIRTY_BY_FIRST];
}
/// The order in which undecided accounts are tried: when due, then the oldest change first.
pub static DIRTY_BY_DUE: Index<Dirty, (u64, u64)> =
    Index::multi(1, "due", |_, dirty| vec![(dirty.due.0, dirty.first)]);
/// The oldest undecided change.
pub static DIRTY_BY_FIRST: Index<Dirty, u64> =
    Index::multi(2, "first", |_, dirty| vec![dirty.first]);

json_table! {
    /// Alerts, by slot, then account (nil: the whole binding).
    pub struct Alerts = 124, "alerts", OrganizationScope, (String, Uuid) => AlertRecord;
}
