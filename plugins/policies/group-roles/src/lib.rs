//! Base role and custom roles from the groups a person is in, by the organization's mapping.
//!
//! The README beside this crate says what it decides.

#![forbid(unsafe_code)]

use gatewright_sdk::{
    Account, Context, GrantKind, Left, Period, Problem, Proposal, Refusal, RoleDecision, RolePolicy,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `group-roles`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The base role of those whom no group gives one; the catalogue's default if not set.
    default_role: Option<String>,
    /// Whether roles that a person gave by hand, or that the account had before its directory was
    /// connected, stay.
    keep_local: bool,
    /// For how long a role that a group gave stays after the person left the group, such as "8h" or
    /// "7d"; not at all if not set.
    grace: Option<Period>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_role: None,
            keep_local: true,
            grace: None,
        }
    }
}

/// The policy.
#[derive(Debug)]
pub struct GroupRoles(Settings);

impl RolePolicy for GroupRoles {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        match settings.default_role.as_deref() {
            Some("") => Err(vec![Problem::at(
                "/default_role",
                "must be the name of a base role, or left out",
            )]),
            _ => Ok(Self(settings)),
        }
    }

    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let mut decision = RoleDecision::as_mapped(context, account);
        if let Some(grace) = self.0.grace {
            for left in in_their_grace(context, account, grace) {
                if let Some((role, until)) = left.keep_for(grace, context.now)
                    && decision.add(context, role)
                {
                    decision = decision.ask_again_at(until);
                }
            }
        }
        if self.0.keep_local {
            decision.keep_local(context, account);
        }
        if decision.base_role().is_none()
            && let Some(role) = self.default_role(context)?
        {
            decision.add(context, role);
        }
        Ok(decision)
    }
}

impl GroupRoles {
    fn default_role(&self, context: &Context) -> Result<Option<Proposal>, Refusal> {
        let role = match self.0.default_role.as_deref() {
            Some(name) => Some(context.catalogue.base_role(name).ok_or_else(|| {
                Refusal::new(format!(
                    "the setting default_role is \"{name}\", which is no base role of the catalogue"
                ))
            })?),
            None => context.catalogue.default_base_role(),
        };
        Ok(role.map(|role| Proposal::base_role(&role.name, "default role")))
    }
}

/// What was left, without the base roles whose group was left while a higher one was in its grace:
/// they had given way to that, and do not follow it. So it does not matter when it is decided.
fn in_their_grace(context: &Context, account: &Account, grace: Period) -> Vec<Left> {
    let mut all = account.left(context);
    all.sort_by_key(|one| one.at);
    let mut left: Vec<Left> = Vec::with_capacity(all.len());
    for one in all {
        let is_over = |at| one.at.is_none_or(|left| grace.after(at) <= left);
        let gives_way_to = |other: &Left| {
            let (role, higher) = (&one.proposal, &other.proposal);
            role.kind == GrantKind::BaseRole
                && higher.kind == GrantKind::BaseRole
                && context.catalogue.outranks(&higher.name, &role.name)
                && !other.at.is_none_or(is_over)
        };
        if !left.iter().any(gives_way_to) {
            left.push(one);
        }
    }
    left
}

gatewright_sdk::export!(GroupRoles: role_policy);

#[cfg(test)]
mod tests;
