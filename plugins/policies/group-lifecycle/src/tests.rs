use super::{GroupLifecycle, Settings};
use gatewright_sdk::{
    Account,
    AccountStatus::{self, Active, Deactivated, Deleted},
    GrantKind, LifecyclePolicy, testing,
};

const DEACTIVATE: &str = r#"{"when_in_no_group": "deactivate"}"#;

fn decide(settings: &str, account: &Account) -> AccountStatus {
    let settings = testing::settings::<Settings>(settings).unwrap();
    let policy = GroupLifecycle::configure(settings).unwrap();
    let decision = policy.decide(&testing::context(), account).unwrap();
    assert!(!decision.reason.is_empty());
    decision.status
}

#[test]
fn is_active_as_long_as_one_user_is() {
    let mut account = testing::account("ada@example.com")
        .status(Deactivated)
        .decided()
        .build();
    assert_eq!(decide("{}", &account), Active);

    let mut other = account.users[0].clone();
    other.active = false;
    account.users.push(other);
    assert_eq!(decide("{}", &account), Active);

    account.users[0].active = false;
    assert_eq!(decide("{}", &account), Deactivated);
}

#[test]
fn a_user_that_was_deleted_leaves_a_deactivated_account_unless_set_otherwise() {
    // The host deactivated it when the user was deleted.
    let account = testing::account("ada@example.com")
        .without_user()
        .status(Deactivated);
    let delete = r#"{"when_user_deleted": "delete"}"#;
    assert_eq!(decide("{}", &account.clone().build()), Deactivated);
    assert_eq!(decide(delete, &account.clone().build()), Deleted);

    // It does not come back from the dead without a user.
    let deleted = account.status(Deleted).build();
    assert_eq!(decide("{}", &deleted), Deleted);
}

#[test]
fn a_deleted_user_of_an_account_that_is_still_active_is_told_by_what_it_left_behind() {
    let account = testing::account("ada@example.com").decided().without_user();
    let left = account.clone().left_group("Engineering").build();
    assert_eq!(decide("{}", &left), Deactivated);
    let granted = account.has_mapped(GrantKind::Seat, "Full").build();
    assert_eq!(decide("{}", &granted), Deactivated);
}

#[test]
fn an_account_that_never_had_a_user_stays_active() {
    let account = testing::account("root@example.com")
        .decided()
        .without_user()
        .has(GrantKind::BaseRole, "Owner", "import")
        .build();
    assert_eq!(decide("{}", &account), Active);
    assert_eq!(
        decide(r#"{"when_user_deleted": "delete"}"#, &account),
        Active
    );
}

#[test]
fn a_new_user_is_active_before_its_groups_are_pushed() {
    let account = testing::account("ada@example.com");
    assert_eq!(decide(DEACTIVATE, &account.clone().build()), Active);
    assert_eq!(decide(DEACTIVATE, &account.decided().build()), Active);
}

#[test]
fn leaving_the_last_group_counts_where_it_is_set_to() {
    let account = testing::account("ada@example.com")
        .decided()
        .left_group("Sales");
    let in_another = account.clone().in_group("Support").build();
    let in_none = account.build();
    assert_eq!(decide("{}", &in_none), Active);
    assert_eq!(decide(DEACTIVATE, &in_none), Deactivated);
    assert_eq!(
        decide(r#"{"when_in_no_group": "delete"}"#, &in_none),
        Deleted
    );
    assert_eq!(decide(DEACTIVATE, &in_another), Active);
}

#[test]
fn stays_out_of_use_until_it_is_in_a_group_again() {
    let later = testing::account("ada@example.com")
        .decided()
        .status(Deactivated);
    assert_eq!(decide(DEACTIVATE, &later.clone().build()), Deactivated);
    assert_eq!(decide(DEACTIVATE, &later.in_group("Sales").build()), Active);

    let role_left = testing::account("ada@example.com")
        .decided()
        .has_mapped(GrantKind::BaseRole, "Editor")
        .build();
    assert_eq!(decide(DEACTIVATE, &role_left), Deactivated);
}

#[test]
fn refuses_unknown_settings() {
    assert!(testing::settings::<Settings>(r#"{"when_deleted": "delete"}"#).is_err());
    let problem = testing::settings::<Settings>(r#"{"when_user_deleted": "ignore"}"#).unwrap_err();
    assert_eq!(problem.pointer, "/when_user_deleted");
}
