use super::{
    change::{Action, Change},
    target::{Lost, Place, Target, all_of, parse_place, resolve_object, schema_value},
};
use crate::{
    Error, Limits, Shape, Unknown,
    json::kind_of,
    keep::{self, Kept},
    reading::Reading,
    schema::Mutability,
    user::require_schema,
};
use serde_json::{Map, Value};

/// One entry of `Operations`, its form checked and its value untouched.
pub(super) struct Operation {
    pub(super) action: Action,
    path: Option<String>,
    value: Option<Value>,
}

/// An operation whose path is resolved.
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) target: Target,
    /// None: the operation had no value, or null in a removal.
    pub(super) value: Option<Value>,
}

/// The schema of a PATCH (RFC 7644 section 3.5.2).
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Where an operation stands in the request, for errors.
pub(super) fn place(index: usize) -> String {
    format!("Operations[{index}]")
}

/// Reads the body of a PATCH into its operations. The keys and `op` may be in any case (T1).
pub(super) fn parse_operations(
    body: &Value,
    shape: Shape,
    limits: &Limits,
) -> Result<Vec<Operation>, Error> {
    let strict = shape.profile.strict;
    if strict {
        require_schema(body, PATCH_OP)?;
    }
    let operations = body
        .as_object()
        .and_then(|body| member(body, "Operations"))
        .ok_or_else(|| {
            Error::invalid_syntax("the body of a PATCH must have `Operations`, an array")
        })?;
    let Value::Array(operations) = operations else {
        return Err(Error::invalid_syntax(format!(
            "`Operations` must be an array, but is {}",
            kind_of(operations)
        )));
    };
    if operations.is_empty() {
        return Err(Error::invalid_syntax(
            "`Operations` must have at least one operation",
        ));
    }
    if operations.len() > limits.patch_operations {
        return Err(Error::too_large(format!(
            "a PATCH may have at most {} operations, and this one has {}",
            limits.patch_operations,
            operations.len()
        )));
    }
    operations
        .iter()
        .enumerate()
        .map(|(index, operation)| {
            parse_operation(operation, strict).map_err(|error| error.within(&place(index)))
        })
        .collect()
}

impl Operation {
    /// The attributes that the operation changes, in the order of the request.
    pub(super) fn steps(self, limits: &Limits, reading: &mut Reading) -> Result<Vec<Step>, Error> {
        let shape = reading.shape;
        let action = self.action;
        let Some(path) = self.path else {
            let Some(value) = self.value.filter(|_| action != Action::Remove) else {
                return Err(Error::no_target("`remove` must have a `path`"));
            };
            let Value::Object(object) = value else {
                return Err(Error::invalid_value(format!(
                    "without a `path`, `value` must be an object of attributes, but is {}",
                    kind_of(&value)
                )));
            };
            return Ok(steps(
                action,
                resolve_object(object, None, limits, reading)?,
            ));
        };
        match parse_place(&path, shape, limits) {
            Ok(Place::Attribute(target)) if target.is_writable() => Ok(vec![Step {
                action,
                target,
                value: self.value,
            }]),
            Ok(Place::Attribute(target)) => refuse_read_only(&target, action, &mut reading.ignored),
            Ok(Place::Schema(schema)) => match (action, self.value) {
                (Action::Remove, _) => Ok(steps_without_value(action, all_of(schema, shape))),
                (_, value) => match schema_value(schema, value.unwrap_or_default())? {
                    Some(object) => Ok(steps(
                        action,
                        resolve_object(object, Some(schema), limits, reading)?,
                    )),
                    None => Ok(steps_without_value(Action::Remove, all_of(schema, shape))),
                },
            },
            Err(Lost::Malformed(error)) => Err(error.within(&format!("path `{path}`"))),
            Err(Lost::Unknown)
                if shape.profile.unknown == Unknown::Keep && keep::is_plain(&path) =>
            {
                let value = self.value.filter(|_| action != Action::Remove);
                reading.unknown(Kept {
                    within: None,
                    key: path,
                    is_path: true,
                    value: value.unwrap_or_default(),
                })?;
                Ok(Vec::new())
            }
            Err(Lost::Unknown) => Err(unknown(&path, shape)),
        }
    }
}

