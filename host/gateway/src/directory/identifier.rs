//! What makes a user of a directory the one that the provider means. Okta looks users up by
//! `filter=userName eq "..."` with the value of whatever field its administrator chose; the
//! directory says which that is.

use super::error::FactError;
use crate::model::facts::{
    ResourceKey, TermKey, USERS_BY_EMAIL, USERS_BY_EXTERNAL_ID, USERS_BY_TERM, UserRecord, Users,
    emails, text,
};
use crate::model::tenancy::UniqueIdentifier;
use gatewright_scim::schema::IndexTerm;
use gatewright_scim::{Filter, Limits, ResourceType};
use gatewright_store::{Index, OrganizationScope, Range, Read, StoreError, Table};
use uuid::Uuid;

/// The filter as the directory means it: where all of it is `userName eq VALUE` and something else
/// identifies users here, VALUE is one of that.
pub(super) fn meant(
    identifier: UniqueIdentifier,
    resource: ResourceType,
    filter: &Filter,
) -> Option<Filter> {
    if identifier == UniqueIdentifier::UserName || resource != ResourceType::User {
        return None;
    }
    let value = filter.only_equality("userName")?;
    let text = format!("{} eq {value}", identifier.attribute());
    // Both are attributes of users with text values, so this is a filter.
    Filter::parse(&text, resource, &Limits::default()).ok()
}

/// Refuses a resource that has a value of a declared, unique attribute which another one has.
pub(super) fn check_terms<T: Table<Scope = OrganizationScope, Key = ResourceKey>>(
    reader: &impl Read<OrganizationScope>,
    index: &'static Index<T, TermKey>,
    key: ResourceKey,
    terms: &[IndexTerm],
) -> Result<(), FactError> {
    for term in terms.iter().filter(|term| term.unique) {
        let wanted = (key.0, term.path.clone(), term.value.clone());
        for row in reader.index_scan(index, Range::prefix(&wanted))? {
            let (_, other) = row?;
            if other != key {
                return Err(FactError::ValueTaken {
                    attribute: term.path.clone(),
                    value: term.value.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Refuses a user whose identifier another user of the directory has, or who has a value of a
/// declared attribute that is another's. Of `userName` that is the
/// index's own to say.
pub(super) fn check(
    reader: &impl Read<OrganizationScope>,
    identifier: UniqueIdentifier,
    key: ResourceKey,
    record: &UserRecord,
) -> Result<(), FactError> {
    let document = &record.document;
    check_terms(reader, &USERS_BY_TERM, key, &record.terms)?;
    match identifier {
        UniqueIdentifier::UserName => Ok(()),
        UniqueIdentifier::ExternalId => {
            let values = text(document, "externalId").map(str::to_owned);
            none_of(reader, identifier, key, &USERS_BY_EXTERNAL_ID, values)
        }
        UniqueIdentifier::Email => {
            none_of(reader, identifier, key, &USERS_BY_EMAIL, emails(document))
        }
    }
}

fn none_of(
    reader: &impl Read<OrganizationScope>,
    identifier: UniqueIdentifier,
    key: ResourceKey,
    index: &'static Index<Users, (Uuid, String)>,
    values: impl IntoIterator<Item = String>,
) -> Result<(), FactError> {
    for value in values {
        let rows = reader.index_scan(index, Range::prefix(&(key.0, value.clone())))?;
        let others: Result<Vec<_>, StoreError> = rows
            .map(|row| row.map(|(_, other)| other))
            .filter(|row| row.as_ref().map_or(true, |other| *other != key))
            .take(1)
            .collect();
        if !others?.is_empty() {
            return Err(FactError::IdentifierTaken {
                attribute: identifier.attribute(),
                value,
            });
        }
    }
    Ok(())
}
