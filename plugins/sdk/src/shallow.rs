//! JSON opened one level deep, for provider plugins: what is not looked at stays the text it was, so a
//! body of a hundred thousand members is copied, never built.
//!
//! ```
//! use gatewright_sdk::shallow::Object;
//!
//! let mut user = Object::parse(r#"{"userName": "ada", "password": "x", "emails": [ ]}"#).unwrap();
//! assert!(user.remove("PASSWORD"));
//! assert_eq!(user.text(), r#"{"userName":"ada","emails":[ ]}"#);
//! ```

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// An object: names, and the texts of their values. Names are found in upper and lower case alike, as
/// SCIM has it (RFC 7643, 2.1).
#[derive(Debug)]
pub struct Object<'a>(Vec<(String, Cow<'a, str>)>);

impl<'a> Object<'a> {
    /// None if the text is something else than an object.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    /// A value that is a string.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Takes a value away; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.0.len() < before
    }

    /// The object's own text, with the text of one of its values replaced.
    pub fn with(&mut self, name: &str, text: String) -> String {
        self.replace(name, text);
        self.text()
    }

    /// Puts the text of a value in the place of one that is there.
    pub fn replace(&mut self, name: &str, text: String) {
        let old = self
            .0
            .iter_mut()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some((_, value)) = old {
            *value = Cow::Owned(text);
        }
    }

    /// Gives a value its text, whether there was one of this name or not.
    pub fn set(&mut self, name: &str, text: String) {
        if self.get(name).is_some() {
            self.replace(name, text);
        } else {
            self.0.push((name.to_owned(), Cow::Owned(text)));
        }
    }

    /// Gives a value another name, keeping its place. Whether it did: not if it has no such value, nor
    /// if it has one of the new name already, which is then the one that is meant.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        if self.get(to).is_some() {
            return false;
        }
        let named = self
            .0
            .iter_mut()
            .find(|(name, _)| name.eq_ignore_ascii_case(from));
        named.is_some_and(|(name, _)| {
            to.clone_into(name);
            true
        })
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The object as text.
    #[must_use]
    pub fn text(&self) -> String {
        let fields = self.0.iter().map(|(name, value)| {
            // The writer's own escapes, quotation marks included.
            format!("{}:{value}", serde_json::Value::from(name.as_str()))
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

/// The texts of an array's elements; none if the text is something else.
#[must_use]
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Mends the elements of an array one by one: `mend` gives the new text of one, or none to leave it as
/// it is. None where nothing was mended, and where the text is no array.
pub fn mend_elements(text: &str, mut mend: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut mended = false;
    let texts: Vec<Cow<'_, str>> = elements(text)?
        .into_iter()
        .map(|element| match mend(element) {
            Some(new) => {
                mended = true;
                Cow::Owned(new)
            }
            None => Cow::Borrowed(element),
        })
        .collect();
    mended.then(|| format!("[{}]", texts.join(",")))
}

/// Mends the operations of a PATCH body one by one, as [`mend_elements`]. An operation that is no
/// object is passed by, and so is a body that is no PATCH: what to say of them is the gateway's to
/// know.
pub fn mend_operations(
    body: &str,
    mut mend: impl FnMut(&mut Object<'_>) -> Option<String>,
) -> Option<String> {
    let mut patch = Object::parse(body)?;
    let operations = mend_elements(patch.get("Operations")?, |text| {
        mend(&mut Object::parse(text)?)
    })?;
    Some(patch.with("Operations", operations))
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
    use super::{Object, elements, mend_elements, mend_operations};

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
    #[test]
    fn a_name_is_not_given_twice() {
        let mut object = Object::parse(r#"{"Old": 1, "other": 2}"#).unwrap();
        assert!(!object.rename("old", "OTHER"));
        assert!(!object.rename("missing", "new"));
        assert!(object.rename("old", "new"));
        object.set("Other", "3".to_owned());
        object.set("last", "4".to_owned());
        assert_eq!(object.text(), r#"{"new":1,"other":3,"last":4}"#);
        assert_eq!(object.names().collect::<Vec<_>>(), ["new", "other", "last"]);
    }

    #[test]
    fn only_what_was_mended_is_written_anew() {
        let ones = |text: &str| (text == "1").then(|| "one".to_owned());
        assert_eq!(mend_elements("[ 1, {  } ]", ones).unwrap(), "[one,{  }]");
        assert!(mend_elements("[2]", ones).is_none());
        assert!(mend_elements("{}", ones).is_none());
        let mended = mend_operations(r#"{"operations": [{"op": "a"}, 7]}"#, |operation| {
            Some(operation.with("op", "null".to_owned()))
        });
        assert_eq!(mended.unwrap(), r#"{"operations":[{"op":null},7]}"#);
        assert!(mend_operations("[]", |_| None).is_none());
    }
}
