//! A random history, and what everybody has after each part of it by the model.

use super::model::{
    CUSTOM, Hours, Kind, Leaving, Presence, ROLES, Row, Rules, SEATS, Status, View, World,
};
use crate::shared::Dice;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PEOPLE: usize = 6;
pub(super) const GROUPS: usize = 5;
pub(super) const SOURCES: [&str; 2] = ["chat", "sso"];

/// What the policies of an organization are about. Some of what they remember depends on what is
/// decided in between, so not everything goes with everything in one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    /// Groups end the access, at once or after a grace; seats are strict.
    Access,
    /// Seats are kept, for a time or for good, and given by hand; roles have a grace.
    Seats,
    /// Groups make owners.
    Owners,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Create(usize),
    SetActive(usize, bool),
    SetTitle(usize, usize),
    Delete(usize),
    Join(usize, BTreeSet<usize>),
    Leave(usize, BTreeSet<usize>),
    /// All members of a group at once.
    Replace(usize, BTreeSet<usize>),
    NewGroup(usize, BTreeSet<usize>),
    DropGroup(usize),
    /// Parent and child.
    Nest(usize, usize),
    Unnest(usize, usize),
    Map(BTreeSet<Row>),
    Rules(Rules),
    Signal(usize, &'static str, bool),
    GiveSeat(usize, &'static str),
    TakeSeat(usize, &'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) act: Act,
    /// Whether it counts what was decided by then: a change of mapping or settings, of a person's
    /// access, something by hand. All else may be decided with what is before and behind it.
    pub(super) alone: bool,
}

/// What all histories in one gateway have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// How far the clock is moved behind it.
    pub(super) hours: Hours,
    /// Whether the clock is moved before it is decided.
    pub(super) late: bool,
    /// Whether the gateway is killed before it is decided.
    pub(super) killed: bool,
}

impl Round {
    /// Graces are odd multiples of three hours and the clock moves by even ones, so that nothing
    /// ends in the very moment in which it is asked.
    pub(super) fn random(dice: &mut Dice) -> Self {
        Self {
            hours: [0, 6, 6, 12, 24, 96][dice.below(6)],
            late: dice.below(4) == 0,
            killed: dice.below(6) == 0,
        }
    }
}

/// One round of a history.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) events: Vec<Event>,
    /// Whether the provider took somebody's access.
    pub(super) takes_access: bool,
    /// What everybody has before the clock is moved.
    pub(super) before: BTreeMap<usize, View>,
    /// What everybody has behind it.
    pub(super) after: BTreeMap<usize, View>,
}

pub(super) struct History {
    temper: Temper,
    dice: Dice,
    world: World,
}

impl History {
    pub(super) fn new(temper: Temper, seed: u64) -> Self {
        let leaving = if temper == Temper::Seats {
            Leaving::Keep
        } else {
            Leaving::Take
        };
        let world = World {
            people: vec![Default::default(); PEOPLE],
            groups: vec![(0, false); GROUPS],
            rules: Rules {
                leaving,
                ..Rules::default()
            },
            ..World::default()
        };
        Self {
            temper,
            dice: Dice(seed),
            world,
        }
    }

    /// The settings at the beginning.
    pub(super) fn rules(&self) -> Rules {
        self.world.rules.clone()
    }

    pub(super) fn round(&mut self, round: Round) -> Part {
        let mut events = Vec::new();
        let mut takes_access = false;
        for _ in 0..=self.dice.below(12) {
            let Some(act) = self.choose() else {
                continue;
            };
            let alone = self.is_alone(&act);
            // What is decided late is decided without what happened in between.
            if round.late && (alone || matches!(act, Act::Create(_))) {
                continue;
            }
            takes_access |= matches!(act, Act::SetActive(_, false) | Act::Delete(_));
            self.world.step(|world| apply(world, &act));
            events.push(Event { act, alone });
        }
        let before = self.world.views();
        self.world.step(|world| world.now += round.hours);
        Part {
            events,
            takes_access,
            before,
            after: self.world.views(),
        }
    }

