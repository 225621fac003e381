//! Schemas that a directory declares beside those of the RFC.
//!
//! They are written as RFC 7643 section 7 writes schemas, so that what `/Schemas` answers can be
//! declared elsewhere. Once checked, a schema is interned: equal declarations are one schema that
//! lives as long as the process, and everything that reads, filters and answers refers to it as it
//! does to those of the RFC. That costs a few kilobytes for each distinct declaration, and only an
//! operator makes one.

use super::{Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

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
    /// Checks the definitions and makes schemas of them.
    ///
    /// # Errors
    ///
    /// The first definition that cannot be a schema, or that is one too many.
    pub fn new(definitions: &[SchemaDefinition]) -> Result<Self, DeclarationError> {
        if definitions.len() > MOST_SCHEMAS {
            return wrong("schemas", format!("at most {MOST_SCHEMAS} can be declared"));
        }
        for (index, definition) in definitions.iter().enumerate() {
            let at = format!("schemas[{index}]");
            check_schema(definition, &at)?;
            let twin = |other: &&SchemaDefinition| other.id.eq_ignore_ascii_case(&definition.id);
            if definitions.iter().take(index).any(|other| twin(&other)) {
                return wrong(&format!("{at}.id"), "is declared twice".into());
            }
        }
        let of = |resource: ResourceType| {
            let declared = definitions
                .iter()
                .filter(|one| one.resource_type == resource);
            intern_list(resource, declared.collect())
        };
        Ok(Self {
            users: of(ResourceType::User),
            groups: of(ResourceType::Group),
        })
    }

    /// The schemas of definitions that were accepted before, from their JSON. Costs one look-up for
    /// a text that was seen before.
    ///
    /// # Errors
    ///
    /// Where the text is no JSON of definitions, or one of them is refused.
    pub fn of_text(text: &str) -> Result<Self, DeclarationError> {
        let known = || pool().sets.get(text).copied();
        if let Some(known) = known() {
            return Ok(known);
        }
        let definitions: Vec<SchemaDefinition> =
            serde_json::from_str(text).map_err(|error| DeclarationError {
                at: "schemas".into(),
                what: error.to_string(),
            })?;
        let made = Self::new(&definitions)?;
        pool().sets.insert(text.to_owned(), made);
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

fn check_schema(definition: &SchemaDefinition, at: &str) -> Result<(), DeclarationError> {
    let id = &definition.id;
    let prefix = |prefix: &str| {
        id.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"()[]{},\\`~".contains(&byte);
    let named = id.len() > 6 && id.len() <= 200 && id.bytes().all(plain) && !id.ends_with(':');
    if !prefix("urn:") || !named {
        let what = "must be a URN of at most 200 characters, such as \
                    `urn:example:params:scim:schemas:extension:acme:2.0:User`";
        return wrong(&format!("{at}.id"), what.into());
    }
    if prefix("urn:ietf:params:scim:schemas:core:")
        || prefix("urn:ietf:params:scim:schemas:extension:enterprise:")
        || prefix("urn:ietf:params:scim:api:")
    {
        let what = "is the RFC's own and cannot be declared; choose a URN of yours";
        return wrong(&format!("{at}.id"), what.into());
    }
    check_text(&definition.name, 1, 200, &format!("{at}.name"))?;
    check_text(
        &definition.description,
        0,
        1_000,
        &format!("{at}.description"),
    )?;
    check_attributes(&definition.attributes, &format!("{at}.attributes"), false)
}

fn check_attributes(
    attributes: &[AttributeDefinition],
    at: &str,
    within: bool,
) -> Result<(), DeclarationError> {
    if attributes.is_empty() || attributes.len() > MOST_ATTRIBUTES {
        return wrong(
            at,
            format!("must be from 1 to {MOST_ATTRIBUTES} attributes"),
        );
    }
    for (index, attribute) in attributes.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let twin = |other: &AttributeDefinition| other.name.eq_ignore_ascii_case(&attribute.name);
        if attributes.iter().take(index).any(twin) {
            return wrong(&format!("{at}.name"), "is there twice".into());
        }
        check_attribute(attribute, &at, within)?;
    }
    Ok(())
}

fn check_attribute(
    attribute: &AttributeDefinition,
    at: &str,
    within: bool,
) -> Result<(), DeclarationError> {
    let name = attribute.name.as_str();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let is_name = begins && name.len() <= 100 && name.bytes().all(letters);
    let is_ref = within && name == "$ref";
    if !(is_name || is_ref) {
        let what = "must be a letter and up to 99 letters, digits, `-` and `_`";
        return wrong(&format!("{at}.name"), what.into());
    }
    check_text(
        &attribute.description,
        0,
        1_000,
        &format!("{at}.description"),
    )?;
    if attribute.mutability == Mutability::ReadOnly {
        let what = "must be readWrite, immutable or writeOnly: nobody could set a readOnly one";
        return wrong(&format!("{at}.mutability"), what.into());
    }
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        let what = "must be `never` where `mutability` is `writeOnly`";
        return wrong(&format!("{at}.returned"), what.into());
    }
    let is_complex = attribute.kind == Kind::Complex;
    let parts = format!("{at}.subAttributes");
    match (is_complex, within) {
        (true, true) => {
            let what = "must not be complex: a complex attribute has simple parts";
            return wrong(&format!("{at}.type"), what.into());
        }
        (true, false) => check_attributes(&attribute.sub_attributes, &parts, true)?,
        (false, _) if !attribute.sub_attributes.is_empty() => {
            return wrong(&parts, "are for attributes of type complex alone".into());
        }
        (false, _) => {}
    }
    let has_index = matches!(
        attribute.kind,
        Kind::String | Kind::Reference | Kind::Integer
    ) && !within;
    if attribute.uniqueness == Uniqueness::Server && (!has_index || attribute.multi_valued) {
        let what =
            "can be `server` for a single string, reference or integer at the top of a schema";
        return wrong(&format!("{at}.uniqueness"), what.into());
    }
    if attribute.indexed && !has_index {
        let what = "can be true for strings, references and integers at the top of a schema";
        return wrong(&format!("{at}.indexed"), what.into());
    }
    Ok(())
}

fn check_text(text: &str, least: usize, most: usize, at: &str) -> Result<(), DeclarationError> {
    let count = text.chars().count();
    if (least..=most).contains(&count) {
        return Ok(());
    }
    wrong(at, format!("must have from {least} to {most} characters"))
}

fn wrong<T>(at: &str, what: String) -> Result<T, DeclarationError> {
    let at = at.to_owned();
    Err(DeclarationError { at, what })
}

/// What was interned, by its declaration's text.
#[derive(Default)]
struct Pool {
    sets: HashMap<String, Declared>,
    schemas: HashMap<String, &'static Schema>,
    lists: HashMap<(ResourceType, Vec<String>), &'static [&'static Schema]>,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The extensions of a kind of resource: the RFC's, then those declared.
fn intern_list(
    resource: ResourceType,
    declared: Vec<&SchemaDefinition>,
) -> &'static [&'static Schema] {
    if declared.is_empty() {
        return resource.extensions();
    }
    let text = |one: &&SchemaDefinition| serde_json::to_string(one).unwrap_or_default();
    let texts: Vec<String> = declared.iter().map(text).collect();
    let mut pool = pool();
    let key = (resource, texts);
    if let Some(known) = pool.lists.get(&key) {
        return known;
    }
    let mut list = resource.extensions().to_vec();
    for (definition, text) in declared.into_iter().zip(&key.1) {
        let schema = pool
            .schemas
            .entry(text.clone())
            .or_insert_with(|| leak(definition));
        list.push(schema);
    }
    let list: &'static [&'static Schema] = list.leak();
    pool.lists.insert(key, list);
    list
}

