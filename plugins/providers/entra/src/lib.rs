//! The dialect of Microsoft Entra ID: repairs what Entra alone does. What other clients do too
//! (operations in capitals, booleans as text, members removed by a list) the gateway understands of
//! every client.
//!
//! The README beside this crate lists the repairs.

#![forbid(unsafe_code)]

mod patch;
mod roles;
mod urn;

use gatewright_sdk::{
    Interest, Normalized, Problem, Provider, Refusal, Repairs, Request, shallow::Object,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// There is nothing to set: one tenant can send both of Entra's dialects, with and without the flag
/// `aadOptscim062020`, on the same day.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

/// The plugin.
#[derive(Debug)]
pub struct Entra;

impl Provider for Entra {
    type Settings = Settings;

    fn configure(Settings {}: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    /// What Entra does to groups needs no repair.
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::normalize(&["POST", "PUT", "PATCH"], "Users")]
    }

    fn normalize(&self, request: Request) -> Result<Option<Normalized>, Refusal> {
        let Some(body) = request.body.as_deref() else {
            return Ok(None);
        };
        let mut repairs = Repairs::default();
        let body = match request.method.as_str() {
            "POST" | "PUT" => written(body, &mut repairs),
            "PATCH" => patch::user(body, &mut repairs),
            _ => None,
        };
        Ok(repairs.normalized(request.query, body))
    }
}

/// A POST or PUT of a user.
fn written(body: &str, repairs: &mut Repairs) -> Option<String> {
    let mut user = Object::parse(body)?;
    mend(&mut user, repairs).then(|| user.text())
}

/// Mends attributes; whether there was something to mend.
fn mend(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let urns = urn::mend(user, repairs);
    urns | roles::mend(user, repairs)
}

gatewright_sdk::export!(Entra: provider);

#[cfg(test)]
mod tests;
