//! Attributes that no schema has, where a directory keeps them ([`Unknown::Keep`](crate::Unknown)).
//!
//! They stand apart in the canonical document, as they were sent, so that nothing takes them for
//! values of the schema's types.

use crate::{Error, Shape, json::is_clear};
use serde_json::{Map, Value};

/// Where they stand in a canonical document. No attribute can have that name.
pub(crate) const KEPT: &str = "~kept";
/// Names of one resource that are kept, and bytes of them with their values.
const MOST: usize = 500;
const BYTES: usize = 64 << 10;

/// One of them, as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The extension within which it stood, one that has a schema.
    pub(crate) within: Option<&'static str>,
    /// Its name there, or at the top: also the URN of an extension, with an object for its value.
    pub(crate) key: String,
    /// Whether it was a PATCH path, which names an attribute of an extension by URN and name.
    pub(crate) is_path: bool,
    /// Null takes it away.
    pub(crate) value: Value,
}

/// Whether a path names an attribute and no part of it, so that it can be kept whole.
pub(crate) fn is_plain(path: &str) -> bool {
    let (urn, name) = path.rsplit_once(':').unwrap_or(("urn:", path));
    let is_name = !name.is_empty() && !name.contains(['.', '[', ' ']);
    is_name && is_urn(urn) && !urn.contains(['[', ' '])
}

/// Whether what a path leads to is a password, by whatever path.
pub(crate) fn is_password(path: &str) -> bool {
    let name = path.rsplit(':').next().unwrap_or(path);
    let name = name.split(['.', '[']).next().unwrap_or(name);
    name.trim().eq_ignore_ascii_case("password")
}

/// Takes passwords out of a value. Says whether there was one.
pub(crate) fn take_passwords(value: &mut Value) -> bool {
    match value {
        Value::Object(object) => {
            let before = object.len();
            object.retain(|name, _| !is_password(name));
            let own = object.len() < before;
            object
                .values_mut()
                .fold(own, |any, value| take_passwords(value) | any)
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| take_passwords(item) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Sets or takes away what is given.
///
/// # Errors
///
/// 413 for more names or bytes than one resource may have of them.
pub(crate) fn apply(given: &[Kept], document: &mut Map<String, Value>) -> Result<(), Error> {
    if given.is_empty() {
        return Ok(());
    }
    let mut kept = match document.shift_remove(KEPT) {
        Some(Value::Object(kept)) => kept,
        _ => Map::new(),
    };
    for one in given {
        set(&mut kept, one);
    }
    let names = kept
        .values()
        .map(|value| value.as_object().map_or(1, Map::len));
    if names.sum::<usize>() > MOST || Value::Object(kept.clone()).to_string().len() > BYTES {
        return Err(Error::too_large(format!(
            "of attributes that no schema has, at most {MOST} names and {BYTES} bytes are kept of one \
             resource; declare a schema for them, or take them out of the provider's mapping"
        )));
    }
    if !kept.is_empty() {
        document.insert(KEPT.into(), Value::Object(kept));
    }
    Ok(())
}

fn set(kept: &mut Map<String, Value>, one: &Kept) {
    let (key, value) = (one.key.as_str(), &one.value);
    if let Some(urn) = one.within {
        return set_within(kept, urn, key, value);
    }
    if !is_urn(key) {
        return set_name(kept, key, value);
    }
    if one.is_path
        && let Some((urn, name)) = key.rsplit_once(':')
        && (has(kept, urn, name) || !(value.is_object() || is_clear(value)))
    {
        return set_within(kept, urn, name, value);
    }
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                set_within(kept, key, name, value);
            }
        }
        value => set_name(kept, key, value),
    }
}

/// Adds them to an answer, but for those that a schema has by now.
pub(crate) fn show(shape: Shape, document: &Map<String, Value>, answer: &mut Map<String, Value>) {
    let Some(Value::Object(kept)) = document.get(KEPT) else {
        return;
    };
    for (name, value) in kept {
        let schema = shape
            .extensions()
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(name));
        let Some(schema) = schema else {
            if shape.resource().core_attribute(name).is_none() {
                answer.entry(name).or_insert_with(|| value.clone());
            }
            continue;
        };
        let Value::Object(inner) = value else {
            continue;
        };
        let unknown = inner
            .iter()
            .filter(|(name, _)| schema.attribute(name).is_none());
        for (name, value) in unknown {
            let shown = answer
                .entry(schema.id)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(shown) = shown {
                shown.insert(name.clone(), value.clone());
            }
        }
    }
}

