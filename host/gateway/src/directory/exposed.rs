//! Accounts that no user claims, shown to a provider as users so that its import finds them, where
//! their directory says so. Only those of verified domains: to others its provider has no right. The
//! id is the account's; the first write to it makes a user of that id.

use super::Directory;
use crate::access::domains;
use crate::model::access::{
    ACCOUNTS_BY_EMAIL, ACCOUNTS_FREE, AccountRecord, AccountStatus, Accounts,
};
use crate::model::facts::{ResourceKey, UserRecord, Users};
use crate::model::people::DOMAINS_VERIFIED;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// How many accounts are shown, in the order of their ids. A listing looks at all of them.
const MOST: usize = 10_000;

/// Accounts that are looked at for one email.
const MOST_ALIKE: usize = 10;

/// The ids of those that are shown, in their order.
pub(super) fn ids(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
) -> Result<Vec<Uuid>, StoreError> {
    if !directory.record.behaviour.expose_unlinked {
        return Ok(Vec::new());
    }
    let mut ids = Vec::new();
    for domain in reader.index_scan(&DOMAINS_VERIFIED, Range::all())? {
        let (domain, _) = domain?;
        let rows = reader.index_scan(&ACCOUNTS_FREE, Range::prefix(&domain))?;
        for row in rows.take(MOST) {
            let (_, id) = row?;
            // The provider wrote to it already, and the directory is not confirmed yet.
            if !reader.contains::<Users>(&(directory.id, id))? {
                ids.push(id);
            }
        }
    }
    ids.sort_unstable();
    ids.truncate(MOST);
    Ok(ids)
}

/// An account as a user of this directory, where it is shown.
pub(super) fn user(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    id: Uuid,
) -> Result<Option<UserRecord>, StoreError> {
    if !directory.record.behaviour.expose_unlinked {
        return Ok(None);
    }
    let Some(account) = reader.get::<Accounts>(&id)? else {
        return Ok(None);
    };
    let shown = account.is_free() && account.status != AccountStatus::Deleted;
    match &account.email {
        Some(email) if shown && domains::is_verified(reader, email)? => {
            Ok(Some(record(id, &account, email)))
        }
        _ => Ok(None),
    }
}

/// The accounts of an email that are shown.
pub(super) fn by_email(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    email: &str,
) -> Result<Vec<ResourceKey>, StoreError> {
    let mut found = Vec::new();
    if !directory.record.behaviour.expose_unlinked {
        return Ok(found);
    }
    let rows = reader.index_scan(&ACCOUNTS_BY_EMAIL, Range::prefix(&email.to_owned()))?;
    for row in rows.take(MOST_ALIKE) {
        let (_, id) = row?;
        if user(reader, directory, id)?.is_some() {
            found.push((directory.id, id));
        }
    }
    Ok(found)
}

fn record(id: Uuid, account: &AccountRecord, email: &str) -> UserRecord {
    let mut document = Map::new();
    document.insert("userName".into(), email.into());
    document.insert(
        "emails".into(),
        json!([{ "value": email, "type": "work", "primary": true }]),
    );
    let active = account.status == AccountStatus::Active;
    document.insert("active".into(), Value::Bool(active));
    UserRecord {
        document,
        terms: Vec::new(),
        account: id,
        created: account.created,
        modified: account.created,
        revision: 0,
    }
}
