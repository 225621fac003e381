//! Rules for accounts of an age.

use super::rule;
use crate::{Granted, Rules};
use gatewright_sdk::{Period, testing, testing::NOW};

const DAY: u64 = 86_400_000;

/// Asked this many days after the account came, with the two periods of a rule.
fn asked(when: &str, days: u64, older: Option<&str>, younger: Option<&str>) -> (bool, Option<u64>) {
    let mut rule = rule(when);
    rule.account_older_than = older.and_then(Period::parse);
    rule.account_younger_than = younger.and_then(Period::parse);
    let mut account = testing::account("ada@example.com").build();
    account.created = NOW - days * DAY;
    let rules = Rules::compile(vec![rule], false).unwrap();
    let Granted {
        proposals,
        ask_again,
    } = rules.granted(&testing::context(), &account, None).unwrap();
    let after = ask_again.map(|time| (time - account.created) / DAY);
    (!proposals.is_empty(), after)
}

#[test]
fn a_rule_for_newcomers_ends_by_itself() {
    let younger = |days| asked("true", days, None, Some("30d"));
    assert_eq!(younger(0), (true, Some(30)));
    assert_eq!(younger(29), (true, Some(30)));
    assert_eq!(younger(30), (false, None));
}

#[test]
fn a_rule_for_those_who_have_been_there_begins_by_itself() {
    let older = |days| asked("true", days, Some("30d"), None);
    assert_eq!(older(29), (false, Some(30)));
    assert_eq!(older(30), (true, None));
}

#[test]
fn both_are_a_time_between() {
    let between = |days| asked("true", days, Some("7d"), Some("30d"));
    assert_eq!(between(6), (false, Some(7)));
    assert_eq!(between(7), (true, Some(30)));
    assert_eq!(between(30), (false, None));
}

#[test]
fn nobody_asks_again_where_the_time_changes_nothing() {
    assert_eq!(asked("false", 1, Some("7d"), Some("30d")), (false, None));
    assert_eq!(asked("true", 1, None, None), (true, None));
}

#[test]
fn the_earliest_time_of_all_rules_counts() {
    let rules = ["30d", "7d", "9d"].map(|period| {
        let mut rule = rule("true");
        rule.account_younger_than = Period::parse(period);
        rule
    });
    let mut account = testing::account("ada@example.com").build();
    account.created = NOW - 8 * DAY;
    let granted = Rules::compile(rules.into(), false).unwrap();
    let granted = granted
        .granted(&testing::context(), &account, None)
        .unwrap();
    assert_eq!(granted.ask_again, Some(account.created + 9 * DAY));
    assert_eq!(granted.proposals.len(), 2);
}
