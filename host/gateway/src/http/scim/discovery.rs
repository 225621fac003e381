//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 section 4). They take a token
//! like everything else: answered without one, they would make a bad token look good.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::route::What;
use crate::directory::list::DEFAULT_COUNT;
use crate::directory::walk;
use crate::gateway::Gateway;
use axum::http::StatusCode;
use gatewright_scim::{list_frame, schema};
use serde_json::Value;

pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    what: &What,
) -> Result<Answer, Failure> {
    let base = request.base_url.as_str();
    let declared = request.directory.profile.declared;
    // A filter here would be misread as one over users (RFC 7644 section 4).
    if request
        .query
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("filter"))
    {
        let error = gatewright_scim::Error {
            status: 403,
            scim_type: None,
            detail: "filter is not possible here (RFC 7644 section 4): leave it out".into(),
        };
        return Err(error.into());
    }
    let found = match what {
        What::ServiceProviderConfig => {
            let facts = schema::ConfigFacts {
                max_results: gateway.limits.scim.max_results,
                bulk_operations: gateway.limits.bulk_operations,
                bulk_body: gateway.limits.bulk_body,
                default_results: DEFAULT_COUNT,
                cursor_seconds: walk::KEPT / 1_000,
                ..schema::ConfigFacts::default()
            };
            Some(schema::service_provider_config(&facts, base))
        }
        What::Schemas => Some(list(schema::schemas(declared, base))),
        What::Schema(id) => schema::schema(declared, id, base),
        What::ResourceTypes => Some(list(schema::resource_types(declared, base))),
        What::ResourceType(id) => schema::resource_types(declared, base)
            .into_iter()
            .find(|found| found["id"] == id.as_str()),
    };
    match found {
        Some(body) => Ok(Answer::json(StatusCode::OK, &body)),
        None => Err(Failure::NoSuchPath(format!(
            "/{}/{}",
            request.route.resource(),
            request.route.id().unwrap_or_default()
        ))),
    }
}

fn list(resources: Vec<Value>) -> Value {
    let mut list = list_frame(resources.len(), 1, resources.len());
    list["Resources"] = resources.into();
    list
}
