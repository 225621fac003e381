use super::{GroupRoles, Settings};
use gatewright_sdk::testing::{self, Course};
use gatewright_sdk::{Account, AccountStatus, Context, GrantKind, RolePolicy};

fn policy(settings: &str) -> GroupRoles {
    GroupRoles::configure(testing::settings::<Settings>(settings).unwrap()).unwrap()
}

/// Name and reason of each role.
fn decide(settings: &str, account: &Account) -> Vec<(String, String)> {
    decide_in(&testing::context(), settings, account)
}

fn decide_in(context: &Context, settings: &str, account: &Account) -> Vec<(String, String)> {
    let decision = policy(settings).decide(context, account).unwrap();
    decision
        .roles
        .into_iter()
        .map(|role| (role.name, role.reason))
        .collect()
}

fn roles(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|&(name, reason)| (name.to_owned(), reason.to_owned()))
        .collect()
}

#[test]
fn gives_what_the_groups_give() {
    let account = testing::account("ada@example.com")
        .in_group("Engineering")
        .in_group("Finance")
        .maps("Engineering", GrantKind::BaseRole, "Editor")
        .maps("Finance", GrantKind::CustomRole, "Billing")
        .build();
    assert_eq!(
        decide("{}", &account),
        roles(&[
            ("Editor", "member of \"Engineering\""),
            ("Billing", "member of \"Finance\""),
        ])
    );
}

