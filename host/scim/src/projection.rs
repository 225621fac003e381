use crate::{
    Shape,
    path::{AttributePath, Named, resolve},
    query::parameter,
    schema::{Attribute, Returned, Schema},
};
use serde_json::{Map, Value, json};

/// Which attributes an answer has (RFC 7644 section 3.9). `id` and `schemas` are in every answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {
    /// None: all.
    wanted: Option<Vec<Part>>,
    unwanted: Vec<Part>,
}

/// What an entry of `attributes` or `excludedAttributes` names.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Schema(&'static Schema),
    Attribute(AttributePath),
}

impl Projection {
    /// Reads the two parameters, lists separated by commas. Names that the resource does not have
    /// have no effect. Where both are given, which the RFC does not foresee, the excluded ones
    /// are taken out of the wanted ones. An empty parameter counts as absent.
    #[must_use]
    pub fn parse(
        attributes: Option<&str>,
        excluded_attributes: Option<&str>,
        shape: impl Into<Shape>,
    ) -> Self {
        let shape = shape.into();
        let parts = |list: &str| -> Vec<Part> {
            list.split(',')
                .filter_map(|name| match resolve(name.trim(), shape)? {
                    Named::Schema(schema) => Some(Part::Schema(schema)),
                    Named::Attribute(path) => Some(Part::Attribute(path)),
                })
                .collect()
        };
        Self {
            wanted: attributes.filter(|list| !list.trim().is_empty()).map(parts),
            unwanted: excluded_attributes.map(parts).unwrap_or_default(),
        }
    }

    /// Reads it from decoded query parameters, whose names may be in any case, as every answer with
    /// a resource may be asked for a part of it.
    #[must_use]
    pub fn from_query(pairs: &[(String, String)], shape: impl Into<Shape>) -> Self {
        Self::parse(
            parameter(pairs, "attributes"),
            parameter(pairs, "excludedAttributes"),
            shape,
        )
    }

    /// Whether the answer has the attribute of that canonical name, of the core or of an extension,
    /// or a part of it. So a server need not load the members of a group that the client does not
    /// want to see.
    #[must_use]
    pub fn includes(&self, attribute: &str) -> bool {
        let whole = |part: &Part| match part {
            Part::Attribute(path) => path.attribute.name == attribute && path.sub.is_none(),
            Part::Schema(_) => false,
        };
        let partly = |part: &Part| match part {
            Part::Attribute(path) => path.attribute.name == attribute,
            Part::Schema(schema) => schema.attribute(attribute).is_some(),
        };
        if ["id", "schemas"].contains(&attribute) {
            return true;
        }
        !self.unwanted.iter().any(whole)
            && self
                .wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(partly))
    }

    /// Leaves in a full representation what the client wants, and what is returned always; takes
    /// out what is returned never, or only when it is asked for by name.
    pub fn apply(&self, representation: &mut Value, shape: impl Into<Shape>) {
        let shape = shape.into();
        let Value::Object(full) = representation else {
            return;
        };
        self.take_out_unasked(shape, full);
        let always = always_of_declared(shape, full);
        if let Some(wanted) = &self.wanted {
            let mut kept = Map::new();
            for (name, value) in full.iter() {
                if is_always(shape, name) {
                    kept.insert(name.clone(), value.clone());
                }
            }
            for part in wanted {
                part.copy(full, &mut kept, shape);
            }
            *full = kept;
        }
        for part in &self.unwanted {
            part.remove(full, shape);
        }
        drop_hollow(full);
        for (schema, attribute, value) in always {
            let holder = full
                .entry(schema.id)
                .or_insert_with(|| Value::Object(Map::new()));
            holder[attribute.name] = value;
        }
    }

    fn take_out_unasked(&self, shape: Shape, full: &mut Map<String, Value>) {
        for schema in shape.declared() {
            for attribute in schema.attributes {
                let whole = AttributePath {
                    schema: Some(schema),
                    attribute,
                    sub: None,
                };
                let parts = attribute.sub_attributes.iter().map(|sub| AttributePath {
                    sub: Some(sub),
                    ..whole
                });
                for path in std::iter::once(whole).chain(parts) {
                    let is_out = match path.leaf().returned {
                        Returned::Never => true,
                        Returned::Request => !self.names(&path),
                        Returned::Always | Returned::Default => false,
                    };
                    if is_out && let Some(Value::Object(held)) = full.get_mut(schema.id) {
                        remove_attribute(&path, held);
                    }
                }
            }
        }
    }

    /// Whether the attribute, or all of that it is a part of, or a part of it, was asked for.
    fn names(&self, wanted: &AttributePath) -> bool {
        self.wanted.iter().flatten().any(|part| match part {
            Part::Attribute(path) => {
                path.schema == wanted.schema
                    && path.attribute == wanted.attribute
                    && (path.sub.is_none() || wanted.sub.is_none() || path.sub == wanted.sub)
            }
            Part::Schema(_) => false,
        })
    }
}

