//! What a person had from groups that they have left.
//!
//! A membership that ended is told to one decision only. What a later decision has to know of it is
//! therefore written where that decision finds it: into the reason of the grant, which the host
//! stores and hands back. So a decision stays a function of what it is told, and the administrator
//! reads the same that the policy does.

use crate::time::{self, Period};
use crate::{Account, Context, Grant, GrantKind, Mapped, Proposal, Timestamp};

/// What is added to the reason of a grant that is kept.
const KEPT: &str = ", kept after leaving";

/// What stands between that and the time.
const AT: &str = " at ";

/// A role or seat that a group gave, and that no group gives any more. [`Account::left`] finds them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Left {
    /// What would keep it, for the reason that it was given for.
    pub proposal: Proposal,
    /// When the last of those groups was left, to the second. None where that is not known: the
    /// group is no longer in the mapping, or the grant was kept without a time.
    pub at: Option<Timestamp>,
}

impl Left {
    /// Keeps it, for as long as it is proposed; its reason ends in `, kept after leaving`.
    #[must_use]
    pub fn keep(mut self) -> Proposal {
        self.proposal.reason.push_str(KEPT);
        self.proposal
    }

    /// Keeps it until `grace` after the leaving, and says until when; none once that is over, or
    /// where the time of leaving is not known. The reason ends in that time, by which later
    /// decisions know it: `, kept after leaving at 2026-01-01T12:00:00Z`.
    #[must_use]
    pub fn keep_for(mut self, grace: Period, now: Timestamp) -> Option<(Proposal, Timestamp)> {
        let at = self.at?;
        let until = Some(grace.after(at)).filter(|until| now < *until)?;
        self.proposal.reason += &[KEPT, AT, &time::format(at)].concat();
        Some((self.proposal, until))
    }
}

impl Account {
    /// What came from groups that the person has left, and what no group gives now.
    ///
    /// It is found by the memberships that ended since the last decision, and by the grants that
    /// came from the mapping. A group that was joined and left between two decisions counts like one
    /// that a decision saw; one that a decision saw, and whose grant is gone all the same, does not:
    /// somebody has taken that away. A base role that had to give way to a higher one counts.
    #[must_use]
    pub fn left(&self, context: &Context) -> Vec<Left> {
        let mut left: Vec<Left> = Vec::new();
        let grants = self.grants.iter().filter(|grant| is_from_group(grant));
        for grant in grants {
            if context.catalogue.has(grant.kind, &grant.name)
                && !self.is_given(context, grant.kind, &grant.name)
            {
                let (reason, at) = split(&grant.reason);
                let mut proposal = Proposal::keep(grant);
                proposal.reason.truncate(reason.len());
                left.push(Left { proposal, at });
            }
        }
        for row in self.rows(context) {
            let (kind, name) = (row.entry.kind, row.target);
            let Some(ended) = row.membership.ended else {
                continue;
            };
            let at = Some(ended / 1_000 * 1_000);
            let same = |one: &&mut Left| one.proposal.kind == kind && one.proposal.name == name;
            let is_news = self.decided.is_none_or(|at| row.membership.since >= at);
            let counts = is_news || self.has_higher(context, row);
            if let Some(known) = left.iter_mut().find(same) {
                known.at = known.at.max(at);
            } else if counts && !self.is_given(context, kind, name) {
                let proposal = row.proposal();
                left.push(Left { proposal, at });
            }
        }
        left
    }

    /// Whether it is a base role that had to give way to a higher one, so that it is no grant.
    fn has_higher(&self, context: &Context, row: Mapped<'_>) -> bool {
        let mut base_roles = self.grants_of(GrantKind::BaseRole);
        row.entry.kind == GrantKind::BaseRole
            && base_roles.any(|grant| {
                is_from_group(grant) && context.catalogue.outranks(&grant.name, row.target)
            })
    }

    fn is_given(&self, context: &Context, kind: GrantKind, name: &str) -> bool {
        let gives = |row: Mapped<'_>| row.entry.kind == kind && row.target == name;
        self.mapped(context).any(gives)
    }
}

fn is_from_group(grant: &Grant) -> bool {
    grant.origin == "policy" && grant.is_mapped
}

/// The reason as it was before it was kept, and when the group was left.
fn split(reason: &str) -> (&str, Option<Timestamp>) {
    if let Some(plain) = reason.strip_suffix(KEPT) {
        return (plain, None);
    }
    let (head, tail) = reason.rsplit_once(AT).unwrap_or((reason, ""));
    match (head.strip_suffix(KEPT), time::parse(tail)) {
        (Some(plain), Some(at)) => (plain, Some(at)),
        _ => (reason, None),
    }
}

#[cfg(test)]
mod tests;
