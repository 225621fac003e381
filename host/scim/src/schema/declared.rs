//! Schemas that a directory declares beside those of the RFC.
//!
//! They are written as RFC 7643 section 7 writes schemas, so that what `/Schemas` answers can be
//! declared elsewhere; `resourceType` and `indexed`, which it does not show, have to be added. Once
//! checked, a schema is interned: equal declarations are one schema that lives as long as the process,
//! and everything that reads, filters and answers refers to it as it does to those of the RFC. That
//! costs a few kilobytes for each distinct declaration, and only an operator makes one.

use super::{
    Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness, check, intern,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

/// How many schemas a directory may declare.
pub const MOST_SCHEMAS: usize = 20;
/// How many attributes one of them may have, and how many sub-attributes each of these.
pub const MOST_ATTRIBUTES: usize = 100;

/// A schema as it is declared (RFC 7643 section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchemaDefinition {
    /// The URN: up to 200 printable characters of ASCII after `urn:`, not one of the RFC's.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// What it describes.
    #[serde(default)]
    pub description: String,
    /// What kind of resource it extends.
    #[serde(default)]
    pub resource_type: ResourceType,
    /// Whether every resource must have it. If not, its required attributes are asked for only of
    /// those that have others of it.
    #[serde(default)]
    pub required: bool,
    /// The attributes, at least one.
    pub attributes: Vec<AttributeDefinition>,
    /// So that an answer of `/Schemas` can be declared as it is.
    #[serde(default, rename = "schemas", skip_serializing)]
    _schemas: Ignored,
    #[serde(default, rename = "meta", skip_serializing)]
    _meta: Ignored,
}

/// An attribute or sub-attribute as it is declared (RFC 7643 section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeDefinition {
    /// The name: a letter, then letters, digits, `-` and `_` (RFC 7643 section 2.1), up to 100.
    pub name: String,
    /// The type of a value.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// Whether it holds a list of values.
    #[serde(default)]
    pub multi_valued: bool,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// Whether it must have a value.
    #[serde(default)]
    pub required: bool,
    /// Usual values; others are kept too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// Whether upper and lower case differ when values are compared.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may change it. Nobody could set one that is `readOnly`, so there is none.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is in an answer.
    #[serde(default)]
    pub returned: Returned,
    /// Among whom a value is unique. Not for sub-attributes, lists, and what has no index.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// What a reference leads to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<AttributeDefinition>,
    /// Whether an index answers `eq` for it: for attributes of type string, reference and integer.
    /// A unique one always has an index. Gatewright's own; `/Schemas` does not show it.
    #[serde(default)]
    pub indexed: bool,
}

impl SchemaDefinition {
    /// The attribute whose path is that URN.
    fn names(&self, urn: &str) -> Option<&str> {
        let (schema, name) = urn.rsplit_once(':')?;
        let is_ours = schema.eq_ignore_ascii_case(&self.id);
        let mut names = self.attributes.iter().map(|one| one.name.as_str());
        names.find(|one| is_ours && one.eq_ignore_ascii_case(name))
    }
}

/// A field whose value does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Why a declaration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct DeclarationError {
    /// The field, as a path from the list of schemas: `schemas[0].attributes[2].name`.
    pub at: String,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

/// The schemas of one directory, those of the RFC among them. A copy is two pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    users: &'static [&'static Schema],
    groups: &'static [&'static Schema],
}

impl Default for Declared {
    fn default() -> Self {
        Self {
            users: ResourceType::User.extensions(),
            groups: ResourceType::Group.extensions(),
        }
    }
}

impl Declared {
    /// Checks the definitions, and makes nothing of them yet.
    ///
    /// # Errors
    ///
    /// The first definition that cannot be a schema, or that is one too many.
    pub fn check(definitions: &[SchemaDefinition]) -> Result<(), DeclarationError> {
        if definitions.len() > MOST_SCHEMAS {
            return check::wrong("schemas", format!("at most {MOST_SCHEMAS} can be declared"));
        }
        for (index, definition) in definitions.iter().enumerate() {
            let at = format!("schemas[{index}]");
            check::schema(definition, &at)?;
            let twin = |other: &&SchemaDefinition| other.id.eq_ignore_ascii_case(&definition.id);
            if definitions.iter().take(index).any(|other| twin(&other)) {
                return check::wrong(&format!("{at}.id"), "is declared twice".into());
            }
            if let Some(name) = definitions
                .iter()
                .find_map(|other| other.names(&definition.id))
            {
                let what = format!("is what the attribute `{name}` of another schema is called");
                return check::wrong(&format!("{at}.id"), what);
            }
        }
        Ok(())
    }

    /// The schemas of definitions that were accepted before, from their JSON. Costs one look-up for
    /// a text that was seen before.
    ///
    /// # Errors
    ///
    /// Where the text is no JSON of definitions, or one of them is refused.
    pub fn of_text(text: &str) -> Result<Self, DeclarationError> {
        let known = intern::pool().sets.get(text).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let definitions: Vec<SchemaDefinition> =
            serde_json::from_str(text).map_err(|error| DeclarationError {
                at: "schemas".into(),
                what: error.to_string(),
            })?;
        Self::check(&definitions)?;
        let of = |resource: ResourceType| {
            let declared = definitions
                .iter()
                .filter(|one| one.resource_type == resource);
            intern::list(resource, declared.collect())
        };
        let made = Self {
            users: of(ResourceType::User),
            groups: of(ResourceType::Group),
        };
        intern::pool().sets.insert(text.to_owned(), made);
        Ok(made)
    }

    pub(crate) fn extensions(self, resource: ResourceType) -> &'static [&'static Schema] {
        match resource {
            ResourceType::User => self.users,
            ResourceType::Group => self.groups,
        }
    }
}

/// How an index finds a resource by a declared attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexTerm {
    /// The canonical path, with the URN.
    pub path: String,
    /// The value as text; in lower case where the schema does not tell cases apart.
    pub value: String,
    /// Whether no other resource may have it.
    pub unique: bool,
}

impl Attribute {
    /// The term for one value of it, as a top attribute of `schema`; none without an index.
    pub(crate) fn index_term(&self, schema: &Schema, value: &Value) -> Option<IndexTerm> {
        let text = match value {
            Value::String(text) if self.case_exact => text.clone(),
            Value::String(text) => text.to_lowercase(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        self.indexed.then(|| IndexTerm {
            path: format!("{}:{}", schema.id, self.name),
            value: text,
            unique: self.uniqueness == Uniqueness::Server,
        })
    }
}
