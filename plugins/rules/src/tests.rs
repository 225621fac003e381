mod conditions;
mod hostile;
mod refused;
mod time;

use crate::{Grant, Granted, Rule, Rules};
use gatewright_sdk::{Account, GrantKind, Problem, Proposal, Refusal, testing};
use schemars::JsonSchema;
use serde::Deserialize;

/// A policy's own type of grants.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    CustomRole(String),
}

impl Grant for Role {
    fn granted(&self) -> (GrantKind, &str) {
        let Self::CustomRole(name) = self;
        (GrantKind::CustomRole, name)
    }
}

/// A rule of this condition that grants Auditor.
fn rule(when: &str) -> Rule<Role> {
    Rule {
        when: when.to_owned(),
        grant: Role::CustomRole("Auditor".to_owned()),
        reason: "the rule".to_owned(),
        account_younger_than: None,
        account_older_than: None,
    }
}

fn compile(when: &str) -> Result<Rules<Role>, Vec<Problem>> {
    Rules::compile(vec![rule(when)], false)
}

/// What is wrong with a condition.
fn problem(when: &str) -> String {
    let mut problems = compile(when).expect_err(when);
    let problem = problems.remove(0);
    assert_eq!(problem.pointer, "/rules/0/when", "{when}");
    problem.message
}

fn granted(when: &str, account: &Account) -> Result<Granted, Refusal> {
    let rules = compile(when).unwrap_or_else(|problems| panic!("{when}: {problems:?}"));
    rules.granted(&testing::context(), account, None)
}

/// Whether the condition holds for the account.
fn holds(when: &str, account: &Account) -> bool {
    let granted = granted(when, account).unwrap_or_else(|why| panic!("{when}: {}", why.message));
    let auditor = [Proposal::custom_role("Auditor", "the rule")];
    match granted.proposals.as_slice() {
        [] => false,
        proposals => {
            assert_eq!(proposals, auditor);
            true
        }
    }
}

/// Why the decision is refused.
fn refusal(when: &str, account: &Account) -> String {
    granted(when, account).expect_err(when).message
}
