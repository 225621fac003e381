//! Seats by rules, which an administrator writes as conditions in CEL.
//!
//! The README beside this crate says what it decides.

#![forbid(unsafe_code)]

use gatewright_rules::{Grant, MAX_RULES, MAX_TEXT, Rule, Rules};
use gatewright_sdk::{
    AccountStatus, Context, GrantKind, Problem, Proposal, Refusal, SeatDecision, SeatPolicy,
    SeatRequest,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `rule-seats`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who gets which seats. All rules whose condition holds count.
    #[schemars(title = "Rules", length(min = 1, max = MAX_RULES))]
    rules: Vec<Rule<SeatGrant>>,
    /// Whether people also get the seats that the mapping gives their groups. Not needed in a chain
    /// with `group-seats`.
    #[schemars(title = "Give what the mapping gives")]
    #[serde(default = "yes")]
    as_mapped: bool,
    /// Whether seats that a person gave by hand, or that the account had before its directory was
    /// connected, stay. Not needed in a chain with `group-seats`.
    #[schemars(title = "Keep seats that were given by hand")]
    #[serde(default = "yes")]
    keep_local: bool,
    /// Whether those who would have no seat get the default of the catalogue. To be `false` in a
    /// chain with `group-seats`, which keeps seats that this policy does not know of.
    #[schemars(title = "Give the default seat")]
    #[serde(default = "yes")]
    default: bool,
}

fn yes() -> bool {
    true
}

/// What a rule grants.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatGrant {
    /// A seat, by the name of its type in the catalogue.
    #[schemars(title = "Seat")]
    Seat(#[schemars(length(min = 1, max = MAX_TEXT))] String),
}

impl Grant for SeatGrant {
    fn granted(&self) -> (GrantKind, &str) {
        let Self::Seat(name) = self;
        (GrantKind::Seat, name)
    }
}

/// The policy.
#[derive(Debug)]
pub struct RuleSeats {
    rules: Rules<SeatGrant>,
    as_mapped: bool,
    keep_local: bool,
    default: bool,
}

impl SeatPolicy for RuleSeats {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            rules: Rules::compile(settings.rules, true)?,
            as_mapped: settings.as_mapped,
            keep_local: settings.keep_local,
            default: settings.default,
        })
    }

    fn decide(&self, context: &Context, request: &SeatRequest) -> Result<SeatDecision, Refusal> {
        let account = &request.account;
        // The seats of who may not use the application are free for others.
        if account.status != AccountStatus::Active {
            return Ok(SeatDecision::of(Vec::new()));
        }
        let granted = self.rules.granted(context, account, Some(&request.roles))?;
        let mut decision = match self.as_mapped {
            true => SeatDecision::as_mapped(context, account),
            false => SeatDecision::of(Vec::new()),
        };
        decision.ask_again = granted.ask_again;
        for seat in granted.proposals {
            decision.add(seat);
        }
        if self.keep_local {
            decision.keep_local(context, account);
        }
        if self.default
            && decision.seats.is_empty()
            && let Some(seat) = context.catalogue.default_seat_type()
        {
            decision.add(Proposal::seat(&seat.name, "default seat"));
        }
        Ok(decision)
    }
}

gatewright_sdk::export!(RuleSeats: seat_policy);

#[cfg(test)]
mod tests;
