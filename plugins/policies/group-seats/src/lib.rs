//! Seats from the groups a person is in, by the organization's mapping.
//!
//! The README beside this crate says what it decides.

#![forbid(unsafe_code)]

mod settings;

use gatewright_sdk::{
    AccountStatus, Context, GrantKind, Problem, Proposal, Refusal, SeatDecision, SeatPolicy,
    SeatRequest,
};
use settings::Leaving;
pub use settings::{SeatType, Settings, WhenDeactivated};

/// The policy.
#[derive(Debug)]
pub struct GroupSeats(Settings);

impl SeatPolicy for GroupSeats {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        let problems = settings.check();
        match problems.is_empty() {
            true => Ok(Self(settings)),
            false => Err(problems),
        }
    }

    fn decide(&self, context: &Context, request: &SeatRequest) -> Result<SeatDecision, Refusal> {
        let account = &request.account;
        if !self.0.has_seats(account.status) {
            return Ok(SeatDecision::of(Vec::new()));
        }
        let mut decision = SeatDecision::as_mapped(context, account);
        for left in account.left(context) {
            match self.0.leaving(&left.proposal.name) {
                Leaving::Keep => _ = decision.add(left.keep()),
                Leaving::KeepFor(grace) => {
                    if let Some((seat, until)) = left.keep_for(grace, context.now)
                        && decision.add(seat)
                    {
                        decision = decision.ask_again_at(until);
                    }
                }
                Leaving::Take => {}
            }
        }
        decision.keep_local(context, account);
        // Who may not use the application gets no new ones.
        let fits = |seat: &Proposal| {
            account.status == AccountStatus::Active || account.has(GrantKind::Seat, &seat.name)
        };
        decision.seats.retain(fits);
        if decision.seats.is_empty()
            && let Some(seat) = self.default_seat(context)?.filter(fits)
        {
            decision.add(seat);
        }
        Ok(decision)
    }
}

impl GroupSeats {
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

gatewright_sdk::export!(GroupSeats: seat_policy);

#[cfg(test)]
mod tests;
