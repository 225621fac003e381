//! The provider plugin for a directory that speaks SCIM as RFC 7643 and RFC 7644 have it: it wants to
//! see no request, so it changes nothing and costs nothing.

#![forbid(unsafe_code)]

use gatewright_sdk::{Problem, Provider};
use schemars::JsonSchema;
use serde::Deserialize;

/// There is nothing to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
#[derive(Debug)]
pub struct Generic;

impl Provider for Generic {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }
}

gatewright_sdk::export!(Generic: provider);

#[cfg(test)]
mod tests {
    use super::{Generic, Settings};
    use gatewright_sdk::{Provider, testing};

    #[test]
    fn wants_to_see_nothing() {
        let generic = Generic::configure(Settings {}).unwrap();
        assert!(generic.interests().is_empty());
    }

    #[test]
    fn takes_no_settings() {
        assert!(testing::settings::<Settings>("{}").is_ok());
        assert!(testing::settings::<Settings>(r#"{"strict": true}"#).is_err());
    }
}
