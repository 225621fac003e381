//! Who is decided, and what it costs, where a policy of a chain fails.

use super::{Failure, Losses, Member, Round, Verdict, guard};
use crate::access::reconcile::ask::Answer;
use crate::model::access::Decider;
use crate::model::plugins::{Bound, BoundLimits, PluginRef, Slot};
use gatewright_sandbox::types::AccountStatus::{Active, Deactivated, Deleted};
use gatewright_sandbox::types::{
    AccountStatus, Catalogue, Context, LifecycleDecision, PresenceSignal,
};
use gatewright_sandbox::{CallError, Called, Grants};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

fn guarded(any_user_active: bool, said: &[bool], wanted: AccountStatus) -> AccountStatus {
    let signal = |active: &bool| PresenceSignal {
        source: "chat".to_owned(),
        active: *active,
        at: 0,
    };
    let signals: Vec<PresenceSignal> = said.iter().map(signal).collect();
    let wanted = Verdict::from(LifecycleDecision {
        status: wanted,
        reason: String::new(),
        ask_again: None,
        extra: Vec::new(),
    });
    guard(any_user_active, &signals, &wanted).0
}

#[test]
fn whose_users_are_all_inactive_is_out_unless_a_signal_and_the_policies_say_otherwise() {
    assert_eq!(guarded(true, &[], Active), Active);
    assert_eq!(guarded(false, &[], Active), Deactivated);
    assert_eq!(guarded(false, &[false], Active), Deactivated);
    assert_eq!(guarded(false, &[false, true], Active), Active);
    assert_eq!(guarded(false, &[true], Deactivated), Deactivated);
    assert_eq!(guarded(false, &[true], Deleted), Deleted);
    assert_eq!(guarded(true, &[true], Deactivated), Deactivated);
}

/// Traps for these accounts, as a component would: a batch with one of them has no answer.
type TrapsFor = BTreeSet<usize>;

fn call(traps_for: &TrapsFor, part: &[usize]) -> Answer<usize> {
    if part.iter().any(|account| traps_for.contains(account)) {
        let error = json!({
            "plugin": "any@1.0.0", "export": "role-policy.decide", "kind": { "kind": "timeout" },
            "panic": null, "frames": [], "log": [], "elapsed": { "secs": 0, "nanos": 5 },
            "memory": 0,
        });
        return Err(serde_json::from_value::<CallError>(error).unwrap());
    }
    Ok(Called {
        value: part.iter().map(|account| Ok(*account)).collect(),
        log: Vec::new(),
        elapsed: Duration::ZERO,
        memory: 0,
        output: 0,
        fuel: None,
    })
}

/// How it went for one account: the answers of the chain, or whether it failed or was not tried.
#[derive(Debug, PartialEq)]
enum End {
    Decided(usize),
    Failed,
    Skipped,
}

fn bound() -> Bound {
    Bound {
        plugin: PluginRef {
            digest: String::new(),
            settings: json!({}),
        },
        grants: Grants::default(),
        limits: BoundLimits::default(),
    }
}

/// The ends of accounts 0 to `accounts`, and how many calls failed.
fn run(chain: &[TrapsFor], accounts: usize, trusted: usize) -> (Vec<End>, u32) {
    let member = |(place, policy): (u32, &TrapsFor)| Member {
        policy: policy.clone(),
        bound: bound(),
        by: Decider {
            slot: Slot::Roles,
            place,
            plugin: "any".into(),
            version: "1.0.0".into(),
            binding: 1,
        },
    };
    let chain: Vec<_> = (0..).zip(chain).map(member).collect();
    let mut losses = Losses::none();
    let context = Context {
        now: 0,
        catalogue: Catalogue {
            base_roles: Vec::new(),
            custom_roles: Vec::new(),
            seat_types: Vec::new(),
        },
        organization: String::new(),
        extra: Vec::new(),
    };
    let mut round = Round {
        context: &context,
        trusted,
        failed: (0..accounts).map(|_| None).collect(),
        losses: &mut losses,
    };
    let asked = (0..accounts).map(|account| (account, account)).collect();
    let decided = round.chain(&chain, asked, call, |before, answer, _| {
        before.unwrap_or(0) + usize::from(answer < accounts)
    });
    let failed = round.failed.into_iter().map(|failure| match failure {
        Some(Failure::Skipped) => End::Skipped,
        Some(_) => End::Failed,
        None => End::Decided(0),
    });
    let mut ends: Vec<End> = failed.collect();
    for (place, account, answers) in decided {
        assert_eq!((place, &ends[place]), (account, &End::Decided(0)));
        ends[place] = End::Decided(answers);
    }
    (ends, losses.calls)
}

proptest! {
    #[test]
    fn one_that_fails_costs_a_chain_what_it_costs_alone(
        bad in proptest::collection::btree_set(0_usize..16, 0..17),
        accounts in 1_usize..17,
        trusted in 0_usize..17,
        before in 0_usize..4,
        after in 0_usize..4,
    ) {
        let trusted = trusted.min(accounts);
        let decent = TrapsFor::new();
        let mut chain = vec![decent; before + 1 + after];
        chain[before].clone_from(&bad);
        let (alone, calls_alone) = run(&[bad], accounts, trusted);
        let (ends, calls) = run(&chain, accounts, trusted);
        prop_assert_eq!(calls, calls_alone);
        for (end, alone) in ends.iter().zip(&alone) {
            match alone {
                End::Decided(_) => prop_assert_eq!(end, &End::Decided(chain.len())),
                other => prop_assert_eq!(end, other),
            }
        }
    }

    #[test]
    fn who_fails_anywhere_is_not_decided_and_all_others_are_or_were_not_tried(
        chain in proptest::collection::vec(proptest::collection::btree_set(0_usize..16, 0..3), 1..9),
        accounts in 1_usize..17,
    ) {
        let (ends, calls) = run(&chain, accounts, accounts);
        prop_assert!(calls <= 10 + 7, "{} calls failed", calls);
        for (account, end) in ends.iter().enumerate() {
            let is_bad = chain.iter().any(|traps_for| traps_for.contains(&account));
            match end {
                End::Decided(answers) => prop_assert_eq!((is_bad, *answers), (false, chain.len())),
                End::Failed => prop_assert!(is_bad),
                End::Skipped => prop_assert!(calls >= 10, "only where enough calls have failed"),
            }
        }
    }
}
