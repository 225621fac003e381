//! References from one operation to what another one creates.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a reference to what another operation creates begins with (RFC 7644 section 3.7.2).
pub(super) const REFERENCE: &str = "bulkId:";
/// The members that can hold a reference. Elsewhere the same text is only text.
const HOLDERS: [&str; 3] = ["value", "members", "manager"];

/// Collects the references in a body.
pub(super) fn collect(value: &Value, holds: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if holds => {
            found.extend(text.strip_prefix(REFERENCE).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, holds, found)),
        Value::Object(members) => {
            let plain = is_plain(members);
            for (name, value) in members {
                match value {
                    Value::String(text) if is(name, "path") => {
                        found.extend(quoted(text).map(str::to_owned));
                    }
                    Value::String(text) if is(name, "$ref") => {
                        found.extend(at_end(text).map(str::to_owned));
                    }
                    value => collect(value, !plain && holder(name), found),
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts ids in the places of references; false for a value that refers to what is not known.
pub(super) fn resolve<'a>(
    value: &mut Value,
    holds: bool,
    id: &dyn Fn(&str) -> Option<&'a str>,
) -> bool {
    match value {
        Value::String(text) if holds => match text.strip_prefix(REFERENCE).map(id) {
            Some(Some(id)) => {
                *value = id.into();
                true
            }
            Some(None) => false,
            None => true,
        },
        Value::Array(items) => {
            items.retain_mut(|item| resolve(item, holds, id));
            true
        }
        Value::Object(members) => {
            let plain = is_plain(members);
            members.retain(|name, value| match value {
                Value::String(text) if is(name, "path") => {
                    let named: Vec<String> = quoted(text).map(str::to_owned).collect();
                    for name in named {
                        if let Some(id) = id(&name) {
                            let from = format!("\"{REFERENCE}{name}\"");
                            *text = text.replace(&from, &format!("\"{id}\""));
                        }
                    }
                    true
                }
                Value::String(text) if is(name, "$ref") => match at_end(text) {
                    Some(name) => match id(name) {
                        Some(id) => {
                            let kept = text.len() - name.len() - REFERENCE.len();
                            *text = format!("{}{id}", &text[..kept]);
                            true
                        }
                        None => false,
                    },
                    None => true,
                },
                value => resolve(value, !plain && holder(name), id),
            });
            true
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The references in the filter of a path: `members[value eq "bulkId:x"]`.
fn quoted(path: &str) -> impl Iterator<Item = &str> {
    path.split('"')
        .skip(1)
        .step_by(2)
        .filter_map(|text| text.strip_prefix(REFERENCE))
}

/// The reference at the end of a URL.
fn at_end(url: &str) -> Option<&str> {
    url.rsplit('/').next()?.strip_prefix(REFERENCE)
}

/// Whether this is an operation of a PATCH whose path leads to an attribute that holds no
/// references.
fn is_plain(members: &Map<String, Value>) -> bool {
    let path = members.iter().find(|(name, _)| is(name, "path"));
    let path = path
        .and_then(|(_, path)| path.as_str())
        .map(str::to_lowercase);
    path.is_some_and(|path| !path.contains("members") && !path.contains("manager"))
}

/// Whether a member can hold a reference, its name being that of an attribute or a path to one.
fn holder(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or(name);
    HOLDERS.iter().any(|holder| is(last, holder))
}

pub(super) fn is(name: &str, expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected)
}
