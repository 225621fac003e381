//! Seats from the groups a person is in, by the organization's mapping.
//!
//! The README beside this crate says what it decides.

#![forbid(unsafe_code)]

use gatewright_sdk::{
    Account, AccountStatus, Context, Grant, GrantKind, Problem, Proposal, Refusal, SeatDecision,
    SeatPolicy, SeatRequest,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What is added to the reason of a seat whose group was left.
const KEPT: &str = ", kept after leaving";

/// Settings of `group-seats`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The seat of those who would have none; the catalogue's default if not set.
    default_seat: Option<String>,
    /// Whether a seat that a group gave stays when the person leaves the group, until somebody takes
    /// it away by hand.
    keep_when_leaving: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_seat: None,
            keep_when_leaving: true,
        }
    }
}

/// The policy.
#[derive(Debug)]
pub struct GroupSeats(Settings);

impl SeatPolicy for GroupSeats {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        match settings.default_seat.as_deref() {
            Some("") => Err(vec![Problem::at(
                "/default_seat",
                "must be the name of a seat type, or left out",
            )]),
            _ => Ok(Self(settings)),
        }
    }

    fn decide(&self, context: &Context, request: &SeatRequest) -> Result<SeatDecision, Refusal> {
        let account = &request.account;
        // Who may not use the application needs no seat, and another may need it.
        if account.status != AccountStatus::Active {
            return Ok(SeatDecision::of(Vec::new()));
        }
        let mut seats = mapped(context, account);
        for grant in account.grants_of(GrantKind::Seat) {
            let known = context.catalogue.has(GrantKind::Seat, &grant.name);
            if known
                && seats.iter().all(|seat| seat.name != grant.name)
                && let Some(seat) = self.kept(grant)
            {
                seats.push(seat);
            }
        }
        if seats.is_empty() {
            seats.extend(self.default_seat(context)?);
        }
        Ok(SeatDecision::of(seats))
    }
}

impl GroupSeats {
    /// A seat that the account has and that no present group gives, if it is to stay.
    fn kept(&self, grant: &Grant) -> Option<Proposal> {
        match grant.origin.as_str() {
            "policy" if grant.is_mapped && self.0.keep_when_leaving => {
                let mut seat = Proposal::keep(grant);
                if !seat.reason.ends_with(KEPT) {
                    seat.reason.push_str(KEPT);
                }
                Some(seat)
            }
            // The default, which is found anew.
            "policy" => None,
            // By hand, from before the directory, or from where a later host may say: not ours to
            // take away.
            _ => Some(Proposal::keep(grant)),
        }
    }

    fn default_seat(&self, context: &Context) -> Result<Option<Proposal>, Refusal> {
        let seat = match self.0.default_seat.as_deref() {
            Some(name) => Some(context.catalogue.seat_type(name).ok_or_else(|| {
                Refusal::new(format!(
                    "the setting default_seat is \"{name}\", which is no seat type of the catalogue"
                ))
            })?),
            None => context.catalogue.default_seat_type(),
        };
        Ok(seat.map(|seat| Proposal::seat(&seat.name, "default seat")))
    }
}

/// The seats that present groups give, each once, the first row that gives it being the reason.
fn mapped(context: &Context, account: &Account) -> Vec<Proposal> {
    let mut seats: Vec<Proposal> = Vec::new();
    for row in account.mapped(context) {
        if row.entry.kind == GrantKind::Seat && seats.iter().all(|seat| seat.name != row.target) {
            seats.push(row.proposal());
        }
    }
    seats
}

gatewright_sdk::export!(GroupSeats: seat_policy);

#[cfg(test)]
mod tests;
