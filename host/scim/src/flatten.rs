use crate::{
    Profile, ResourceType, User,
    schema::{Attribute, ENTERPRISE_USER, Schema},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A single value, as policies see it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text, also of references, bytes and dates.
    Text(String),
    /// A boolean.
    Truth(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Decimal(f64),
    /// JSON text of a list of simple values.
    Json(String),
}

/// What policies get by other ways than the list of attributes.
const APART: [&str; 5] = ["userName", "externalId", "active", "displayName", "groups"];

impl User {
    /// The user's attributes as a flat list, ordered by name, each name once.
    ///
    /// Names are canonical: `title`, `name.givenName`, an extension's with its URN before it.
    /// Elements of multi-valued attributes are named by their type in lower case:
    /// `emails[work].value`; elements without a type as `emails.value`. Of several elements of
    /// one type only the first is there. `type` itself, `userName`, `externalId`, `active`,
    /// `displayName` and `groups` are not.
    #[must_use]
    pub fn flatten(&self) -> Vec<(String, Scalar)> {
        let mut flat = BTreeMap::new();
        let core = ResourceType::User.core();
        flatten_schema(core.attributes, "", self.as_map(), &mut flat);
        self.flatten_extension(&ENTERPRISE_USER, &mut flat);
        flat.into_iter().collect()
    }

    /// The attributes of the schemas that the directory declared, in the same form. A list of simple
    /// values is one value, as JSON.
    #[must_use]
    pub fn flatten_declared(&self, profile: Profile) -> Vec<(String, Scalar)> {
        let mut flat = BTreeMap::new();
        for schema in profile.shape(ResourceType::User).declared() {
            self.flatten_extension(schema, &mut flat);
        }
        flat.into_iter().collect()
    }

    fn flatten_extension(&self, schema: &Schema, flat: &mut BTreeMap<String, Scalar>) {
        if let Some(Value::Object(inner)) = self.as_map().get(schema.id) {
            let prefix = format!("{}:", schema.id);
            flatten_schema(schema.attributes, &prefix, inner, flat);
        }
    }
}

fn flatten_schema(
    attributes: &[Attribute],
    prefix: &str,
    holder: &Map<String, Value>,
    flat: &mut BTreeMap<String, Scalar>,
) {
    for attribute in attributes {
        if prefix.is_empty() && APART.contains(&attribute.name) {
            continue;
        }
        let name = format!("{prefix}{}", attribute.name);
        match holder.get(attribute.name) {
            Some(list @ Value::Array(elements)) => {
                if attribute.sub_attributes.is_empty() {
                    flat.insert(name, Scalar::Json(list.to_string()));
                } else {
                    flatten_elements(attribute, &name, elements, flat);
                }
            }
            Some(Value::Object(object)) => flatten_object(attribute, &name, object, flat),
            Some(value) => {
                if let Some(scalar) = scalar(value) {
                    flat.insert(name, scalar);
                }
            }
            None => {}
        }
    }
}

fn flatten_elements(
    attribute: &Attribute,
    name: &str,
    elements: &[Value],
    flat: &mut BTreeMap<String, Scalar>,
) {
    let mut seen = Vec::new();
    for element in elements.iter().filter_map(Value::as_object) {
        let kind = element.get("type").and_then(Value::as_str);
        let kind = kind.map(str::to_lowercase);
        if seen.contains(&kind) {
            continue;
        }
        match &kind {
            Some(kind) => flatten_object(attribute, &format!("{name}[{kind}]"), element, flat),
            None => flatten_object(attribute, name, element, flat),
        }
        seen.push(kind);
    }
}

/// What is kept beside the parts that the schema has is not for policies.
fn flatten_object(
    attribute: &Attribute,
    name: &str,
    object: &Map<String, Value>,
    flat: &mut BTreeMap<String, Scalar>,
) {
    let known = |sub: &str| sub != "type" && attribute.sub_attribute(sub).is_some();
    for (sub, value) in object.iter().filter(|(sub, _)| known(sub)) {
        if let Some(scalar) = scalar(value) {
            flat.insert(format!("{name}.{sub}"), scalar);
        }
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Bool(truth) => Some(Scalar::Truth(*truth)),
        Value::Number(number) => Some(match number.as_i64() {
            Some(integer) => Scalar::Integer(integer),
            None => Scalar::Decimal(number.as_f64()?),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_canonical_ordered_and_unique() {
        let user = User::parse(
            json!({
                "userName": "ada", "externalId": "x", "active": true, "displayName": "Ada",
                "title": "Countess", "name": {"givenName": "Ada"},
                "emails": [
                    {"type": "Work", "value": "a@example.com", "primary": true},
                    {"type": "work", "value": "second@example.com"},
                    {"value": "untyped@example.com"},
                ],
                "addresses": [{"type": "home", "locality": "London"}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                    {"department": "Engines", "manager": {"value": "7"}},
            }),
            Profile::default(),
        )
        .unwrap()
        .resource;
        let text = |text: &str| Scalar::Text(text.to_owned());
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(
            user.flatten(),
            [
                ("addresses[home].locality".to_owned(), text("London")),
                ("emails.value".to_owned(), text("untyped@example.com")),
                ("emails[work].primary".to_owned(), Scalar::Truth(true)),
                ("emails[work].value".to_owned(), text("a@example.com")),
                ("name.givenName".to_owned(), text("Ada")),
                ("title".to_owned(), text("Countess")),
                (format!("{urn}:department"), text("Engines")),
                (format!("{urn}:manager.value"), text("7")),
            ]
        );
    }
}