fn is_urn(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

fn has(kept: &Map<String, Value>, urn: &str, name: &str) -> bool {
    let held = spelled(kept, urn).and_then(|urn| kept.get(&urn));
    let held = held.and_then(Value::as_object);
    held.is_some_and(|held| spelled(held, name).is_some())
}

/// A name as it is there, in any case.
fn spelled(holder: &Map<String, Value>, name: &str) -> Option<String> {
    let mut names = holder.keys();
    names.find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

fn set_within(kept: &mut Map<String, Value>, urn: &str, name: &str, value: &Value) {
    let urn = spelled(kept, urn).unwrap_or_else(|| urn.to_owned());
    let mut inner = match kept.shift_remove(&urn) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    };
    set_name(&mut inner, name, value);
    if !inner.is_empty() {
        kept.insert(urn, Value::Object(inner));
    }
}

fn set_name(holder: &mut Map<String, Value>, name: &str, value: &Value) {
    let name = spelled(holder, name).unwrap_or_else(|| name.to_owned());
    if is_clear(value) {
        holder.shift_remove(&name);
    } else {
        holder.insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_is_set_by_any_of_its_names_and_taken_away_by_null() {
        let mut document = Map::new();
        let urn = "urn:example:2.0:User";
        let set = |key: &str, is_path: bool, value: Value, document: &mut Map<String, Value>| {
            let key = key.to_owned();
            let within = None;
            let one = Kept {
                within,
                key,
                is_path,
                value,
            };
            apply(&[one], document).unwrap();
        };
        set("shoeSize", false, json!(43), &mut document);
        let desk = json!({"badge": "7", "floor": [1], "desk": {"row": 1}});
        set(urn, false, desk, &mut document);
        set(&format!("{urn}:badge"), true, json!("8"), &mut document);
        set(
            &format!("{urn}:DESK"),
            true,
            json!({"row": 2}),
            &mut document,
        );
        assert_eq!(
            document[KEPT],
            json!({"shoeSize": 43, urn: {"badge": "8", "floor": [1], "desk": {"row": 2}}})
        );
        set(
            &urn.to_uppercase(),
            false,
            json!({"floor": null}),
            &mut document,
        );
        set(&format!("{urn}:BADGE"), true, Value::Null, &mut document);
        set("SHOESIZE", false, json!(""), &mut document);
        assert_eq!(document[KEPT], json!({urn: {"desk": {"row": 2}}}));
        set(urn, true, Value::Null, &mut document);
        assert!(document.is_empty());
        // Only a URN is a URN.
        set("title:z", false, json!(1), &mut document);
        assert_eq!(document[KEPT], json!({"title:z": 1}));
    }

    #[test]
    fn there_is_a_limit() {
        let mut document = Map::new();
        let one = |value: Value| Kept {
            within: None,
            key: "note".into(),
            is_path: false,
            value,
        };
        assert!(apply(&[one(json!("x".repeat(BYTES - 100)))], &mut document).is_ok());
        let error = apply(&[one(json!("x".repeat(BYTES)))], &mut document).unwrap_err();
        assert_eq!(error.status, 413);
    }

    #[test]
    fn a_part_of_an_attribute_cannot_be_kept_and_a_password_neither() {
        assert!(is_plain("shoeSize") && is_plain("urn:example:2.0:User:badge"));
        for part in [
            "a.b",
            "a[b eq \"c\"]",
            "urn:example:2.0:User:a.b",
            "x:y",
            "urn:x:",
            "",
        ] {
            assert!(!is_plain(part), "{part}");
        }
        for path in [
            "password",
            "PassWord ",
            "urn:x:2.0:User:password",
            "password.value",
        ] {
            assert!(is_password(path), "{path}");
        }
        let mut value = json!({"a": [{"Password": "x", "b": 1}]});
        assert!(take_passwords(&mut value));
        assert_eq!(value, json!({"a": [{"b": 1}]}));
    }
}
