use super::{GroupLifecycle, Settings};
use gatewright_sdk::{
    Account,
    AccountStatus::{self, Active, Deactivated, Deleted},
    GrantKind, LifecycleDecision, LifecyclePolicy,
    testing::{self, Course, NOW},
};

const DEACTIVATE: &str = r#"{"when_in_no_group": "deactivate"}"#;

fn decide(settings: &str, account: &Account) -> AccountStatus {
    let decision = ask(settings, account, NOW);
    assert!(!decision.reason.is_empty());
    decision.status
}

fn ask(settings: &str, account: &Account, now: u64) -> LifecycleDecision {
    let settings = testing::settings::<Settings>(settings).unwrap();
    let policy = GroupLifecycle::configure(settings).unwrap();
    let mut context = testing::context();
    context.now = now;
    policy.decide(&context, account).unwrap()
}

/// Status, reason, and when it wants to be asked again, in seconds from [`NOW`].
fn told(settings: &str, account: &Account, seconds: u64) -> (AccountStatus, String, Option<u64>) {
    let decision = ask(settings, account, NOW + seconds * 1_000);
    let again = decision.ask_again.map(|at| (at - NOW) / 1_000);
    (decision.status, decision.reason, again)
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
fn an_account_needs_one_of_the_groups_that_give_access() {
    let settings = r#"{"assigned_groups": ["staff", "ext-7"]}"#;
    let account = testing::account("ada@example.com").decided();
    let in_staff = account.clone().in_group("Staff").build();
    assert_eq!(decide(settings, &in_staff), Active);
    let in_other = account.in_group("Sales");
    assert_eq!(decide(settings, &in_other.clone().build()), Deactivated);
    let mut by_id = in_other.build();
    by_id.memberships[0].group_external_id = Some("ext-7".to_owned());
    assert_eq!(decide(settings, &by_id), Active);

    let new = testing::account("ada@example.com").status(Deactivated);
    assert_eq!(decide(settings, &new.build()), Deactivated);
    let inactive = testing::account("ada@example.com").inactive();
    let inactive = inactive.in_group("Staff").build();
    assert_eq!(decide(settings, &inactive), Deactivated);
}

const NO_GROUP: &str = "the user is in no group any more, since 2026-01-01T00:00:00Z";

#[test]
fn a_grace_puts_the_end_off_and_its_beginning_is_read_from_the_reason() {
    let settings = r#"{"when_in_no_group": "deactivate", "grace": "5s"}"#;
    let mut left = testing::account("ada@example.com")
        .decided()
        .left_group("Sales")
        .build();
    left.memberships[0].ended = Some(NOW + 900);
    let noted = NO_GROUP.to_owned();
    assert_eq!(told(settings, &left, 1), (Active, noted.clone(), Some(5)));

    // The next decisions are told of no membership, and nothing else is left.
    let later = testing::account("ada@example.com")
        .decided()
        .lifecycle_reason("whatever another policy said")
        .lifecycle_reason(NO_GROUP)
        .build();
    assert_eq!(told(settings, &later, 4), (Active, noted.clone(), Some(5)));
    assert_eq!(
        told(settings, &later, 5),
        (Deactivated, noted.clone(), None)
    );
    let after = testing::account("ada@example.com")
        .decided()
        .status(Deactivated)
        .lifecycle_reason(NO_GROUP);
    let stays = told(settings, &after.clone().build(), 9);
    assert_eq!(stays, (Deactivated, noted, None));
    assert_eq!(decide(settings, &after.in_group("Sales").build()), Active);
}

#[test]
fn a_grace_gives_nobody_back_what_was_lost_otherwise_and_puts_off_the_deletion() {
    let out = testing::account("ada@example.com")
        .decided()
        .status(Deactivated)
        .lifecycle_reason(NO_GROUP);
    let longer = r#"{"when_in_no_group": "deactivate", "grace": "1d"}"#;
    assert_eq!(decide(longer, &out.clone().build()), Deactivated);
    // Another binding of the chain has deactivated it; this one deletes later.
    let delete = r#"{"when_in_no_group": "delete", "grace": "5s"}"#;
    assert_eq!(told(delete, &out.clone().build(), 4).0, Deactivated);
    assert_eq!(told(delete, &out.build(), 5).0, Deleted);
    let unassigned = r#"{"assigned_groups": ["Staff"], "grace": "1d"}"#;
    let new = testing::account("ada@example.com").status(Deactivated);
    assert_eq!(decide(unassigned, &new.clone().build()), Deactivated);
    // Joined and left before anybody decided: as if each had been decided.
    let quick = new.left_group("Staff").build();
    assert_eq!(decide(unassigned, &quick), Active);
}

#[test]
fn leaving_the_groups_that_give_access_has_a_grace_too() {
    let settings = r#"{"assigned_groups": ["Staff"], "grace": "10s"}"#;
    let account = testing::account("ada@example.com")
        .decided()
        .in_group("Sales")
        .left_group("Staff")
        .build();
    let (status, reason, again) = told(settings, &account, 0);
    assert_eq!(
        (status, again),
        (Active, Some(9)),
        "left a second ago, or nearly"
    );
    assert!(reason.starts_with("the user is in none of the groups that give access, since 2025"));
    // Where the setting is new, it counts from the first decision.
    let account = testing::account("ada@example.com").decided().build();
    assert_eq!(told(settings, &account, 3).2, Some(13));
}

#[test]
fn another_source_keeps_an_account_in_use_whatever_its_groups_say() {
    let settings =
        r#"{"when_in_no_group": "delete", "presence": {"sources": ["chat"], "max_age": "60s"}}"#;
    let left = testing::account("ada@example.com")
        .decided()
        .left_group("Sales");
    let with = |source, active| left.clone().signal(source, active, NOW - 10_000).build();
    let (status, reason, again) = told(settings, &with("chat", true), 0);
    assert_eq!((status, again), (Active, Some(50)));
    assert!(
        reason.ends_with(", but \"chat\" says that the person is active"),
        "{reason}"
    );
    assert_eq!(decide(settings, &with("chat", false)), Deleted);
    assert_eq!(decide(settings, &with("phone", true)), Deleted);
    assert_eq!(told(settings, &with("chat", true), 50).0, Deleted);
    let any = r#"{"when_in_no_group": "delete", "presence": {}}"#;
    assert_eq!(told(any, &with("phone", true), 9_999).0, Active);
    // What it was kept for is still known when the source says otherwise.
    let later = testing::account("ada@example.com").decided();
    let later = later.lifecycle_reason(&reason).build();
    assert_eq!(told(settings, &later, 1).0, Deleted);
}

#[test]
fn another_source_stands_above_the_directory_only_where_it_is_set_to() {
    let over = r#"{"presence": {"over_directory": true}}"#;
    let account = testing::account("ada@example.com").decided().inactive();
    let account = account.signal("chat", true, NOW);
    assert_eq!(
        decide(r#"{"presence": {}}"#, &account.clone().build()),
        Deactivated
    );
    assert_eq!(decide(over, &account.clone().build()), Active);
    let out = account.status(Deactivated).build();
    assert_eq!(decide(over, &out), Deactivated, "it gives nothing back");

    let deleted = testing::account("ada@example.com")
        .decided()
        .without_user()
        .left_group("Sales")
        .signal("chat", true, NOW)
        .build();
    let (status, reason, _) = told(over, &deleted, 0);
    assert_eq!(status, Active);
    let later = testing::account("ada@example.com").decided().without_user();
    let later = later.lifecycle_reason(&reason).build();
    assert_eq!(decide(over, &later), Deactivated, "the signal is gone");
}

/// Each history of five acts of joining and leaving two groups, a second apart, decided at any of its
/// moments and at its end: the end is as if it had been decided after each act.
#[test]
fn it_does_not_matter_when_it_was_decided() {
    const GROUPS: [&str; 2] = ["Staff", "Sales"];
    let time = |place: u32| NOW + 1_000 * (u64::from(place) + 1);
    let decide = |course: &mut Course, settings: &str, now| {
        let decision = ask(settings, &course.account(), now);
        course.decided_status(&decision, now);
        decision.status
    };
    let run = |settings: &str, history: u32, decides: u32| {
        let new = testing::account("ada@example.com").status(Deactivated);
        let mut course = Course::of(new);
        _ = decide(&mut course, settings, NOW);
        for place in 0..5 {
            match history / 5_u32.pow(place) % 5 {
                0 => {}
                act @ (1 | 2) => course.join(GROUPS[act as usize - 1], time(place)),
                act => course.leave(GROUPS[act as usize - 3], time(place)),
            }
            if decides & (1 << place) != 0 {
                _ = decide(&mut course, settings, time(place) + 1);
            }
        }
        decide(&mut course, settings, time(5))
    };
    let mut ends = Vec::new();
    for settings in [
        DEACTIVATE,
        r#"{"when_in_no_group": "deactivate", "grace": "2s"}"#,
        r#"{"assigned_groups": ["Staff"]}"#,
        r#"{"assigned_groups": ["Staff"], "grace": "2s"}"#,
    ] {
        for history in 0..5_u32.pow(5) {
            let naive = run(settings, history, 0b11111);
            ends.push(naive);
            for decides in [0, 0b00001, 0b00100, 0b01010, 0b10010] {
                let told = run(settings, history, decides);
                assert_eq!(told, naive, "{settings} {history} {decides:b}");
            }
        }
    }
    assert!(ends.contains(&Active) && ends.contains(&Deactivated));
}

#[test]
fn refuses_settings_that_name_nothing() {
    for (json, pointer) in [
        (
            r#"{"assigned_groups": ["Staff", " "]}"#,
            "/assigned_groups/1",
        ),
        (r#"{"presence": {"sources": [""]}}"#, "/presence/sources/0"),
    ] {
        let settings = testing::settings::<Settings>(json).unwrap();
        let problems = GroupLifecycle::configure(settings).unwrap_err();
        assert_eq!(problems[0].pointer, pointer);
    }
}

#[test]
fn refuses_unknown_settings() {
    assert!(testing::settings::<Settings>(r#"{"when_deleted": "delete"}"#).is_err());
    let problem = testing::settings::<Settings>(r#"{"when_user_deleted": "ignore"}"#).unwrap_err();
    assert_eq!(problem.pointer, "/when_user_deleted");
}
