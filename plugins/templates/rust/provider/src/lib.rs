//! Mends users of a provider that says "yes" and "no" where SCIM has true and false.

use gatewright_sdk::shallow::Object;
use gatewright_sdk::{Interest, Normalized, Problem, Provider, Refusal, Repair, Repairs, Request};

/// There is nothing to set.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
pub struct Dialect;

impl Provider for Dialect {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// All other requests pass the plugin at no cost.
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::normalize(&["POST", "PUT"], "Users")]
    }

    fn normalize(&self, request: Request) -> Result<Option<Normalized>, Refusal> {
        let mut repairs = Repairs::default();
        let body = request
            .body
            .as_deref()
            .and_then(Object::parse)
            .and_then(|mut user| {
                let truth = match user.string("active")?.as_str() {
                    "yes" => "true",
                    "no" => "false",
                    _ => return None,
                };
                user.replace("active", truth.to_owned());
                repairs.note(Repair::new(
                    "active as true or false",
                    "the provider says yes or no",
                ));
                Some(user.text())
            });
        Ok(repairs.normalized(request.query, body))
    }
}

gatewright_sdk::export!(Dialect: provider);
