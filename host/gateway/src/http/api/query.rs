//! What a query says: how many, and from where on. And where the next page begins.

use super::error::ApiError;
use std::collections::HashMap;
use uuid::Uuid;

/// A number in the query.
pub(super) fn number(
    query: &HashMap<String, String>,
    name: &'static str,
    default: usize,
    most: usize,
) -> Result<usize, ApiError> {
    let Some(text) = query.get(name) else {
        return Ok(default);
    };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(ApiError::Query {
            name,
            problem: format!("must be from 1 to {most}"),
        }),
    }
}

/// The id behind which a page begins. `problem` says what it is not, where it is none.
pub(super) fn after(
    query: &HashMap<String, String>,
    problem: &'static str,
) -> Result<Option<Uuid>, ApiError> {
    let Some(text) = query.get("after") else {
        return Ok(None);
    };
    let parsed = text.parse().map_err(|_| ApiError::Query {
        name: "after",
        problem: problem.into(),
    });
    parsed.map(Some)
}

/// The version before which a page begins.
pub(super) fn before(query: &HashMap<String, String>) -> Result<Option<u64>, ApiError> {
    let Some(text) = query.get("before") else {
        return Ok(None);
    };
    let parsed = text.parse().map_err(|_| ApiError::Query {
        name: "before",
        problem: "is no version: a whole number".into(),
    });
    parsed.map(Some)
}

/// Cuts what was read of one more than a page has down to the page. Answers the key of its last
/// where there are more.
pub(super) fn cut<T, K>(found: &mut Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Option<K> {
    let more = found.len() > limit;
    found.truncate(limit);
    found.last().filter(|_| more).map(key)
}
