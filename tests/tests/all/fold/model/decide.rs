//! What the policies want for one account.

use super::guard::Outcome;
use super::{
    ASSIGNED, Account, CUSTOM, Grant, Grants, GroupKey, Hours, Kind, Leaving, Left, Person, ROLES,
    SEATS, Status, Why, World,
};
use std::collections::BTreeSet;

impl World {
    pub(super) fn decide(
        &mut self,
        place: usize,
        groups: &BTreeSet<GroupKey>,
        left: &BTreeSet<GroupKey>,
    ) {
        let person = &self.people[place];
        let Some(mut account) = person.account.clone().filter(|account| !account.free) else {
            return;
        };
        let (status, noted) = self.lifecycle(person, &account, groups, left);
        let case = Case {
            world: self,
            before: &account.grants,
            groups,
            left,
        };
        let mut grants = case.roles();
        grants.extend(case.seats(status));
        let wanted = Outcome { status, grants };
        let (outcome, hold) = self.judge(place, &account, wanted);
        account.noted = noted;
        account.decided = true;
        account.status = outcome.status;
        account.grants = outcome.grants;
        account.hold = hold;
        let person = &mut self.people[place];
        person.approved = false;
        person.account = Some(account);
    }

    fn lifecycle(
        &self,
        person: &Person,
        account: &Account,
        groups: &BTreeSet<GroupKey>,
        left: &BTreeSet<GroupKey>,
    ) -> (Status, Option<(Why, Hours)>) {
        let rules = &self.rules;
        let presence = rules
            .presence
            .filter(|_| self.says_active(person) && account.status == Status::Active);
        match person.user() {
            None if account.status == Status::Deleted => return (Status::Deleted, None),
            None => return (rules.when_user_deleted, None),
            Some(false) if presence.is_some_and(|presence| presence.over_directory) => {
                return (Status::Active, None);
            }
            Some(false) => return (Status::Deactivated, None),
            Some(true) => {}
        }
        let is_assigning = |(group, _): &GroupKey| ASSIGNED.contains(group);
        let noted = |why| {
            account
                .noted
                .filter(|(noted, _)| *noted == why)
                .map(|(_, since)| since)
        };
        let was_in_one = !left.is_empty()
            || account.grants.values().any(|grant| grant.mapped)
            || (account.decided && account.status != Status::Active)
            || noted(Why::InNoGroup).is_some();
        let (why, status, is_told) = match rules.in_no_group {
            Some(status) if groups.is_empty() && was_in_one => {
                (Why::InNoGroup, status, !left.is_empty())
            }
            _ if rules.assigned && !groups.iter().any(is_assigning) => (
                Why::Unassigned,
                Status::Deactivated,
                left.iter().any(is_assigning),
            ),
            _ => return (Status::Active, None),
        };
        let since = if is_told {
            self.now
        } else {
            noted(why).unwrap_or(self.now)
        };
        let in_grace = rules.grace.is_some_and(|grace| self.now < since + grace);
        let status = match account.status {
            Status::Active if presence.is_some() || in_grace => Status::Active,
            _ if in_grace => Status::Deactivated,
            _ => status,
        };
        (status, Some((why, since)))
    }

    /// Whether a source that counts says that the person is active, and not too long ago.
    fn says_active(&self, person: &Person) -> bool {
        let Some(presence) = self.rules.presence else {
            return false;
        };
        let mut signals = person.signals.iter();
        signals.any(|(source, (active, at))| {
            let counts = !presence.only_chat || *source == "chat";
            let is_old = presence.max_age.is_some_and(|age| at + age <= self.now);
            *active && counts && !is_old
        })
    }
}

/// One account, about to be decided.
struct Case<'a> {
    world: &'a World,
    before: &'a Grants,
    groups: &'a BTreeSet<GroupKey>,
    left: &'a BTreeSet<GroupKey>,
}

