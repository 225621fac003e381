//! The schemas that directories declare.

use gatewright_scim::schema::Kind;
use gatewright_scim::{ResourceType, schema};
use gatewright_store::{OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// What cannot change of an attribute that was declared once, since values and index rows of that
/// form may be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its path in the spelling of that time: documents and indexes have it.
    pub path: String,
    /// What kind of resource has it.
    pub resource: ResourceType,
    /// Its type.
    pub kind: Kind,
    /// Whether it holds a list.
    pub multi_valued: bool,
    /// Whether upper and lower case differ.
    pub case_exact: bool,
    /// Whether no two resources have the same value.
    pub unique: bool,
    /// Whether an index finds it.
    pub indexed: bool,
}

impl Form {
    /// The form of an attribute, or of a part of one, of a schema of that kind of resource.
    #[must_use]
    pub fn of(
        resource: ResourceType,
        path: String,
        attribute: &schema::AttributeDefinition,
    ) -> Self {
        let unique = attribute.uniqueness == schema::Uniqueness::Server;
        Self {
            path,
            resource,
            kind: attribute.kind,
            multi_valued: attribute.multi_valued,
            case_exact: attribute.case_exact,
            unique,
            indexed: attribute.indexed || unique,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` (resourceType {}, type {}, multiValued {}, caseExact {}, unique {}, indexed {})",
            self.path,
            self.resource.name(),
            self.kind.as_str(),
            self.multi_valued,
            self.case_exact,
            self.unique,
            self.indexed
        )
    }
}

json_table! {
    /// What a directory declares, as JSON text: equal texts are equal schemas.
    pub struct DeclaredSchemas = 138, "declared schemas", OrganizationScope, Uuid => String;
}
json_table! {
    /// The forms of all attributes that a directory ever declared, by their path in lower case.
    pub struct AttributeForms = 139, "forms of declared attributes", OrganizationScope, Uuid => BTreeMap<String, Form>;
}
