//! What the host's guards keep: removals in a window, holds, seats that are taken, and the history
//! of who had what.

use super::access::{AccountStatus, Decider, GrantKind, GrantOrigin, GrantRecord};
use crate::clock::Timestamp;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// When the brake on mass removal trips. The API's field names are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// How long a removal counts, in minutes: 1 to 10,080, a week.
    pub window_minutes: u32,
    /// So many accounts may lose something within the window, whatever their share.
    pub number: u32,
    /// So many of a hundred accounts that have something may, where that is more. 100: the brake
    /// never trips.
    pub share_percent: u32,
}

impl Default for GuardSettings {
    /// In a company of 200 the eleventh removal within an hour is held.
    fn default() -> Self {
        Self {
            window_minutes: 60,
            number: 10,
            share_percent: 5,
        }
    }
}

/// How often something happened, in parts of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The beginning of a part in milliseconds since 1970, and how often: the oldest first.
    pub parts: Vec<(u64, u32)>,
}

/// What the brake knows: one row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BrakeRecord {
    /// Since when removals are held.
    pub tripped: Option<Timestamp>,
    /// Accounts that lost something by a decision.
    pub removals: Window,
    /// Accounts that the identity provider deactivated. They are not held, only told.
    pub deactivations: Window,
    /// How many holds of the brake wait for a person.
    pub waiting: u64,
}

/// That an account keeps what its policies would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// It is the last active owner.
    pub owner: bool,
    /// The brake holds it.
    pub brake: bool,
    /// A person said that it keeps this until its own facts change: what they were then.
    pub pinned: Option<String>,
    /// What it keeps though no policy wants it.
    pub kept: Vec<GrantRecord>,
    /// The status that it keeps, where a policy wants another.
    pub kept_status: Option<AccountStatus>,
    /// What its policies want instead, in a sentence.
    pub wanted: String,
    /// The name to show.
    pub label: String,
    /// Since when.
    pub since: Timestamp,
    /// The newest fact that the decision had seen.
    pub revision: u64,
    /// The request that it follows from, by its id in the log of requests.
    pub request: Option<Uuid>,
}

/// What an account lost within the window, so that it can be given back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemovalRecord {
    /// What was taken.
    pub lost: Vec<GrantRecord>,
    /// The status it had, where it lost that.
    pub status: Option<AccountStatus>,
    /// Whether the identity provider said so itself.
    pub by_provider: bool,
    /// The name to show.
    pub label: String,
    /// The newest fact that the decision had seen.
    pub revision: u64,
    /// The request that it follows from, by its id in the log of requests.
    pub request: Option<Uuid>,
}

/// What a span of the history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanKind {
    /// A base role.
    BaseRole,
    /// A custom role.
    CustomRole,
    /// A seat.
    Seat,
    /// The account's status.
    Status,
}

impl SpanKind {
    /// As keys and the API spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseRole => "base-role",
            Self::CustomRole => "custom-role",
            Self::Seat => "seat",
            Self::Status => "status",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::BaseRole, Self::CustomRole, Self::Seat, Self::Status]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl From<GrantKind> for SpanKind {
    fn from(kind: GrantKind) -> Self {
        match kind {
            GrantKind::BaseRole => Self::BaseRole,
            GrantKind::CustomRole => Self::CustomRole,
            GrantKind::Seat => Self::Seat,
        }
    }
}

/// From when to when an account had a role, a seat or a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanRecord {
    /// Until when; none: still.
    pub until: Option<Timestamp>,
    /// Why it had it.
    pub reason: String,
    /// Who gave it.
    #[serde(default)]
    pub origin: GrantOrigin,
    /// The policy that gave it.
    pub by: Option<Decider>,
    /// The request that it was given for.
    pub request: Option<Uuid>,
    /// The revision since which it had it; 0: not known.
    pub revision: u64,
    /// Why it ended.
    pub ended_reason: Option<String>,
    /// The request that it ended for.
    pub ended_request: Option<Uuid>,
    /// The revision that ended it.
    pub ended_revision: Option<u64>,
}

/// That an account is to have a seat of which all are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitRecord {
    /// Since when it waits.
    pub since: Timestamp,
    /// Its place among those who began to wait at one time.
    pub revision: u64,
}

json_table! {
    /// The settings of the guards: one row, or none where the defaults hold.
    pub struct GuardsSet = 170, "guard settings", OrganizationScope, () => GuardSettings;
}
json_table! {
    /// What the brake knows: one row.
    pub struct Brakes = 171, "brake", OrganizationScope, () => BrakeRecord;
}
json_table! {
    /// Holds, by account.
    pub struct Holds = 172, "holds", OrganizationScope, Uuid => HoldRecord,
        indexes [&HOLDS_OF_OWNERS];
}
/// The last owners that are held.
pub static HOLDS_OF_OWNERS: Index<Holds, bool> = Index::multi(1, "owner", |_, hold| {
    hold.owner.then_some(true).into_iter().collect()
});

json_table! {
    /// What was lost within the window, by time and account.
    pub struct Removals = 173, "removals", OrganizationScope, (u64, Uuid) => RemovalRecord;
}

/// Account, since when in milliseconds since 1970, kind, name.
pub type SpanKey = (Uuid, u64, String, String);

json_table! {
    /// Who had what, from when to when.
    pub struct Spans = 174, "history", OrganizationScope, SpanKey => SpanRecord,
        indexes [&SPANS_BY_NAME];
}
/// Kind and name.
pub static SPANS_BY_NAME: Index<Spans, (String, String)> =
    Index::multi(1, "kind and name", |key, _| {
        vec![(key.2.clone(), key.3.clone())]
    });

json_table! {
    /// How many accounts have a seat, by its name.
    pub struct SeatsTaken = 175, "seats taken", OrganizationScope, String => u64;
}
json_table! {
    /// Who waits for a seat, by account and seat.
    pub struct Waiting = 176, "waiting for seats", OrganizationScope, (Uuid, String) => WaitRecord,
        indexes [&WAITING_BY_SEAT];
}
/// Seat, since when, revision: the order in which it is given.
pub static WAITING_BY_SEAT: Index<Waiting, (String, u64, u64)> =
    Index::multi(1, "seat", |key, waits| {
        vec![(key.1.clone(), waits.since.0, waits.revision)]
    });

json_table! {
    /// How many accounts have any role or seat: one row.
    pub struct Holders = 177, "accounts with grants", OrganizationScope, () => u64;
}
