//! A group with its members as an answer. The members are written as text one by one: 100,000 of
//! them as a tree of JSON would take five times the memory of the answer.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::users::Shown;
use crate::directory::groups::{self, StoredGroup};
use axum::http::StatusCode;
use gatewright_scim::{MemberKind, Projection, ResourceType};
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
    let mut members = groups::members(reader, group.id)?.peekable();
    if members.peek().is_none() {
        return Ok(None);
    }
    // What the projection leaves of the one that stands for all, it leaves of each.
    let outline = groups::outline(&request.directory, group, &request.base_url);
    let shown = Shown::of(outline, projection, request.shape(ResourceType::Group));
    let Some([user, nested]) = shown
        .attribute("members")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    else {
        return Ok(None);
    };
    let (user, nested) = (user.to_string(), nested.to_string());
    let nobody = Uuid::nil().to_string();
    let (user, nested): (Vec<&str>, Vec<&str>) = (
        user.split(&nobody).collect(),
        nested.split(&nobody).collect(),
    );
    let mut text = String::from("[");
    for member in members {
        let (kind, id) = member?;
        let parts = match kind {
            MemberKind::User => &user,
            MemberKind::Group => &nested,
        };
        if text.len() > 1 {
            text.push(',');
        }
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                // Writing to a string cannot fail.
                let _ = write!(text, "{id}");
            }
            text.push_str(part);
        }
    }
    text.push(']');
    Ok(Some(shown.with("members", &text).into_answer(status)))
}
