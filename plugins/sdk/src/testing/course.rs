//! A person over time: what a host tells a policy of them, decision after decision.

use super::AccountBuilder;
use crate::{Account, Basis, Grant, LifecycleDecision, NamedValue, Proposal, Timestamp};

/// A person who joins and leaves groups, and about whom is decided now and then. As a host does it,
/// a membership that ended is told to the next decision and to no later one, and a decision is told
/// what the last one came to.
///
/// It is there to show that a policy does not depend on when it is asked:
///
/// ```
/// use gatewright_sdk::{GrantKind, SeatDecision, testing};
///
/// let account = testing::account("ada@example.com").maps("Sales", GrantKind::Seat, "Full");
/// let mut course = testing::Course::of(account);
/// course.join("Sales", 1);
/// course.leave("Sales", 2);
/// let told = course.account();
/// assert_eq!(told.memberships[0].ended, Some(2));
/// course.decided(&SeatDecision::as_mapped(&testing::context(), &told).seats, 3);
/// assert!(course.account().memberships.is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Course(AccountBuilder);

impl Course {
    /// Begins with this account and its mapping.
    #[must_use]
    pub fn of(account: AccountBuilder) -> Self {
        Self(account)
    }

    /// The person joins a group, if they are not in it.
    pub fn join(&mut self, group: &str, at: Timestamp) {
        let mut known = self.0.account.memberships.iter();
        if !known.any(|one| one.group_name == group && one.ended.is_none()) {
            self.0 = self.0.clone().in_group(group);
            if let Some(joined) = self.0.account.memberships.last_mut() {
                joined.since = at;
            }
        }
    }

    /// The person leaves a group, if they are in it.
    pub fn leave(&mut self, group: &str, at: Timestamp) {
        let known = &mut self.0.account.memberships;
        let is_present = |one: &crate::Membership| one.group_name == group && one.ended.is_none();
        if known.iter().any(is_present) {
            known.retain(|one| one.group_name != group || is_present(one));
            for one in known.iter_mut().filter(|one| is_present(one)) {
                one.ended = Some(at);
            }
        }
    }

    /// What a policy is told now.
    ///
    /// # Panics
    ///
    /// As [`AccountBuilder::build`] does.
    #[must_use]
    pub fn account(&self) -> Account {
        self.0.clone().build()
    }

    /// Roles or seats were decided: they are all that the account has from now on.
    pub fn decided(&mut self, grants: &[Proposal], at: Timestamp) {
        let account = &mut self.0.account;
        let before = std::mem::take(&mut account.grants);
        let stored = grants.iter().map(|one| {
            let mut before = before.iter();
            let known = before.find(|grant| grant.kind == one.kind && grant.name == one.name);
            Grant {
                kind: one.kind,
                name: one.name.clone(),
                origin: known.map_or("policy".to_owned(), |grant| grant.origin.clone()),
                is_mapped: match one.basis {
                    Basis::Rule => false,
                    Basis::MappingEntry(_) => true,
                    Basis::Kept => known.is_some_and(|grant| grant.is_mapped),
                },
                mapping_entry: None,
                reason: one.reason.clone(),
                since: known.map_or(at, |grant| grant.since),
                extra: Vec::new(),
            }
        });
        account.grants = stored.collect();
        self.stored(at);
    }

    /// The status was decided, by one policy.
    pub fn decided_status(&mut self, decision: &LifecycleDecision, at: Timestamp) {
        self.0.account.status = decision.status;
        self.0.account.extra = vec![NamedValue {
            name: "lifecycle-reason".to_owned(),
            value: decision.reason.clone(),
        }];
        self.stored(at);
    }

    fn stored(&mut self, at: Timestamp) {
        self.0.account.decided = Some(at);
        self.0.account.memberships.retain(|one| one.ended.is_none());
    }
}
