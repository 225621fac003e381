//! What the expansion of [`export!`](crate::export) calls. Not for authors.

use crate::{Description, NamedValue, Problem};
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::{fmt::Write as _, sync::OnceLock};

/// A plugin's one instance, from `configure` on.
pub struct Configured<P>(OnceLock<P>);

impl<P> Configured<P> {
    /// Not configured yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "only a `const` one is of use, for a static"
    )]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Reads the settings and makes the plugin of them.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings; or that there is a configured plugin already, for the
    /// contract has `configure` called once.
    pub fn set<S: DeserializeOwned>(
        &self,
        settings: &str,
        make: fn(S) -> Result<P, Vec<Problem>>,
    ) -> Result<(), Vec<Problem>> {
        let plugin = make(parse(settings).map_err(|problem| vec![problem])?)?;
        self.0
            .set(plugin)
            .map_err(|_| vec![Problem::at("", "`configure` was called a second time")])
    }

    /// The plugin.
    ///
    /// # Panics
    ///
    /// If the host broke the contract and calls before a `configure` that succeeded.
    pub fn get(&self) -> &P {
        self.0
            .get()
            .expect("the contract has `configure` called before anything else")
    }
}

/// What the crate of a plugin says of itself.
pub struct Manifest {
    /// `package.name`.
    pub name: &'static str,
    /// `package.version`.
    pub version: &'static str,
    /// `package.description`.
    pub description: &'static str,
    /// `package.license`; empty if not set, as the two below.
    pub license: &'static str,
    /// `package.authors`, joined by colons.
    pub authors: &'static str,
    /// `package.homepage`.
    pub homepage: &'static str,
}

/// The description of a plugin with settings of type `S`.
#[must_use]
pub fn describe<S: JsonSchema>(manifest: &Manifest) -> Description {
    let extra = [
        ("author", manifest.authors),
        ("homepage", manifest.homepage),
        ("license", manifest.license),
    ];
    Description {
        name: manifest.name.to_owned(),
        version: manifest.version.to_owned(),
        summary: manifest.description.to_owned(),
        settings_schema: SchemaGenerator::default()
            .into_root_schema_for::<S>()
            .as_value()
            .to_string(),
        extra: extra
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| NamedValue {
                name: name.to_owned(),
                value: value.to_owned(),
            })
            .collect(),
    }
}

/// Reads settings, and says where they are wrong.
pub(crate) fn parse<S: DeserializeOwned>(settings: &str) -> Result<S, Problem> {
    // By way of a tree: an error of the text's own reader would name line and column of a text that
    // the host has written, not the administrator.
    let tree: serde_json::Value = serde_json::from_str(settings)
        .map_err(|error| Problem::at("", format!("is not JSON: {error}")))?;
    serde_path_to_error::deserialize(tree)
        .map_err(|error| Problem::at(pointer(error.path()), error.inner().to_string()))
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                // Writing to a string cannot fail.
                _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            // The name of an enum's case stands as a key or value in the JSON already.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::{Configured, Manifest, describe, parse};
    use crate::Problem;
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        /// Who is greeted.
        greeting: String,
        rules: Vec<Rule>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        #[serde(rename = "a/b")]
        level: u8,
    }

    impl Default for Settings {
        fn default() -> Self {
            Self {
                greeting: "hello".to_owned(),
                rules: Vec::new(),
            }
        }
    }

    #[test]
    fn a_problem_names_its_place() {
        let problem = |text| parse::<Settings>(text).unwrap_err();
        assert_eq!(
            problem(r#"{"rules": [{"a/b": 1}, {"a/b": 300}]}"#).pointer,
            "/rules/1/a~1b"
        );
        assert_eq!(problem(r#"{"greting": "x"}"#).pointer, "/greting");
        assert_eq!(problem(r#"{"rules": [{}]}"#).pointer, "/rules/0");
        assert_eq!(problem("[]x").pointer, "");
    }

    #[test]
    fn a_problem_says_what_is_wrong_without_line_and_column() {
        let problem = parse::<Settings>(r#"{"greeting": 3}"#).unwrap_err();
        assert_eq!(
            problem,
            Problem::at("/greeting", "invalid type: integer `3`, expected a string")
        );
    }

    #[test]
    fn is_configured_once_and_only_by_settings_that_are_right() {
        let configured = Configured::<String>::new();
        let make = |settings: Settings| match settings.greeting.as_str() {
            "" => Err(vec![Problem::at("/greeting", "must not be empty")]),
            _ => Ok(settings.greeting),
        };
        assert!(configured.set(r#"{"greeting": ""}"#, make).is_err());
        assert!(configured.set(r#"{"greeting": 1}"#, make).is_err());
        assert_eq!(configured.set("{}", make), Ok(()));
        assert_eq!(configured.get(), "hello");
        assert!(configured.set("{}", make).is_err());
    }

    #[test]
    fn describes_the_settings_by_a_schema_that_refuses_unknown_keys() {
        let description = describe::<Settings>(&Manifest {
            name: "greeter",
            version: "1.2.3",
            description: "Greets.",
            license: "Apache-2.0",
            authors: "",
            homepage: "",
        });
        let schema: serde_json::Value = serde_json::from_str(&description.settings_schema).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(
            schema["properties"]["greeting"]["description"],
            "Who is greeted."
        );
        let extra: Vec<_> = description
            .extra
            .iter()
            .map(|pair| (pair.name.as_str(), pair.value.as_str()))
            .collect();
        assert_eq!(extra, [("license", "Apache-2.0")]);
    }
}