#[test]
fn gives_the_default_where_no_group_gives_a_base_role() {
    let account = testing::account("ada@example.com")
        .in_group("Finance")
        .maps("Finance", GrantKind::CustomRole, "Billing")
        .build();
    assert_eq!(
        decide("{}", &account),
        roles(&[
            ("Viewer", "default role"),
            ("Billing", "member of \"Finance\"")
        ])
    );
    assert_eq!(
        decide(r#"{"default_role": "Editor"}"#, &account)[0].0,
        "Editor"
    );

    let mut context = testing::context();
    for role in &mut context.catalogue.base_roles {
        role.is_default = false;
    }
    assert_eq!(
        decide_in(&context, "{}", &account),
        roles(&[("Billing", "member of \"Finance\"")])
    );
}

#[test]
fn refuses_rather_than_give_a_default_that_does_not_exist() {
    let account = testing::account("ada@example.com").build();
    let refusal = policy(r#"{"default_role": "Guest"}"#)
        .decide(&testing::context(), &account)
        .unwrap_err();
    assert!(refusal.message.contains("Guest"));
}

#[test]
fn a_person_who_leaves_the_group_falls_back() {
    let account = testing::account("ada@example.com")
        .left_group("Engineering")
        .maps("Engineering", GrantKind::BaseRole, "Editor")
        .has_mapped(GrantKind::BaseRole, "Editor")
        .has_mapped(GrantKind::CustomRole, "Billing")
        .build();
    assert_eq!(decide("{}", &account), roles(&[("Viewer", "default role")]));
}

#[test]
fn an_account_out_of_use_keeps_its_roles() {
    let account = testing::account("ada@example.com")
        .inactive()
        .status(AccountStatus::Deactivated)
        .in_group("Engineering")
        .maps("Engineering", GrantKind::BaseRole, "Editor")
        .build();
    assert_eq!(decide("{}", &account)[0].0, "Editor");
}

#[test]
fn roles_given_by_hand_stay() {
    let account = testing::account("ada@example.com")
        .in_group("Engineering")
        .maps("Engineering", GrantKind::BaseRole, "Editor")
        .maps("Engineering", GrantKind::CustomRole, "Billing")
        .has(GrantKind::BaseRole, "Owner", "manual")
        .has(GrantKind::CustomRole, "Auditor", "manual")
        .has(GrantKind::CustomRole, "Billing", "manual")
        .has(GrantKind::CustomRole, "Forgotten", "manual")
        .build();
    assert_eq!(
        decide("{}", &account),
        roles(&[
            ("Owner", "given by manual"),
            ("Billing", "member of \"Engineering\""),
            ("Auditor", "given by manual"),
        ])
    );
    assert_eq!(
        decide(r#"{"keep_local": false}"#, &account),
        roles(&[
            ("Editor", "member of \"Engineering\""),
            ("Billing", "member of \"Engineering\""),
        ])
    );
}

#[test]
fn roles_from_before_the_directory_give_way_to_groups_but_not_to_the_default() {
    let before = testing::account("ada@example.com").has(GrantKind::BaseRole, "Admin", "import");
    assert_eq!(
        decide("{}", &before.clone().build()),
        roles(&[("Admin", "given by import")])
    );
    let mapped = before
        .in_group("Engineering")
        .maps("Engineering", GrantKind::BaseRole, "Editor")
        .build();
    assert_eq!(
        decide("{}", &mapped),
        roles(&[("Editor", "member of \"Engineering\"")])
    );
}

#[test]
fn refuses_settings_that_make_no_sense() {
    assert!(testing::settings::<Settings>(r#"{"defaultRole": "Viewer"}"#).is_err());
    let settings = testing::settings::<Settings>(r#"{"default_role": ""}"#).unwrap();
    let problems = GroupRoles::configure(settings).unwrap_err();
    assert_eq!(problems[0].pointer, "/default_role");
}

/// Was in Leads until four seconds ago, which gives the base role Admin and the custom role Auditor.
fn leaver() -> testing::AccountBuilder {
    testing::account("ada@example.com")
        .decided()
        .left_group("Leads")
        .maps("Leads", GrantKind::BaseRole, "Admin")
        .maps("Leads", GrantKind::CustomRole, "Auditor")
        .has_mapped(GrantKind::BaseRole, "Admin")
        .has_mapped(GrantKind::CustomRole, "Auditor")
}

fn at(mut account: Account, ended: u64) -> Account {
    for membership in &mut account.memberships {
        membership.ended = membership.ended.map(|_| ended);
    }
    account
}

#[test]
fn a_role_from_a_group_stays_for_its_grace_and_no_longer() {
    let account = at(leaver().build(), testing::NOW - 4_000);
    assert_eq!(decide("{}", &account), roles(&[("Viewer", "default role")]));
    let policy = policy(r#"{"grace": "10s"}"#);
    let decision = policy.decide(&testing::context(), &account).unwrap();
    assert_eq!(decision.ask_again, Some(testing::NOW + 6_000));
    let reason = "given by policy, kept after leaving at 2025-12-31T23:59:56Z";
    let kept = roles(&[("Admin", reason), ("Auditor", reason)]);
    assert_eq!(decide(r#"{"grace": "10s"}"#, &account), kept);

    // The next decisions are told of no membership, and have the reason.
    let mut later = testing::account("ada@example.com")
        .decided()
        .has_mapped(GrantKind::BaseRole, "Admin")
        .has_mapped(GrantKind::CustomRole, "Auditor")
        .build();
    for grant in &mut later.grants {
        reason.clone_into(&mut grant.reason);
    }
    assert_eq!(decide(r#"{"grace": "10s"}"#, &later), kept);
    let mut context = testing::context();
    context.now += 5_999;
    assert_eq!(decide_in(&context, r#"{"grace": "10s"}"#, &later), kept);
    context.now += 1;
    assert_eq!(
        decide_in(&context, r#"{"grace": "10s"}"#, &later),
        roles(&[("Viewer", "default role")])
    );
}

#[test]
fn a_grace_gives_way_to_a_higher_role_and_to_one_given_by_hand() {
    let grace = r#"{"grace": "1d"}"#;
    let with = |role: &str| {
        let account = leaver()
            .in_group("Board")
            .maps("Board", GrantKind::BaseRole, role)
            .build();
        decide(grace, &account)[0].0.clone()
    };
    assert_eq!(with("Owner"), "Owner");
    assert_eq!(with("Editor"), "Admin");
    let by_hand = leaver()
        .has(GrantKind::BaseRole, "Viewer", "manual")
        .build();
    assert_eq!(decide(grace, &by_hand)[0].0, "Viewer");
}

#[test]
fn a_row_that_is_gone_from_the_mapping_has_no_grace() {
    let account = testing::account("ada@example.com")
        .decided()
        .in_group("Leads")
        .has_mapped(GrantKind::BaseRole, "Admin")
        .build();
    assert_eq!(
        decide(r#"{"grace": "1d"}"#, &account),
        roles(&[("Viewer", "default role")])
    );
}

#[test]
fn a_grace_is_a_period() {
    let problem = testing::settings::<Settings>(r#"{"grace": "a week"}"#).unwrap_err();
    assert_eq!(problem.pointer, "/grace");
    assert!(problem.message.contains("\"7d\""), "{problem:?}");
}

/// Each history of five acts of joining and leaving two groups with base roles of different rank, a
/// second apart, decided at some of its moments and at its end: the end is as if it had been decided
/// after each act.
#[test]
fn it_does_not_matter_when_it_was_decided() {
    const GROUPS: [&str; 2] = ["Leads", "Engineering"];
    let time = |place: u32| testing::NOW + 1_000 * (u64::from(place) + 1);
    let decide = |course: &mut Course, policy: &GroupRoles, now| {
        let mut context = testing::context();
        context.now = now;
        let decision = policy.decide(&context, &course.account()).unwrap();
        course.decided(&decision.roles, now);
        let mut names: Vec<_> = decision.roles.into_iter().map(|role| role.name).collect();
        names.sort();
        names
    };
    let run = |policy: &GroupRoles, history: u32, decides: u32| {
        let account = testing::account("ada@example.com")
            .maps("Leads", GrantKind::BaseRole, "Admin")
            .maps("Leads", GrantKind::CustomRole, "Billing")
            .maps("Engineering", GrantKind::BaseRole, "Editor")
            .maps("Engineering", GrantKind::CustomRole, "Auditor");
        let mut course = Course::of(account);
        _ = decide(&mut course, policy, testing::NOW);
        for place in 0..5 {
            match history / 5_u32.pow(place) % 5 {
                0 => {}
                act @ (1 | 2) => course.join(GROUPS[act as usize - 1], time(place)),
                act => course.leave(GROUPS[act as usize - 3], time(place)),
            }
            if decides & (1 << place) != 0 {
                _ = decide(&mut course, policy, time(place) + 1);
            }
        }
        decide(&mut course, policy, time(5))
    };
    let mut ends = Vec::new();
    for settings in ["{}", r#"{"grace": "2s"}"#, r#"{"grace": "3s"}"#] {
        let policy = policy(settings);
        for history in 0..5_u32.pow(5) {
            let naive = run(&policy, history, 0b11111);
            for decides in [0, 0b00001, 0b00100, 0b01010, 0b10010, 0b01101] {
                let told = run(&policy, history, decides);
                assert_eq!(told, naive, "{settings} {history} {decides:b}");
            }
            ends.push(naive);
        }
    }
    for role in ["Admin", "Auditor", "Billing", "Editor", "Viewer"] {
        assert!(ends.iter().flatten().any(|end| end == role));
    }
}
