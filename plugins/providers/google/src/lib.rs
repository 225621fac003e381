//! The provider plugin for Google Workspace's automated provisioning: a name to find it by. What it sends, the gateway
//! understands of every client, so this changes nothing and costs nothing.
//!
//! The README beside this crate says what is known of the provider.

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
pub struct Google;

impl Provider for Google {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }
}

gatewright_sdk::export!(Google: provider);

#[cfg(test)]
mod tests {
    use super::{Google, Settings};
    use gatewright_sdk::{Provider, testing};

    #[test]
    fn wants_to_see_nothing() {
        let google = Google::configure(Settings {}).unwrap();
        assert!(google.interests().is_empty());
    }

    #[test]
    fn takes_no_settings() {
        assert!(testing::settings::<Settings>("{}").is_ok());
        assert!(testing::settings::<Settings>(r#"{"strict": true}"#).is_err());
    }
}
