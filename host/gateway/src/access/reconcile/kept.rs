//! What a paused slot answers: what the account has of it.

use super::decide::Subject;
use super::merge::{Proposed, Verdict, Wish};
use crate::model::access::{Decider, GrantKind};
use crate::model::plugins::Slot;
use gatewright_sandbox::types;

/// The status that is stored, with its reasons.
pub(super) fn verdict(subject: &Subject, account: &types::Account) -> Verdict {
    let gathered = &subject.gathered;
    let reasons = gathered
        .assignment
        .as_ref()
        .map(|stored| stored.lifecycle_reasons.clone());
    Verdict {
        status: account.status,
        reason: gathered.record.status_reason.clone(),
        reasons: reasons.unwrap_or_default(),
        ask_again: None,
    }
}

/// The grants of a slot that are stored. Those that no policy gave are said to be of the slot's.
pub(super) fn wish(subject: &Subject, by: &Decider) -> Wish {
    let stored = subject.gathered.assignment.as_ref();
    let grants = stored.map_or(&[][..], |stored| &stored.grants);
    let of_slot = |kind| (kind == GrantKind::Seat) == (by.slot == Slot::Seats);
    Wish {
        grants: grants
            .iter()
            .filter(|grant| of_slot(grant.kind))
            .map(|grant| Proposed {
                proposal: types::Proposal {
                    kind: match grant.kind {
                        GrantKind::BaseRole => types::GrantKind::BaseRole,
                        GrantKind::CustomRole => types::GrantKind::CustomRole,
                        GrantKind::Seat => types::GrantKind::Seat,
                    },
                    name: grant.name.clone(),
                    reason: grant.reason.clone(),
                    basis: types::Basis::Kept,
                },
                by: grant.by.clone().unwrap_or_else(|| by.clone()),
            })
            .collect(),
        ask_again: None,
    }
}