/// What declared schemas say is in every answer, with its values.
fn always_of_declared(
    shape: Shape,
    full: &Map<String, Value>,
) -> Vec<(&'static Schema, &'static Attribute, Value)> {
    let mut found = Vec::new();
    for schema in shape.declared() {
        for attribute in schema.attributes {
            if attribute.returned == Returned::Always
                && let Some(value) = full.get(schema.id).and_then(|one| one.get(attribute.name))
            {
                found.push((*schema, attribute, value.clone()));
            }
        }
    }
    found
}

impl Part {
    fn copy(&self, from: &Map<String, Value>, to: &mut Map<String, Value>, shape: Shape) {
        match self {
            Self::Schema(schema) if *schema == shape.core() => {
                for attribute in schema.attributes {
                    if let Some(value) = from.get(attribute.name) {
                        to.insert(attribute.name.into(), value.clone());
                    }
                }
            }
            Self::Schema(schema) => {
                if let Some(value) = from.get(schema.id) {
                    to.insert(schema.id.into(), value.clone());
                }
            }
            Self::Attribute(path) => {
                let Some(schema) = path.schema else {
                    copy_attribute(path, from, to);
                    return;
                };
                let Some(Value::Object(inner)) = from.get(schema.id) else {
                    return;
                };
                let mut kept = match to.get_mut(schema.id).map(Value::take) {
                    Some(Value::Object(kept)) => kept,
                    _ => Map::new(),
                };
                copy_attribute(path, inner, &mut kept);
                if kept.is_empty() {
                    to.shift_remove(schema.id);
                } else {
                    to.insert(schema.id.into(), Value::Object(kept));
                }
            }
        }
    }

    fn remove(&self, full: &mut Map<String, Value>, shape: Shape) {
        match self {
            Self::Schema(schema) if *schema == shape.core() => {
                full.retain(|name, _| schema.attribute(name).is_none());
            }
            Self::Schema(schema) => {
                full.shift_remove(schema.id);
            }
            Self::Attribute(path) if path.attribute.returned == Returned::Always => {}
            Self::Attribute(path) => match path.schema {
                None => remove_attribute(path, full),
                Some(schema) => {
                    if let Some(Value::Object(inner)) = full.get_mut(schema.id) {
                        remove_attribute(path, inner);
                        if inner.is_empty() {
                            full.shift_remove(schema.id);
                        }
                    }
                }
            },
        }
    }
}

fn is_always(shape: Shape, name: &str) -> bool {
    shape
        .resource()
        .core_attribute(name)
        .is_some_and(|attribute| attribute.returned == Returned::Always)
}

fn copy_attribute(path: &AttributePath, from: &Map<String, Value>, to: &mut Map<String, Value>) {
    let name = path.attribute.name;
    let Some(value) = from.get(name) else {
        return;
    };
    let Some(sub) = path.sub else {
        to.insert(name.into(), value.clone());
        return;
    };
    match (value, to.get_mut(name)) {
        (Value::Array(from), Some(Value::Array(to))) => {
            for (from, to) in from.iter().zip(to) {
                copy_member(sub.name, from, to);
            }
        }
        (value, Some(to)) => copy_member(sub.name, value, to),
        (Value::Array(from), None) => {
            let mut elements = vec![json!({}); from.len()];
            for (from, to) in from.iter().zip(&mut elements) {
                copy_member(sub.name, from, to);
            }
            to.insert(name.into(), Value::Array(elements));
        }
        (value, None) => {
            let mut object = json!({});
            copy_member(sub.name, value, &mut object);
            to.insert(name.into(), object);
        }
    }
}

fn copy_member(name: &str, from: &Value, to: &mut Value) {
    if let (Some(value), Value::Object(to)) = (from.get(name), to) {
        to.insert(name.into(), value.clone());
    }
}

