//! Settings of `group-lifecycle`.

use gatewright_sdk::{Account, AccountStatus, Membership, Period, Problem, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `group-lifecycle`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What becomes of an account when the provider deleted each of its users.
    pub(crate) when_user_deleted: WhenDeleted,
    /// What becomes of an account whose user is active, but in none of the pushed groups any more.
    pub(crate) when_in_no_group: WhenInNoGroup,
    /// The groups that give access, each by its name (in upper or lower case), its external id or its
    /// SCIM id. Where there are any, an account is active only while a user is in one of them.
    pub(crate) assigned_groups: Vec<String>,
    /// For how long an account stays active after it lost its last group, or the last of those that
    /// give access, such as "8h" or "7d"; not at all if not set.
    pub(crate) grace: Option<Period>,
    /// Lets other sources keep an account active.
    pub(crate) presence: Option<Presence>,
}

/// For `when_user_deleted`.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDeleted {
    /// It may not be used, and keeps its data.
    #[default]
    Deactivate,
    /// The application is told to remove it.
    Delete,
}

/// For `when_in_no_group`.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenInNoGroup {
    /// Nothing: it may be used.
    #[default]
    Ignore,
    /// It may not be used, and keeps its data.
    Deactivate,
    /// The application is told to remove it.
    Delete,
}

/// For `presence`. An active account stays so while one of the sources says that the person is
/// active, whatever the groups say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Presence {
    /// Which sources count, by the application's names for them; all if there are none here.
    sources: Vec<String>,
    /// For how long a signal counts, such as "30d"; for ever if not set.
    max_age: Option<Period>,
    /// Whether an account stays active also where the directory says that the user is inactive, or
    /// has deleted it.
    pub(crate) over_directory: bool,
}

impl WhenDeleted {
    pub(crate) fn status(self) -> AccountStatus {
        match self {
            Self::Deactivate => AccountStatus::Deactivated,
            Self::Delete => AccountStatus::Deleted,
        }
    }
}

impl WhenInNoGroup {
    /// None: nothing becomes of it.
    pub(crate) fn status(self) -> Option<AccountStatus> {
        match self {
            Self::Ignore => None,
            Self::Deactivate => Some(AccountStatus::Deactivated),
            Self::Delete => Some(AccountStatus::Deleted),
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Vec<Problem> {
        let empty = |place: &str, list: &[String], what: &str| {
            let at = list.iter().position(|name| name.trim().is_empty())?;
            let message = format!("must be the name of {what}");
            Some(Problem::at(format!("{place}/{at}"), message))
        };
        let presence = self.presence.as_ref();
        let sources = presence.map_or(&[][..], |presence| &presence.sources);
        empty("/assigned_groups", &self.assigned_groups, "a group")
            .into_iter()
            .chain(empty("/presence/sources", sources, "a source"))
            .collect()
    }

    /// Whether it is a membership in one of the groups that give access.
    pub(crate) fn assigns(&self, membership: &Membership) -> bool {
        self.assigned_groups.iter().any(|group| {
            group.to_lowercase() == membership.group_name.to_lowercase()
                || membership.group_external_id.as_ref() == Some(group)
                || membership.group == *group
        })
    }
}

impl Presence {
    /// The source whose word keeps the account active for longest, and until when: for ever if none.
    pub(crate) fn speaks_for<'a>(
        &self,
        account: &'a Account,
        now: Timestamp,
    ) -> Option<(&'a str, Option<Timestamp>)> {
        let counts = |source: &String| self.sources.is_empty() || self.sources.contains(source);
        let signals = account.signals.iter().filter(|one| one.active);
        let newest = signals
            .filter(|one| counts(&one.source))
            .max_by_key(|one| one.at)?;
        let until = self.max_age.map(|age| age.after(newest.at));
        let is_old = until.is_some_and(|until| until <= now);
        (!is_old).then_some((newest.source.as_str(), until))
    }
}
