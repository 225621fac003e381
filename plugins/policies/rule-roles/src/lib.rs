//! Base role and custom roles by rules, which an administrator writes as conditions in CEL.
//!
//! The README beside this crate says what it decides.

#![forbid(unsafe_code)]

use gatewright_rules::{Grant, MAX_RULES, MAX_TEXT, Rule, Rules};
use gatewright_sdk::{Account, Context, GrantKind, Problem, Refusal, RoleDecision, RolePolicy};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `rule-roles`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who gets which roles. All rules whose condition holds count: the highest base role, and each
    /// custom role.
    #[schemars(title = "Rules", length(min = 1, max = MAX_RULES))]
    rules: Vec<Rule<RoleGrant>>,
    /// Whether people also get what the mapping gives their groups. Not needed in a chain with
    /// `group-roles`.
    #[schemars(title = "Give what the mapping gives")]
    #[serde(default = "yes")]
    as_mapped: bool,
    /// Whether roles that a person gave by hand, or that the account had before its directory was
    /// connected, stay. Not needed in a chain with `group-roles`.
    #[schemars(title = "Keep roles that were given by hand")]
    #[serde(default = "yes")]
    keep_local: bool,
    /// Whether those who would have no base role get the default of the catalogue. Not needed in a
    /// chain with `group-roles`.
    #[schemars(title = "Give the default role")]
    #[serde(default = "yes")]
    default: bool,
}

fn yes() -> bool {
    true
}

/// What a rule grants.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleGrant {
    /// A base role, by its name in the catalogue. The highest of all that apply counts.
    #[schemars(title = "Base role")]
    BaseRole(#[schemars(length(min = 1, max = MAX_TEXT))] String),
    /// A custom role, by its name in the catalogue.
    #[schemars(title = "Custom role")]
    CustomRole(#[schemars(length(min = 1, max = MAX_TEXT))] String),
}

impl Grant for RoleGrant {
    fn granted(&self) -> (GrantKind, &str) {
        match self {
            Self::BaseRole(name) => (GrantKind::BaseRole, name),
            Self::CustomRole(name) => (GrantKind::CustomRole, name),
        }
    }
}

/// The policy.
#[derive(Debug)]
pub struct RuleRoles {
    rules: Rules<RoleGrant>,
    as_mapped: bool,
    keep_local: bool,
    default: bool,
}

impl RolePolicy for RuleRoles {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            rules: Rules::compile(settings.rules, false)?,
            as_mapped: settings.as_mapped,
            keep_local: settings.keep_local,
            default: settings.default,
        })
    }

    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let granted = self.rules.granted(context, account, None)?;
        let mut decision = match self.as_mapped {
            true => RoleDecision::as_mapped(context, account),
            false => RoleDecision::of(Vec::new()),
        };
        decision.ask_again = granted.ask_again;
        for role in granted.proposals {
            decision.add(context, role);
        }
        if self.keep_local {
            decision.keep_local(context, account);
        }
        Ok(match self.default {
            true => decision.or_default(context),
            false => decision,
        })
    }
}

gatewright_sdk::export!(RuleRoles: role_policy);

#[cfg(test)]
mod tests;