    /// Something that can happen now.
    fn choose(&mut self) -> Option<Act> {
        let (person, group) = (self.dice.below(PEOPLE), self.dice.below(GROUPS));
        let (user, there) = (self.world.people[person].user, self.world.groups[group].1);
        let some = self.some_users();
        let chance = self.dice.below(100);
        let seat = SEATS[self.dice.below(SEATS.len())];
        let other = self.dice.below(GROUPS);
        let pair = (group.max(other), group.min(other));
        Some(match chance {
            0..6 => match user {
                None => Act::Create(person),
                Some(_) if chance < 2 && !self.is_signalled(person) => Act::Delete(person),
                Some(_) => Act::SetTitle(person, self.dice.below(1_000)),
            },
            6..14 => Act::SetActive(person, !user?),
            14..20 if !there => Act::NewGroup(group, some),
            14..18 => Act::DropGroup(group),
            18..24 if there => Act::Replace(group, some),
            24..28 if there && self.world.groups[other].1 && group != other => {
                if self.world.nested.contains(&pair) {
                    Act::Unnest(pair.0, pair.1)
                } else {
                    Act::Nest(pair.0, pair.1)
                }
            }
            28..34 => Act::Map(self.rows()),
            34..40 => Act::Rules(self.settings()),
            40..46 if self.temper != Temper::Owners && user.is_some() => {
                let source = SOURCES[self.dice.below(SOURCES.len())];
                Act::Signal(person, source, self.dice.below(3) > 0)
            }
            46..52 if self.temper == Temper::Seats && user.is_some() => Act::GiveSeat(person, seat),
            52..58 if self.temper == Temper::Seats && user.is_some() => {
                let seats = self.world.takeable(person);
                Act::TakeSeat(
                    person,
                    seats.get(self.dice.below(seats.len().max(1))).copied()?,
                )
            }
            58..80 if there => Act::Join(group, some),
            80.. if there => Act::Leave(group, some),
            _ if user.is_none() => Act::Create(person),
            _ if !there => Act::NewGroup(group, some),
            _ => return None,
        })
    }

    fn is_signalled(&self, person: usize) -> bool {
        self.world.people[person].is_signalled()
    }

    fn some_users(&mut self) -> BTreeSet<usize> {
        let many = 1 + self.dice.below(3);
        let some = (0..many).map(|_| self.dice.below(PEOPLE));
        let there = |place: &usize| self.world.people[*place].user.is_some();
        some.collect::<Vec<_>>().into_iter().filter(there).collect()
    }

    fn rows(&mut self) -> BTreeSet<Row> {
        let lowest = usize::from(self.temper != Temper::Owners);
        let mut rows = BTreeSet::new();
        for _ in 0..self.dice.below(8) {
            let group = self.dice.below(GROUPS);
            let (made, there) = self.world.groups[group];
            if !there {
                continue;
            }
            let (kind, target) = match self.dice.below(4) {
                0 | 1 => {
                    let places = ROLES.len() - lowest;
                    (Kind::Base, ROLES[lowest + self.dice.below(places)])
                }
                2 => (Kind::Custom, CUSTOM[self.dice.below(CUSTOM.len())]),
                _ => (Kind::Seat, SEATS[self.dice.below(SEATS.len())]),
            };
            rows.insert(((group, made), kind, target));
        }
        rows
    }

