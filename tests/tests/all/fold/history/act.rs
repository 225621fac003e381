//! What can happen, and what it means in the model.

use crate::fold::model::{Brought, Full, Hours, Row, Rules, View, World};
use crate::shared::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// What the policies of an organization are about. Some of what they remember depends on what is
/// decided in between, so not everything goes with everything in one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fold) enum Temper {
    /// Groups end the access, at once or after a grace; seats are strict.
    Access,
    /// Seats are kept, for a time or for good, and given by hand; roles have a grace.
    Seats,
    /// Groups make owners, and there are too few seats of one type.
    Owners,
    /// The brake holds all that would be taken, until somebody answers.
    Guarded,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(in crate::fold) enum Act {
    /// A person, and the directory that has a user of it.
    Create(usize, usize),
    SetActive(usize, usize, bool),
    SetTitle(usize, usize, usize),
    Delete(usize, usize),
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
    /// The application brings an account.
    Import(usize, Brought),
    /// A directory is paused, or decides again.
    Pause(usize),
    Resume(usize),
    /// Whether the brake holds all, or nothing.
    Strict(bool),
    /// What becomes of those for whom there is no seat.
    WhenFull(Full),
    /// Of these, or of all for whom something waits.
    Approve(Option<BTreeSet<usize>>),
    Reject(Option<BTreeSet<usize>>),
}

#[derive(Clone, Debug)]
pub(in crate::fold) struct Event {
    pub(in crate::fold) act: Act,
    /// Whether it counts what was decided by then: a change of mapping or settings, of a person's
    /// access, something by hand. All else may be decided with what is before and behind it.
    pub(in crate::fold) alone: bool,
    /// Whether a provider ends somebody's access: only that can take it from the last owner.
    pub(in crate::fold) ends: bool,
}

/// What all histories in one gateway have in common.
#[derive(Clone, Copy, Debug)]
pub(in crate::fold) struct Round {
    /// How far the clock is moved behind it.
    pub(in crate::fold) hours: Hours,
    /// Whether the clock is moved before it is decided.
    pub(in crate::fold) late: bool,
    /// Whether the gateway is killed before it is decided.
    pub(in crate::fold) killed: bool,
}

impl Round {
    /// Graces are odd multiples of three hours and the clock moves by even ones, so that nothing
    /// ends in the very moment in which it is asked.
    pub(in crate::fold) fn random(dice: &mut Dice) -> Self {
        Self {
            hours: [0, 6, 6, 12, 24, 96][dice.below(6)],
            late: dice.below(4) == 0,
            killed: dice.below(6) == 0,
        }
    }
}

/// One round of a history.
#[derive(Clone, Debug)]
pub(in crate::fold) struct Part {
    pub(in crate::fold) events: Vec<Event>,
    /// Whether nothing was decided at the end.
    pub(in crate::fold) paused: bool,
    /// Who was to have a seat of the type of which there are too few, all the time.
    pub(in crate::fold) steady: BTreeSet<usize>,
    /// What became of those who found no seat of that type.
    pub(in crate::fold) full: Full,
    /// What everybody has before the clock is moved.
    pub(in crate::fold) before: BTreeMap<usize, View>,
    /// What everybody has behind it.
    pub(in crate::fold) after: BTreeMap<usize, View>,
}

pub(super) fn apply(world: &mut World, act: &Act) {
    let join = |world: &mut World, group: usize, who: &BTreeSet<usize>| {
        for person in who {
            world.people[*person].groups.insert(group);
        }
    };
    match act {
        Act::Create(person, directory) => world.set_user(*person, *directory, Some(true)),
        Act::SetActive(person, directory, active) => {
            world.set_user(*person, *directory, Some(*active));
        }
        Act::SetTitle(person, directory, title) => world.set_title(*person, *directory, *title),
        Act::Delete(person, directory) => world.set_user(*person, *directory, None),
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
        Act::Import(person, brought) => world.import(*person, brought),
        Act::Pause(_) | Act::Resume(_) => {}
        Act::Strict(strict) => world.strict = *strict,
        Act::WhenFull(full) => world.full = *full,
        Act::Approve(who) => {
            let who = who.clone().unwrap_or_else(|| world.waiting());
            world.approve(&who);
        }
        Act::Reject(who) => {
            let who = who.clone().unwrap_or_else(|| world.waiting());
            world.reject(&who);
        }
    }
}
