//! Chains against what their documentation says of them.

use super::{Decider, Proposed, Verdict, Wish};
use crate::model::plugins::Slot;
use gatewright_sandbox::types::{
    self, AccountStatus, Basis, Catalogue, GrantKind, LifecycleDecision,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const ROLES: [&str; 4] = ["Owner", "Admin", "Standard", "Viewer"];

fn catalogue() -> Catalogue {
    let base_role = |(rank, name): (u32, &&str)| types::BaseRole {
        name: (*name).to_owned(),
        rank,
        is_default: false,
    };
    Catalogue {
        base_roles: (1..).zip(&ROLES).map(base_role).collect(),
        custom_roles: Vec::new(),
        seat_types: Vec::new(),
    }
}

/// What the member at `place` of the chain wants: its reasons say that they are its own.
fn wish(place: u32, base: Option<usize>, others: &BTreeSet<u8>, ask_again: Option<u64>) -> Wish {
    let by = Decider {
        slot: Slot::Roles,
        place,
        plugin: "any".into(),
        version: "1.0.0".into(),
        binding: 1,
    };
    let proposal = |kind, name: String| types::Proposal {
        kind,
        reason: format!("{place} wants {name}"),
        name,
        basis: Basis::Rule,
    };
    // A base role may stand anywhere among the others.
    let mut proposals: Vec<_> = (others.iter())
        .map(|other| {
            let kind = [GrantKind::CustomRole, GrantKind::Seat][usize::from(other % 2)];
            proposal(kind, format!("other {}", other / 2))
        })
        .collect();
    let at = proposals.len() / 2;
    proposals.splice(
        at..at,
        base.map(|rank| proposal(GrantKind::BaseRole, ROLES[rank].to_owned())),
    );
    Wish::of(proposals, ask_again, &by)
}

fn verdict(place: usize, status: AccountStatus, ask_again: Option<u64>) -> Verdict {
    Verdict::from(LifecycleDecision {
        status,
        reason: format!("{place} says so"),
        ask_again,
        extra: Vec::new(),
    })
}

fn joined(chain: Vec<Wish>) -> Wish {
    let catalogue = catalogue();
    let mut chain = chain.into_iter();
    let first = chain.next().unwrap();
    chain.fold(first, |before, later| before.join(later, &catalogue))
}

/// What is wanted, whoever wants it.
fn names(wish: &Wish) -> BTreeSet<(u8, String)> {
    let name = |one: &Proposed| (one.proposal.kind as u8, one.proposal.name.clone());
    wish.grants.iter().map(name).collect()
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let base = proptest::option::of(0..ROLES.len());
    let others = proptest::collection::btree_set(0_u8..8, 0..5);
    let one = (base, others, proptest::option::of(0_u64..5));
    proptest::collection::vec(one, 1..9).prop_map(|chain| {
        (0..)
            .zip(chain)
            .map(|(place, (base, others, ask_again))| wish(place, base, &others, ask_again))
            .collect()
    })
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let status = prop_oneof![
        Just(AccountStatus::Active),
        Just(AccountStatus::Deactivated),
        Just(AccountStatus::Deleted)
    ];
    let one = (status, proptest::option::of(0_u64..5));
    proptest::collection::vec(one, 1..9).prop_map(|chain| {
        let said = chain.into_iter().enumerate();
        said.map(|(place, (status, ask_again))| verdict(place, status, ask_again))
            .collect()
    })
}

proptest! {
    #[test]
    fn a_chain_wants_what_its_documentation_says(chain in wishes()) {
        let all = joined(chain.clone());
        let each = || chain.iter().flat_map(|wish| &wish.grants);
        let base = |one: &&Proposed| one.proposal.kind == GrantKind::BaseRole;
        let rank = |one: &Proposed| ROLES.iter().position(|name| *name == one.proposal.name);
        // Of the base roles the highest; where several want it, from the first. All else from the
        // first that wants it.
        let mut expected: Vec<Proposed> = each().filter(base).min_by_key(|one| rank(one)).cloned().into_iter().collect();
        for one in each().filter(|one| !base(one)) {
            let same = |known: &Proposed| (known.proposal.kind, &known.proposal.name) == (one.proposal.kind, &one.proposal.name);
            if !expected.iter().any(same) {
                expected.push(one.clone());
            }
        }
        let sorted = |mut list: Vec<Proposed>| {
            list.sort_by_key(|one| (one.proposal.kind as u8, one.proposal.name.clone()));
            list
        };
        prop_assert_eq!(sorted(all.grants), sorted(expected));
        prop_assert_eq!(all.ask_again, chain.iter().filter_map(|wish| wish.ask_again).min());
    }

    #[test]
    fn joining_is_associative(chain in wishes(), at in 0_usize..8) {
        let at = at % chain.len();
        if at > 0 {
            let (head, tail) = chain.split_at(at);
            let parts = joined(vec![joined(head.to_vec()), joined(tail.to_vec())]);
            prop_assert_eq!(parts, joined(chain));
        }
    }

    #[test]
    fn the_order_says_who_gives_the_reason_and_nothing_else(chain in wishes(), by in 0_usize..8) {
        let mut turned = chain.clone();
        let by = by % chain.len();
        turned.rotate_left(by);
        turned.reverse();
        let (one, other) = (joined(chain), joined(turned));
        prop_assert_eq!(names(&one), names(&other));
        prop_assert_eq!(one.ask_again, other.ask_again);
    }

    #[test]
    fn who_is_there_twice_adds_nothing(chain in wishes()) {
        let twice = [chain.clone(), chain.clone()].concat();
        prop_assert_eq!(joined(twice), joined(chain));
    }

    #[test]
    fn the_most_restrictive_status_wins_with_its_first_reason(chain in verdicts(), at in 0_usize..8) {
        let join = |chain: &[Verdict]| chain.iter().cloned().reduce(Verdict::join).unwrap();
        let all = join(&chain);
        let is = |status| chain.iter().find(move |one| one.status == status);
        let expected = is(AccountStatus::Deleted).or(is(AccountStatus::Deactivated)).or(is(AccountStatus::Active)).unwrap();
        prop_assert_eq!((all.status, &all.reason), (expected.status, &expected.reason));
        let reasons: Vec<&String> = chain.iter().map(|one| &one.reason).collect();
        prop_assert_eq!(all.reasons.iter().collect::<Vec<_>>(), reasons);
        prop_assert_eq!(all.ask_again, chain.iter().filter_map(|one| one.ask_again).min());
        let (head, tail) = chain.split_at(at % chain.len());
        if !head.is_empty() {
            prop_assert_eq!(join(head).join(join(tail)), all);
        }
    }
}
