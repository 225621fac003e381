use crate::{
    Error, Limits, Shape,
    filter::{Expression, Parser},
    json::{is_clear, kind_of},
    keep::Kept,
    path::{AttributePath, Named, resolve},
    reading::Reading,
    schema::{Mutability, Schema},
};
use serde_json::{Map, Value};
use std::fmt;

/// What a PATCH path, or a key of a body, leads to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) path: AttributePath,
    /// Which elements of a multi-valued attribute; none: all of them.
    pub(crate) filter: Option<Expression>,
}

/// What a path can be.
pub(crate) enum Place {
    /// All attributes of one schema.
    Schema(&'static Schema),
    Attribute(Target),
}

/// Why a path leads nowhere.
pub(crate) enum Lost {
    /// The resource has no such attribute, or the path is none.
    Unknown,
    /// The attribute exists, but what stands in or after its brackets is wrong.
    Malformed(Error),
}

/// Reads `attribute`, `attribute.sub`, `attribute[filter]` or `attribute[filter].sub`, each with
/// or without the URN of its schema (RFC 7644 figure 7).
pub(crate) fn parse_place(text: &str, shape: Shape, limits: &Limits) -> Result<Place, Lost> {
    let mut parser = Parser::new(text, shape, limits);
    let mut path = match resolve(parser.name(), shape).ok_or(Lost::Unknown)? {
        Named::Schema(schema) => {
            parser.end().map_err(|_| Lost::Unknown)?;
            return Ok(Place::Schema(schema));
        }
        Named::Attribute(path) => path,
    };
    let selectable = path.attribute.multi_valued && path.sub.is_none();
    let filter = if selectable {
        parser.brackets(path).map_err(Lost::Malformed)?
    } else {
        None
    };
    if filter.is_some() {
        path.sub = parser
            .sub_attribute(path.attribute)
            .map_err(|error| Lost::Malformed(Error::invalid_path(error.detail)))?;
    }
    parser.end().map_err(|_| {
        Lost::Malformed(Error::invalid_path(format!(
            "the path goes on after `{path}` with what cannot follow it"
        )))
    })?;
    Ok(Place::Attribute(Target { path, filter }))
}

/// Finds the targets of an object's keys: of a whole body, or of the value of a PATCH operation
/// without a path. Keys may be paths themselves (T4). What the client cannot set is left out and
/// noted, what the resource does not have is for [`Reading::unknown`] (T8).
pub(crate) fn resolve_object(
    object: Map<String, Value>,
    within: Option<&'static Schema>,
    limits: &Limits,
    reading: &mut Reading,
) -> Result<Vec<(Target, Value)>, Error> {
    let shape = reading.shape;
    let mut found = Vec::with_capacity(object.len());
    for (key, value) in object {
        let is_path = key.contains(['.', '[', ':']);
        let full_key = match within {
            Some(schema) => format!("{}:{key}", schema.id),
            None => key.clone(),
        };
        match parse_place(&full_key, shape, limits) {
            Ok(Place::Schema(schema)) => {
                if let Some(object) = schema_value(schema, value)? {
                    let inner = resolve_object(object, Some(schema), limits, reading)?;
                    found.extend(inner);
                } else if schema != shape.core() {
                    found.extend(all_of(schema, shape).map(|target| (target, Value::Null)));
                }
            }
            Ok(Place::Attribute(_)) | Err(Lost::Malformed(_)) if reading.is_strict() && is_path => {
                reading.leave_out(full_key, &value)?;
            }
            Ok(Place::Attribute(target)) if target.is_writable() => found.push((target, value)),
            Ok(Place::Attribute(target)) => {
                // `schemas` follows from the content; every client sends it.
                if !is_clear(&value) && target.path.attribute.name != "schemas" {
                    reading.ignored.push(target.to_string());
                }
            }
            Err(Lost::Unknown) => {
                let extension = within.filter(|schema| *schema != shape.core());
                reading.unknown(Kept {
                    within: extension.map(|schema| schema.id),
                    key,
                    is_path: false,
                    value,
                })?;
            }
            Err(Lost::Malformed(error)) => return Err(error.within(&full_key)),
        }
    }
    Ok(found)
}

/// The targets of all attributes of a schema that the client can set.
pub(crate) fn all_of(schema: &'static Schema, shape: Shape) -> impl Iterator<Item = Target> {
    let extension = (schema != shape.core()).then_some(schema);
    schema
        .attributes
        .iter()
        .map(move |attribute| Target {
            path: AttributePath {
                schema: extension,
                attribute,
                sub: None,
            },
            filter: None,
        })
        .filter(Target::is_writable)
}

/// The object that stands for a schema's attributes; none where the client sent nothing for them.
pub(crate) fn schema_value(
    schema: &Schema,
    value: Value,
) -> Result<Option<Map<String, Value>>, Error> {
    match value {
        Value::Object(object) => Ok(Some(object)),
        value if is_clear(&value) => Ok(None),
        other => Err(Error::invalid_value(format!(
            "`{}` must be an object, but is {}",
            schema.id,
            kind_of(&other)
        ))),
    }
}

impl Target {
    /// The attribute that a path leads to; none if there is none.
    pub(crate) fn parse(text: &str, shape: Shape, limits: &Limits) -> Option<Self> {
        match parse_place(text, shape, limits) {
            Ok(Place::Attribute(target)) => Some(target),
            Ok(Place::Schema(_)) | Err(_) => None,
        }
    }

    /// Whether it concerns the members of a group.
    pub(crate) fn is_members(&self) -> bool {
        self.path.schema.is_none() && self.path.attribute.name == "members"
    }

    /// Whether a client may set it at all.
    pub(crate) fn is_writable(&self) -> bool {
        self.path.attribute.mutability != Mutability::ReadOnly
            && self.path.leaf().mutability != Mutability::ReadOnly
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else {
            return self.path.fmt(f);
        };
        let whole = AttributePath {
            sub: None,
            ..self.path
        };
        write!(f, "{whole}[{filter}]")?;
        match self.path.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}
