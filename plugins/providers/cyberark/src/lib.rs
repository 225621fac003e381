//! The provider plugin for CyberArk Identity: a name to find it by. What it sends, the gateway
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
pub struct CyberArk;

impl Provider for CyberArk {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }
}

gatewright_sdk::export!(CyberArk: provider);

#[cfg(test)]
mod tests {
    use super::{CyberArk, Settings};
    use gatewright_sdk::{Provider, testing};

    #[test]
    fn wants_to_see_nothing() {
        let cyberark = CyberArk::configure(Settings {}).unwrap();
        assert!(cyberark.interests().is_empty());
    }

    #[test]
    fn takes_no_settings() {
        assert!(testing::settings::<Settings>("{}").is_ok());
        assert!(testing::settings::<Settings>(r#"{"strict": true}"#).is_err());
    }
}
