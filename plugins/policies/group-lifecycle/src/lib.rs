//! Who may use the application, by what the directory says of users and groups.
//!
//! The README beside this crate says what it decides, and what it cannot know.

#![forbid(unsafe_code)]

mod settings;

use gatewright_sdk::{
    Account,
    AccountStatus::{self, Active, Deactivated, Deleted},
    Context, LifecycleDecision, LifecyclePolicy, Membership, Problem, Refusal, Timestamp, time,
};
pub use settings::{Presence, Settings, WhenDeleted, WhenInNoGroup};

const INACTIVE: &str = "the directory says that the user is inactive";
const DELETED: &str = "the directory deleted the user";
const IN_NO_GROUP: &str = "the user is in no group any more";
const UNASSIGNED: &str = "the user is in none of the groups that give access";

/// What stands between one of the last two and the time since when it holds.
const SINCE: &str = ", since ";

/// The policy.
#[derive(Debug)]
pub struct GroupLifecycle(Settings);

/// What directory and groups come to, before grace and presence.
enum Verdict<'a> {
    Stays(&'static str),
    /// The directory ends it.
    Ends(AccountStatus, &'static str),
    /// Its groups end it; and which of them was left last, if this decision is told.
    GroupsEnd(AccountStatus, &'static str, Option<&'a Membership>),
}

impl LifecyclePolicy for GroupLifecycle {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        let problems = settings.check();
        match problems.is_empty() {
            true => Ok(Self(settings)),
            false => Err(problems),
        }
    }

    fn decide(&self, context: &Context, account: &Account) -> Result<LifecycleDecision, Refusal> {
        Ok(match self.verdict(account) {
            Verdict::Stays(reason) => LifecycleDecision::new(Active, reason),
            Verdict::Ends(status, reason) => self
                .presence(context, account, reason, true)
                .unwrap_or_else(|| LifecycleDecision::new(status, reason)),
            Verdict::GroupsEnd(status, why, left) => {
                let noted = noted(account, why);
                let at = left.and_then(|left| left.ended);
                let since = noted.max(at).unwrap_or(context.now);
                let reason = [why, SINCE, &time::format(since)].concat();
                // A group that was joined since the last decision gave the use back meanwhile.
                let is_news = |left: &Membership| account.decided.is_none_or(|at| left.since >= at);
                let returned =
                    left.is_some_and(is_news) && (account.decided.is_none() || noted.is_some());
                let has_use = account.status == Active || returned;
                self.presence(context, account, &reason, false)
                    .unwrap_or_else(|| self.after_grace(context, since, has_use, status, &reason))
            }
        })
    }
}

impl GroupLifecycle {
    fn verdict<'a>(&self, account: &'a Account) -> Verdict<'a> {
        let settings = &self.0;
        if account.users.is_empty() {
            return self.without_users(account);
        }
        if !account.has_active_user() {
            return Verdict::Ends(Deactivated, INACTIVE);
        }
        if let Some(status) = settings.when_in_no_group.status()
            && left_all_groups(account)
        {
            return Verdict::GroupsEnd(status, IN_NO_GROUP, last_left(account, |_| true));
        }
        let assigns = |membership: &Membership| settings.assigns(membership);
        if !settings.assigned_groups.is_empty() && !account.groups().any(assigns) {
            return Verdict::GroupsEnd(Deactivated, UNASSIGNED, last_left(account, assigns));
        }
        Verdict::Stays("the directory says that the user is active")
    }

    /// An active account that nothing speaks of a user for never had one: the host deactivates an
    /// account at once when the last of its users is deleted, and only a presence signal defers that.
    fn without_users(&self, account: &Account) -> Verdict<'static> {
        match account.status {
            Active if !had_users(account) => Verdict::Stays("no directory speaks for the account"),
            Deleted => Verdict::Ends(Deleted, DELETED),
            Active | Deactivated => Verdict::Ends(self.0.when_user_deleted.status(), DELETED),
        }
    }

    /// Another source can keep an account in use, and never gives back the use of one.
    fn presence(
        &self,
        context: &Context,
        account: &Account,
        reason: &str,
        is_directory: bool,
    ) -> Option<LifecycleDecision> {
        let presence = self.0.presence.as_ref()?;
        if account.status != Active || (is_directory && !presence.over_directory) {
            return None;
        }
        let (source, until) = presence.speaks_for(account, context.now)?;
        let reason = format!("{reason}, but \"{source}\" says that the person is active");
        let decision = LifecycleDecision::new(Active, reason);
        Some(match until {
            Some(until) => decision.ask_again_at(until),
            None => decision,
        })
    }

    /// A grace lets an account stay in use, and never gives back the use of one; it puts off the
    /// deletion of either.
    fn after_grace(
        &self,
        context: &Context,
        since: Timestamp,
        has_use: bool,
        status: AccountStatus,
        reason: &str,
    ) -> LifecycleDecision {
        // To the second, as later decisions will read it.
        let until = self.0.grace.map(|grace| grace.after(since / 1_000 * 1_000));
        match until {
            Some(until) if context.now < until => {
                let status = if has_use { Active } else { Deactivated };
                LifecycleDecision::new(status, reason).ask_again_at(until)
            }
            _ => LifecycleDecision::new(status, reason),
        }
    }
}

/// The membership that ended last, as far as this decision is told.
fn last_left(account: &Account, counts: impl Fn(&Membership) -> bool) -> Option<&Membership> {
    let left = account.memberships.iter().filter(|one| counts(one));
    left.filter(|one| one.ended.is_some())
        .max_by_key(|one| one.ended)
}

/// Since when `why` holds, as an earlier decision noted it in its reason: a membership that ended is
/// told to one decision only.
fn noted(account: &Account, why: &str) -> Option<Timestamp> {
    account.lifecycle_reasons().find_map(|reason| {
        let since = reason.strip_prefix(why)?.strip_prefix(SINCE)?;
        time::parse(since.get(..time::LENGTH)?)
    })
}

/// Whether the account, which is in no group now, was in one before. What a decision that was told of
/// the leaving left behind speaks for it later: a reason, a role or seat from a group, or an account
/// out of use. The last cannot be told from a user whom the directory made inactive and active again,
/// who then waits for a group as well.
fn left_all_groups(account: &Account) -> bool {
    let is_in_one = account.groups().next().is_some();
    let was_in_one = !account.memberships.is_empty() || has_grant_from_group(account);
    let is_out_of_use = account.decided.is_some() && account.status != Active;
    !is_in_one && (was_in_one || is_out_of_use || noted(account, IN_NO_GROUP).is_some())
}

/// Whether something is left that only a user can have brought.
fn had_users(account: &Account) -> bool {
    let mut reasons = account.lifecycle_reasons();
    !account.memberships.is_empty()
        || has_grant_from_group(account)
        || reasons.any(|reason| reason.starts_with(DELETED))
}

fn has_grant_from_group(account: &Account) -> bool {
    account.grants.iter().any(|grant| grant.is_mapped)
}

gatewright_sdk::export!(GroupLifecycle: lifecycle_policy);

#[cfg(test)]
mod tests;
