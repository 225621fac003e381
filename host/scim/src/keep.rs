//! Attributes that no schema has, where a directory keeps them ([`Unknown::Keep`](crate::Unknown)).
//!
//! They stand apart in the canonical document, as they were sent, so that nothing takes them for
//! values of the schema's types.

use crate::json::is_clear;
use serde_json::{Map, Value};

/// Where they stand in a canonical document. No attribute can have that name.
pub(crate) const KEPT: &str = "~kept";

/// Whether a path names an attribute and no part of it, so that it can be kept whole.
pub(crate) fn is_plain(path: &str) -> bool {
    let name = path.rsplit(':').next().unwrap_or(path);
    !name.is_empty() && !path.contains(['[', ' ']) && !name.contains('.')
}

/// Sets or, with null, takes away what is given by key. An attribute of an extension is kept within
/// that extension: it can be sent under the extension's URN too.
pub(crate) fn apply(given: &[(String, Value)], document: &mut Map<String, Value>) {
    if given.is_empty() {
        return;
    }
    let mut kept = match document.shift_remove(KEPT) {
        Some(Value::Object(kept)) => kept,
        _ => Map::new(),
    };
    for (key, value) in given {
        match (key.rsplit_once(':'), value) {
            (Some(_), Value::Object(inner)) => {
                for (name, value) in inner {
                    set_within(&mut kept, key, name, value);
                }
            }
            (Some((urn, name)), value) => set_within(&mut kept, urn, name, value),
            (None, value) => set(&mut kept, key, value),
        }
    }
    if !kept.is_empty() {
        document.insert(KEPT.into(), Value::Object(kept));
    }
}

/// Adds them to an answer that does not have them from a schema.
pub(crate) fn show(document: &Map<String, Value>, answer: &mut Map<String, Value>) {
    let Some(Value::Object(kept)) = document.get(KEPT) else {
        return;
    };
    for (name, value) in kept {
        match (answer.get_mut(name), value) {
            (None, value) => {
                answer.insert(name.clone(), value.clone());
            }
            (Some(Value::Object(shown)), Value::Object(inner)) => {
                for (name, value) in inner {
                    shown.entry(name).or_insert_with(|| value.clone());
                }
            }
            (Some(_), _) => {}
        }
    }
}

fn set_within(kept: &mut Map<String, Value>, urn: &str, name: &str, value: &Value) {
    let mut inner = match kept.shift_remove(urn) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    };
    set(&mut inner, name, value);
    if !inner.is_empty() {
        kept.insert(urn.into(), Value::Object(inner));
    }
}

fn set(holder: &mut Map<String, Value>, name: &str, value: &Value) {
    let known = holder.keys().find(|key| key.eq_ignore_ascii_case(name));
    let name = known.cloned().unwrap_or_else(|| name.to_owned());
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
        let set = |key: &str, value: Value, document: &mut Map<String, Value>| {
            apply(&[(key.to_owned(), value)], document);
        };
        set("shoeSize", json!(43), &mut document);
        set(urn, json!({"badge": "7", "floor": [1]}), &mut document);
        set(&format!("{urn}:badge"), json!("8"), &mut document);
        assert_eq!(
            document[KEPT],
            json!({"shoeSize": 43, urn: {"floor": [1], "badge": "8"}})
        );
        set(urn, json!({"floor": null}), &mut document);
        set(&format!("{urn}:BADGE"), Value::Null, &mut document);
        set("SHOESIZE", json!(""), &mut document);
        assert!(document.is_empty());
    }

    #[test]
    fn a_part_of_an_attribute_cannot_be_kept() {
        assert!(is_plain("shoeSize") && is_plain("urn:example:2.0:User:badge"));
        for part in [
            "a.b",
            "a[b eq \"c\"]",
            "urn:example:2.0:User:a.b",
            "urn:x:",
            "",
        ] {
            assert!(!is_plain(part), "{part}");
        }
    }
}
