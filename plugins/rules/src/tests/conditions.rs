//! What conditions see, and when they hold.

use super::{compile, holds};
use crate::Rules;
use gatewright_sdk::{
    Account, AccountStatus, Attribute, AttributeValue, Proposal, testing, testing::NOW,
};

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn ada() -> Account {
    let mut account = testing::account("ada@example.com")
        .attribute("title", "Controller")
        .attribute("name.givenName", "Ada")
        .attribute("emails[work].value", "ada@example.com")
        .attribute(DEPARTMENT, "Finance")
        .attribute(&DEPARTMENT.replace("department", "manager.value"), "7")
        .in_group("Finance")
        .in_group("Board")
        .left_group("Sales")
        .signal("chat", true, NOW)
        .build();
    let own = |name: &str, value| Attribute {
        name: format!("urn:acme:User:{name}"),
        value,
    };
    account.users[0].custom_attributes = vec![
        own("floor", AttributeValue::Integer(4)),
        own("load", AttributeValue::Decimal(0.5)),
        own("badge", AttributeValue::Truth(true)),
        own(
            "sites",
            AttributeValue::Json(r#"["Berlin", 7, 1.5, true]"#.to_owned()),
        ),
    ];
    account
}

#[track_caller]
fn assert_holds(account: &Account, conditions: &[&str]) {
    for when in conditions {
        assert!(holds(when, account), "{when}");
    }
}

#[track_caller]
fn assert_fails(account: &Account, conditions: &[&str]) {
    for when in conditions {
        assert!(!holds(when, account), "{when}");
    }
}

#[test]
fn attributes_are_seen_by_short_names_and_by_their_paths() {
    assert_holds(
        &ada(),
        &[
            "true",
            "user.userName == 'ada@example.com' && user.email == user.userName",
            "user.active && user.id == 'user-1'",
            "user.provider == 'generic' && user.directory == 'directory-1'",
            "user.title == 'Controller'",
            "user['title'] == 'Controller'",
            "user.department == 'Finance'",
            &format!("user['{DEPARTMENT}'] == 'Finance'"),
            &format!("user['{}'] == 'Finance'", DEPARTMENT.to_uppercase()),
            "user.name.givenName == 'Ada' && user['name.givenName'] == 'Ada'",
            "user.manager.value == '7'",
            "user['emails[work].value'].endsWith('@example.com')",
            "user['urn:acme:User:floor'] > 3 && user['urn:acme:User:floor'] + 1 == 5",
            "user['urn:acme:User:load'] < 0.6 && user['urn:acme:User:badge']",
            "'Berlin' in user['urn:acme:User:sites'] && 7 in user['urn:acme:User:sites']",
            "1.5 in user['urn:acme:User:sites'] && true in user['urn:acme:User:sites']",
        ],
    );
    assert_fails(
        &ada(),
        &["false", "user.title == 'controller'", "!user.active"],
    );
}

#[test]
fn groups_are_those_that_the_person_is_in_now() {
    assert_holds(
        &ada(),
        &[
            "'Finance' in groups && 'Board' in groups && size(groups) == 2",
            "!('Sales' in groups)",
            "groups.exists(g, g.startsWith('Fin'))",
            "groups.all(g, size(g) > 4) && groups[0] == 'Board'",
            "groups.filter(g, g.contains('oar')) == ['Board']",
            "groups.map(g, g.lowerAscii()) == ['board', 'finance']",
            "groups.exists_one(g, g == 'Board')",
        ],
    );
    let nobody = testing::account("bob@example.com").build();
    assert_holds(
        &nobody,
        &["groups == []", "groups.size() == 0", "groups.all(g, false)"],
    );
}

#[test]
fn account_and_signals_are_seen() {
    assert_holds(
        &ada(),
        &[
            "account.status == 'active' && account.id == 'account-1'",
            "signals.exists(s, s.source == 'chat' && s.active)",
            "signals[0].source == 'chat' && size(signals) == 1",
        ],
    );
    let away = testing::account("ada@example.com").status(AccountStatus::Deactivated);
    assert_holds(&away.build(), &["account.status == 'deactivated'"]);
}

#[test]
fn what_a_person_does_not_have_makes_a_condition_not_hold() {
    let bob = testing::account("bob@example.com").build();
    assert_fails(
        &bob,
        &[
            "has(user.title)",
            "has(user.name)",
            "has(user.displayName) || has(user.externalId)",
            "user.title == 'Controller'",
            "user.title != 'Controller'",
            "!(user.title == 'Controller')",
            "user.title in ['Controller', 'CFO']",
            "user.title.startsWith('C')",
            "user.name.givenName == 'Ada'",
            "user['urn:acme:User:floor'] > 3",
            "user.title == 'CEO' ? true : true",
            "user.title == 'CEO' && true",
            "true && user.title == 'CEO'",
            "groups[0] == 'Board'",
            "users[7].title == 'Controller'",
            "signals[0].active",
            "users.exists(u, u.title == 'CEO')",
        ],
    );
    // What holds whatever it would be, holds.
    assert_holds(
        &bob,
        &[
            "!has(user.title)",
            "!has(user.title) || user.title != 'Contractor'",
            "user.title == 'CEO' || user.active",
            "user.active || user.title == 'CEO'",
            "!(user.title == 'CEO' && !user.active)",
        ],
    );
    let nobody = testing::account("bob@example.com").without_user().build();
    assert_fails(
        &nobody,
        &["user.active", "has(user.active)", "user.userName == 'x'"],
    );
    assert_holds(&nobody, &["users == []", "!has(user.userName)"]);
}

#[test]
fn of_two_users_the_active_one_speaks_and_each_can_be_asked() {
    let mut account = ada();
    let mut second = account.users[0].clone();
    second.attributes = vec![Attribute::text("title", "Engineer")];
    second.external_id = Some("7".to_owned());
    account.users[0].active = false;
    account.users.push(second);
    assert_holds(
        &account,
        &[
            "user.title == 'Engineer'",
            // The active one does not say it.
            "user.department == 'Finance' && user.name.givenName == 'Ada'",
            "user.active && user.externalId == '7'",
            "users.exists(u, !u.active) && users.exists(u, u.title == 'Controller')",
            "size(users) == 2 && users[0].title == 'Controller' && !has(users[1].department)",
            "users.exists(u, has(u.name) && u.name.givenName == 'Ada')",
            "users.exists(u, u['urn:acme:User:floor'] == 4)",
        ],
    );
    // One of whom it is not known leaves it open for all.
    assert_fails(&account, &["users.all(u, u.department == 'Finance')"]);
}

#[test]
fn a_seat_policy_sees_the_roles_of_the_pass() {
    let roles = [
        Proposal::base_role("Admin", ""),
        Proposal::custom_role("Billing", ""),
    ];
    let rules = Rules::compile(
        vec![super::rule("'Billing' in roles && size(roles) == 2")],
        true,
    );
    let granted = rules
        .unwrap()
        .granted(&testing::context(), &ada(), Some(&roles));
    assert_eq!(granted.unwrap().proposals.len(), 1);
    assert!(compile("'Billing' in roles").is_err());
}

#[test]
fn all_rules_that_hold_grant_in_their_order() {
    let mut rules: Vec<_> = ["true", "user.title == 'CEO'", "user.active"]
        .map(super::rule)
        .into();
    for (rule, reason) in rules.iter_mut().zip(["first", "second", "third"]) {
        reason.clone_into(&mut rule.reason);
    }
    let rules = Rules::compile(rules, false).unwrap();
    let granted = rules.granted(&testing::context(), &ada(), None).unwrap();
    let reasons: Vec<_> = granted.proposals.iter().map(|one| &*one.reason).collect();
    assert_eq!(reasons, ["first", "third"]);
}
