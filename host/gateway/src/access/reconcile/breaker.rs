//! Whether a policy fails too often to go on asking it: a breaker for each slot of an organization.
//!
//! Where it trips, the organization is left alone for a while, longer each time: it is open. Then one
//! account is tried: it is half open. If that one is decided, it is closed.

use crate::clock::Timestamp;
use crate::model::plugins::Slot;
use gatewright_store::OrganizationId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use uuid::Uuid;

/// How long an organization is left alone after its policies failed: doubles each time, up to the
/// second figure. In milliseconds.
const PAUSE: (u64, u64) = (1_000, 300_000);

/// The longest pause where something new came in meanwhile: it may concern an account for which
/// the policies do not fail. In milliseconds.
const PAUSE_FOR_NEWS: u64 = 2_000;

/// How many accounts are looked at: the last ones that were tried.
const WINDOW: usize = 32;

/// A breaker trips at no fewer than this many accounts, of which half have failed.
const FEWEST: usize = 16;

/// And at no fewer than this many different ones: an account that is changed again and again and
/// always fails says nothing about the others.
const DIFFERENT: usize = 4;

/// What an organization's breakers are, for those who operate the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Policies are asked.
    Closed,
    /// The organization's policies are not asked until then.
    Open(Tripped),
    /// One account is tried, and shows whether they can be asked again.
    HalfOpen(Tripped),
}

/// Since when and because of whom policies are not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// The slot whose policies fail; none where it is not a policy that failed.
    pub slot: Option<Slot>,
    /// Since when.
    pub since: Timestamp,
    /// When the next account is tried.
    pub until: Timestamp,
    /// How often it was tried in vain.
    pub times: u32,
}

/// For how long an organization is left alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// How often the policies failed since they last had an answer; 0 is a rest after lost time.
    times: u32,
    slot: Option<Slot>,
    /// When they failed first.
    since: Timestamp,
    began: Timestamp,
    pub(super) until: Timestamp,
}

impl Pause {
    /// A rest after lost time.
    pub(super) fn rest(now: Timestamp, length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Self {
            times: 0,
            slot: None,
            since: now,
            began: now,
            until: now.plus(length.max(1)),
        }
    }

    /// The rest behind a further step whose policies failed: whether they do is for the own step to
    /// find out.
    pub(super) fn shortest(now: Timestamp) -> Self {
        Self::rest(now, Duration::from_millis(PAUSE.0))
    }

    /// The policies of this slot failed, behind the pause that there was.
    pub(super) fn failing(before: Option<&Self>, slot: Option<Slot>, now: Timestamp) -> Self {
        let before = before.filter(|before| before.times > 0);
        let times = before.map_or(0, |before| before.times);
        Self {
            times: times + 1,
            slot,
            since: before.map_or(now, |before| before.since),
            began: now,
            until: now.plus((PAUSE.0 << times.min(16)).min(PAUSE.1)),
        }
    }

    /// Something new came in. Answers whether the pause is shorter now.
    pub(super) fn shorten(&mut self) -> bool {
        let sooner = self.began.plus(PAUSE_FOR_NEWS);
        let is_sooner = sooner < self.until;
        self.until = self.until.min(sooner);
        is_sooner
    }

    /// Whether it is a rest, which is not over yet.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.times == 0 && self.until > now
    }

    /// Whether the policies failed at the last try.
    pub(super) fn is_tripped(&self) -> bool {
        self.times > 0
    }

    pub(super) fn state(&self, now: Timestamp) -> State {
        let tripped = Tripped {
            slot: self.slot,
            since: self.since,
            until: self.until,
            times: self.times,
        };
        match (self.is_tripped(), self.until > now) {
            (false, _) => State::Closed,
            (true, true) => State::Open(tripped),
            (true, false) => State::HalfOpen(tripped),
        }
    }
}

/// Who was tried lately, by the organization and the slot. Only those that have lately failed have
/// one.
#[derive(Default)]
pub(super) struct Breakers(HashMap<(OrganizationId, Slot), Window>);

/// Accounts that were tried, the last one at the end, and whether there was no answer about them.
type Window = VecDeque<(Uuid, bool)>;