impl Case<'_> {
    fn is_given(&self, what: (Kind, &str)) -> bool {
        self.rows_of(what).any(|group| self.groups.contains(&group))
    }

    fn rows_of(&self, (kind, name): (Kind, &str)) -> impl Iterator<Item = GroupKey> {
        let rows = self.world.mapping.iter();
        let rows = rows.filter(move |row| row.1 == kind && row.2 == name);
        rows.map(|row| row.0)
    }

    /// When the group that gave it was left; none where it did not come from one, or still does.
    fn left(&self, what: (Kind, &'static str)) -> Option<Left> {
        let grant = self
            .before
            .get(&what)
            .filter(|one| one.mapped && !one.is_local())?;
        if self.is_given(what) {
            return None;
        }
        Some(match grant.left {
            Left::Not if self.rows_of(what).any(|group| self.left.contains(&group)) => {
                Left::At(self.world.now)
            }
            Left::Not => Left::Once,
            known => known,
        })
    }

    fn in_grace(&self, what: (Kind, &'static str), grace: Option<Hours>) -> Option<Grant> {
        match (self.left(what)?, grace) {
            (Left::At(at), Some(grace)) if self.world.now < at + grace => Some(Grant {
                left: Left::At(at),
                ..Grant::MAPPED
            }),
            _ => None,
        }
    }

    fn roles(&self) -> Grants {
        let rules = &self.world.rules;
        let one = |kind, name| {
            let what = (kind, name);
            let given = self.is_given(what).then(|| self.mapped(what));
            let grant = given.or_else(|| self.in_grace(what, rules.role_grace))?;
            Some((what, grant))
        };
        let base = ROLES.iter().find_map(|name| one(Kind::Base, *name));
        // One from before the directory gives way to the groups, but not to the default.
        let before = self.before.iter().map(|(what, grant)| (*what, *grant));
        let mut local = before.filter(|(what, grant)| what.0 != Kind::Seat && grant.is_local());
        let base = base.or_else(|| local.clone().find(|(what, _)| what.0 == Kind::Base));
        let base = base.unwrap_or(((Kind::Base, rules.default_role), Grant::BY_RULE));
        let mut roles: Grants = CUSTOM
            .iter()
            .filter_map(|name| one(Kind::Custom, *name))
            .collect();
        for (what, grant) in local.by_ref().filter(|(what, _)| what.0 == Kind::Custom) {
            roles.entry(what).or_insert(grant);
        }
        roles.extend([base]);
        roles
    }

    /// What a group gives stays from where it was before there was one that gives it.
    fn mapped(&self, what: (Kind, &str)) -> Grant {
        let origin = self.before.get(&what).map(|had| had.origin);
        Grant {
            origin: origin.unwrap_or(Grant::MAPPED.origin),
            ..Grant::MAPPED
        }
    }

    fn seats(&self, status: Status) -> Grants {
        let rules = &self.world.rules;
        let keeps = status == Status::Deactivated && rules.keeps_deactivated;
        if status != Status::Active && !keeps {
            return Grants::new();
        }
        let mut seats = Grants::new();
        for name in SEATS {
            let what = (Kind::Seat, name);
            let had = self.before.get(&what);
            if status != Status::Active && had.is_none() {
                continue;
            }
            let grant = if self.is_given(what) {
                Some(self.mapped(what))
            } else if had.is_some_and(|had| had.is_local()) {
                had.copied()
            } else {
                match rules.leaving(name) {
                    Leaving::Keep => self.left(what).map(|_| Grant {
                        left: Left::Once,
                        ..Grant::MAPPED
                    }),
                    Leaving::For(grace) => self.in_grace(what, Some(grace)),
                    Leaving::Take => None,
                }
            };
            seats.extend(grant.map(|grant| (what, grant)));
        }
        let default = (Kind::Seat, rules.default_seat);
        if seats.is_empty() && (status == Status::Active || self.before.contains_key(&default)) {
            seats.insert(default, Grant::BY_RULE);
        }
        seats
    }
}
