//! Gives a seat to those who have one of some roles, and to all others the seats that their groups give.

use gatewright_sdk::{Context, Problem, Proposal, Refusal, SeatDecision, SeatPolicy, SeatRequest};

/// Its JSON Schema goes into the component: settings are checked against it, and administrators read
/// these comments.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The roles whose holders get the seat.
    roles: Vec<String>,
    /// The seat.
    seat: String,
}

/// What `configure` leaves behind; every decision starts from a copy of it.
pub struct Policy(Settings);

impl SeatPolicy for Policy {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        if settings.roles.is_empty() {
            return Err(vec![Problem::at("/roles", "must name a role")]);
        }
        Ok(Self(settings))
    }

    /// The answer is the whole of the account's seats: what is not in it is taken away.
    fn decide(&self, context: &Context, request: &SeatRequest) -> Result<SeatDecision, Refusal> {
        let wanted = |role: &&Proposal| self.0.roles.contains(&role.name);
        Ok(match request.roles.iter().find(wanted) {
            Some(role) => {
                let reason = format!("has the role {}", role.name);
                SeatDecision::of(vec![Proposal::seat(&self.0.seat, reason)])
            }
            None => SeatDecision::as_mapped(context, &request.account),
        })
    }
}

gatewright_sdk::export!(Policy: seat_policy);