impl Breakers {
    /// Takes in accounts that were tried, and the slot whose policy had no answer about each, if any.
    /// Answers the slot whose breaker trips.
    pub(super) fn note(
        &mut self,
        organization: OrganizationId,
        tried: impl IntoIterator<Item = (Uuid, Option<Slot>)>,
    ) -> Option<Slot> {
        for (account, failed) in tried {
            match failed {
                Some(slot) => {
                    let window = self.0.entry((organization, slot)).or_default();
                    push(window, account, true);
                }
                None => {
                    for slot in Slot::ALL {
                        if let Some(window) = self.0.get_mut(&(organization, slot)) {
                            push(window, account, false);
                        }
                    }
                }
            }
        }
        let mut tripped = None;
        for slot in Slot::ALL {
            let Some(window) = self.0.get(&(organization, slot)) else {
                continue;
            };
            let failed = || window.iter().filter(|(_, failed)| *failed);
            let different: HashSet<Uuid> = failed().map(|(account, _)| *account).collect();
            let trips = window.len() >= FEWEST
                && failed().count() * 2 >= window.len()
                && different.len() >= DIFFERENT;
            if trips {
                tripped = tripped.or(Some(slot));
            }
            if trips || different.is_empty() {
                self.0.remove(&(organization, slot));
            }
        }
        tripped
    }

    /// Forgets what was tried: something was changed that may mend it.
    pub(super) fn forget(&mut self, organization: OrganizationId) {
        for slot in Slot::ALL {
            self.0.remove(&(organization, slot));
        }
    }
}

fn push(window: &mut Window, account: Uuid, failed: bool) {
    if window.len() == WINDOW {
        window.pop_front();
    }
    window.push_back((account, failed));
}

#[cfg(test)]
mod tests {
    use super::{Breakers, Pause, State};
    use crate::clock::Timestamp;
    use crate::model::plugins::Slot;
    use gatewright_store::OrganizationId;
    use uuid::Uuid;

    /// The slot of the breaker that trips, behind accounts of which each has failed or not.
    fn trips(breakers: &mut Breakers, accounts: impl IntoIterator<Item = (u128, bool)>) -> bool {
        let tried = accounts
            .into_iter()
            .map(|(account, failed)| (Uuid::from_u128(account), failed.then_some(Slot::Roles)));
        let tripped = breakers.note(OrganizationId::from(Uuid::nil()), tried);
        assert!(tripped.is_none_or(|slot| slot == Slot::Roles));
        tripped.is_some()
    }

    #[test]
    fn half_of_sixteen_trip_it_and_fewer_do_not() {
        let half = |n| (n, n % 2 == 0);
        assert!(!trips(&mut Breakers::default(), (0..15).map(half)));
        assert!(trips(&mut Breakers::default(), (0..16).map(half)));
        let third = |n| (n, n % 3 == 0);
        assert!(!trips(&mut Breakers::default(), (0..96).map(third)));
    }

    #[test]
    fn one_account_that_always_fails_does_not_trip_it() {
        let mut breakers = Breakers::default();
        assert!(!trips(&mut breakers, (0..100).map(|n| (n % 3, true))));
        assert!(trips(&mut breakers, [(3, true)]));
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let mut breakers = Breakers::default();
        assert!(!trips(&mut breakers, (0..15).map(|n| (n, true))));
        // In one go: else it would be looked at in between, and trip.
        assert!(!trips(&mut breakers, (15..62).map(|n| (n, false))));
        assert!(!trips(&mut breakers, (62..77).map(|n| (n, true))));
        // Behind a trip it begins anew.
        assert!(trips(&mut breakers, [(77, true)]));
        assert!(!trips(&mut breakers, (78..90).map(|n| (n, true))));
        breakers.forget(OrganizationId::from(Uuid::nil()));
        assert!(!trips(&mut breakers, (90..100).map(|n| (n, true))));
    }

    #[test]
    fn a_pause_is_longer_each_time_and_is_open_then_half_open() {
        let slot = Some(Slot::Seats);
        let first = Pause::failing(None, slot, Timestamp(10));
        assert_eq!(first.until, Timestamp(1_010));
        let second = Pause::failing(Some(&first), slot, Timestamp(1_020));
        assert_eq!(second.until, Timestamp(3_020));
        let State::Open(tripped) = second.state(Timestamp(3_019)) else {
            panic!("it is open");
        };
        assert_eq!((tripped.times, tripped.since), (2, Timestamp(10)));
        assert!(matches!(second.state(Timestamp(3_020)), State::HalfOpen(_)));
        let rest = Pause::rest(Timestamp(0), std::time::Duration::from_secs(9));
        assert_eq!(rest.state(Timestamp(1)), State::Closed);
        let behind = Pause::failing(Some(&rest), slot, Timestamp(20));
        assert_eq!(behind.until, Timestamp(1_020));
    }
}
