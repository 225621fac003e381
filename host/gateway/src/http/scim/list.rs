//! Listings, a page at a time, by index (RFC 7644 section 3.4.2.4) or by cursor (RFC 9865).

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::text::Text;
use crate::directory::groups::Represented;
use crate::directory::list::{self, DEFAULT_COUNT, Sorted, Start};
use crate::directory::walk::{Listing, Position};
use crate::gateway::Gateway;
use axum::http::StatusCode;
use gatewright_scim::{ListQuery, ResourceType, cursor_frame, list_frame};

/// Lists users or groups: both are listed alike.
pub(super) fn handle(
    gateway: &Gateway,
    request: &Incoming,
    resource: ResourceType,
) -> Result<Answer, Failure> {
    let query = ListQuery::parse(
        &request.query,
        request.shape(resource),
        &gateway.limits.scim,
    )?;
    answer(gateway, request, &[(resource, query)])
}

/// Answers with a page of what one or more queries find, one after the other, as if they were one.
/// They differ in the type of the resources and in nothing else.
pub(super) fn answer(
    gateway: &Gateway,
    request: &Incoming,
    queries: &[(ResourceType, ListQuery)],
) -> Result<Answer, Failure> {
    let Some((_, first)) = queries.first() else {
        let nothing = Text::list(&list_frame(0, 1, 0), Vec::new());
        return Ok(Answer::text(StatusCode::OK, nothing));
    };
    let now = gateway.clock.now();
    let listing = || Listing::of(request.directory.id, queries);
    let position = match first.cursor.as_deref() {
        Some("") => None,
        Some(cursor) => Some(listing().position(cursor, now)?),
        None if first.start_index == 1 => None,
        None => gateway
            .walks
            .position(&request.walker, listing(), first.start_index, now),
    };
    let skip = match first.cursor {
        Some(_) => 0,
        None => first.start_index - 1,
    };
    let page = found(request, queries, position, skip)?;
    let end = page.end();
    // Who has seen everything has nothing to go on with.
    let end = end.filter(|end| end.served < page.total);
    let count = page.resources.len();
    let frame = if first.cursor.is_some() {
        let next = end.map(|end| listing().cursor(&end, now));
        cursor_frame(page.total, next.as_deref(), count)
    } else {
        if let Some(end) = end {
            gateway.walks.remember(request.walker, listing(), end, now);
        }
        list_frame(page.total, first.start_index, count)
    };
    let body = Text::list(&frame, page.resources);
    Ok(Answer::text(StatusCode::OK, body))
}

/// A page of all queries together.
struct Found {
    /// How many the walk has had before this page.
    before: usize,
    /// How many it has in all.
    total: usize,
    resources: Vec<Represented>,
    last: Option<(ResourceType, Sorted)>,
}

impl Found {
    fn end(&self) -> Option<Position> {
        let (resource, (sorted_by, id)) = self.last.clone()?;
        Some(Position {
            served: self.before + self.resources.len(),
            resource,
            id,
            sorted_by,
        })
    }
}

fn found(
    request: &Incoming,
    queries: &[(ResourceType, ListQuery)],
    mut position: Option<Position>,
    skip: usize,
) -> Result<Found, Failure> {
    let before = position.as_ref().map_or(skip, |position| position.served);
    let mut found = Found {
        before,
        total: position.as_ref().map_or(0, |position| position.served),
        resources: Vec::new(),
        last: None,
    };
    let walks = position.is_some();
    for (resource, query) in queries {
        let mut query = query.clone();
        let count = query.count.unwrap_or(DEFAULT_COUNT);
        query.count = Some(count - found.resources.len());
        let start = match &mut position {
            // The walk is through with this type: what it had of it is not had of the next.
            Some(behind) if behind.resource != *resource => {
                query.count = Some(0);
                let page = page(request, *resource, &query, Start::Behind(0))?;
                behind.served = behind.served.saturating_sub(page.total);
                continue;
            }
            Some(position) => Start::After(position),
            None if walks => Start::Behind(0),
            None => Start::Behind(skip.saturating_sub(found.total)),
        };
        let page = page(request, *resource, &query, start)?;
        position = None;
        found.total += page.total;
        found.resources.extend(page.resources);
        if let Some(last) = page.last {
            found.last = Some((*resource, last));
        }
    }
    Ok(found)
}

fn page(
    request: &Incoming,
    resource: ResourceType,
    query: &ListQuery,
    start: Start<'_>,
) -> Result<list::Page, Failure> {
    let base_url = &request.base_url;
    Ok(list::page(
        &request.directory,
        resource,
        query,
        start,
        base_url,
    )?)
}
