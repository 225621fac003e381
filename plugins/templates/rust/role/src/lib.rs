//! Gives new accounts a modest role for their first days; after that the groups decide.

use gatewright_sdk::{Account, Context, Problem, Proposal, Refusal, RoleDecision, RolePolicy};

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Its JSON Schema goes into the component: settings are checked against it, and administrators read
/// these comments.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// For how many days an account counts as new.
    days: u64,
    /// The base role of new accounts.
    role: String,
}

/// What `configure` leaves behind; every decision starts from a copy of it.
pub struct Policy(Settings);

impl RolePolicy for Policy {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        if !(1..=365).contains(&settings.days) {
            return Err(vec![Problem::at("/days", "must be from 1 to 365")]);
        }
        Ok(Self(settings))
    }

    /// The answer is the whole of the account's roles: what is not in it is taken away.
    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let until = account.created + self.0.days * DAY;
        if context.now < until {
            let reason = format!("came less than {} days ago", self.0.days);
            let role = Proposal::base_role(&self.0.role, reason);
            return Ok(RoleDecision::of(vec![role]).ask_again_at(until));
        }
        Ok(RoleDecision::as_mapped(context, account).or_default(context))
    }
}

gatewright_sdk::export!(Policy: role_policy);
