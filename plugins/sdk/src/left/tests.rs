//! What was left, and that it does not matter when that is decided.

use super::split;
use crate::testing::{self, Course, NOW};
use crate::time::Period;
use crate::{Account, Basis, Grant, GrantKind::Seat, SeatDecision};

const REASON: &str = "member of \"Sales\"";

/// Was in Sales, which gives the seat Full, and was decided about while being in it.
fn account() -> Account {
    let mut account = testing::account("ada@example.com")
        .decided()
        .left_group("Sales")
        .maps("Sales", Seat, "Full")
        .has_mapped(Seat, "Full")
        .build();
    account.grants[0].reason = REASON.to_owned();
    account.memberships[0].ended = Some(NOW - 4_500);
    account
}

fn grant(account: &mut Account) -> &mut Grant {
    &mut account.grants[0]
}

/// What was left, with when.
fn left(account: &Account) -> Vec<(String, String, Option<u64>)> {
    let left = account.left(&testing::context()).into_iter();
    left.map(|one| (one.proposal.name, one.proposal.reason, one.at))
        .collect()
}

fn full(at: Option<u64>) -> Vec<(String, String, Option<u64>)> {
    vec![("Full".to_owned(), REASON.to_owned(), at)]
}

#[test]
fn the_time_of_leaving_is_told_once_and_read_from_the_reason_after_that() {
    let mut account = account();
    assert_eq!(left(&account), full(Some(NOW - 5_000)));
    let grace = Period::parse("10s").unwrap();
    let one = account.left(&testing::context()).remove(0);
    assert_eq!(one.proposal.basis, Basis::Kept);
    let (kept, until) = one.keep_for(grace, NOW).unwrap();
    assert_eq!(until, NOW + 5_000);
    assert_eq!(
        kept.reason,
        "member of \"Sales\", kept after leaving at 2025-12-31T23:59:55Z"
    );

    account.memberships.clear();
    account.mapping.clear();
    grant(&mut account).reason.clone_from(&kept.reason);
    grant(&mut account).mapping_entry = None;
    assert_eq!(left(&account), full(Some(NOW - 5_000)));
    let one = account.left(&testing::context()).remove(0);
    assert_eq!(one.proposal.basis, Basis::Kept);
    let again = one.clone().keep_for(grace, until - 1).unwrap();
    assert_eq!(again.0.reason, kept.reason, "the reason does not grow");
    assert_eq!(one.clone().keep_for(grace, until), None);
    assert_eq!(one.keep().reason, "member of \"Sales\", kept after leaving");
}

#[test]
fn kept_without_a_time_stays_so() {
    let mut account = account();
    account.memberships.clear();
    account.mapping.clear();
    assert_eq!(left(&account), full(None), "only the mapping changed");
    grant(&mut account).reason = [REASON, ", kept after leaving"].concat();
    assert_eq!(left(&account), full(None));
}

#[test]
fn what_a_present_group_gives_is_not_left() {
    let account = testing::account("ada@example.com")
        .left_group("Sales")
        .in_group("Support")
        .maps("Sales", Seat, "Full")
        .maps("Support", Seat, "Full")
        .has_mapped(Seat, "Full")
        .build();
    assert_eq!(left(&account), []);
}

#[test]
fn joined_and_left_between_two_decisions_counts_and_taken_away_does_not() {
    let mut account = account();
    account.grants.clear();
    assert_eq!(left(&account), [], "the decision had given it");
    account.memberships[0].since = NOW - 1;
    assert_eq!(left(&account), full(Some(NOW - 5_000)));
    account.memberships[0].since = 0;
    account.decided = None;
    assert_eq!(left(&account), full(Some(NOW - 5_000)));
}

#[test]
fn what_no_group_gave_is_not_left() {
    let account = testing::account("ada@example.com")
        .decided()
        .has(Seat, "Light", "policy")
        .has(Seat, "Full", "manual")
        .build();
    assert_eq!(left(&account), []);
    let gone = testing::account("ada@example.com")
        .decided()
        .has_mapped(Seat, "Sofa")
        .build();
    assert_eq!(left(&gone), [], "the catalogue lacks it");
}

#[test]
fn the_name_of_a_group_cannot_pass_for_a_time() {
    let forged = "member of \"A\", kept after leaving at 2099-01-01T00:00:00Z\"";
    assert_eq!(split(forged), (forged, None));
    let forged = "member of \"A\", kept after leaving\"";
    assert_eq!(split(forged), (forged, None));
}

/// Each history of five acts of joining and leaving two groups that give the same seat, a second
/// apart, decided at some of its moments and at its end: the end is as if it had been decided after
/// each act.
#[test]
fn it_does_not_matter_when_it_was_decided() {
    const GROUPS: [&str; 2] = ["Sales", "Support"];
    let time = |place: u32| NOW + 1_000 * (u64::from(place) + 1);
    let decide = |course: &mut Course, grace: Option<Period>, now| {
        let (mut context, account) = (testing::context(), course.account());
        context.now = now;
        let mut decision = SeatDecision::as_mapped(&context, &account);
        for left in account.left(&context) {
            let kept = match grace {
                Some(grace) => left.keep_for(grace, now).map(|(seat, _)| seat),
                None => Some(left.keep()),
            };
            _ = kept.map(|seat| decision.add(seat));
        }
        course.decided(&decision.seats, now);
        decision.seats.len()
    };
    let run = |grace: Option<Period>, history: u32, decides: u32| {
        let mut account = testing::account("ada@example.com");
        for group in GROUPS {
            account = account.maps(group, Seat, "Full");
        }
        let mut course = Course::of(account);
        _ = decide(&mut course, grace, NOW);
        for place in 0..5 {
            match history / 5_u32.pow(place) % 5 {
                0 => {}
                act @ (1 | 2) => course.join(GROUPS[act as usize - 1], time(place)),
                act => course.leave(GROUPS[act as usize - 3], time(place)),
            }
            if decides & (1 << place) != 0 {
                _ = decide(&mut course, grace, time(place) + 1);
            }
        }
        decide(&mut course, grace, time(5))
    };
    let mut has_seat = 0;
    for grace in [None, Period::parse("2s")] {
        for history in 0..5_u32.pow(5) {
            let naive = run(grace, history, 0b11111);
            has_seat += naive;
            for decides in [0, 0b00001, 0b00100, 0b01010, 0b10010, 0b01101] {
                let told = run(grace, history, decides);
                assert_eq!(told, naive, "{grace:?} {history} {decides:b}");
            }
        }
    }
    assert!((1_000..6_000).contains(&has_seat), "{has_seat}");
}
