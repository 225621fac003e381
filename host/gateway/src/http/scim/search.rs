//! `POST /.search`, of one type or of all (RFC 7644 section 3.4.3).

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::list;
use crate::gateway::Gateway;
use gatewright_scim::{ListQuery, ResourceType, parse_json};

pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    of: Option<ResourceType>,
) -> Result<Answer, Failure> {
    let limits = &gateway.limits.scim;
    let body = parse_json(&request.body, limits)?;
    let types: Vec<ResourceType> = match of {
        Some(one) => vec![one],
        None => ResourceType::ALL.to_vec(),
    };
    let mut queries = Vec::new();
    let mut refused = None;
    for resource in types {
        match ListQuery::parse_search(&body, request.shape(resource), limits) {
            Ok(query) => queries.push((resource, query)),
            // A filter over `userName` finds users; that groups have none is no mistake here.
            Err(error) => refused = Some(error),
        }
    }
    if let (true, Some(error)) = (queries.is_empty(), refused) {
        return Err(error.into());
    }
    list::answer(gateway, request, &queries)
}
