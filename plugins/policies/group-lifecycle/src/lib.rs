//! Who may use the application, as the directory says.
//!
//! The README beside this crate says what it decides, and what it cannot know.

#![forbid(unsafe_code)]

use gatewright_sdk::{
    Account, AccountStatus, Context, LifecycleDecision, LifecyclePolicy, Problem, Refusal,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `group-lifecycle`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What becomes of an account when the provider deleted each of its users.
    when_user_deleted: WhenDeleted,
    /// What becomes of an account whose user is active, but in none of the pushed groups any more.
    when_in_no_group: WhenInNoGroup,
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

/// The policy.
#[derive(Debug)]
pub struct GroupLifecycle(Settings);

impl LifecyclePolicy for GroupLifecycle {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self(settings))
    }

    fn decide(&self, _: &Context, account: &Account) -> Result<LifecycleDecision, Refusal> {
        Ok(if account.has_active_user() {
            self.with_active_user(account)
        } else if account.users.is_empty() {
            self.without_users(account)
        } else {
            LifecycleDecision::new(
                AccountStatus::Deactivated,
                "the directory says that the user is inactive",
            )
        })
    }
}

impl GroupLifecycle {
    fn with_active_user(&self, account: &Account) -> LifecycleDecision {
        let status = match self.0.when_in_no_group {
            WhenInNoGroup::Deactivate => AccountStatus::Deactivated,
            WhenInNoGroup::Delete => AccountStatus::Deleted,
            WhenInNoGroup::Ignore => AccountStatus::Active,
        };
        if status != AccountStatus::Active && left_all_groups(account) {
            LifecycleDecision::new(status, "the user is in no group any more")
        } else {
            LifecycleDecision::new(
                AccountStatus::Active,
                "the directory says that the user is active",
            )
        }
    }

    /// An active account that nothing speaks of a user for never had one: the host deactivates an
    /// account at once when the last of its users is deleted, and only a presence signal defers that.
    fn without_users(&self, account: &Account) -> LifecycleDecision {
        let status = match account.status {
            AccountStatus::Active if !had_users(account) => {
                let reason = "no directory speaks for the account";
                return LifecycleDecision::new(AccountStatus::Active, reason);
            }
            AccountStatus::Deleted => AccountStatus::Deleted,
            AccountStatus::Active | AccountStatus::Deactivated => match self.0.when_user_deleted {
                WhenDeleted::Deactivate => AccountStatus::Deactivated,
                WhenDeleted::Delete => AccountStatus::Deleted,
            },
        };
        LifecycleDecision::new(status, "the directory deleted the user")
    }
}

/// Whether the account, which is in no group now, was in one before.
///
/// A membership that ended is told of only until the next decision is stored, so what that decision
/// left behind has to speak for it later: a role or seat from a group, or an account out of use. The
/// last cannot be told from a user whom the directory made inactive and active again, who then waits
/// for a group as well.
fn left_all_groups(account: &Account) -> bool {
    let is_in_one = account.groups().next().is_some();
    let was_in_one = !account.memberships.is_empty() || has_grant_from_group(account);
    let is_out_of_use = account.decided.is_some() && account.status != AccountStatus::Active;
    !is_in_one && (was_in_one || is_out_of_use)
}

/// Whether something is left that only a user can have brought.
fn had_users(account: &Account) -> bool {
    !account.memberships.is_empty() || has_grant_from_group(account)
}

fn has_grant_from_group(account: &Account) -> bool {
    account.grants.iter().any(|grant| grant.is_mapped)
}

gatewright_sdk::export!(GroupLifecycle: lifecycle_policy);

#[cfg(test)]
mod tests;
