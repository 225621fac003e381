use super::{GroupSeats, Settings};
use gatewright_sdk::{Account, AccountStatus, GrantKind, SeatPolicy, SeatRequest, testing};

/// Name and reason of each seat.
fn decide(settings: &str, account: &Account) -> Vec<(String, String)> {
    let policy = GroupSeats::configure(testing::settings::<Settings>(settings).unwrap()).unwrap();
    let request = SeatRequest {
        account: account.clone(),
        roles: Vec::new(),
    };
    let decision = policy.decide(&testing::context(), &request).unwrap();
    decision
        .seats
        .into_iter()
        .map(|seat| (seat.name, seat.reason))
        .collect()
}

fn seat(name: &str, reason: &str) -> (String, String) {
    (name.to_owned(), reason.to_owned())
}

#[test]
fn gives_what_the_groups_give_and_the_default_only_else() {
    let account = testing::account("ada@example.com")
        .in_group("Engineering")
        .in_group("Everyone")
        .maps("Engineering", GrantKind::Seat, "Full")
        .maps("Everyone", GrantKind::Seat, "Full")
        .build();
    assert_eq!(
        decide("{}", &account),
        [seat("Full", "member of \"Engineering\"")]
    );

    let account = testing::account("ada@example.com").build();
    assert_eq!(decide("{}", &account), [seat("Light", "default seat")]);
    assert_eq!(
        decide(r#"{"default_seat": "Full"}"#, &account),
        [seat("Full", "default seat")]
    );
}

#[test]
fn a_default_seat_gives_way_to_a_groups_seat() {
    let account = testing::account("ada@example.com")
        .in_group("Engineering")
        .maps("Engineering", GrantKind::Seat, "Full")
        .has(GrantKind::Seat, "Light", "policy")
        .build();
    assert_eq!(
        decide("{}", &account),
        [seat("Full", "member of \"Engineering\"")]
    );
}

#[test]
fn a_seat_stays_when_its_group_is_left_unless_set_otherwise() {
    let mut account = testing::account("ada@example.com")
        .left_group("Engineering")
        .maps("Engineering", GrantKind::Seat, "Full")
        .has_mapped(GrantKind::Seat, "Full")
        .build();
    let kept = [seat("Full", "given by policy, kept after leaving")];
    assert_eq!(decide("{}", &account), kept);
    assert_eq!(
        decide(r#"{"keep_when_leaving": false}"#, &account),
        [seat("Light", "default seat")]
    );

    account.grants[0].reason.clone_from(&kept[0].1);
    assert_eq!(decide("{}", &account), kept, "the reason does not grow");
}

#[test]
fn seats_from_elsewhere_stay() {
    let account = testing::account("ada@example.com")
        .has(GrantKind::Seat, "Full", "manual")
        .build();
    assert_eq!(
        decide(r#"{"keep_when_leaving": false}"#, &account),
        [seat("Full", "given by manual")]
    );
}

#[test]
fn who_may_not_use_the_application_has_no_seat() {
    for status in [AccountStatus::Deactivated, AccountStatus::Deleted] {
        let account = testing::account("ada@example.com")
            .status(status)
            .in_group("Engineering")
            .maps("Engineering", GrantKind::Seat, "Full")
            .has(GrantKind::Seat, "Light", "manual")
            .build();
        assert_eq!(decide("{}", &account), []);
    }
}

#[test]
fn a_deactivated_account_keeps_its_seats_where_it_is_set_to() {
    let keep = r#"{"when_deactivated": "keep"}"#;
    let account = testing::account("ada@example.com")
        .status(AccountStatus::Deactivated)
        .in_group("Engineering")
        .maps("Engineering", GrantKind::Seat, "Full");
    assert_eq!(decide(keep, &account.clone().build()), [], "no new one");
    let has_full = account.clone().has_mapped(GrantKind::Seat, "Full");
    assert_eq!(
        decide(keep, &has_full.clone().build()),
        [seat("Full", "member of \"Engineering\"")]
    );
    let has_default = account.has(GrantKind::Seat, "Light", "policy").build();
    assert_eq!(
        decide(keep, &has_default),
        [seat("Light", "default seat")],
        "it does not lose one for one that it does not get"
    );
    let deleted = has_full.status(AccountStatus::Deleted).build();
    assert_eq!(decide(keep, &deleted), []);
}

/// Left Engineering, which gives Full, and Everyone, which gives Light, a second ago.
fn leaver() -> Account {
    let mut account = testing::account("ada@example.com")
        .decided()
        .left_group("Engineering")
        .left_group("Everyone")
        .maps("Engineering", GrantKind::Seat, "Full")
        .maps("Everyone", GrantKind::Seat, "Light")
        .has_mapped(GrantKind::Seat, "Full")
        .has_mapped(GrantKind::Seat, "Light")
        .build();
    for membership in &mut account.memberships {
        membership.ended = Some(testing::NOW - 1_000);
    }
    account
}

#[test]
fn each_seat_type_may_have_a_rule_of_its_own() {
    let names = |settings: &str| -> Vec<String> {
        let seats = decide(settings, &leaver()).into_iter();
        seats.map(|(name, _)| name).collect()
    };
    assert_eq!(names("{}"), ["Full", "Light"]);
    // A rule with a grace alone does not keep for ever.
    assert_eq!(
        names(r#"{"seat_types": {"Full": {"grace": "1s"}}}"#),
        ["Light"]
    );
    assert_eq!(
        names(r#"{"seat_types": {"Full": {"keep_when_leaving": false}}}"#),
        ["Light"]
    );
    let strict =
        r#"{"keep_when_leaving": false, "seat_types": {"Full": {"keep_when_leaving": true}}}"#;
    assert_eq!(names(strict), ["Full"]);
}

#[test]
fn a_seat_that_is_not_kept_stays_for_its_grace() {
    let settings = r#"{"keep_when_leaving": false, "grace": "3s"}"#;
    let policy = GroupSeats::configure(testing::settings::<Settings>(settings).unwrap()).unwrap();
    let ask = |account: Account, now| {
        let mut context = testing::context();
        context.now = now;
        let roles = Vec::new();
        policy
            .decide(&context, &SeatRequest { account, roles })
            .unwrap()
    };
    let decision = ask(leaver(), testing::NOW);
    assert_eq!(decision.seats.len(), 2);
    assert_eq!(decision.ask_again, Some(testing::NOW + 2_000));

    let mut later = leaver();
    later.memberships.clear();
    later.mapping.clear();
    for (grant, seat) in later.grants.iter_mut().zip(decision.seats) {
        grant.reason = seat.reason;
        grant.mapping_entry = None;
    }
    let still = ask(later.clone(), testing::NOW + 1_999);
    assert_eq!(still.seats.len(), 2);
    let over = ask(later, testing::NOW + 2_000);
    assert_eq!(over.seats[0].reason, "default seat");
    assert_eq!((over.seats.len(), over.ask_again), (1, None));
}

#[test]
fn a_seat_that_was_taken_by_hand_does_not_come_back_for_the_leaving() {
    let mut account = leaver();
    account.grants.clear();
    assert_eq!(decide("{}", &account), [seat("Light", "default seat")]);
    // Joined and left since the last decision: nobody can have taken it.
    for membership in &mut account.memberships {
        membership.since = testing::NOW - 1;
    }
    assert_eq!(decide("{}", &account).len(), 2);
}

#[test]
fn refuses_what_makes_no_sense() {
    assert!(testing::settings::<Settings>(r#"{"keep": true}"#).is_err());
    let settings = testing::settings::<Settings>(r#"{"default_seat": ""}"#).unwrap();
    let problems = GroupSeats::configure(settings).unwrap_err();
    assert_eq!(problems[0].pointer, "/default_seat");

    let both = r#"{"seat_types": {"a/b": {"keep_when_leaving": true, "grace": "1d"}}}"#;
    let settings = testing::settings::<Settings>(both).unwrap();
    let problems = GroupSeats::configure(settings).unwrap_err();
    assert_eq!(problems[0].pointer, "/seat_types/a~1b/grace");

    let settings = testing::settings::<Settings>(r#"{"default_seat": "Sofa"}"#).unwrap();
    let request = SeatRequest {
        account: testing::account("ada@example.com").build(),
        roles: Vec::new(),
    };
    let refusal = GroupSeats::configure(settings)
        .unwrap()
        .decide(&testing::context(), &request)
        .unwrap_err();
    assert!(refusal.message.contains("Sofa"));
}
