//! JSON opened one level deep: what is not looked at stays the text it was, so a body of a hundred
//! thousand members is copied, never built.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// An object: names, and the texts of their values. Names are found in upper and lower case alike, as
/// SCIM has it (RFC 7643, 2.1).
pub(crate) struct Object<'a>(Vec<(String, Cow<'a, str>)>);

impl<'a> Object<'a> {
    /// None if the text is something else than an object.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of a value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    /// A value that is a string.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Takes a value away; whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.0.len() < before
    }

    /// The object's own text, with the text of one of its values replaced.
    pub(crate) fn with(&mut self, name: &str, text: String) -> String {
        self.replace(name, text);
        self.text()
    }

    /// Puts the text of a value in the place of one that is there.
    pub(crate) fn replace(&mut self, name: &str, text: String) {
        let old = self
            .0
            .iter_mut()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some((_, value)) = old {
            *value = Cow::Owned(text);
        }
    }

    /// The object as text.
    pub(crate) fn text(&self) -> String {
        let fields = self.0.iter().map(|(name, value)| {
            // The writer's own escapes, quotation marks included.
            format!("{}:{value}", serde_json::Value::from(name.as_str()))
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

/// The texts of an array's elements; none if the text is something else.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, Cow::Borrowed(value.get())));
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::{Object, elements};

    #[test]
    fn what_is_not_looked_at_stays_as_it_was() {
        let mut object =
            Object::parse(r#"{"A\"b": [1,  2.0e5], "ID": null, "c": {"d": "\u00e9"}}"#).unwrap();
        assert!(object.remove("id"));
        assert!(!object.remove("id"));
        object.replace("c", "1".to_owned());
        object.replace("missing", "1".to_owned());
        assert_eq!(object.text(), r#"{"A\"b":[1,  2.0e5],"c":1}"#);
        assert_eq!(Object::parse("{}").unwrap().text(), "{}");
    }

    #[test]
    fn what_is_something_else_is_none() {
        assert!(Object::parse("[]").is_none());
        assert!(Object::parse("null").is_none());
        assert!(elements("{}").is_none());
        assert_eq!(elements("[1, {}]").unwrap(), ["1", "{}"]);
    }
}