impl Step {
    /// The change that it is, its value read.
    pub(super) fn into_change(self, reading: &mut Reading) -> Result<Change, Error> {
        let change = if self.action == Action::Remove {
            Change::remove(self.target, self.value, reading)?
        } else {
            Change::set(
                self.action,
                self.target,
                self.value.unwrap_or_default(),
                reading,
            )?
        };
        // Section 3.5.2.2 gives this case its keyword.
        if change.unassigns_required() {
            return Err(Error::mutability(format!(
                "`{}` is required; replace its value instead of removing it",
                change.target()
            )));
        }
        Ok(change)
    }
}

fn steps(action: Action, targets: Vec<(Target, Value)>) -> Vec<Step> {
    targets
        .into_iter()
        .map(|(target, value)| Step {
            action,
            target,
            value: Some(value),
        })
        .collect()
}

fn steps_without_value(action: Action, targets: impl Iterator<Item = Target>) -> Vec<Step> {
    targets
        .map(|target| Step {
            action,
            target,
            value: None,
        })
        .collect()
}

/// An explicit path to what a client cannot set is refused, also where nothing would change: a
/// success would say that it can be set. Only `schemas` is let pass, because it follows from the
/// content and clients send it along with the first attribute of an extension.
fn refuse_read_only(
    target: &Target,
    action: Action,
    ignored: &mut Vec<String>,
) -> Result<Vec<Step>, Error> {
    if target.path.attribute.name == "schemas" && action != Action::Remove {
        ignored.push(target.to_string());
        return Ok(Vec::new());
    }
    debug_assert!(
        target.path.leaf().mutability == Mutability::ReadOnly
            || target.path.attribute.mutability == Mutability::ReadOnly
    );
    let remedy = match target.path.attribute.name {
        "groups" => "; change the group's `members` instead",
        _ => "",
    };
    Err(Error::mutability(format!("`{target}` is readOnly{remedy}")))
}

fn unknown(path: &str, shape: Shape) -> Error {
    if path.eq_ignore_ascii_case("password") {
        return Error::invalid_path(
            "passwords are not kept here (`changePassword` is not supported); take `password` out \
             of the provider's attribute mapping",
        );
    }
    Error::invalid_path(format!(
        "`{path}` is no attribute of a {}; `/Schemas` lists those that are",
        shape.resource().name()
    ))
}

fn parse_operation(operation: &Value, strict: bool) -> Result<Operation, Error> {
    let Some(operation) = operation.as_object() else {
        return Err(Error::invalid_syntax(format!(
            "an operation must be an object, but is {}",
            kind_of(operation)
        )));
    };
    let op = member(operation, "op").and_then(Value::as_str);
    let action = [Action::Add, Action::Replace, Action::Remove]
        .into_iter()
        .find(|action| {
            op.is_some_and(|op| {
                op == action.as_str() || (!strict && op.eq_ignore_ascii_case(action.as_str()))
            })
        })
        .ok_or_else(|| Error::invalid_syntax("`op` must be `add`, `replace` or `remove`"))?;
    let path = match member(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.trim().is_empty() => None,
        Some(Value::String(path)) => Some(path.trim().to_owned()),
        Some(other) => {
            return Err(Error::invalid_path(format!(
                "`path` must be a string, but is {}",
                kind_of(other)
            )));
        }
    };
    let value = member(operation, "value").cloned();
    let value = match action {
        // Serializers that write every field write null for one that is not there.
        Action::Remove if strict && value.as_ref().is_some_and(|value| !value.is_null()) => {
            return Err(Error::invalid_value(
                "`remove` takes no `value`; select what goes by a filter in `path`",
            ));
        }
        Action::Remove => value.filter(|value| !value.is_null()),
        Action::Add | Action::Replace if value.is_none() => {
            return Err(Error::invalid_value(format!(
                "`{}` must have a `value`; null clears the attribute",
                action.as_str()
            )));
        }
        Action::Add | Action::Replace => value,
    };
    Ok(Operation {
        action,
        path,
        value,
    })
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object
            .iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}
