//! A role policy that misbehaves as its settings say, so that tests can see what the host makes of it.
//!
//! `{"behaviour": "loop", "when": "user-name-contains", "needle": "mallory"}` loops for accounts with
//! such a user; to all others, and to an empty batch, it gives the default base role, as a decent
//! policy would.

#![forbid(unsafe_code)]

mod misdeeds;

use gatewright_sdk::{
    Account, Basis, Context, GrantKind, Problem, Proposal, Refusal, RoleDecision, RolePolicy,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What to do, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    behaviour: Behaviour,
    #[serde(default)]
    when: When,
    /// Part of a user name, for `user-name-contains`.
    #[serde(default)]
    needle: String,
    /// The base role that `ungranted` gives; the highest of the catalogue if not set.
    role: Option<String>,
}

/// Everything that a plugin can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Never answers.
    Loop,
    /// Takes memory without end.
    Allocate,
    /// Calls itself without end.
    Recurse,
    /// Panics, which is a trap with a line on standard error before it.
    Trap,
    /// Prints to standard output and standard error, and decides well.
    Print,
    /// Prints 8 MiB, half of it to standard error, and decides well.
    Flood,
    /// Answers with a reason of 8 MiB.
    BigOutput,
    /// Answers with two base roles, a role that does not exist, and a seat.
    Garbage,
    /// Sleeps for five seconds, and decides well if it was let.
    Sleep,
    /// Refuses, which is allowed.
    Refuse,
    /// Answers with a role that exists, but that its binding may not let it give.
    Ungranted,
    /// Answers with a proposal that follows from an entry of the mapping that there is not.
    BadIndex,
    /// Answers with one decision fewer than there are accounts.
    WrongCount,
    /// Does no wrong: gives as its reason what it was told of custom attributes.
    TellCustom,
}

/// When to do it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// For each account.
    #[default]
    Always,
    /// For accounts with a user whose `userName` contains the needle.
    UserNameContains,
    /// In `configure`.
    Configure,
}

/// The policy.
#[derive(Debug)]
pub struct Hostile(Settings);

impl RolePolicy for Hostile {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        if settings.when == When::UserNameContains && settings.needle.is_empty() {
            return Err(vec![Problem::at("/needle", "must not be empty")]);
        }
        if settings.when == When::Configure {
            misdeeds::commit(settings.behaviour)
                .map_err(|refusal| vec![Problem::at("/behaviour", refusal.message)])?;
        }
        Ok(Self(settings))
    }

    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let mut decision = decent(context);
        if !self.concerns(account) {
            return Ok(decision);
        }
        match self.0.behaviour {
            Behaviour::BigOutput => {
                decision
                    .roles
                    .push(Proposal::custom_role("x", "x".repeat(8 << 20)));
            }
            Behaviour::Garbage => {
                decision.roles.push(Proposal::base_role("Emperor", ""));
                decision.roles.push(Proposal {
                    kind: GrantKind::Seat,
                    ..Proposal::base_role("Throne", "")
                });
            }
            Behaviour::Ungranted => {
                let highest = context.catalogue.base_roles.first().map(|role| &role.name);
                decision.roles = self
                    .0
                    .role
                    .as_ref()
                    .or(highest)
                    .map(|name| Proposal::base_role(name, "because I can"))
                    .into_iter()
                    .collect();
            }
            Behaviour::BadIndex => {
                let past_the_end = u32::try_from(account.mapping.len()).unwrap_or(u32::MAX);
                for role in &mut decision.roles {
                    role.basis = Basis::MappingEntry(past_the_end);
                }
            }
            Behaviour::TellCustom => {
                let told = account
                    .users
                    .iter()
                    .flat_map(|user| &user.custom_attributes);
                let told: Vec<_> = told
                    .map(|one| format!("{} = {:?}", one.name, one.value))
                    .collect();
                for role in &mut decision.roles {
                    role.reason = told.join("; ");
                }
            }
            other => misdeeds::commit(other)?,
        }
        Ok(decision)
    }

    fn decide_all(
        &self,
        context: &Context,
        accounts: &[Account],
    ) -> Vec<Result<RoleDecision, Refusal>> {
        let mut answers: Vec<_> = accounts
            .iter()
            .map(|account| self.decide(context, account))
            .collect();
        if self.0.behaviour == Behaviour::WrongCount
            && accounts.iter().any(|account| self.concerns(account))
        {
            answers.pop();
        }
        answers
    }
}

