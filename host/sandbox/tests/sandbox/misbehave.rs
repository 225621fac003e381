//! What becomes of each way in which a plugin can misbehave.

use crate::harness::{account, context, hostile, hostile_with, load, patient, role};
use gatewright_sandbox::types::{Proposal, Refusal, RoleDecision};
use gatewright_sandbox::{Allowed, CallError, FailureKind, Grants, Level, Limits, Rejection};
use serde_json::json;
use std::time::Duration;

fn failure(behaviour: &str) -> CallError {
    hostile(behaviour)
        .decide(&context(), &[account("mallory")])
        .expect_err(behaviour)
}

#[test]
fn a_loop_ends_at_its_deadline() {
    let error = failure("loop");
    assert_eq!(error.kind, FailureKind::Timeout);
    let ran = error.elapsed;
    // Generous above, for a machine that does other things as well.
    assert!((50..1000).contains(&ran.as_millis()), "{ran:?}");
}

#[test]
fn a_batch_gets_time_in_proportion() {
    let mut batch = vec![account("ada"); 20];
    batch.push(account("mallory"));
    let error = hostile("loop").decide(&context(), &batch).unwrap_err();
    assert_eq!(error.kind, FailureKind::Timeout);
    assert!(error.elapsed >= Duration::from_millis(150));
}

#[test]
fn memory_has_an_end() {
    let error = hostile_with("allocate", patient(), Grants::default())
        .decide(&context(), &[account("mallory")])
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Memory);
}

#[test]
fn the_stack_has_an_end_and_its_frames_have_names() {
    let error = failure("recurse");
    assert_eq!(error.kind, FailureKind::Stack);
    assert!(error.frames.len() <= 24);
    assert!(
        error.frames.iter().any(|frame| frame.contains("recurse")),
        "{:?}",
        error.frames
    );
}

#[test]
fn a_panic_is_told_with_plugin_place_text_and_frames() {
    let error = failure("trap");
    assert!(
        matches!(&error.kind, FailureKind::Trap(what) if what.contains("unreachable")),
        "{:?}",
        error.kind
    );
    let panic = error.panic.as_deref().unwrap();
    assert!(panic.starts_with("a bug in the policy ("), "{panic}");
    assert!(panic.contains("misdeeds.rs:"), "{panic}");
    assert!(error.plugin.starts_with("hostile@"), "{}", error.plugin);
    assert_eq!(error.export, "role-policy.decide");
    assert!(
        error
            .frames
            .contains(&"hostile::misdeeds::commit".to_owned()),
        "{:?}",
        error.frames
    );
    assert!(error.to_string().contains("a bug in the policy"));
    assert!(
        error
            .log
            .iter()
            .any(|line| line.level == Level::Warn && line.text.contains("panicked"))
    );
}

#[test]
fn sleep_is_denied_by_name_and_waits_for_nothing() {
    let error = failure("sleep");
    assert!(
        matches!(&error.kind, FailureKind::Denied(what) if what.starts_with("wasi:")),
        "{:?}",
        error.kind
    );
    assert!(error.elapsed < Duration::from_secs(1));
}

#[test]
fn huge_output_is_refused() {
    assert_eq!(failure("big-output").kind, FailureKind::Output(1 << 20));
}

#[test]
fn output_at_the_limit_passes_and_one_byte_more_does_not() {
    let cost = size_of::<Result<RoleDecision, Refusal>>()
        + size_of::<Proposal>()
        + "Viewer".len()
        + "default role".len();
    let decide = |output: usize| {
        let limits = Limits {
            output: output as u64,
            ..Limits::default()
        };
        hostile_with("refuse", limits, Grants::default()).decide(&context(), &[account("ada")])
    };
    assert!(decide(cost).unwrap().value[0].is_ok());
    let refused = decide(cost - 1).unwrap_err().kind.clone();
    assert_eq!(refused, FailureKind::Output(cost as u64 - 1));
}

#[test]
fn a_missing_answer_is_garbage() {
    let error = hostile("wrong-count")
        .decide(&context(), &[account("ada"), account("mallory")])
        .unwrap_err();
    assert_eq!(
        error.kind,
        FailureKind::Garbage("1 answers for 2 accounts".to_owned())
    );
}

#[test]
fn what_breaks_the_bounds_is_refused_and_the_others_are_decided() {
    let called = hostile("garbage")
        .decide(&context(), &[account("mallory"), account("ada")])
        .unwrap();
    assert!(matches!(called.value[0], Err(Rejection::Invalid { .. })));
    assert!(called.value[1].is_ok());
}

#[test]
fn a_place_beyond_the_mapping_is_refused_by_name() {
    let called = hostile("bad-index")
        .decide(&context(), &[account("mallory"), account("ada")])
        .unwrap();
    let why = called.value[0].as_ref().unwrap_err().to_string();
    assert!(
        why.contains("names place 0 of the account's mapping, which has no entries"),
        "{why}"
    );
    assert!(called.value[1].is_ok());
}

#[test]
fn what_the_binding_does_not_grant_is_refused() {
    let grants = Grants {
        base_roles: Allowed::Only(["Viewer".to_owned()].into()),
        ..Grants::default()
    };
    let called = hostile_with("ungranted", Limits::default(), grants)
        .decide(&context(), &[account("mallory"), account("ada")])
        .unwrap();
    assert!(
        matches!(&called.value[0], Err(Rejection::Ungranted { name, .. }) if name == "Owner"),
        "{called:?}"
    );
    assert!(called.value[1].is_ok());
    let called = hostile("ungranted").decide(&context(), &[account("mallory")]);
    assert!(called.unwrap().value[0].is_ok());
}

#[test]
fn a_refusal_is_no_fault() {
    let called = hostile("refuse")
        .decide(&context(), &[account("mallory")])
        .unwrap();
    assert_eq!(
        called.value[0],
        Err(Rejection::Refused {
            message: "I would rather not".to_owned()
        })
    );
}

#[test]
fn printing_becomes_a_log_of_limited_size() {
    let policy = hostile("print");
    let called = policy.decide(&context(), &[account("mallory")]).unwrap();
    let lines: Vec<_> = called
        .log
        .iter()
        .map(|line| (line.level, line.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (Level::Info, "a line on standard output"),
            (Level::Warn, "a line on standard error")
        ]
    );
    let called = policy
        .decide(&context(), &vec![account("mallory"); 3000])
        .unwrap();
    let kept: usize = called.log.iter().map(|line| line.text.len()).sum();
    assert!(kept <= 66_000, "{kept}");
    assert!(called.log.last().unwrap().text.contains("dropped"));
    assert!(called.value.iter().all(Result::is_ok));
}

#[test]
fn a_plugin_that_prints_when_configured_does_without_a_snapshot() {
    let settings = json!({ "behaviour": "print", "when": "configure" });
    let policy = role(load("hostile", &settings));
    let setup = policy.loaded().setup();
    assert!(
        matches!(setup, gatewright_sandbox::Setup::EachCall { why } if why.contains("prints")),
        "{setup:?}"
    );
    let called = policy.decide(&context(), &[account("ada")]).unwrap();
    assert!(called.value[0].is_ok());
}

#[test]
fn after_a_failure_the_next_call_is_as_good_as_new() {
    let policy = hostile("trap");
    for _ in 0..20 {
        assert!(policy.decide(&context(), &[account("mallory")]).is_err());
        let called = policy.decide(&context(), &[account("ada")]).unwrap();
        assert!(called.value[0].is_ok());
    }
}
