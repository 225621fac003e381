//! The schemas that a directory declares beside those of the RFC.

use super::organizations::TenancyError;
use crate::clock::Timestamp;
use crate::ledger::{Committed, change};
use crate::model::schemas::{AttributeForms, DeclaredSchemas, Form};
use crate::model::spread::Spread;
use crate::model::tenancy::{Directories, DirectoryRecord};
use gatewright_scim::Profile;
use gatewright_scim::schema::{AttributeDefinition, Declared, SchemaDefinition};
use gatewright_store::{Organization, OrganizationScope, Read, StoreError};
use serde_json::json;
use std::collections::BTreeMap;
use tracing::error;
use uuid::Uuid;

/// How what is sent to a directory is read. Costs a read where the directory declares schemas.
///
/// # Errors
/// What the store says.
pub fn profile(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    record: &DirectoryRecord,
) -> Result<Profile, StoreError> {
    let text = match record.has_schemas {
        true => reader.get::<DeclaredSchemas>(&directory)?,
        false => None,
    };
    // What was stored was accepted before. A later version that accepts less must not lock a
    // directory out: it is read without its schemas, and the log says so.
    let declared = text.map(|text| Declared::of_text(&text)).transpose();
    let declared = declared.unwrap_or_else(|refused| {
        error!(%directory, error = %refused, "declared schemas are not understood");
        None
    });
    Ok(Profile {
        declared: declared.unwrap_or_default(),
        unknown: record.behaviour.unknown_attributes,
        strict: record.behaviour.strict,
    })
}

/// What a directory declares.
///
/// # Errors
/// What the store says.
pub fn declared(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
) -> Result<Vec<SchemaDefinition>, StoreError> {
    let text = reader.get::<DeclaredSchemas>(&directory)?;
    let definitions = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(definitions.unwrap_or_default())
}

/// Declares these schemas and no others. Values of what is declared no longer stay stored, unseen,
/// until a resource is replaced: declared again, they are there.
///
/// # Errors
/// Where there is no such directory, or a definition is not acceptable.
pub fn declare(
    organization: &Organization,
    now: Timestamp,
    directory: Uuid,
    definitions: &[SchemaDefinition],
) -> Result<Committed<()>, TenancyError> {
    // Interned when they are used: what is refused below must not stay in memory.
    Declared::check(definitions)?;
    let forms = forms(definitions);
    let text = serde_json::to_string(definitions).unwrap_or_default();
    let ids: Vec<String> = definitions.iter().map(|one| one.id.clone()).collect();
    let done = change(organization, now, move |change| {
        let Some(mut record) = change.tx.get::<Directories>(&directory)? else {
            return Err(TenancyError::NoDirectory(directory));
        };
        let mut known = change
            .tx
            .get::<AttributeForms>(&directory)?
            .unwrap_or_default();
        for (path, (at, form)) in &forms {
            match known.get(path) {
                Some(before) if before != form => {
                    return Err(TenancyError::Form {
                        at: at.clone(),
                        before: before.to_string(),
                    });
                }
                Some(_) => {}
                None => {
                    known.insert(path.clone(), form.clone());
                }
            }
        }
        if change.tx.get::<DeclaredSchemas>(&directory)?.as_ref() == Some(&text) {
            return Ok(());
        }
        change.tx.put::<AttributeForms>(&directory, &known)?;
        change.tx.put::<DeclaredSchemas>(&directory, &text)?;
        if !record.has_schemas {
            record.has_schemas = true;
            change.tx.put::<Directories>(&directory, &record)?;
        }
        change.event(
            "directory.schemas_changed",
            json!({ "directory": directory, "schemas": ids }),
        )?;
        // What policies see of users may be another.
        change.spread(Spread::Everybody)?;
        Ok(())
    })?;
    Ok(done)
}

/// The form of each attribute and of each part, by its path in lower case, with its place.
fn forms(definitions: &[SchemaDefinition]) -> BTreeMap<String, (String, Form)> {
    let mut forms = BTreeMap::new();
    for (index, schema) in definitions.iter().enumerate() {
        let mut note = |prefix: &str, at: &str, list: &[AttributeDefinition]| {
            for (index, attribute) in list.iter().enumerate() {
                let full = format!("{prefix}{}", attribute.name);
                let form = Form::of(schema.resource_type, full, attribute);
                forms.insert(form.path.to_lowercase(), (format!("{at}[{index}]"), form));
            }
        };
        let at = format!("schemas[{index}].attributes");
        note(&format!("{}:", schema.id), &at, &schema.attributes);
        for (index, attribute) in schema.attributes.iter().enumerate() {
            let prefix = format!("{}:{}.", schema.id, attribute.name);
            let at = format!("{at}[{index}].subAttributes");
            note(&prefix, &at, &attribute.sub_attributes);
        }
    }
    forms
}
