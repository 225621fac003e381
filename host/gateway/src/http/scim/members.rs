//! A group with its members as an answer. The members are written as text one by one: 100,000 of
//! them as a tree of JSON would take five times the memory of the answer.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::users::Shown;
use crate::directory::groups::{self, StoredGroup};
use axum::http::StatusCode;
use gatewright_scim::{Projection, ResourceType};
use gatewright_store::{OrganizationScope, Reader};

use serde_json::Value;
use std::fmt::Write as _;
use uuid::Uuid;

/// The group with what is wanted of its members; none where that is nothing, or there are none.
///
/// # Errors
/// What the store says.
pub(super) fn answer(
    reader: &Reader<OrganizationScope>,
    request: &Incoming,
    status: StatusCode,
    group: StoredGroup,
    projection: &Projection,
) -> Result<Option<Answer>, Failure> {
    let mut users = groups::members(reader, group.id)?.peekable();
    if users.peek().is_none() {
        return Ok(None);
    }
    // What the projection leaves of the one that stands for all, it leaves of each.
    let outline = groups::outline(group, &request.base_url);
    let shown = Shown::of(outline, projection, ResourceType::Group);
    let Some([sample]) = shown
        .attribute("members")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    else {
        return Ok(None);
    };
    let sample = sample.to_string();
    let nobody = Uuid::nil().to_string();
    let parts: Vec<&str> = sample.split(&nobody).collect();
    let mut members = String::from("[");
    for user in users {
        if members.len() > 1 {
            members.push(',');
        }
        let user = user?;
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                // Writing to a string cannot fail.
                let _ = write!(members, "{user}");
            }
            members.push_str(part);
        }
    }
    members.push(']');
    Ok(Some(shown.with("members", &members).into_answer(status)))
}
