//! Reads what a client sent for one attribute into the type that the schema gives it.
//!
//! `null` in a result says "has none": within an object it clears that sub-attribute. Multi-valued
//! attributes are always read into an array, which is empty when they are to be cleared.

use crate::{
    Error, Shape, Unknown,
    filter::{boolean, instant},
    json::{is_clear, kind_of},
    keep::{self, Kept},
    schema::{Attribute, Kind, Mutability},
};
use serde_json::{Map, Number, Value};

#[cfg(test)]
mod tests;

/// How many values a multi-valued attribute may have. Elements are compared one with another, so
/// without a bound a large body could keep a processor busy for long. Members of a group are not
/// concerned.
const MAX_ELEMENTS: usize = 1_000;

/// One reading of what a client sent: how it is to be read, and what was not taken.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) shape: Shape,
    /// The paths of what was left out.
    pub(crate) ignored: Vec<String>,
    /// What no schema has and is kept all the same.
    pub(crate) kept: Vec<Kept>,
}

impl Reading {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            ignored: Vec::new(),
            kept: Vec::new(),
        }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.shape.profile.strict
    }

    /// Takes note of an attribute that the resource does not have, within an extension that it has
    /// or at the top. Passwords are never kept.
    pub(crate) fn unknown(&mut self, mut kept: Kept) -> Result<(), Error> {
        let within = kept.within.map(|urn| format!("{urn}:"));
        let path = format!("{}{}", within.unwrap_or_default(), kept.key);
        if self.shape.profile.unknown != Unknown::Keep || keep::is_password(&kept.key) {
            return self.leave_out(path, &kept.value);
        }
        if keep::take_passwords(&mut kept.value) {
            self.ignored.push(format!("{path}.password"));
        }
        self.kept.push(kept);
        Ok(())
    }

    /// Takes note of what cannot be taken, and refuses it where the directory says so.
    pub(crate) fn leave_out(&mut self, path: String, value: &Value) -> Result<(), Error> {
        if self.shape.profile.unknown == Unknown::Refuse {
            return Err(self.refused(&path));
        }
        if !is_clear(value) {
            self.ignored.push(path);
        }
        Ok(())
    }

    pub(crate) fn refused(&self, path: &str) -> Error {
        Error::invalid_value(format!(
            "`{path}` is no attribute of a {}, and this directory refuses those; take it out of \
             the provider's attribute mapping, or declare a schema that has it",
            self.shape.resource().name()
        ))
    }
}

/// Reads all that an attribute can hold. `at` is its path, for errors; what is dropped is noted.
pub(crate) fn read(
    attribute: &'static Attribute,
    value: Value,
    at: &str,
    reading: &mut Reading,
) -> Result<Value, Error> {
    if !attribute.multi_valued {
        return read_one(attribute, value, at, reading);
    }
    let items = match value {
        Value::Array(items) => items,
        value if is_clear(&value) => Vec::new(),
        // One element whose brackets were forgotten: several adapters send `emails` so.
        value @ (Value::Object(_) | Value::String(_)) if !reading.is_strict() => vec![value],
        other => return Err(wrong(at, "an array", &other)),
    };
    check_count(attribute, items.len())?;
    let mut elements = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let element = read_one(attribute, item, &format!("{at}[{index}]"), reading)?;
        if !element.is_null() {
            elements.push(element);
        }
    }
    Ok(Value::Array(elements))
}

/// Reads one value: that of a single-valued attribute, or one element of a multi-valued one.
pub(crate) fn read_one(
    attribute: &'static Attribute,
    value: Value,
    at: &str,
    reading: &mut Reading,
) -> Result<Value, Error> {
    if is_clear(&value) {
        return Ok(Value::Null);
    }
    match (attribute.kind, value) {
        (kind, Value::Array(mut items)) if items.len() == 1 && !reading.is_strict() => {
            // T21: a list of one where one value is meant. Around a simple value there can also be
            // the object that would be an element's.
            let mut item = items.remove(0);
            if kind != Kind::Complex
                && let Value::Object(object) = &mut item
                && let Some(inner) = object.shift_remove("value")
            {
                item = inner;
            }
            if item.is_array() {
                return Err(wrong(at, expectation(attribute), &item));
            }
            read_one(attribute, item, at, reading)
        }
        (Kind::Complex, Value::Object(object)) => {
            read_object(attribute, object, at, reading).map(Value::Object)
        }
        (Kind::Complex, value) => match (attribute.sub_attribute("value"), value) {
            // T21: `manager` as the id alone, an email as the address alone.
            (Some(sub), value @ Value::String(_)) if !reading.is_strict() => {
                let value = read_one(sub, value, at, reading)?;
                Ok(Value::Object(Map::from_iter([(sub.name.into(), value)])))
            }
            (_, other) => Err(wrong(at, expectation(attribute), &other)),
        },
        (kind, value) => read_simple(kind, value, reading.is_strict())
            .map_err(|refused| wrong(at, expectation(attribute), &refused)),
    }
}

