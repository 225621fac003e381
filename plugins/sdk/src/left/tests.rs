//! What was left, and that it does not matter when that is decided.

use super::split;
use crate::testing::{self, NOW};
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

/// One person and two groups that give the same seat, as a host tells a policy of them.
#[derive(Clone)]
struct World {
    /// By group: since when the person is in it.
    present: [Option<u64>; 2],
    /// By group: since when the person was in it, and when that ended, until it is told.
    ended: [Option<(u64, u64)>; 2],
    grants: Vec<Grant>,
    decided: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Nothing,
    Join(usize),
    Leave(usize),
}

const NAMES: [&str; 2] = ["Sales", "Support"];

impl World {
    fn new() -> Self {
        Self {
            present: [None; 2],
            ended: [None; 2],
            grants: Vec::new(),
            decided: None,
        }
    }

    fn act(&mut self, act: Act, now: u64) {
        match act {
            Act::Nothing => {}
            Act::Join(group) => {
                self.present[group].get_or_insert(now);
                self.ended[group] = None;
            }
            Act::Leave(group) => {
                if let Some(since) = self.present[group].take() {
                    self.ended[group] = Some((since, now));
                }
            }
        }
    }

    /// Decides, and stores what was decided: the seats of present groups, and those left as `grace`
    /// says; for ever without one.
    fn decide(&mut self, grace: Option<Period>, now: u64) {
        let mut account = testing::account("ada@example.com");
        for (group, name) in NAMES.iter().enumerate() {
            if self.present[group].is_some() {
                account = account.in_group(name);
            } else if self.ended[group].is_some() {
                account = account.left_group(name);
            }
            account = account.maps(name, Seat, "Full");
        }
        let mut account = account.build();
        for membership in &mut account.memberships {
            let group = NAMES.iter().position(|name| *name == membership.group_name);
            let group = group.unwrap();
            (membership.since, membership.ended) = match (self.present[group], self.ended[group]) {
                (Some(since), _) => (since, None),
                (None, ended) => (ended.unwrap().0, Some(ended.unwrap().1)),
            };
        }
        account.grants.clone_from(&self.grants);
        account.decided = self.decided;
        let mut context = testing::context();
        context.now = now;
        let mut decision = SeatDecision::as_mapped(&context, &account);
        for left in account.left(&context) {
            let kept = match grace {
                Some(grace) => left.keep_for(grace, now).map(|(seat, _)| seat),
                None => Some(left.keep()),
            };
            _ = kept.map(|seat| decision.add(seat));
        }
        let stored = decision.seats.into_iter().map(|seat| Grant {
            kind: seat.kind,
            name: seat.name,
            origin: "policy".to_owned(),
            is_mapped: true,
            mapping_entry: None,
            reason: seat.reason,
            since: now,
            extra: Vec::new(),
        });
        self.grants = stored.collect();
        self.ended = [None; 2];
        self.decided = Some(now);
    }
}

/// Each history of five acts, a second apart, decided at any of its moments and at its end: the end
/// is as if it had been decided after each act.
#[test]
fn it_does_not_matter_when_it_was_decided() {
    const ACTS: [Act; 4] = [Act::Join(0), Act::Leave(0), Act::Join(1), Act::Leave(1)];
    let acts = [[Act::Nothing].as_slice(), &ACTS].concat();
    let time = |place: usize| NOW + 1_000 * (place as u64 + 1);
    let mut has_seat = 0;
    for history in 0..5_usize.pow(5) {
        let act = |place: usize| acts[history / 5_usize.pow(u32::try_from(place).unwrap()) % 5];
        for grace in [None, Period::parse("2s")] {
            let run = |decides: u32| {
                let mut world = World::new();
                world.decide(grace, NOW);
                for place in 0..5 {
                    world.act(act(place), time(place));
                    if decides & (1 << place) != 0 {
                        world.decide(grace, time(place) + 1);
                    }
                }
                world.decide(grace, time(5));
                world.grants.len()
            };
            let naive = run(0b11111);
            has_seat += naive;
            for decides in [0, 0b00001, 0b00100, 0b01010, 0b10010, 0b01101] {
                let told = run(decides);
                assert_eq!(
                    told,
                    naive,
                    "{:?} {grace:?} {decides:b}",
                    [0, 1, 2, 3, 4].map(act)
                );
            }
        }
    }
    assert!((1_000..6_000).contains(&has_seat), "{has_seat}");
}
