//! OneLogin's dialect of SCIM: repairs what its templates alone bring along. What other clients do too
//! (booleans as strings, one element without its list) the gateway understands of every client.
//!
//! The README beside this crate lists the repairs.

#![forbid(unsafe_code)]

mod urn;
mod user;

use gatewright_sdk::{Interest, Normalized, Problem, Provider, Refusal, Repairs, Request, filter};
use schemars::JsonSchema;
use serde::Deserialize;

/// There is nothing to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
#[derive(Debug)]
pub struct OneLogin;

impl Provider for OneLogin {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// Groups do not come from the template, and nothing is wrong with them.
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::normalize(
            &["GET", "POST", "PUT", "PATCH"],
            "Users",
        )]
    }

    fn normalize(&self, mut request: Request) -> Result<Option<Normalized>, Refusal> {
        let mut repairs = Repairs::default();
        for parameter in &mut request.query {
            if parameter.name.eq_ignore_ascii_case("filter")
                && let Some(filter) = filter::rename(&parameter.value, urn::modern)
            {
                parameter.value = filter;
                repairs.note(urn::repair());
            }
        }
        let body = request.body.as_deref();
        let body = body.and_then(|body| match request.method.as_str() {
            "POST" | "PUT" => user::written(body, &mut repairs),
            "PATCH" => user::patched(body, &mut repairs),
            _ => None,
        });
        Ok(repairs.normalized(request.query, body))
    }
}

gatewright_sdk::export!(OneLogin: provider);

#[cfg(test)]
mod tests;
