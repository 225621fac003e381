//! What should come of a history: one change after the other, each decided at once. It is written
//! from what README, contract and the policies' settings say, and shares nothing with the host.

mod change;
mod decide;
mod guard;
mod rules;

pub(super) use rules::{Leaving, Presence, Rules};

use guard::Hold;
use std::collections::{BTreeMap, BTreeSet};

/// Hours since the gateway began.
pub(super) type Hours = u32;

/// By rank.
pub(super) const ROLES: [&str; 4] = ["Owner", "Admin", "Standard", "Viewer"];
pub(super) const CUSTOM: [&str; 2] = ["Auditor", "Billing"];
pub(super) const SEATS: [&str; 3] = ["viewer", "responder", "on-call"];
/// The seats of which there may be too few, and how many there are then.
pub(super) const SCARCE: &str = SEATS[2];
pub(super) const CAPACITY: usize = 2;
/// What becomes of those who find none of these left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Full {
    #[default]
    Wait,
    /// Nobody comes back to them when there is one again.
    Refuse,
    /// They get one all the same.
    Overflow,
}

/// Which groups give access, where the settings say that some do.
pub(super) const ASSIGNED: [usize; 2] = [0, 3];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Base,
    Custom,
    Seat,
}

/// From better to worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Whether the group that gave a grant was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Not,
    /// At a time that nobody knows any more.
    Once,
    At(Hours),
}

/// Where a grant comes from at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Policy,
    ByHand,
    Import,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    /// Whether a row of the mapping gave it.
    mapped: bool,
    origin: Origin,
    left: Left,
}

impl Grant {
    const BY_RULE: Self = Self {
        mapped: false,
        origin: Origin::Policy,
        left: Left::Not,
    };
    const MAPPED: Self = Self {
        mapped: true,
        ..Self::BY_RULE
    };

    /// Whether no policy gave it first.
    fn is_local(self) -> bool {
        self.origin != Origin::Policy
    }
}

/// An account as the application brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Brought {
    pub(super) active: bool,
    pub(super) role: Option<&'static str>,
    pub(super) custom: BTreeSet<&'static str>,
    pub(super) seats: BTreeSet<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    InNoGroup,
    Unassigned,
}

#[derive(Clone, Debug)]
struct Account {
    decided: bool,
    /// The application brought it, and no user is its person yet.
    free: bool,
    status: Status,
    /// Why its groups end it, and since when.
    noted: Option<(Why, Hours)>,
    grants: Grants,
    hold: Option<Hold>,
}

type Grants = BTreeMap<(Kind, &'static str), Grant>;

/// A person: its users in the directories, or one that was deleted, with an account.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// Whether its user in a directory is active; none: it is deleted or was never there.
    pub(super) users: BTreeMap<usize, bool>,
    /// The directories that had a user of it once.
    pub(super) known: BTreeSet<usize>,
    /// The directory that deleted the last of its users.
    pub(super) left: Option<usize>,
    /// The groups that it is in itself.
    pub(super) groups: BTreeSet<usize>,
    /// What sources say, and since when.
    signals: BTreeMap<&'static str, (bool, Hours)>,
    /// By directory.
    titles: BTreeMap<usize, usize>,
    /// How often its users themselves were changed.
    changes: usize,
    /// Whether the application has brought its account.
    pub(super) is_brought: bool,
    /// Whether somebody lets be taken what is held.
    approved: bool,
    account: Option<Account>,
}

impl Person {
    /// It is active while a user of it is; none: it has no user.
    pub(super) fn user(&self) -> Option<bool> {
        self.users.values().copied().max()
    }

    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// Whether its account is one that the application brought and that nobody decides about.
    pub(super) fn is_free(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.free)
    }

    /// Whether its base role is from before the directory: it gives way to one that a group gives, and
    /// does not come back.
    pub(super) fn has_own_role(&self) -> bool {
        let account = self.account.iter();
        let mut grants = account.flat_map(|account| &account.grants);
        grants.any(|((kind, _), grant)| *kind == Kind::Base && grant.origin == Origin::Import)
    }

    /// Whether something is held for it: some, and whether a person said that it stays.
    pub(super) fn held(&self) -> Option<bool> {
        let hold = self.account.as_ref()?.hold.as_ref()?;
        Some(hold.is_pinned())
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
    pub(super) directories: usize,
    pub(super) people: Vec<Person>,
    /// How often a group of this place was created, and whether it is there.
    pub(super) groups: Vec<(usize, bool)>,
    /// Parent and child.
    pub(super) nested: BTreeSet<(usize, usize)>,
    pub(super) mapping: BTreeSet<Row>,
    pub(super) rules: Rules,
    /// Whether the brake holds all that would be taken: it is told that nobody may lose anything.
    pub(super) strict: bool,
    pub(super) full: Full,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) status: String,
    pub(super) role: Option<String>,
    pub(super) custom: BTreeSet<String>,
    pub(super) seats: BTreeSet<String>,
    /// Whether something is held for it, and whether a person said that it stays.
    pub(super) held: Option<bool>,
}

impl World {
    /// What everybody is to have who has an account, by place.
    pub(super) fn views(&self) -> BTreeMap<usize, View> {
        let people = self.people.iter().enumerate();
        people
            .filter_map(|(place, person)| Some((place, person.account.as_ref()?.view())))
            .collect()
    }

    /// The directory of a group.
    pub(super) fn home(&self, group: usize) -> usize {
        group % self.directories
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
            held: self.hold.as_ref().map(Hold::is_pinned),
        }
    }
}
