use crate::{
    Shape,
    json::is_clear,
    schema::{Attribute, Returned, Schema},
};
use serde_json::Value;
use std::fmt;

/// An attribute or sub-attribute of a resource: where its values stand in the representation.
/// Within a value filter (`emails[type eq "work"]`) it is relative to the element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AttributePath {
    /// The extension that it belongs to; none for what stands at the top.
    pub(crate) schema: Option<&'static Schema>,
    pub(crate) attribute: &'static Attribute,
    pub(crate) sub: Option<&'static Attribute>,
}

/// What a name without brackets can mean.
pub(crate) enum Named {
    /// The URN of a schema of the resource alone.
    Schema(&'static Schema),
    Attribute(AttributePath),
}

/// Finds what a name means: names in any case, with or without the URN of their schema.
pub(crate) fn resolve(text: &str, shape: Shape) -> Option<Named> {
    let (schema, attribute, rest) = match split_urn(text, shape) {
        Some((schema, "")) => return Some(Named::Schema(schema)),
        Some((schema, rest)) => {
            let (name, sub) = split_sub(rest);
            if schema == shape.core() {
                (None, shape.resource().core_attribute(name)?, sub)
            } else {
                (Some(schema), schema.attribute(name)?, sub)
            }
        }
        None => {
            let (name, sub) = split_sub(text);
            let (schema, attribute) = shape.attribute(name)?;
            (schema, attribute, sub)
        }
    };
    let sub = match rest {
        Some(name) => Some(attribute.sub_attribute(name)?),
        None => None,
    };
    Some(Named::Attribute(AttributePath {
        schema,
        attribute,
        sub,
    }))
}

impl AttributePath {
    /// The present values in a representation: each element of a multi-valued attribute.
    pub(crate) fn values<'a>(&self, root: &'a Value) -> impl Iterator<Item = &'a Value> + use<'a> {
        let sub = self.sub;
        self.elements(root)
            .iter()
            .filter_map(move |item| match sub {
                Some(sub) => item.get(sub.name),
                None => Some(item),
            })
            .filter(|value| !is_clear(value))
    }

    /// The values of the attribute itself, whatever the sub-attribute.
    pub(crate) fn elements<'a>(&self, root: &'a Value) -> &'a [Value] {
        let holder = match self.schema {
            Some(schema) => root.get(schema.id),
            None => Some(root),
        };
        match holder.and_then(|holder| holder.get(self.attribute.name)) {
            Some(Value::Array(items)) => items,
            Some(single) => std::slice::from_ref(single),
            None => &[],
        }
    }

    /// Whether it is never returned, as a whole or this part of it: then neither filters nor orders
    /// may ask for it, or its value could be guessed.
    pub(crate) fn is_secret(&self) -> bool {
        [Some(self.attribute), self.sub]
            .into_iter()
            .flatten()
            .any(|one| one.returned == Returned::Never)
    }

    /// The attribute whose values are compared: the sub-attribute if there is one.
    pub(crate) fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }
}

/// The canonical spelling, with the URN of an extension before it.
impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.schema {
            write!(f, "{}:", schema.id)?;
        }
        f.write_str(self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

/// Takes the URN of one of the resource's schemas off the front. URNs contain dots and colons, so
/// only the known ones can be told from what follows. One may begin as another does.
fn split_urn(text: &str, shape: Shape) -> Option<(&'static Schema, &str)> {
    std::iter::once(shape.core())
        .chain(shape.extensions().iter().copied())
        .filter_map(|schema| {
            let urn = text.get(..schema.id.len())?;
            let rest = text.get(schema.id.len()..)?;
            if !urn.eq_ignore_ascii_case(schema.id) {
                return None;
            }
            match rest.strip_prefix(':') {
                Some(rest) if !rest.is_empty() => Some((schema, rest)),
                None if rest.is_empty() => Some((schema, rest)),
                _ => None,
            }
        })
        .max_by_key(|(schema, _)| schema.id.len())
}

fn split_sub(name: &str) -> (&str, Option<&str>) {
    match name.split_once('.') {
        Some((attribute, sub)) => (attribute, Some(sub)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceType;

    fn check(text: &str, resource: ResourceType, expected: Option<&str>) {
        let found = resolve(text, resource.into()).map(|named| match named {
            Named::Schema(schema) => format!("schema {}", schema.id),
            Named::Attribute(path) => path.to_string(),
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn names_are_found_in_any_case_and_with_or_without_urn() {
        use ResourceType::{Group, User};
        check("username", User, Some("userName"));
        check("NAME.GIVENNAME", User, Some("name.givenName"));
        check("members.$ref", Group, Some("members.$ref"));
        check(
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            User,
            Some("userName"),
        );
        check(
            "URN:ietf:params:scim:schemas:core:2.0:group:displayname",
            Group,
            Some("displayName"),
        );
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        check("manager", User, Some(&format!("{enterprise}:manager")));
        check(
            &format!("{enterprise}:MANAGER.value"),
            User,
            Some(&format!("{enterprise}:manager.value")),
        );
        check(enterprise, User, Some(&format!("schema {enterprise}")));
        check(enterprise, Group, None);
        check(&format!("{enterprise}:userName"), User, None);
        check(&format!("{enterprise}:"), User, None);
        check(&format!("{enterprise}x"), User, None);
        check("emails.", User, None);
        check("emails.value.x", User, None);
        check("password", User, None);
        check("", User, None);
        check("\u{e9}\u{e9}", User, None);
    }
}
