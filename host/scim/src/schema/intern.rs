//! Declared schemas as static definitions: see [`declared`](super::declared).

use super::declared::{AttributeDefinition, Declared, SchemaDefinition};
use super::{Attribute, Kind, ResourceType, Schema, Uniqueness};
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// What was interned: all that a directory declares, and each schema, by the text that declares it.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) sets: HashMap<String, Declared>,
    schemas: HashMap<String, &'static Schema>,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

pub(super) fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The extensions of a kind of resource: the RFC's, then those declared.
pub(super) fn list(
    resource: ResourceType,
    declared: Vec<&SchemaDefinition>,
) -> &'static [&'static Schema] {
    if declared.is_empty() {
        return resource.extensions();
    }
    let mut pool = pool();
    let mut list = resource.extensions().to_vec();
    for definition in declared {
        let text = serde_json::to_string(definition).unwrap_or_default();
        let schema = pool.schemas.entry(text);
        list.push(schema.or_insert_with(|| leak(definition)));
    }
    list.leak()
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
