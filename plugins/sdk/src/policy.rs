//! The three kinds of policy.

use crate::{
    Account, Context, LifecycleDecision, Problem, Refusal, RoleDecision, SeatDecision, SeatRequest,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Decides whether an account may use the application. Runs first.
pub trait LifecyclePolicy: Sized + Send + Sync + 'static {
    /// The settings object; its schema is what the host checks settings against. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused.
    type Settings: DeserializeOwned + JsonSchema;

    /// Makes the policy from settings that matched the schema.
    ///
    /// # Errors
    ///
    /// Everything else that is wrong with the settings, each with the place it stands at.
    fn configure(settings: Self::Settings) -> Result<Self, Vec<Problem>>;

    /// Decides about one account, from the account and the context alone. The host deactivates an
    /// account whose users are all inactive, whatever is answered here, unless one of the account's
    /// signals and the answer say that it is active. Of a chain the most restrictive status holds.
    ///
    /// # Errors
    ///
    /// A refusal leaves the account's last decision as it is and raises an alert.
    fn decide(&self, context: &Context, account: &Account) -> Result<LifecycleDecision, Refusal>;

    /// Decides about a batch: one answer for each account, in their order. There is seldom a reason
    /// to write another than this one, for no decision may depend on who else is in the batch.
    fn decide_all(
        &self,
        context: &Context,
        accounts: &[Account],
    ) -> Vec<Result<LifecycleDecision, Refusal>> {
        accounts
            .iter()
            .map(|account| self.decide(context, account))
            .collect()
    }
}

/// Decides base role and custom roles. Runs after the lifecycle policy.
pub trait RolePolicy: Sized + Send + Sync + 'static {
    /// The settings object; its schema is what the host checks settings against. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused.
    type Settings: DeserializeOwned + JsonSchema;

    /// Makes the policy from settings that matched the schema.
    ///
    /// # Errors
    ///
    /// Everything else that is wrong with the settings, each with the place it stands at.
    fn configure(settings: Self::Settings) -> Result<Self, Vec<Problem>>;

    /// Decides about one account, from the account and the context alone. The answer is the whole
    /// of its roles: at most one base role, no seat, and what is not named, by this policy or another
    /// of its chain, is taken away.
    ///
    /// # Errors
    ///
    /// A refusal leaves the account's last decision as it is and raises an alert.
    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal>;

    /// Decides about a batch: one answer for each account, in their order. There is seldom a reason
    /// to write another than this one, for no decision may depend on who else is in the batch.
    fn decide_all(
        &self,
        context: &Context,
        accounts: &[Account],
    ) -> Vec<Result<RoleDecision, Refusal>> {
        accounts
            .iter()
            .map(|account| self.decide(context, account))
            .collect()
    }
}

/// Decides seats. Runs last, and sees the roles of this pass.
pub trait SeatPolicy: Sized + Send + Sync + 'static {
    /// The settings object; its schema is what the host checks settings against. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused.
    type Settings: DeserializeOwned + JsonSchema;

    /// Makes the policy from settings that matched the schema.
    ///
    /// # Errors
    ///
    /// Everything else that is wrong with the settings, each with the place it stands at.
    fn configure(settings: Self::Settings) -> Result<Self, Vec<Problem>>;

    /// Decides about one account, from the request and the context alone. The answer is the whole
    /// of its seats: what is not named, by this policy or another of its chain, is taken away.
    ///
    /// # Errors
    ///
    /// A refusal leaves the account's last decision as it is and raises an alert.
    fn decide(&self, context: &Context, request: &SeatRequest) -> Result<SeatDecision, Refusal>;

    /// Decides about a batch: one answer for each request, in their order. There is seldom a reason
    /// to write another than this one, for no decision may depend on who else is in the batch.
    fn decide_all(
        &self,
        context: &Context,
        requests: &[SeatRequest],
    ) -> Vec<Result<SeatDecision, Refusal>> {
        requests
            .iter()
            .map(|request| self.decide(context, request))
            .collect()
    }
}
