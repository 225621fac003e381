//! `POST /.search`, of one type or of all (RFC 7644 section 3.4.3).

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use crate::directory::list::{self, DEFAULT_COUNT};
use crate::gateway::Gateway;
use axum::http::StatusCode;
use gatewright_scim::{ListQuery, ResourceType, list_response, parse_json};

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
        match ListQuery::parse_search(&body, resource, limits) {
            Ok(query) => queries.push((resource, query)),
            // A filter over `userName` finds users; that groups have none is no mistake here.
            Err(error) => refused = Some(error),
        }
    }
    if let (true, Some(error)) = (queries.is_empty(), refused) {
        return Err(error.into());
    }
    let start_index = queries.first().map_or(1, |(_, query)| query.start_index);
    let mut total = 0;
    let mut resources = Vec::new();
    // One list after the other, as if they were one.
    for (resource, mut query) in queries {
        let count = query.count.unwrap_or(DEFAULT_COUNT);
        query.start_index = query.start_index.saturating_sub(total).max(1);
        query.count = Some(count - resources.len());
        let page = list::page(&request.directory, resource, &query, &request.base_url)?;
        total += page.total;
        resources.extend(page.resources);
    }
    Ok(Answer::json(
        StatusCode::OK,
        &list_response(total, start_index, resources),
    ))
}