fn remove_attribute(path: &AttributePath, from: &mut Map<String, Value>) {
    let name = path.attribute.name;
    let Some(sub) = path.sub else {
        from.shift_remove(name);
        return;
    };
    let elements = match from.get_mut(name) {
        Some(Value::Array(elements)) => elements.as_mut_slice(),
        Some(single) => std::slice::from_mut(single),
        None => return,
    };
    for element in elements {
        if let Value::Object(element) = element {
            element.shift_remove(sub.name);
        }
    }
}

/// Drops the objects of which nothing is left, at the top and among elements.
fn drop_hollow(object: &mut Map<String, Value>) {
    let is_hollow = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    object.retain(|_, value| match value {
        Value::Array(elements) => {
            let before = elements.len();
            elements.retain(|element| !is_hollow(element));
            before == 0 || !elements.is_empty()
        }
        value => !is_hollow(value),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceType;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a table of values reads better without `&`"
    )]
    fn check(attributes: Option<&str>, excluded: Option<&str>, expected: Value) {
        let mut user = json!({
            "schemas": ["s"], "id": "1", "userName": "ada",
            "name": {"givenName": "Ada", "familyName": "L"},
            "emails": [{"value": "a", "type": "work"}, {"type": "home"}],
            ENTERPRISE: {"department": "D", "manager": {"value": "7"}},
            "meta": {"location": "l"},
        });
        Projection::parse(attributes, excluded, ResourceType::User)
            .apply(&mut user, ResourceType::User);
        assert_eq!(user, expected, "{attributes:?} {excluded:?}");
    }

    #[test]
    fn wanted_attributes() {
        check(Some("id"), None, json!({"schemas": ["s"], "id": "1"}));
        check(
            Some("unheardOf"),
            None,
            json!({"schemas": ["s"], "id": "1"}),
        );
        check(
            Some("USERNAME, name.givenName"),
            None,
            json!({"schemas": ["s"], "id": "1", "userName": "ada", "name": {"givenName": "Ada"}}),
        );
        check(
            Some("emails.value"),
            None,
            json!({"schemas": ["s"], "id": "1", "emails": [{"value": "a"}]}),
        );
        check(
            Some("emails.type,emails.value"),
            None,
            json!({"schemas": ["s"], "id": "1", "emails": [{"value": "a", "type": "work"}, {"type": "home"}]}),
        );
        check(
            Some("title,name.middleName"),
            None,
            json!({"schemas": ["s"], "id": "1"}),
        );
        check(
            Some(&format!("{ENTERPRISE}:department")),
            None,
            json!({"schemas": ["s"], "id": "1", ENTERPRISE: {"department": "D"}}),
        );
        check(
            Some(ENTERPRISE),
            None,
            json!({"schemas": ["s"], "id": "1", ENTERPRISE: {"department": "D", "manager": {"value": "7"}}}),
        );
    }

    #[test]
    fn unwanted_attributes() {
        check(
            None,
            Some(&format!(
                "id,schemas,emails,name.givenName,meta,{ENTERPRISE}:manager"
            )),
            json!({"schemas": ["s"], "id": "1", "userName": "ada", "name": {"familyName": "L"}, ENTERPRISE: {"department": "D"}}),
        );
        check(
            Some("userName,name"),
            Some("name"),
            json!({"schemas": ["s"], "id": "1", "userName": "ada"}),
        );
    }

    #[test]
    fn attributes_of_extensions_are_included_by_any_of_their_names() {
        let includes = |attributes, excluded| {
            Projection::parse(attributes, excluded, ResourceType::User).includes("manager")
        };
        assert!(includes(None, None));
        assert!(includes(Some("manager.displayName"), None));
        assert!(includes(Some(ENTERPRISE), None));
        assert!(!includes(Some("userName"), None));
        assert!(!includes(None, Some("manager")));
    }

    #[test]
    fn members_are_loaded_only_when_they_are_wanted() {
        let includes = |attributes, excluded| {
            Projection::parse(attributes, excluded, ResourceType::Group).includes("members")
        };
        assert!(includes(None, None));
        assert!(includes(Some(""), None));
        assert!(includes(Some("members.value"), None));
        assert!(!includes(None, Some("members")));
        assert!(!includes(Some("id"), None));
        assert!(includes(None, Some("members.display")));
    }
}
