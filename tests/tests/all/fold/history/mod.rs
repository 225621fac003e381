//! A random history, and what everybody has after each part of it by the model.

mod act;
mod choice;

pub(super) use act::{Act, Event, Part, Round, Temper};

use super::model::{Full, Leaving, Rules, SCARCE, SEATS, View, World};
use crate::shared::Dice;
use act::apply;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PEOPLE: usize = 6;
pub(super) const GROUPS: usize = 5;
pub(super) const SOURCES: [&str; 2] = ["chat", "sso"];

/// How often something else is looked for, where what was chosen cannot be just now.
const TRIES: usize = 8;

pub(super) struct History {
    temper: Temper,
    dice: Dice,
    world: World,
    frozen: Option<Frozen>,
}

/// What those have of whom a paused directory has a user, or deleted the last one. The model goes on
/// behind it: what happens then may be decided in any batch, so it may be decided all the time as
/// well.
struct Frozen {
    directory: usize,
    views: BTreeMap<usize, View>,
    /// Whom the providers deactivated.
    out: BTreeSet<usize>,
}

impl History {
    pub(super) fn new(temper: Temper, directories: usize, seed: u64) -> Self {
        let leaving = if temper == Temper::Seats {
            Leaving::Keep
        } else {
            Leaving::Take
        };
        let world = World {
            directories,
            people: vec![Default::default(); PEOPLE],
            groups: vec![(0, false); GROUPS],
            rules: Rules {
                leaving,
                ..Rules::default()
            },
            strict: temper == Temper::Guarded,
            ..World::default()
        };
        Self {
            temper,
            dice: Dice(seed),
            world,
            frozen: None,
        }
    }

    /// The settings at the beginning.
    pub(super) fn rules(&self) -> Rules {
        self.world.rules.clone()
    }

    pub(super) fn round(&mut self, round: Round) -> Part {
        let mut events = Vec::new();
        let mut steady = self.wants_scarce();
        let first = self.when_full();
        let many = 1 + self.dice.below(12);
        for place in 0..=many {
            let mut tries = 0..if place == 0 { 1 } else { TRIES };
            let found = tries.find_map(|_| {
                let act = match place {
                    0 => first.clone(),
                    _ => self.choose(),
                }?;
                let alone = self.is_alone(&act);
                self.can_be(&act, alone, round).then_some((act, alone))
            });
            let Some((act, alone)) = found else {
                continue;
            };
            match &act {
                Act::Pause(directory) => self.frozen = Some(self.freeze(*directory)),
                Act::Resume(_) => self.frozen = None,
                _ => {}
            }
            let before = self.in_use();
            self.world.step(|world| apply(world, &act));
            let ends = !before.is_subset(&self.in_use());
            if let (Act::SetActive(person, ..), Some(frozen)) = (&act, &mut self.frozen)
                && self.world.people[*person].user() == Some(false)
            {
                frozen.out.insert(*person);
            }
            steady = &steady & &self.wants_scarce();
            events.push(Event { act, alone, ends });
        }
        let before = self.views();
        self.world.step(|world| world.now += round.hours);
        steady = &steady & &self.wants_scarce();
        Part {
            events,
            paused: self.frozen.is_some(),
            steady,
            full: self.world.full,
            before,
            after: self.views(),
        }
    }

    fn views(&self) -> BTreeMap<usize, View> {
        let mut views = self.world.views();
        if let Some(frozen) = &self.frozen {
            for (person, view) in &frozen.views {
                let mut view = view.clone();
                if frozen.out.contains(person) && view.status == "active" {
                    view.status = "deactivated".into();
                }
                views.insert(*person, view);
            }
        }
        views
    }

    fn freeze(&self, directory: usize) -> Frozen {
        let mut views = self.world.views();
        views.retain(|person, _| {
            let person = &self.world.people[*person];
            person.users.contains_key(&directory) || person.left == Some(directory)
        });
        Frozen {
            directory,
            views,
            out: BTreeSet::new(),
        }
    }

    fn is_frozen(&self, person: usize) -> bool {
        let mut frozen = self.frozen.iter();
        frozen.any(|frozen| frozen.views.contains_key(&person))
    }

    /// The people of whom a provider says that they are active.
    fn in_use(&self) -> BTreeSet<usize> {
        let people = self.world.people.iter().enumerate();
        let in_use = people.filter(|(_, person)| person.user() == Some(true));
        in_use.map(|(place, _)| place).collect()
    }

    fn wants_scarce(&self) -> BTreeSet<usize> {
        let views = self.world.views().into_iter();
        let wants = views.filter(|(_, view)| view.seats.contains(SCARCE));
        wants.map(|(place, _)| place).collect()
    }

    /// Whether it does not matter when it is decided, where that is late: without what happened in
    /// between, and not in a moment of its own.
    fn can_be(&self, act: &Act, alone: bool, round: Round) -> bool {
        match act {
            Act::Create(..) => !round.late && self.frozen.is_none(),
            Act::Import(..) | Act::Pause(_) => self.frozen.is_none() && !(alone && round.late),
            Act::Resume(_) => !round.late,
            // At once, whatever is decided. Who is out has no seats, then as later.
            Act::SetActive(person, _, false) if self.is_frozen(*person) => {
                !self.world.rules.keeps_deactivated && !self.is_signalled(*person)
            }
            _ => !alone || (!round.late && self.frozen.is_none()),
        }
    }