/// Refuses more values than one attribute may have.
pub(crate) fn check_count(attribute: &Attribute, count: usize) -> Result<(), Error> {
    if count > MAX_ELEMENTS {
        return Err(Error::too_large(format!(
            "`{}` may have at most {MAX_ELEMENTS} values",
            attribute.name
        )));
    }
    Ok(())
}

/// Removes the nulls of a value that has been read, which leaves what is to be stored. None if
/// nothing is left, or, of an element that was cleared, nothing but what kind it was.
pub(crate) fn settle(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(mut object) => {
            let before = object.len();
            object.retain(|_, value| !value.is_null());
            let cleared = object.len() < before;
            let is_nothing = object.is_empty() || (cleared && is_hollow(&object));
            (!is_nothing).then_some(Value::Object(object))
        }
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(settle).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        simple => Some(simple),
    }
}

/// Whether an element says only what kind of value it would be.
pub(crate) fn is_hollow(element: &Map<String, Value>) -> bool {
    element
        .keys()
        .all(|name| name == "type" || name == "primary")
}

fn read_object(
    attribute: &'static Attribute,
    object: Map<String, Value>,
    at: &str,
    reading: &mut Reading,
) -> Result<Map<String, Value>, Error> {
    let mut result = Map::new();
    for (name, value) in object {
        match attribute.sub_attribute(&name) {
            Some(sub) if sub.mutability != Mutability::ReadOnly => {
                let value = read_one(sub, value, &format!("{at}.{}", sub.name), reading)?;
                result.insert(sub.name.into(), value);
            }
            _ if is_clear(&value) => {}
            Some(sub) => reading.ignored.push(format!("{at}.{}", sub.name)),
            None => {
                let path = format!("{at}.{name}");
                match reading.shape.profile.unknown {
                    Unknown::Ignore => reading.ignored.push(path),
                    Unknown::Keep if keep::is_password(&name) => reading.ignored.push(path),
                    Unknown::Keep => {
                        result.insert(name, value);
                    }
                    Unknown::Refuse => return Err(reading.refused(&path)),
                }
            }
        }
    }
    Ok(result)
}

/// The value in the type asked for, or the value back.
fn read_simple(kind: Kind, value: Value, strict: bool) -> Result<Value, Value> {
    match (kind, value) {
        (Kind::String | Kind::Reference | Kind::Binary, value @ Value::String(_))
        | (Kind::Boolean, value @ Value::Bool(_))
        | (Kind::Decimal, value @ Value::Number(_)) => Ok(value),
        (Kind::Integer, Value::Number(number)) if number.is_i64() => Ok(number.into()),
        (Kind::Boolean | Kind::Integer | Kind::Decimal, value @ Value::String(_)) if strict => {
            Err(value)
        }
        (Kind::Boolean, Value::String(text)) => {
            boolean(text.trim()).map(Value::Bool).ok_or(text.into())
        }
        (Kind::Integer, Value::String(text)) => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| text.into()),
        (Kind::Decimal, Value::String(text)) => serde_json::from_str::<Number>(&text)
            .map(Value::Number)
            .map_err(|_| text.into()),
        (Kind::DateTime, Value::String(text)) if instant(&text).is_some() => Ok(text.into()),
        (_, other) => Err(other),
    }
}

fn expectation(attribute: &Attribute) -> &'static str {
    match attribute.kind {
        Kind::String => "a string",
        Kind::Reference => "a string with a URI",
        Kind::Binary => "a string in base64",
        Kind::Boolean => "true or false",
        Kind::Integer => "a whole number of 64 bits",
        Kind::Decimal => "a number",
        Kind::DateTime => "a string with a date and time",
        Kind::Complex => "an object",
    }
}

fn wrong(at: &str, expected: &str, found: &Value) -> Error {
    let hint = match found {
        Value::Array(items) if items.len() > 1 => " of several values",
        _ => "",
    };
    Error::invalid_value(format!(
        "`{at}` must be {expected}, but is {}{hint}",
        kind_of(found)
    ))
}
