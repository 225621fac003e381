//! Rules: what an administrator enters, and what they come to for an account.

use crate::condition::Condition;
use crate::facts::Facts;
use crate::functions;
use crate::names::{ROLES, VARIABLES, Variable};
use crate::{MAX_CONDITION, MAX_RULES, MAX_TEXT};
use cel::Env;
use gatewright_sdk::{Account, Context, GrantKind, Period, Problem, Proposal, Refusal, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// What a rule grants: a kind, and a name in the catalogue.
pub trait Grant {
    /// Both of them.
    fn granted(&self) -> (GrantKind, &str);
}

/// A rule: who gets something, what, and why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule<G> {
    /// For whom the rule is: a condition in CEL over `user`, `users`, `groups`, `account` and
    /// `signals`. It does not hold for a person who lacks what it asks for.
    #[schemars(
        title = "Condition",
        length(min = 1, max = MAX_CONDITION),
        example = "user.title == 'Controller' && 'Finance' in groups",
        example = "user.userType == 'Contractor'",
        example = "user.department in ['Sales', 'Marketing']"
    )]
    pub when: String,
    /// What they get.
    #[schemars(title = "Grant")]
    pub grant: G,
    /// The sentence that is shown to who asks why.
    #[schemars(
        title = "Reason",
        length(min = 1, max = MAX_TEXT),
        example = "controllers audit"
    )]
    pub reason: String,
    /// Only while the account is younger than this, such as "30d".
    #[schemars(title = "Only for accounts younger than")]
    #[serde(default)]
    pub account_younger_than: Option<Period>,
    /// Only once the account is as old as this, such as "90d".
    #[schemars(title = "Only for accounts as old as")]
    #[serde(default)]
    pub account_older_than: Option<Period>,
}

/// Rules that were checked.
pub struct Rules<G> {
    rules: Vec<(Rule<G>, Condition)>,
    environment: Arc<Env>,
}

impl<G> fmt::Debug for Rules<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

/// What the rules come to for one account.
#[derive(Debug, PartialEq)]
pub struct Granted {
    /// What they grant, in their order; several may grant the same.
    pub proposals: Vec<Proposal>,
    /// When the time alone changes that.
    pub ask_again: Option<Timestamp>,
}

impl<G: Grant> Rules<G> {
    /// Checks the rules of the setting `rules`. With `sees_roles` their conditions may name the roles
    /// of the pass, which a seat policy is told.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, each with its place in the settings.
    pub fn compile(rules: Vec<Rule<G>>, sees_roles: bool) -> Result<Self, Vec<Problem>> {
        if rules.is_empty() || rules.len() > MAX_RULES {
            let message = format!("must be 1 to {MAX_RULES} rules");
            return Err(vec![Problem::at("/rules", message)]);
        }
        let mut variables: Vec<Variable> = VARIABLES.to_vec();
        variables.extend(sees_roles.then_some(ROLES));
        let mut problems = Vec::new();
        let mut checked = Vec::with_capacity(rules.len());
        for (place, rule) in rules.into_iter().enumerate() {
            problems.extend(rule.problems(place));
            match Condition::compile(&rule.when, &variables) {
                Ok(condition) => checked.push((rule, condition)),
                Err(message) => problems.push(Problem::at(format!("/rules/{place}/when"), message)),
            }
        }
        match problems.is_empty() {
            true => Ok(Self {
                rules: checked,
                environment: Arc::new(functions::environment()),
            }),
            false => Err(problems),
        }
    }

    /// What the rules grant an account; `roles` are those of the pass, for a seat policy.
    ///
    /// # Errors
    ///
    /// A refusal that names the rule: its condition applies something to a value that does not take
    /// it, or it grants what the catalogue does not have.
    pub fn granted(
        &self,
        context: &Context,
        account: &Account,
        roles: Option<&[Proposal]>,
    ) -> Result<Granted, Refusal> {
        let facts = Facts::new(account, roles);
        let mut variables = cel::Context::with_env(Arc::clone(&self.environment));
        variables.set_variable_resolver(&facts);
        let mut granted = Granted {
            proposals: Vec::new(),
            ask_again: None,
        };
        for (place, (rule, condition)) in self.rules.iter().enumerate() {
            let refuse = |why: String| Err(rule.refusal(place, &why));
            match condition.holds(&variables) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(why) => return refuse(why),
            }
            let (is_time, until) = rule.time(account.created, context.now);
            granted.ask_again = granted.ask_again.into_iter().chain(until).min();
            if !is_time {
                continue;
            }
            let (kind, name) = rule.grant.granted();
            if !context.catalogue.has(kind, name) {
                let kind = kind_name(kind);
                return refuse(format!(
                    "it grants the {kind} \"{name}\", which the catalogue does not have"
                ));
            }
            granted.proposals.push(proposal(kind, name, &rule.reason));
        }
        Ok(granted)
    }
}

impl<G: Grant> Rule<G> {
    /// What is wrong beside the condition.
    fn problems(&self, place: usize) -> impl Iterator<Item = Problem> {
        let (_, name) = self.grant.granted();
        let period = self.account_older_than.zip(self.account_younger_than);
        let never = period.is_some_and(|(older, younger)| older >= younger);
        let found = [
            wrong_text(&self.reason).map(|message| ("reason", message)),
            wrong_text(name).map(|message| ("grant", message)),
            never.then(|| {
                let message = "must be longer than account_older_than: no account is ever both";
                ("account_younger_than", message.to_owned())
            }),
        ];
        let at = move |(field, message)| Problem::at(format!("/rules/{place}/{field}"), message);
        found.into_iter().flatten().map(at)
    }

    /// Whether the account is of the age that the rule is for, and when that changes next.
    fn time(&self, created: Timestamp, now: Timestamp) -> (bool, Option<Timestamp>) {
        let from = self.account_older_than.map(|period| period.after(created));
        let to = self
            .account_younger_than
            .map(|period| period.after(created));
        let is_over = |time: Timestamp| time <= now;
        let holds = from.is_none_or(is_over) && !to.is_some_and(is_over);
        let next = from
            .into_iter()
            .chain(to)
            .filter(|time| !is_over(*time))
            .min();
        (holds, next)
    }

    fn refusal(&self, place: usize, why: &str) -> Refusal {
        let reason = &self.reason;
        Refusal::new(format!("rule {} (\"{reason}\"): {why}", place + 1))
    }
}

fn wrong_text(text: &str) -> Option<String> {
    let length = text.chars().count();
    let fits = !text.trim().is_empty() && length <= MAX_TEXT;
    (!fits).then(|| format!("must be 1 to {MAX_TEXT} characters"))
}

fn proposal(kind: GrantKind, name: &str, reason: &str) -> Proposal {
    match kind {
        GrantKind::BaseRole => Proposal::base_role(name, reason),
        GrantKind::CustomRole => Proposal::custom_role(name, reason),
        GrantKind::Seat => Proposal::seat(name, reason),
    }
}

fn kind_name(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::BaseRole => "base role",
        GrantKind::CustomRole => "custom role",
        GrantKind::Seat => "seat type",
    }
}
