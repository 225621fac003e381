//! Whom a request is about: the ids and names by which people look for it.

use super::{Place, Seen};
use crate::model::requests::RequestRecord;
use gatewright_scim::{Filter, Limits, ResourceType};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Ids and names of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// The id of the user or group.
    pub(super) id: Option<String>,
    /// Its `userName` or `displayName`.
    pub(super) name: Option<String>,
    /// What a lookup asked for, besides.
    others: Vec<String>,
}

/// Most subjects of one request: a filter could name very many.
const MOST: usize = 8;

impl Subject {
    /// Reads it from the path, the bodies and the answer.
    pub(super) fn of(seen: &Seen, bodies: &[&Value], answer: Option<&Value>) -> Self {
        let mut subject = Self {
            id: id_of(&seen.path),
            ..Self::default()
        };
        let Some((resource, attribute)) = named_by(seen.place) else {
            return subject;
        };
        if let Some(Value::Object(answer)) = answer
            && seen.status < 300
        {
            let text = |name: &str| answer.get(name)?.as_str().map(str::to_owned);
            subject.id = subject.id.or_else(|| text("id"));
            subject.name = text(attribute);
        }
        for body in bodies {
            let name = name_in(body, attribute);
            subject.name = subject.name.or(name);
        }
        for (name, value) in form_urlencoded::parse(seen.query.as_deref().unwrap_or("").as_bytes())
        {
            if name.eq_ignore_ascii_case("filter") {
                subject.looked_up(&value, resource);
            }
        }
        for body in bodies {
            if let Some(filter) = body.get("filter").and_then(Value::as_str) {
                subject.looked_up(filter, resource);
            }
        }
        subject
    }

    /// What the index has of it.
    pub(super) fn digests(&self, directory: Uuid) -> Vec<String> {
        let all = self.id.iter().chain(&self.name).chain(&self.others);
        let mut digests: Vec<String> = all.map(|text| digest(directory, text)).collect();
        digests.sort();
        digests.dedup();
        digests.truncate(MOST);
        digests
    }

    fn looked_up(&mut self, filter: &str, resource: ResourceType) {
        let Ok(filter) = Filter::parse(filter, resource, &Limits::default()) else {
            return;
        };
        for (path, value) in filter.equalities() {
            let Some(value) = value.as_str() else {
                continue;
            };
            match path {
                "userName" | "displayName" if self.name.is_none() => {
                    self.name = Some(value.to_owned());
                }
                "id" | "userName" | "displayName" | "externalId" | "emails.value" => {
                    self.others.push(value.to_owned());
                }
                _ => {}
            }
        }
    }
}

/// A subject as the index has it: the same for every spelling, and of no use to who reads it.
pub(super) fn digest(directory: Uuid, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(directory.as_bytes());
    hash.update(text.trim().to_lowercase().as_bytes());
    let mut hex = crate::directory::credentials::hex(&hash.finalize());
    hex.truncate(RequestRecord::SUBJECT_DIGITS);
    hex
}

fn named_by(place: Place) -> Option<(ResourceType, &'static str)> {
    match place {
        Place::Users => Some((ResourceType::User, "userName")),
        Place::Groups => Some((ResourceType::Group, "displayName")),
        Place::Other => None,
    }
}

/// The segment behind `Users` or `Groups`.
pub(super) fn id_of(path: &str) -> Option<String> {
    let mut segments = path.split('/');
    segments.find(|segment| ["Users", "Groups"].contains(segment))?;
    let id = segments.next()?;
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    (!id.is_empty() && id != ".search" && id.len() <= 256).then(|| id.into_owned())
}

/// The name that a body gives: of a resource, or by an operation of a PATCH.
fn name_in(body: &Value, attribute: &str) -> Option<String> {
    let object = body.as_object()?;
    let get = |object: &serde_json::Map<String, Value>, wanted: &str| {
        let mut members = object.iter();
        let found = members.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone())
    };
    if let Some(Value::String(name)) = get(object, attribute) {
        return Some(name);
    }
    let Some(Value::Array(operations)) = get(object, "Operations") else {
        return None;
    };
    operations.iter().find_map(|operation| {
        let operation = operation.as_object()?;
        let value = get(operation, "value")?;
        let path = get(operation, "path");
        match (path.as_ref().and_then(Value::as_str), value) {
            (Some(path), Value::String(name)) => {
                let last = path.rsplit(':').next()?;
                last.eq_ignore_ascii_case(attribute).then_some(name)
            }
            (None, Value::Object(values)) => get(&values, attribute)?.as_str().map(str::to_owned),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_found_where_providers_say_them() {
        let check = |body: Value, expected: Option<&str>| {
            assert_eq!(name_in(&body, "userName").as_deref(), expected, "{body}");
        };
        check(json!({ "username": "ada" }), Some("ada"));
        let patch = |operation: Value| json!({ "Operations": [{ "op": "add" }, operation] });
        check(
            patch(json!({ "path": "userName", "value": "ada" })),
            Some("ada"),
        );
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
        check(patch(json!({ "path": urn, "value": "ada" })), Some("ada"));
        check(
            patch(json!({ "value": { "userName": "ada" } })),
            Some("ada"),
        );
        check(patch(json!({ "path": "title", "value": "ada" })), None);
        check(json!([1]), None);
    }

    #[test]
    fn ids_are_those_of_users_and_groups() {
        assert_eq!(id_of("/scim/v2/d/Users/a%20b").as_deref(), Some("a b"));
        assert_eq!(id_of("/scim/v2/d/Users/.search"), None);
        assert_eq!(id_of("/scim/v2/d/Users"), None);
        assert_eq!(id_of("/scim/v2/d/Schemas/x"), None);
    }

    #[test]
    fn a_digest_is_of_one_directory_and_of_any_case() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(digest(one, "Ada"), digest(one, "ada "));
        assert_ne!(digest(one, "ada"), digest(two, "ada"));
        assert_eq!(digest(one, "ada").len(), RequestRecord::SUBJECT_DIGITS);
    }
}
