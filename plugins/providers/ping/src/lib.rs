//! The dialect of PingFederate and PingOne: repairs what Ping alone does. What other clients do too
//! (values without quotes, operators in capitals, `emails` compared as a whole) the gateway
//! understands of every client.
//!
//! The README beside this crate lists the repairs.

#![forbid(unsafe_code)]

use gatewright_sdk::{
    Interest, Normalized, Problem, Provider, Refusal, Repair, Repairs, Request, filter,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// There is nothing to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
#[derive(Debug)]
pub struct Ping;

impl Provider for Ping {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// Nothing is wrong with how Ping writes.
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::normalize(&["GET"], "Users")]
    }

    fn normalize(&self, mut request: Request) -> Result<Option<Normalized>, Refusal> {
        let mut repairs = Repairs::default();
        for parameter in &mut request.query {
            if !parameter.name.eq_ignore_ascii_case("filter") {
                continue;
            }
            if let Some(filter) = filter::rename(&parameter.value, emails_for_email) {
                parameter.value = filter;
                repairs.note(Repair::new(
                    "read email as emails.value in the filter",
                    "PingOne suggests filter expressions on email, which SCIM does not have",
                ));
            }
        }
        Ok(repairs.normalized(request.query, None))
    }
}

/// No user of SCIM has an attribute `email`, so nothing else can be meant.
fn emails_for_email(name: &str) -> Option<String> {
    name.eq_ignore_ascii_case("email")
        .then(|| "emails.value".to_owned())
}

gatewright_sdk::export!(Ping: provider);

#[cfg(test)]
mod tests;
