//! A seat policy that traps for each account.

#![forbid(unsafe_code)]

use gatewright_sdk::{Context, Problem, Refusal, SeatDecision, SeatPolicy, SeatRequest};
use schemars::JsonSchema;
use serde::Deserialize;

/// It has none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The policy.
#[derive(Debug)]
pub struct Broken;

impl SeatPolicy for Broken {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn decide(&self, _: &Context, _: &SeatRequest) -> Result<SeatDecision, Refusal> {
        panic!("a broken seat policy")
    }
}

gatewright_sdk::export!(Broken: seat_policy);

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_sdk::testing;

    #[test]
    #[should_panic(expected = "a broken seat policy")]
    fn traps() {
        let request = SeatRequest {
            account: testing::account("ada").build(),
            roles: Vec::new(),
        };
        _ = Broken.decide(&testing::context(), &request);
    }
}