fn leak(definition: &SchemaDefinition) -> &'static Schema {
    Box::leak(Box::new(Schema {
        id: leak_text(&definition.id),
        name: leak_text(&definition.name),
        description: leak_text(&definition.description),
        required: definition.required,
        attributes: leak_attributes(&definition.attributes),
    }))
}

fn leak_attributes(attributes: &[AttributeDefinition]) -> &'static [Attribute] {
    let made = |one: &AttributeDefinition| Attribute {
        name: leak_text(&one.name),
        kind: one.kind,
        multi_valued: one.multi_valued,
        required: one.required,
        case_exact: one.case_exact,
        mutability: one.mutability,
        returned: one.returned,
        uniqueness: one.uniqueness,
        canonical_values: leak_texts(&one.canonical_values),
        reference_types: if one.kind == Kind::Reference && one.reference_types.is_empty() {
            &["uri"]
        } else {
            leak_texts(&one.reference_types)
        },
        sub_attributes: leak_attributes(&one.sub_attributes),
        indexed: one.indexed || one.uniqueness == Uniqueness::Server,
        description: leak_text(&one.description),
    };
    attributes.iter().map(made).collect::<Vec<_>>().leak()
}

fn leak_texts(texts: &[String]) -> &'static [&'static str] {
    let texts: Vec<&'static str> = texts.iter().map(|text| leak_text(text)).collect();
    texts.leak()
}

fn leak_text(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
