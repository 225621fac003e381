//! What the policies of one chain want for an account, made one.
//!
//! How much is wanted does not depend on the order of the chain. The order says which of several
//! that want the same gives the reason: the first. Joining is associative, so a chain could be
//! joined in any grouping.

use crate::model::access::Decider;
use gatewright_sandbox::types;
use std::collections::HashSet;

/// What the lifecycle policies want.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    /// The most restrictive that any of them wants.
    pub(super) status: types::AccountStatus,
    /// Of the first that wants it.
    pub(super) reason: String,
    /// Of each, in their order.
    pub(super) reasons: Vec<String>,
    /// The earliest.
    pub(super) ask_again: Option<u64>,
}

impl From<types::LifecycleDecision> for Verdict {
    fn from(decision: types::LifecycleDecision) -> Self {
        Self {
            status: decision.status,
            reasons: vec![decision.reason.clone()],
            reason: decision.reason,
            ask_again: decision.ask_again,
        }
    }
}

impl Verdict {
    /// Together with what a later policy of the chain wants.
    pub(super) fn join(mut self, later: Self) -> Self {
        if severity(later.status) > severity(self.status) {
            self.status = later.status;
            self.reason = later.reason;
        }
        self.reasons.extend(later.reasons);
        self.ask_again = earliest(self.ask_again, later.ask_again);
        self
    }
}

fn severity(status: types::AccountStatus) -> u8 {
    match status {
        types::AccountStatus::Active => 0,
        types::AccountStatus::Deactivated => 1,
        types::AccountStatus::Deleted => 2,
    }
}

/// The earlier of two times, where there is one.
pub(super) fn earliest(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// A grant that a policy wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposed {
    pub(super) proposal: types::Proposal,
    pub(super) by: Decider,
}

/// What the role policies want, or the seat policies: each role or seat once, and one base role at
/// most.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) grants: Vec<Proposed>,
    /// The earliest.
    pub(super) ask_again: Option<u64>,
}

impl Wish {
    /// What one policy wants. The sandbox has seen to it that nothing is there twice.
    pub(super) fn of(
        proposals: Vec<types::Proposal>,
        ask_again: Option<u64>,
        by: &Decider,
    ) -> Self {
        let proposed = |proposal| Proposed {
            proposal,
            by: by.clone(),
        };
        Self {
            grants: proposals.into_iter().map(proposed).collect(),
            ask_again,
        }
    }

    /// Together with what a later policy of the chain wants: of two base roles the higher, and all
    /// else of both.
    pub(super) fn join(mut self, later: Self, catalogue: &types::Catalogue) -> Self {
        self.ask_again = earliest(self.ask_again, later.ask_again);
        let (base, others): (Vec<_>, Vec<_>) = later.grants.into_iter().partition(is_base_role);
        for base in base {
            match self.grants.iter_mut().find(|one| is_base_role(one)) {
                Some(known) if rank(&base, catalogue) < rank(known, catalogue) => *known = base,
                Some(_) => {}
                None => self.grants.insert(0, base),
            }
        }
        let known: HashSet<_> = self.grants.iter().map(key).collect();
        let is_new = |one: &Proposed| !known.contains(&key(one));
        let new: Vec<Proposed> = others.into_iter().filter(is_new).collect();
        self.grants.extend(new);
        self
    }
}

fn is_base_role(one: &Proposed) -> bool {
    one.proposal.kind == types::GrantKind::BaseRole
}

fn key(one: &Proposed) -> (u8, &str) {
    (one.proposal.kind as u8, &one.proposal.name)
}

/// 1 is the highest.
fn rank(one: &Proposed, catalogue: &types::Catalogue) -> u32 {
    let mut roles = catalogue.base_roles.iter();
    let known = roles.find(|role| role.name == one.proposal.name);
    known.map_or(u32::MAX, |role| role.rank)
}

#[cfg(test)]
mod tests;
