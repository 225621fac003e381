//! What declared schemas ask of a whole document: required attributes, and those that are set once.

use crate::{
    Error, Shape,
    schema::{Attribute, Mutability, Schema},
};
use serde_json::{Map, Value};

/// Refuses a document without an attribute that a declared schema requires. Where there was one
/// before, schemas of which nothing changed are not looked at: they may have been declared since.
pub(crate) fn check_required(
    shape: Shape,
    before: Option<&Map<String, Value>>,
    document: &Map<String, Value>,
) -> Result<(), Error> {
    for schema in shape.declared() {
        let held = document.get(schema.id);
        if before.is_some_and(|before| before.get(schema.id) == held) {
            continue;
        }
        if held.is_none() && !schema.required {
            continue;
        }
        for attribute in schema.attributes.iter().filter(|one| one.required) {
            if held.and_then(|held| held.get(attribute.name)).is_none() {
                return Err(missing(schema, attribute, None));
            }
        }
        for attribute in schema.attributes {
            let Some(value) = held.and_then(|held| held.get(attribute.name)) else {
                continue;
            };
            for part in attribute.sub_attributes.iter().filter(|one| one.required) {
                if elements(value)
                    .iter()
                    .any(|one| one.get(part.name).is_none())
                {
                    return Err(missing(schema, attribute, Some(part)));
                }
            }
        }
    }
    Ok(())
}

/// Refuses another value for what can be set once; in a replacement that does not name it, it stays
/// (RFC 7644 section 3.5.1).
pub(crate) fn keep_immutable(
    shape: Shape,
    before: &Map<String, Value>,
    replaces: bool,
    after: &mut Map<String, Value>,
) -> Result<(), Error> {
    for schema in shape.declared() {
        let Some(Value::Object(held)) = before.get(schema.id) else {
            continue;
        };
        let once = |one: &&Attribute| one.mutability == Mutability::Immutable;
        for attribute in schema.attributes.iter().filter(once) {
            let Some(value) = held.get(attribute.name) else {
                continue;
            };
            let now = after
                .get(schema.id)
                .and_then(|held| held.get(attribute.name));
            if now == Some(value) {
                continue;
            }
            if now.is_some() || !replaces {
                return Err(Error::mutability(format!(
                    "`{}:{}` is immutable: it has a value already, which stays",
                    schema.id, attribute.name
                )));
            }
            let holder = after
                .entry(schema.id)
                .or_insert_with(|| Value::Object(Map::new()));
            holder[attribute.name] = value.clone();
        }
    }
    Ok(())
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

fn missing(schema: &Schema, attribute: &Attribute, part: Option<&Attribute>) -> Error {
    let part = part
        .map(|part| format!(".{}", part.name))
        .unwrap_or_default();
    Error::invalid_value(format!(
        "`{}:{}{part}` is required and missing or empty; map a value to it in the identity provider",
        schema.id, attribute.name
    ))
}
