//! A lifecycle policy that traps for each account.

#![forbid(unsafe_code)]

use gatewright_sdk::{Account, Context, LifecycleDecision, LifecyclePolicy, Problem, Refusal};
use schemars::JsonSchema;
use serde::Deserialize;

/// It has none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The policy.
#[derive(Debug)]
pub struct Broken;

impl LifecyclePolicy for Broken {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn decide(&self, _: &Context, _: &Account) -> Result<LifecycleDecision, Refusal> {
        panic!("a broken lifecycle policy")
    }
}

gatewright_sdk::export!(Broken: lifecycle_policy);

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_sdk::testing;

    #[test]
    #[should_panic(expected = "a broken lifecycle policy")]
    fn traps() {
        _ = Broken.decide(&testing::context(), &testing::account("ada").build());
    }
}
