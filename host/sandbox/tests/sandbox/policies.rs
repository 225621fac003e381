//! Decisions, swaps and many callers at once.

use crate::harness::{
    account, compiler, component, context, hostile, load, patient, role, sandbox, sandbox_in,
};
use gatewright_sandbox::types::{AccountStatus, SeatRequest};
use gatewright_sandbox::{Config, FailureKind, Grants, Limits, Plugin, Sandbox};
use serde_json::json;
use std::thread;

#[test]
fn the_built_in_policies_decide() {
    let Plugin::Role(roles) = load("group-roles", &json!({})).unwrap() else {
        panic!("group-roles is a role policy");
    };
    let called = roles.decide(&context(), &[account("ada")]).unwrap();
    let decision = called.value[0].as_ref().unwrap();
    assert_eq!(decision.roles[0].name, "Viewer");

    let Plugin::Seat(seats) = load("group-seats", &json!({})).unwrap() else {
        panic!("group-seats is a seat policy");
    };
    let request = SeatRequest {
        account: account("ada"),
        roles: decision.roles.clone(),
    };
    let called = seats.decide(&context(), &[request]).unwrap();
    assert_eq!(called.value[0].as_ref().unwrap().seats[0].name, "Full");

    let Plugin::Lifecycle(lifecycle) = load("group-lifecycle", &json!({})).unwrap() else {
        panic!("group-lifecycle is a lifecycle policy");
    };
    let mut inactive = account("bob");
    inactive.users[0].active = false;
    let called = lifecycle
        .decide(&context(), &[account("ada"), inactive])
        .unwrap();
    let statuses: Vec<_> = called
        .value
        .iter()
        .map(|decision| decision.as_ref().unwrap().status)
        .collect();
    assert_eq!(
        statuses,
        [AccountStatus::Active, AccountStatus::Deactivated]
    );
}

#[test]
fn the_same_call_has_the_same_answer() {
    let policy = hostile("refuse");
    let batch = [account("ada"), account("mallory"), account("bob")];
    let first = policy.decide(&context(), &batch).unwrap().value;
    for _ in 0..10 {
        assert_eq!(policy.decide(&context(), &batch).unwrap().value, first);
    }
}

#[test]
fn calls_in_flight_finish_on_the_policy_they_began_with() {
    let mut bound = hostile("loop");
    let before = bound.clone();
    thread::scope(|scope| {
        let looping = bound.clone();
        let caller = scope.spawn(move || looping.decide(&context(), &[account("mallory")]));
        bound = hostile("refuse");
        let called = bound.decide(&context(), &[account("mallory")]);
        assert!(called.unwrap().value[0].is_err());
        let error = caller.join().unwrap().unwrap_err();
        assert_eq!(error.kind, FailureKind::Timeout);
    });
    bound = before;
    let error = bound.decide(&context(), &[account("mallory")]).unwrap_err();
    assert_eq!(error.kind, FailureKind::Timeout);
}

#[test]
fn more_calls_than_slots_are_told_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(directory.path());
    let settings = json!({
        "behaviour": "loop", "when": "user-name-contains", "needle": "mallory",
    });
    let limits = Limits {
        time: std::time::Duration::from_millis(400),
        ..Limits::default()
    };
    let plugin = sandbox.load(&component("hostile"), &settings, limits, Grants::default());
    let policy = role(plugin);
    let kinds: Vec<FailureKind> = thread::scope(|scope| {
        let callers: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| policy.decide(&context(), &[account("mallory")])))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap().unwrap_err().kind.clone())
            .collect()
    });
    let busy = kinds.iter().filter(|k| **k == FailureKind::Busy).count();
    let late = kinds.iter().filter(|k| **k == FailureKind::Timeout).count();
    assert!(busy >= 1, "{kinds:?}");
    assert_eq!(busy + late, 12, "{kinds:?}");
}

#[test]
fn fuel_is_counted_where_that_is_wanted_and_is_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let counting = Sandbox::start(Config {
        counts_fuel: true,
        slots: 2,
        ..Config::new(folder.path().to_owned(), compiler())
    });
    let wasm = component("group-roles");
    let load =
        |sandbox: &Sandbox| role(sandbox.load(&wasm, &json!({}), patient(), Grants::default()));
    let counting = load(&counting.unwrap());
    let fuel = |accounts: usize| {
        let accounts = vec![account("ada"); accounts];
        counting
            .decide(&context(), &accounts)
            .unwrap()
            .fuel
            .unwrap()
    };
    let one = fuel(1);
    assert!((1_000..10_000_000).contains(&one), "{one}");
    assert_eq!(fuel(1), one);
    assert!(fuel(16) > one);
    let plain = load(sandbox())
        .decide(&context(), &[account("ada")])
        .unwrap();
    assert_eq!(plain.fuel, None);
}
