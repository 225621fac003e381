//! Passwords and other secrets: known by their names, wherever they stand.

use super::Found;
use serde_json::{Map, Value};

/// What stands in place of a secret.
pub(super) const REMOVED: &str = "(removed)";

/// An attribute whose name holds one of these is a secret.
const WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "privatekey",
];

/// Names under which an object says what its `value` is: PATCH operations, and lists of pairs.
const NAMING: [&str; 5] = ["path", "name", "key", "type", "attribute"];

/// Whether a text holds a word for a secret. A backslash can hide one in JSON.
pub(super) fn is_named(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("\\u") || WORDS.iter().any(|word| lower.contains(word))
}

/// Takes all secrets out. Says whether there was one.
pub(super) fn remove(value: &mut Value, found: &mut Found) -> bool {
    remove_under("", value, found)
}

fn remove_under(name: &str, value: &mut Value, found: &mut Found) -> bool {
    match value {
        Value::Object(object) => remove_from(object, found),
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| remove_under(name, item, found) | any),
        Value::String(text) => {
            let clean = within(name, text, found);
            let removed = clean.is_some();
            if let Some(clean) = clean {
                *text = clean;
            }
            removed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn remove_from(object: &mut Map<String, Value>, found: &mut Found) -> bool {
    let is_naming = |name: &str| NAMING.iter().any(|known| name.eq_ignore_ascii_case(known));
    let names_secret = object
        .iter()
        .any(|(name, value)| is_naming(name) && value.as_str().is_some_and(has_word));
    let mut any = false;
    for (name, value) in object {
        let is_value = names_secret && name.to_ascii_lowercase().starts_with("value");
        if (has_word(name) || is_value) && !value.is_null() {
            found.add(value);
            *value = REMOVED.into();
            any = true;
        } else {
            any |= remove_under(name, value, found);
        }
    }
    any
}

/// A text without its secrets: JSON within JSON, or a filter or path that compares with one. None
/// where it may stay.
pub(super) fn within(name: &str, text: &str, found: &mut Found) -> Option<String> {
    if !is_named(text) {
        return None;
    }
    if text.trim_start().starts_with(['{', '[']) {
        let Ok(mut inner) = serde_json::from_str::<Value>(text) else {
            found.add(&Value::from(text));
            return Some(REMOVED.into());
        };
        return remove(&mut inner, found).then(|| inner.to_string());
    }
    let filter = ["filter", "path"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    (filter && text.contains(['"', ' ', '='])).then(|| {
        // What is compared with can be in an error's text too.
        let quoted = text.split('"').skip(1).step_by(2);
        let bare = text.rsplit(' ').next().filter(|_| !text.contains('"'));
        for part in quoted.chain(bare) {
            found.add(&Value::from(part));
        }
        REMOVED.into()
    })
}

fn has_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
