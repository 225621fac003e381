//! The catalogues that an organization has had: each change is a version.

use crate::ledger::Change;
use crate::model::catalogue::{Catalogue, CatalogueVersionRecord, CatalogueVersions, Catalogues};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::json;

/// The version of the present catalogue. 0 where it is the one that the gateway is shipped with, and
/// never was another.
///
/// # Errors
/// What the store says.
pub fn current(reader: &impl Read<OrganizationScope>) -> Result<u64, StoreError> {
    let mut keys = reader.keys::<CatalogueVersions>(Range::all().reverse())?;
    Ok(keys.next().transpose()?.unwrap_or(0))
}

/// Up to `limit` versions, the newest first; those before `before`, where that is said.
///
/// # Errors
/// What the store says.
pub fn list(
    reader: &impl Read<OrganizationScope>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, CatalogueVersionRecord)>, StoreError> {
    let range = Range::all().reverse();
    let range = range.behind(before);
    let rows = reader.scan::<CatalogueVersions>(range)?;
    rows.take(limit).collect()
}

/// Makes this the catalogue; `default` is the version of the default that it is a copy of.
pub(super) fn add(
    change: &mut Change<'_, '_>,
    catalogue: &Catalogue,
    default: Option<u64>,
) -> Result<(), StoreError> {
    let version = current(change.tx)? + 1;
    let record = CatalogueVersionRecord {
        catalogue: catalogue.clone(),
        at: change.at(),
        default,
    };
    change.tx.put::<Catalogues>(&(), catalogue)?;
    change.tx.put::<CatalogueVersions>(&version, &record)?;
    change.event(
        "catalogue.changed",
        json!({ "version": version, "default": default, "catalogue": catalogue }),
    )
}
