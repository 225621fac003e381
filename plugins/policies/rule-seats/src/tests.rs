use super::{RuleSeats, Settings};
use gatewright_sdk::testing::{self, AccountBuilder};
use gatewright_sdk::{AccountStatus, GrantKind, Proposal, SeatDecision, SeatPolicy, SeatRequest};

fn decision(settings: &str, account: AccountBuilder, roles: &[&str]) -> SeatDecision {
    let settings = testing::settings::<Settings>(settings).unwrap();
    let request = SeatRequest {
        account: account.build(),
        roles: roles
            .iter()
            .map(|role| Proposal::custom_role(role, ""))
            .collect(),
    };
    let policy = RuleSeats::configure(settings).unwrap();
    policy.decide(&testing::context(), &request).unwrap()
}

/// Name and reason of each seat.
fn seats(settings: &str, account: AccountBuilder, roles: &[&str]) -> Vec<(String, String)> {
    let seats = decision(settings, account, roles).seats.into_iter();
    seats.map(|seat| (seat.name, seat.reason)).collect()
}

fn expected(seats: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(name, reason): &(&str, &str)| (name.to_owned(), reason.to_owned());
    seats.iter().map(owned).collect()
}

const AUDITORS: &str = r#"{"rules": [
    {"when": "'Auditor' in roles", "grant": {"seat": "Full"}, "reason": "auditors need one"}
]}"#;

#[test]
fn seats_follow_from_the_roles_of_the_pass() {
    let ada = || testing::account("ada@example.com");
    assert_eq!(
        seats(AUDITORS, ada(), &["Auditor"]),
        expected(&[("Full", "auditors need one")])
    );
    assert_eq!(
        seats(AUDITORS, ada(), &["Billing"]),
        expected(&[("Light", "default seat")])
    );
}

#[test]
fn the_mapping_and_what_was_given_by_hand_stand_beside_if_they_are_wanted() {
    let ada = || {
        testing::account("ada@example.com")
            .in_group("Staff")
            .maps("Staff", GrantKind::Seat, "Light")
            .has(GrantKind::Seat, "Full", "manual")
    };
    assert_eq!(
        seats(AUDITORS, ada(), &[]),
        expected(&[
            ("Light", "member of \"Staff\""),
            ("Full", "given by manual")
        ])
    );
    let beside = AUDITORS.replace(
        "]}",
        r#"], "as_mapped": false, "keep_local": false, "default": false}"#,
    );
    assert_eq!(seats(&beside, ada(), &[]), []);
    assert_eq!(seats(&beside, ada(), &["Auditor"]).len(), 1);
}

#[test]
fn who_may_not_use_the_application_has_none() {
    for status in [AccountStatus::Deactivated, AccountStatus::Deleted] {
        let away = testing::account("ada@example.com").status(status).has(
            GrantKind::Seat,
            "Full",
            "manual",
        );
        assert_eq!(seats(AUDITORS, away, &["Auditor"]), []);
    }
}

#[test]
fn a_seat_for_a_time_says_when_it_ends() {
    let trial = r#"{"rules": [{"when": "true", "grant": {"seat": "Full"}, "reason": "a trial",
        "account_younger_than": "14d"}]}"#;
    let at = 14 * 86_400_000;
    // Accounts of the tests were made at time 0.
    let decision = decision(trial, testing::account("ada@example.com"), &[]);
    assert_eq!(decision.ask_again, None);
    let mut context = testing::context();
    context.now = at - 1;
    let request = SeatRequest {
        account: testing::account("ada@example.com").build(),
        roles: Vec::new(),
    };
    let policy = RuleSeats::configure(testing::settings::<Settings>(trial).unwrap()).unwrap();
    let during = policy.decide(&context, &request).unwrap();
    assert_eq!(during.seats[0].name, "Full");
    assert_eq!(during.ask_again, Some(at));
}

#[test]
fn roles_are_no_seats() {
    let role = r#"{"rules": [{"when": "true", "grant": {"base_role": "Admin"}, "reason": "x"}]}"#;
    let problem = testing::settings::<Settings>(role).unwrap_err();
    assert_eq!(problem.pointer, "/rules/0/grant");
}
