use crate::{MemberKind, ResourceType, Shape, keep, schema::ENTERPRISE_USER};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What the server says about a resource (RFC 7643 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// The full URL of the resource.
    pub location: String,
    /// The entity tag.
    pub version: String,
}

/// A group that a user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRef {
    /// The id of the group.
    pub id: String,
    /// Its `displayName`.
    pub display: String,
    /// Its full URL.
    pub location: String,
    /// Whether the user is in it only through groups that are in it (RFC 7643 section 4.1.2).
    pub indirect: bool,
}

/// The user whom a user names as manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerRef {
    /// Its `displayName`, if it has one.
    pub display: Option<String>,
    /// Its full URL.
    pub location: String,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOut {
    /// The id of the user or group.
    pub value: String,
    /// Which of them it is.
    pub kind: MemberKind,
    /// A name for people to read, where there is one.
    pub display: Option<String>,
    /// Its full URL.
    pub location: String,
}

impl Meta {
    /// Puts `meta` at the end, where the RFC's examples have it.
    pub(crate) fn finish(&self, resource: ResourceType, mut response: Map<String, Value>) -> Value {
        let meta = json!({
            "resourceType": resource.name(),
            "created": self.created.to_string(),
            "lastModified": self.last_modified.to_string(),
            "location": self.location,
            "version": self.version,
        });
        response.insert("meta".into(), meta);
        Value::Object(response)
    }
}

/// The beginning of a representation: `schemas` with every extension that is present, `id`, and
/// what is stored. What is declared no longer is stored still, and not shown.
pub(crate) fn frame(shape: Shape, id: &str, document: &Map<String, Value>) -> Map<String, Value> {
    let extensions = shape.extensions().iter().map(|schema| schema.id);
    let is_shown = |name: &str| {
        name != keep::KEPT
            && (!name.contains(':') || shape.extensions().iter().any(|one| one.id == name))
    };
    let schemas: Vec<&str> = std::iter::once(shape.core().id)
        .chain(extensions.filter(|id| document.contains_key(*id)))
        .collect();
    let mut response = Map::with_capacity(document.len() + 5);
    response.insert("schemas".into(), schemas.into());
    response.insert("id".into(), id.into());
    for (name, value) in document {
        if !value.is_null() && is_shown(name) {
            response.insert(name.clone(), value.clone());
        }
    }
    for schema in shape.declared() {
        if let Some(Value::Object(held)) = response.get_mut(schema.id) {
            held.retain(|name, value| match schema.attribute(name) {
                Some(attribute) => {
                    attribute.drop_unknown(value);
                    true
                }
                None => false,
            });
        }
    }
    keep::show(shape, document, &mut response);
    response
}

/// Says of the manager what the server knows.
pub(crate) fn complete_manager(response: &mut Map<String, Value>, manager: &ManagerRef) {
    let extension = response.get_mut(ENTERPRISE_USER.id);
    if let Some(Value::Object(named)) = extension.and_then(|held| held.get_mut("manager")) {
        named.insert("$ref".into(), manager.location.as_str().into());
        if let Some(display) = &manager.display {
            named.insert("displayName".into(), display.as_str().into());
        }
    }
}

pub(crate) fn groups_json(groups: &[GroupRef]) -> Value {
    groups
        .iter()
        .map(|group| {
            json!({
                "value": group.id,
                "$ref": group.location,
                "display": group.display,
                "type": if group.indirect { "indirect" } else { "direct" },
            })
        })
        .collect()
}

pub(crate) fn members_json(members: &[MemberOut]) -> Value {
    members
        .iter()
        .map(|member| {
            let mut json = json!({
                "value": member.value,
                "$ref": member.location,
                "type": member.kind.as_str(),
            });
            if let Some(display) = &member.display {
                json["display"] = display.as_str().into();
            }
            json
        })
        .collect()
}
