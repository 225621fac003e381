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
fn refuses_what_makes_no_sense() {
    assert!(testing::settings::<Settings>(r#"{"keep": true}"#).is_err());
    let settings = testing::settings::<Settings>(r#"{"default_seat": ""}"#).unwrap();
    let problems = GroupSeats::configure(settings).unwrap_err();
    assert_eq!(problems[0].pointer, "/default_seat");

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
