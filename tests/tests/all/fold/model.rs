//! What should come of a history: one change after the other, each decided at once. It is written
//! from what README, contract and the policies' settings say, and shares nothing with the host.

use std::collections::{BTreeMap, BTreeSet};

/// Hours since the gateway began.
pub(super) type Hours = u32;

/// By rank.
pub(super) const ROLES: [&str; 4] = ["Owner", "Admin", "Standard", "Viewer"];
pub(super) const CUSTOM: [&str; 2] = ["Auditor", "Billing"];
pub(super) const SEATS: [&str; 3] = ["viewer", "responder", "on-call"];
/// Which groups give access, where the settings say that some do.
pub(super) const ASSIGNED: [usize; 2] = [0, 3];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Base,
    Custom,
    Seat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Deactivated,
    Deleted,
}

/// A group of this place, and how often one of that place was created before: a group that is pushed
/// again is another one.
pub(super) type GroupKey = (usize, usize);

/// A row of the mapping: it names its group by the id.
pub(super) type Row = (GroupKey, Kind, &'static str);

/// What becomes of a seat after leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    Keep,
    For(Hours),
    Take,
}

/// The settings of the shipped policies.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) when_user_deleted: Status,
    pub(super) in_no_group: Option<Status>,
    pub(super) assigned: bool,
    pub(super) grace: Option<Hours>,
    pub(super) presence: Option<Presence>,
    pub(super) default_role: &'static str,
    pub(super) role_grace: Option<Hours>,
    pub(super) default_seat: &'static str,
    pub(super) leaving: Leaving,
    /// What holds for on-call alone, if it is another.
    pub(super) on_call: Option<Leaving>,
    pub(super) keeps_deactivated: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Presence {
    /// Or all sources.
    pub(super) only_chat: bool,
    pub(super) max_age: Option<Hours>,
    pub(super) over_directory: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            when_user_deleted: Status::Deactivated,
            in_no_group: None,
            assigned: false,
            grace: None,
            presence: None,
            default_role: "Standard",
            role_grace: None,
            default_seat: "viewer",
            leaving: Leaving::Keep,
            on_call: None,
            keeps_deactivated: false,
        }
    }
}

impl Rules {
    fn leaving(&self, seat: &str) -> Leaving {
        let own = self.on_call.filter(|_| seat == "on-call");
        own.unwrap_or(self.leaving)
    }
}

/// Whether the group that gave a grant was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Not,
    /// At a time that nobody knows any more.
    Once,
    At(Hours),
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    /// Whether a row of the mapping gave it.
    mapped: bool,
    by_hand: bool,
    left: Left,
}

impl Grant {
    const BY_RULE: Self = Self {
        mapped: false,
        by_hand: false,
        left: Left::Not,
    };
    const MAPPED: Self = Self {
        mapped: true,
        ..Self::BY_RULE
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    InNoGroup,
    Unassigned,
}

#[derive(Clone, Debug)]
struct Account {
    decided: bool,
    status: Status,
    /// Why its groups end it, and since when.
    noted: Option<(Why, Hours)>,
    grants: BTreeMap<(Kind, &'static str), Grant>,
}

/// A person: a user, or one that was deleted, with an account.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// Whether the user is active; none: it is deleted or was never there.
    pub(super) user: Option<bool>,
    /// The groups that it is in itself.
    pub(super) groups: BTreeSet<usize>,
    /// What sources say, and since when.
    signals: BTreeMap<&'static str, (bool, Hours)>,
    account: Option<Account>,
}

impl Person {
    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// Whether a source says that it is active.
    pub(super) fn is_signalled(&self) -> bool {
        self.signals.values().any(|(active, _)| *active)
    }
}

/// All of an organization.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) now: Hours,
    pub(super) people: Vec<Person>,
    /// How often a group of this place was created, and whether it is there.
    pub(super) groups: Vec<(usize, bool)>,
    /// Parent and child.
    pub(super) nested: BTreeSet<(usize, usize)>,
    pub(super) mapping: BTreeSet<Row>,
    pub(super) rules: Rules,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) status: String,
    pub(super) role: Option<String>,
    pub(super) custom: BTreeSet<String>,
    pub(super) seats: BTreeSet<String>,
}

impl World {
    /// What everybody is to have who has an account, by place.
    pub(super) fn views(&self) -> BTreeMap<usize, View> {
        let people = self.people.iter().enumerate();
        people
            .filter_map(|(place, person)| Some((place, person.account.as_ref()?.view())))
            .collect()
    }

    /// The groups of a person, those that hold its groups among them.
    pub(super) fn groups_of(&self, person: usize) -> BTreeSet<usize> {
        let mut groups = self.people[person].groups.clone();
        loop {
            let above = self
                .nested
                .iter()
                .filter(|(_, child)| groups.contains(child));
            let all: BTreeSet<usize> = above
                .map(|(parent, _)| *parent)
                .chain(groups.clone())
                .collect();
            if all == groups {
                return groups;
            }
            groups = all;
        }
    }

    /// Something changes, and everybody is decided.
    pub(super) fn step(&mut self, change: impl FnOnce(&mut Self)) {
        let people = 0..self.people.len();
        let before: Vec<_> = people.clone().map(|place| self.groups_of(place)).collect();
        // The rows as they were: the group may be gone behind it.
        let keys: Vec<GroupKey> = self
            .groups
            .iter()
            .map(|(made, _)| *made)
            .enumerate()
            .collect();
        change(self);
        for place in people {
            let now: BTreeSet<GroupKey> = self
                .groups_of(place)
                .iter()
                .map(|group| (*group, self.groups[*group].0))
                .collect();
            let then = before[place].iter().map(|group| keys[*group]);
            let left: BTreeSet<GroupKey> = then.filter(|key| !now.contains(key)).collect();
            self.decide(place, &now, &left);
        }
    }