    /// The settings of one policy change: those of several are several changes.
    fn settings(&mut self) -> Rules {
        let mut rules = self.world.rules.clone();
        let dice = &mut self.dice;
        let grace = |dice: &mut Dice| [None, Some(9), Some(75)][dice.below(3)];
        let ended = |dice: &mut Dice| [Status::Deactivated, Status::Deleted][dice.below(2)];
        let leaving = |dice: &mut Dice| {
            [
                Leaving::Keep,
                Leaving::For(9),
                Leaving::For(75),
                Leaving::Take,
            ][dice.below(4)]
        };
        match dice.below(3) {
            0 => {
                rules.when_user_deleted = ended(dice);
                if self.temper == Temper::Access {
                    // Of an organization one of the two: its first settings say which.
                    rules.assigned |= rules.in_no_group.is_none() && dice.below(2) == 0;
                    if !rules.assigned {
                        rules.in_no_group = Some(ended(dice));
                    }
                    rules.grace = grace(dice);
                }
                if self.temper != Temper::Owners {
                    rules.presence = (dice.below(2) == 0).then(|| Presence {
                        only_chat: dice.below(2) == 0,
                        max_age: [None, Some(9), Some(51)][dice.below(3)],
                        over_directory: dice.below(2) == 0,
                    });
                }
            }
            1 => {
                rules.default_role = ["Standard", "Viewer"][dice.below(2)];
                if self.temper != Temper::Owners {
                    rules.role_grace = grace(dice);
                }
            }
            _ => {
                rules.default_seat = ["viewer", "responder"][dice.below(2)];
                if self.temper == Temper::Seats {
                    rules.leaving = leaving(dice);
                    rules.on_call = (dice.below(2) == 0).then(|| leaving(dice));
                    rules.keeps_deactivated = dice.below(2) == 0;
                }
            }
        }
        rules
    }

    fn is_alone(&self, act: &Act) -> bool {
        let who: Vec<usize> = match act {
            Act::SetTitle(..) => return false,
            Act::Create(person) => return self.world.people[*person].has_account(),
            Act::Join(_, who) | Act::Leave(_, who) | Act::NewGroup(_, who) => {
                who.iter().copied().collect()
            }
            // Whoever is in it, or in one that is in it.
            Act::Replace(..) | Act::DropGroup(_) | Act::Nest(..) | Act::Unnest(..) => {
                (0..PEOPLE).collect()
            }
            _ => return true,
        };
        // Out of use, and keeps seats as long as a group gives them.
        let keeps = self.world.rules.keeps_deactivated;
        keeps
            && who
                .iter()
                .any(|person| self.world.people[*person].user == Some(false))
    }
}

fn apply(world: &mut World, act: &Act) {
    let join = |world: &mut World, group: usize, who: &BTreeSet<usize>| {
        for person in who {
            world.people[*person].groups.insert(group);
        }
    };
    match act {
        Act::Create(person) => world.set_user(*person, Some(true)),
        Act::SetActive(person, active) => world.set_user(*person, Some(*active)),
        Act::SetTitle(..) => {}
        Act::Delete(person) => world.set_user(*person, None),
        Act::Join(group, who) => join(world, *group, who),
        Act::Leave(group, who) => {
            for person in who {
                world.people[*person].groups.remove(group);
            }
        }
        Act::Replace(group, who) => {
            for person in &mut world.people {
                person.groups.remove(group);
            }
            join(world, *group, who);
        }
        Act::NewGroup(group, who) => {
            let (made, _) = world.groups[*group];
            world.groups[*group] = (made + 1, true);
            join(world, *group, who);
        }
        Act::DropGroup(group) => {
            world.groups[*group].1 = false;
            world
                .nested
                .retain(|(parent, child)| parent != group && child != group);
            for person in &mut world.people {
                person.groups.remove(group);
            }
        }
        Act::Nest(parent, child) => _ = world.nested.insert((*parent, *child)),
        Act::Unnest(parent, child) => _ = world.nested.remove(&(*parent, *child)),
        Act::Map(rows) => world.mapping = rows.clone(),
        Act::Rules(rules) => world.rules = rules.clone(),
        Act::Signal(person, source, active) => world.signal(*person, source, *active),
        Act::GiveSeat(person, seat) => world.give_seat(*person, seat),
        Act::TakeSeat(person, seat) => world.take_seat(*person, seat),
    }
}