    /// Something that can happen now.
    fn choose(&mut self) -> Option<Act> {
        let (person, group) = (self.dice.below(PEOPLE), self.dice.below(GROUPS));
        let directory = self.dice.below(self.world.directories);
        let here = self.world.people[person].users.get(&directory).copied();
        let (user, there) = (self.world.people[person].user(), self.world.groups[group].1);
        let some = self.some_users(self.world.home(group));
        let chance = self.dice.below(if self.temper == Temper::Guarded {
            125
        } else {
            108
        });
        // Histories are about people, who are there and not only for a moment.
        if here.is_none() && self.dice.below(4) == 0 {
            return self.create(person, directory);
        }
        if let Some(frozen) = &self.frozen
            && self.dice.below(8) == 0
        {
            return Some(Act::Resume(frozen.directory));
        }
        let seat = SEATS[self.dice.below(SEATS.len())];
        let other = self.dice.below(GROUPS);
        let pair = (group.max(other), group.min(other));
        Some(match chance {
            0..6 => match here {
                None => self.create(person, directory)?,
                Some(_) if chance < 2 && !self.is_signalled(person) => {
                    Act::Delete(person, directory)
                }
                Some(_) => Act::SetTitle(person, directory, self.dice.below(1_000)),
            },
            6..14 => Act::SetActive(person, directory, !here?),
            14..20 if !there => Act::NewGroup(group, some),
            14..18 => Act::DropGroup(group),
            18..24 if there => Act::Replace(group, some),
            24..28
                if there
                    && self.world.groups[other].1
                    && group != other
                    && self.world.home(group) == self.world.home(other) =>
            {
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
            58..80 if there && !some.is_empty() => Act::Join(group, some),
            80..100 if there && !some.is_empty() => Act::Leave(group, some),
            100..104 if self.temper != Temper::Guarded && self.frozen.is_none() => {
                Act::Pause(directory)
            }
            // One that a user was deleted from and that the application did not know is nobody's.
            100..108 if !self.is_nobodys(person) => Act::Import(person, self.brought()),
            108..111 => Act::Approve(None),
            111..114 => Act::Reject(None),
            114..118 => Act::Approve(Some(self.some_held()?)),
            118..123 => Act::Reject(Some(self.some_held()?)),
            123.. if self.world.waiting().is_empty() => Act::Strict(!self.world.strict),
            _ if here.is_none() => self.create(person, directory)?,
            _ if !there => Act::NewGroup(group, some),
            // Of one who has a user elsewhere, too: the two often say different things.
            _ if self.world.people[person].users.len() > 1 => {
                Act::SetActive(person, directory, !here?)
            }
            _ => return None,
        })
    }

    /// That another rule holds for the few seats, in some rounds: at the beginning of one, so that it
    /// is known of each seat by which rule it was given.
    fn when_full(&mut self) -> Option<Act> {
        let full = [Full::Wait, Full::Refuse, Full::Overflow][self.dice.below(3)];
        let is_some = self.temper == Temper::Owners && self.dice.below(3) == 0;
        is_some.then_some(Act::WhenFull(full))
    }

    /// A user, where it is clear whose it is: the person has one elsewhere, or had one here, or the
    /// application brought it. An account whose last user another directory deleted is not looked for.
    fn create(&self, person: usize, directory: usize) -> Option<Act> {
        let known = &self.world.people[person];
        let is_clear = !known.has_account()
            || known.is_free()
            || known.user().is_some()
            || known.known.contains(&directory);
        is_clear.then_some(Act::Create(person, directory))
    }

    fn is_nobodys(&self, person: usize) -> bool {
        let person = &self.world.people[person];
        person.has_account() && person.user().is_none() && !person.is_brought
    }

    fn some_held(&mut self) -> Option<BTreeSet<usize>> {
        let held = |place: &usize| self.world.people[*place].held().is_some();
        let held: Vec<usize> = (0..PEOPLE).filter(held).collect();
        let many = 1 + self.dice.below(2);
        let some = (0..many).map(|_| held.get(self.dice.below(held.len().max(1))).copied());
        some.collect()
    }

    fn is_signalled(&self, person: usize) -> bool {
        self.world.people[person].is_signalled()
    }

    fn some_users(&mut self, directory: usize) -> BTreeSet<usize> {
        let many = 1 + self.dice.below(3);
        let some = (0..many).map(|_| self.dice.below(PEOPLE));
        let people = &self.world.people;
        let there = |place: &usize| people[*place].users.contains_key(&directory);
        some.collect::<Vec<_>>().into_iter().filter(there).collect()
    }

    fn is_alone(&self, act: &Act) -> bool {
        let who: Vec<usize> = match act {
            Act::SetTitle(..) => return false,
            Act::Create(person, _) => return self.world.people[*person].has_account(),
            Act::Import(person, _) => return !self.world.people[*person].is_free(),
            Act::Join(_, who) | Act::NewGroup(_, who) => who.iter().copied().collect(),
            // What would be taken is held, where it was given before.
            _ if self.temper == Temper::Guarded => return true,
            Act::Leave(_, who) => who.iter().copied().collect(),
            // Whoever is in it, or in one that is in it.
            Act::Replace(..) | Act::DropGroup(_) | Act::Nest(..) | Act::Unnest(..) => {
                (0..PEOPLE).collect()
            }
            _ => return true,
        };
        // Out of use, and keeps seats as long as a group gives them.
        let keeps = self.world.rules.keeps_deactivated;
        who.iter().any(|person| {
            let person = &self.world.people[*person];
            (keeps && person.user() == Some(false)) || person.has_own_role()
        })
    }
}
