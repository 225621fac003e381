//! Okta's dialect of SCIM: repairs what Okta alone does. What other clients do too (operations in
//! capitals, booleans as strings, PATCH without paths) the gateway understands of every client.
//!
//! The README beside this crate lists the repairs.

#![forbid(unsafe_code)]

mod patch;
mod user;

use gatewright_sdk::{Interest, Normalized, Problem, Provider, Refusal, Repairs, Request};
use schemars::JsonSchema;
use serde::Deserialize;

/// There is nothing to set: the two kinds of Okta application, those that PUT and those that PATCH,
/// tell themselves apart by what they send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
#[derive(Debug)]
pub struct Okta;

impl Provider for Okta {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// Nothing is wrong with how Okta creates and replaces groups, which can be large.
    fn interests(&self) -> Vec<Interest> {
        vec![
            Interest::normalize(&["POST", "PUT", "PATCH"], "Users"),
            Interest::normalize(&["PATCH"], "Groups"),
        ]
    }

    fn normalize(&self, request: Request) -> Result<Option<Normalized>, Refusal> {
        let Some(body) = request.body.as_deref() else {
            return Ok(None);
        };
        let mut repairs = Repairs::default();
        let body = match (request.resource.as_str(), request.method.as_str()) {
            ("Users", "POST") => user::created(body, &mut repairs),
            ("Users", "PUT") => user::replaced(body, &mut repairs),
            ("Users", "PATCH") => patch::user(body, &mut repairs),
            ("Groups", "PATCH") => patch::group(body, &mut repairs),
            _ => None,
        };
        Ok(repairs.normalized(request.query, body))
    }
}

gatewright_sdk::export!(Okta: provider);

#[cfg(test)]
mod tests;
