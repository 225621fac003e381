//! Versions of resources (RFC 7644 section 3.14): from the revision of the last change of the
//! record, and from what is shown of others' records along with it.

use super::error::FactError;
use super::users::Derived;
use crate::model::facts::{GroupRecord, UserRecord};
use gatewright_scim::Preconditions;
use sha2::{Digest, Sha256};

/// The version of a group. A change of its members changes its record too.
#[must_use]
pub fn of_group(record: &GroupRecord) -> String {
    format!("W/\"{}\"", record.revision)
}

/// The version of a user. What it shows of its groups changes without its record: a digest of that
/// is part of the version.
#[must_use]
pub fn of_user(record: &UserRecord, derived: &Derived) -> String {
    let revision = record.revision;
    match derived.identity() {
        None => format!("W/\"{revision}\""),
        Some(identity) => {
            let digest = Sha256::digest(identity.as_bytes());
            let short = digest
                .first_chunk()
                .map_or(0, |bytes| u64::from_be_bytes(*bytes));
            format!("W/\"{revision}-{short:016x}\"")
        }
    }
}

/// Refuses what the client wants only of a version that the resource does not have.
///
/// # Errors
/// [`FactError::Changed`], and what `version` says.
pub fn check<E: Into<FactError>>(
    conditions: &Preconditions,
    version: impl FnOnce() -> Result<String, E>,
) -> Result<(), FactError> {
    if conditions.is_empty() {
        return Ok(());
    }
    let version = version().map_err(Into::into)?;
    if !conditions.matched(&version) || conditions.known(&version) {
        return Err(FactError::Changed { version });
    }
    Ok(())
}
