//! What the brake keeps from being taken, until a person says what was meant or the person's own facts
//! change.

use super::{Account, Grants, GroupKey, Kind, ROLES, SEATS, Status, World};
use std::collections::BTreeSet;

/// The catalogue's default seat: it is for want of another.
const DEFAULT_SEAT: &str = SEATS[0];

/// What a person's directory says of it alone: how often its user changed, and its own groups.
type Facts = (usize, BTreeSet<GroupKey>);

/// That an account keeps what its policies want to take.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    /// With these facts somebody said that it stays.
    pinned: Option<Facts>,
}

impl Hold {
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }
}

/// What becomes of an account.
pub(super) struct Outcome {
    pub(super) status: Status,
    pub(super) grants: Grants,
}

impl World {
    pub(super) fn judge(
        &self,
        place: usize,
        account: &Account,
        mut wanted: Outcome,
    ) -> (Outcome, Option<Hold>) {
        let person = &self.people[place];
        let kept: Grants = account
            .grants
            .iter()
            .filter(|(what, _)| !wanted.grants.contains_key(*what))
            .filter(|(what, _)| !is_replaced(**what, &wanted.grants))
            .map(|(what, grant)| (*what, *grant))
            .collect();
        let is_worse = wanted.status > account.status;
        if kept.is_empty() && !is_worse {
            return (wanted, None);
        }
        let before = account.hold.as_ref().and_then(|hold| hold.pinned.clone());
        let pinned = before.filter(|facts| *facts == self.facts(place));
        // What the provider says of a person's access is not held.
        let is_free = !self.strict || person.user() != Some(true);
        if person.approved || (pinned.is_none() && is_free) {
            return (wanted, None);
        }
        let keeps = |kind| kept.keys().any(|what| what.0 == kind);
        let (keeps_base, keeps_seat) = (keeps(Kind::Base), keeps(Kind::Seat));
        wanted.grants.retain(|what, _| match what.0 {
            Kind::Base => !keeps_base,
            Kind::Custom => true,
            Kind::Seat => {
                let had = account.grants.contains_key(what);
                !keeps_seat || had || what.1 != DEFAULT_SEAT
            }
        });
        wanted.grants.extend(kept);
        if is_worse {
            wanted.status = account.status;
        }
        (wanted, Some(Hold { pinned }))
    }

    fn facts(&self, place: usize) -> Facts {
        let person = &self.people[place];
        let groups = person.groups.iter();
        let groups = groups.map(|group| (*group, self.groups[*group].0));
        (person.changes, groups.collect())
    }

    /// Those for whom the brake holds something about which nobody has said anything.
    pub(in crate::fold) fn waiting(&self) -> BTreeSet<usize> {
        let people = self.people.iter().enumerate();
        let waiting = people.filter(|(_, person)| person.held() == Some(false));
        waiting.map(|(place, _)| place).collect()
    }

    /// Somebody says that it was meant.
    pub(in crate::fold) fn approve(&mut self, who: &BTreeSet<usize>) {
        for place in who {
            self.people[*place].approved = true;
        }
    }

    /// Somebody says that it was not.
    pub(in crate::fold) fn reject(&mut self, who: &BTreeSet<usize>) {
        for place in who {
            let pinned = Some(self.facts(*place));
            if let Some(account) = &mut self.people[*place].account
                && let Some(hold) = &mut account.hold
            {
                hold.pinned = pinned;
            }
        }
    }
}

/// A base role for a higher one is no loss, nor is the default seat for another.
fn is_replaced((kind, name): (Kind, &str), wanted: &Grants) -> bool {
    let mut others = wanted.keys().filter(|what| what.0 == kind);
    match kind {
        Kind::Base => {
            let rank = |name: &str| ROLES.iter().position(|one| *one == name);
            others.any(|other| rank(other.1) < rank(name))
        }
        Kind::Seat => name == DEFAULT_SEAT && others.next().is_some(),
        Kind::Custom => false,
    }
}
