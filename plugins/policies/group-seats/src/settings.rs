//! Settings of `group-seats`, and what they come to.

use gatewright_sdk::{AccountStatus, Period, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Settings of `group-seats`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The seat of those who would have none; the catalogue's default if not set.
    pub(crate) default_seat: Option<String>,
    /// Whether a seat that a group gave stays when the person leaves the group, until somebody takes
    /// it away by hand.
    keep_when_leaving: bool,
    /// For how long a seat that is not kept stays after the person left the group, such as "8h" or
    /// "7d"; not at all if not set.
    grace: Option<Period>,
    /// What holds for some seat types instead, by their names.
    seat_types: BTreeMap<String, SeatType>,
    /// What becomes of the seats of an account that is deactivated.
    when_deactivated: WhenDeactivated,
}

/// What holds for one seat type.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeatType {
    /// Whether it stays when the person leaves the group, until somebody takes it away by hand; if
    /// neither this nor `grace` is set, as for all seats.
    keep_when_leaving: Option<bool>,
    /// For how long it stays after the person left the group.
    grace: Option<Period>,
}

/// For `when_deactivated`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDeactivated {
    /// They are free for others.
    #[default]
    Free,
    /// It keeps those that it has, as if it were active, and gets no new ones.
    Keep,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_seat: None,
            keep_when_leaving: true,
            grace: None,
            seat_types: BTreeMap::new(),
            when_deactivated: WhenDeactivated::Free,
        }
    }
}

/// What becomes of a seat whose group was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It stays until somebody takes it away by hand.
    Keep,
    /// It stays for so long.
    KeepFor(Period),
    /// It goes.
    Take,
}

impl Settings {
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.default_seat.as_deref() == Some("") {
            let message = "must be the name of a seat type, or left out";
            problems.push(Problem::at("/default_seat", message));
        }
        for (name, rule) in &self.seat_types {
            if rule.keep_when_leaving == Some(true) && rule.grace.is_some() {
                let name = name.replace('~', "~0").replace('/', "~1");
                let message = "a seat that is kept needs no grace: leave one of the two out";
                problems.push(Problem::at(format!("/seat_types/{name}/grace"), message));
            }
        }
        problems
    }

    /// What becomes of a seat of this type whose group was left.
    pub(crate) fn leaving(&self, seat: &str) -> Leaving {
        let own = self.seat_types.get(seat).copied().unwrap_or_default();
        let (keep, grace) = match own {
            SeatType {
                keep_when_leaving: None,
                grace: None,
            } => (self.keep_when_leaving, self.grace),
            SeatType {
                keep_when_leaving,
                grace,
            } => (keep_when_leaving.unwrap_or(false), grace),
        };
        match grace {
            _ if keep => Leaving::Keep,
            Some(grace) => Leaving::KeepFor(grace),
            None => Leaving::Take,
        }
    }

    /// Whether an account of this status has seats.
    pub(crate) fn has_seats(&self, status: AccountStatus) -> bool {
        match status {
            AccountStatus::Active => true,
            AccountStatus::Deactivated => self.when_deactivated == WhenDeactivated::Keep,
            AccountStatus::Deleted => false,
        }
    }
}
