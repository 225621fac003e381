//! Random mappings, settings and accounts.

use super::{GROUPS, History, Temper};
use crate::fold::model::{
    Brought, CUSTOM, Kind, Leaving, Presence, ROLES, Row, Rules, SCARCE, SEATS, Status,
};
use crate::shared::Dice;
use std::collections::BTreeSet;

impl History {
    pub(super) fn rows(&mut self) -> BTreeSet<Row> {
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
    pub(super) fn settings(&mut self) -> Rules {
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
                if matches!(self.temper, Temper::Access | Temper::Guarded) {
                    // Of an organization one of the two: its first settings say which.
                    rules.assigned |= rules.in_no_group.is_none() && dice.below(2) == 0;
                    if !rules.assigned {
                        rules.in_no_group = Some(ended(dice));
                    }
                    rules.grace = grace(dice);
                }
                if matches!(self.temper, Temper::Access | Temper::Seats) {
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

    /// An account as the application has it. An owner is not among them: one from before the directory
    /// would stay it, and the last one is for the groups to make.
    pub(super) fn brought(&mut self) -> Brought {
        let dice = &mut self.dice;
        let few = |dice: &mut Dice, names: &[&'static str]| -> BTreeSet<&'static str> {
            let names = names.iter().copied();
            names.filter(|_| dice.below(3) == 0).collect()
        };
        Brought {
            active: dice.below(4) > 0,
            role: [None, Some("Admin"), Some("Viewer")][dice.below(3)],
            custom: few(dice, &CUSTOM),
            seats: few(dice, SEATS.strip_suffix(&[SCARCE]).unwrap_or(&SEATS)),
        }
    }
}
