use super::{Attribute, Declared, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};
use crate::Limits;
use serde_json::{Map, Value, json};

/// What `/ServiceProviderConfig` says beyond what this crate knows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFacts {
    /// The largest page of a list.
    pub max_results: usize,
    /// The page of a list whose `count` is not given.
    pub default_results: usize,
    /// How many operations a bulk request may have.
    pub bulk_operations: usize,
    /// How many bytes its body may have.
    pub bulk_body: usize,
    /// Seconds for which a cursor is good.
    pub cursor_seconds: u64,
    /// A page for the people who connect a provider.
    pub documentation_uri: Option<String>,
}

impl Default for ConfigFacts {
    fn default() -> Self {
        Self {
            max_results: Limits::default().max_results,
            default_results: 100,
            bulk_operations: 1_000,
            bulk_body: 16 << 20,
            cursor_seconds: 600,
            documentation_uri: None,
        }
    }
}

/// What `/Schemas` lists (RFC 7643 section 7). `base_url` is the SCIM base without a slash at its
/// end.
#[must_use]
pub fn schemas(declared: Declared, base_url: &str) -> Vec<Value> {
    all(declared)
        .map(|schema| schema_json(schema, base_url))
        .collect()
}

/// What `/Schemas/{id}` is; none for an unknown id. Ids are compared without regard to case.
#[must_use]
pub fn schema(declared: Declared, id: &str, base_url: &str) -> Option<Value> {
    all(declared)
        .find(|schema| schema.id.eq_ignore_ascii_case(id))
        .map(|schema| schema_json(schema, base_url))
}

/// What `/ResourceTypes` lists, each with its name as id (RFC 7643 section 6).
#[must_use]
pub fn resource_types(declared: Declared, base_url: &str) -> Vec<Value> {
    ResourceType::ALL
        .into_iter()
        .map(|resource| {
            let extensions: Vec<Value> = declared
                .extensions(resource)
                .iter()
                .map(|schema| json!({"schema": schema.id, "required": schema.required}))
                .collect();
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": resource.name(),
                "name": resource.name(),
                "description": resource.core().description,
                "endpoint": resource.endpoint(),
                "schema": resource.core().id,
                "schemaExtensions": extensions,
                "meta": {
                    "resourceType": "ResourceType",
                    "location": format!("{base_url}/ResourceTypes/{}", resource.name()),
                },
            })
        })
        .collect()
}

/// What `/ServiceProviderConfig` is (RFC 7643 section 5).
#[must_use]
pub fn service_provider_config(facts: &ConfigFacts, base_url: &str) -> Value {
    let mut config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": facts.bulk_operations,
            "maxPayloadSize": facts.bulk_body,
        },
        "filter": {"supported": true, "maxResults": facts.max_results},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": facts.default_results.min(facts.max_results),
            "maxPageSize": facts.max_results,
            "cursorTimeout": facts.cursor_seconds,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the directory, in the Authorization header (RFC 6750)",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    });
    if let Some(uri) = &facts.documentation_uri {
        config["documentationUri"] = uri.as_str().into();
    }
    config
}

fn all(declared: Declared) -> impl Iterator<Item = &'static Schema> {
    ResourceType::ALL.into_iter().flat_map(move |resource| {
        std::iter::once(resource.core()).chain(declared.extensions(resource).iter().copied())
    })
}

fn schema_json(schema: &Schema, base_url: &str) -> Value {
    let attributes: Vec<Value> = schema.attributes.iter().map(attribute_json).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes,
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base_url}/Schemas/{}", schema.id),
        },
    })
}

fn attribute_json(attribute: &Attribute) -> Value {
    let mut json = Map::new();
    json.insert("name".into(), attribute.name.into());
    json.insert("type".into(), attribute.kind.as_str().into());
    json.insert("multiValued".into(), attribute.multi_valued.into());
    json.insert("description".into(), attribute.description.into());
    json.insert("required".into(), attribute.required.into());
    if !attribute.canonical_values.is_empty() {
        json.insert("canonicalValues".into(), attribute.canonical_values.into());
    }
    if attribute.kind == Kind::Reference {
        json.insert("referenceTypes".into(), attribute.reference_types.into());
    }
    if attribute.kind == Kind::Complex {
        let subs: Vec<Value> = attribute
            .sub_attributes
            .iter()
            .map(attribute_json)
            .collect();
        json.insert("subAttributes".into(), subs.into());
    } else {
        json.insert("caseExact".into(), attribute.case_exact.into());
    }
    let mutability = match attribute.mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    };
    json.insert("mutability".into(), mutability.into());
    let returned = match attribute.returned {
        Returned::Always => "always",
        Returned::Default => "default",
        Returned::Request => "request",
        Returned::Never => "never",
    };
    json.insert("returned".into(), returned.into());
    let uniqueness = match attribute.uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
    };
    json.insert("uniqueness".into(), uniqueness.into());
    Value::Object(json)
}