impl Hostile {
    fn concerns(&self, account: &Account) -> bool {
        match self.0.when {
            When::Always => true,
            When::UserNameContains => account
                .users
                .iter()
                .any(|user| user.user_name.contains(&self.0.needle)),
            When::Configure => false,
        }
    }
}

/// What a decent policy would decide.
fn decent(context: &Context) -> RoleDecision {
    let role = context.catalogue.default_base_role();
    RoleDecision::of(
        role.map(|role| Proposal::base_role(&role.name, "default role"))
            .into_iter()
            .collect(),
    )
}

gatewright_sdk::export!(Hostile: role_policy);

#[cfg(test)]
mod tests {
    use super::{Hostile, Settings};
    use gatewright_sdk::{Account, Basis, RolePolicy, testing};

    fn hostile(behaviour: &str) -> Hostile {
        let json = format!(
            r#"{{"behaviour": "{behaviour}", "when": "user-name-contains", "needle": "mallory"}}"#
        );
        Hostile::configure(testing::settings::<Settings>(&json).unwrap()).unwrap()
    }

    fn accounts() -> [Account; 2] {
        ["ada@example.com", "mallory@example.com"].map(|name| testing::account(name).build())
    }

    #[test]
    fn is_decent_to_those_it_is_not_set_on_and_to_nobody() {
        let [ada, _] = accounts();
        for behaviour in [
            "loop",
            "bad-index",
            "garbage",
            "big-output",
            "trap",
            "wrong-count",
            "ungranted",
        ] {
            let hostile = hostile(behaviour);
            let decision = hostile.decide(&testing::context(), &ada).unwrap();
            assert_eq!(decision.roles.len(), 1);
            assert_eq!(decision.roles[0].name, "Viewer");
            assert!(hostile.decide_all(&testing::context(), &[]).is_empty());
        }
    }

    #[test]
    fn misbehaves_to_those_it_is_set_on() {
        let [_, mallory] = accounts();
        let decide = |behaviour| hostile(behaviour).decide(&testing::context(), &mallory);
        assert_eq!(decide("ungranted").unwrap().roles[0].name, "Owner");
        assert_eq!(decide("garbage").unwrap().roles.len(), 3);
        assert_eq!(
            decide("bad-index").unwrap().roles[0].basis,
            Basis::MappingEntry(0)
        );
        assert!(decide("big-output").unwrap().roles[1].reason.len() > 4 << 20);
        assert_eq!(decide("refuse").unwrap_err().message, "I would rather not");
    }

    #[test]
    #[should_panic(expected = "a bug in the policy")]
    fn traps() {
        let [_, mallory] = accounts();
        _ = hostile("trap").decide(&testing::context(), &mallory);
    }

    #[test]
    fn forgets_an_answer() {
        let answers = |behaviour| {
            hostile(behaviour)
                .decide_all(&testing::context(), &accounts())
                .len()
        };
        assert_eq!(answers("wrong-count"), 1);
        assert_eq!(answers("print"), 2);
    }

    #[test]
    fn can_misbehave_in_configure() {
        let settings = r#"{"behaviour": "refuse", "when": "configure"}"#;
        let settings = testing::settings::<Settings>(settings).unwrap();
        assert_eq!(
            Hostile::configure(settings).unwrap_err()[0].pointer,
            "/behaviour"
        );
    }
}