    /// The provider said that the user is there, or that it is not active, or deleted it.
    pub(super) fn set_user(&mut self, place: usize, user: Option<bool>) {
        let person = &mut self.people[place];
        let was = person.user;
        person.user = user;
        match &mut person.account {
            None => {
                person.account = Some(Account {
                    decided: false,
                    status: Status::Deactivated,
                    noted: None,
                    grants: BTreeMap::new(),
                });
            }
            // Seats do not come back with the user.
            Some(account) if was.is_none() => {
                account.grants.retain(|(kind, _), _| *kind != Kind::Seat);
            }
            Some(_) => {}
        }
        if user.is_none() {
            person.groups.clear();
        }
        self.take_access(place);
    }

    pub(super) fn signal(&mut self, place: usize, source: &'static str, active: bool) {
        let now = self.now;
        self.people[place].signals.insert(source, (active, now));
        self.take_access(place);
    }

    /// Whose users are all inactive is out at once, unless another source says otherwise.
    fn take_access(&mut self, place: usize) {
        let person = &mut self.people[place];
        let present = person.is_signalled();
        if let Some(account) = &mut person.account
            && account.status == Status::Active
            && person.user != Some(true)
            && !present
        {
            account.status = Status::Deactivated;
        }
    }

    pub(super) fn give_seat(&mut self, place: usize, seat: &'static str) {
        if let Some(account) = &mut self.people[place].account {
            let grant = account
                .grants
                .entry((Kind::Seat, seat))
                .or_insert(Grant::BY_RULE);
            grant.by_hand = true;
        }
    }

    pub(super) fn take_seat(&mut self, place: usize, seat: &'static str) {
        if let Some(account) = &mut self.people[place].account {
            account.grants.remove(&(Kind::Seat, seat));
        }
    }

    /// The seats that a person may take away.
    pub(super) fn takeable(&self, place: usize) -> Vec<&'static str> {
        let groups = self.groups_of(place);
        let given = |seat: &str| {
            let mut rows = self.mapping.iter();
            rows.any(|((group, made), kind, target)| {
                let (newest, there) = self.groups[*group];
                *kind == Kind::Seat
                    && *target == seat
                    && there
                    && newest == *made
                    && groups.contains(group)
            })
        };
        let account = self.people[place].account.iter();
        let seats = account.flat_map(|account| account.grants.keys());
        let seats = seats.filter(|(kind, seat)| *kind == Kind::Seat && !given(seat));
        seats.map(|(_, seat)| *seat).collect()
    }

    fn decide(&mut self, place: usize, groups: &BTreeSet<GroupKey>, left: &BTreeSet<GroupKey>) {
        let Some(mut account) = self.people[place].account.clone() else {
            return;
        };
        let (status, noted) = self.lifecycle(&self.people[place], &account, groups, left);
        account.status = status;
        account.noted = noted;
        let before = std::mem::take(&mut account.grants);
        let case = Case {
            world: self,
            before: &before,
            groups,
            left,
        };
        account.grants.extend(case.roles());
        account.grants.extend(case.seats(status));
        account.decided = true;
        self.people[place].account = Some(account);
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
        match person.user {
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
    before: &'a BTreeMap<(Kind, &'static str), Grant>,
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
            .filter(|one| one.mapped && !one.by_hand)?;
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

    fn roles(&self) -> BTreeMap<(Kind, &'static str), Grant> {
        let rules = &self.world.rules;
        let one = |kind, name| {
            let given = self.is_given((kind, name)).then_some(Grant::MAPPED);
            let grant = given.or_else(|| self.in_grace((kind, name), rules.role_grace))?;
            Some(((kind, name), grant))
        };
        let base = ROLES.iter().find_map(|name| one(Kind::Base, *name));
        let base = base.unwrap_or(((Kind::Base, rules.default_role), Grant::BY_RULE));
        let custom = CUSTOM.iter().filter_map(|name| one(Kind::Custom, *name));
        custom.chain([base]).collect()
    }

    fn seats(&self, status: Status) -> BTreeMap<(Kind, &'static str), Grant> {
        let rules = &self.world.rules;
        let keeps = status == Status::Deactivated && rules.keeps_deactivated;
        if status != Status::Active && !keeps {
            return BTreeMap::new();
        }
        let mut seats = BTreeMap::new();
        for name in SEATS {
            let what = (Kind::Seat, name);
            let had = self.before.get(&what);
            if status != Status::Active && had.is_none() {
                continue;
            }
            let by_hand = had.is_some_and(|had| had.by_hand);
            let grant = if self.is_given(what) {
                Some(Grant {
                    by_hand,
                    ..Grant::MAPPED
                })
            } else if by_hand {
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

impl Account {
    fn view(&self) -> View {
        let of = |kind| {
            let grants = self.grants.keys().filter(move |grant| grant.0 == kind);
            grants.map(|(_, name)| (*name).to_owned())
        };
        View {
            status: match self.status {
                Status::Active => "active",
                Status::Deactivated => "deactivated",
                Status::Deleted => "deleted",
            }
            .to_owned(),
            role: of(Kind::Base).next(),
            custom: of(Kind::Custom).collect(),
            seats: of(Kind::Seat).collect(),
        }
    }
}
