//! What the identity provider says of an account, as one text that changes when it does.

use crate::model::access::Accounts;
use crate::model::facts::{Groups, MEMBERS_BY_USER, Users};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A digest of the account's own facts: its users and the groups that they are in themselves. A
/// group that is renamed, or put into another one, is not a fact of its members.
///
/// # Errors
/// What the store says.
pub fn digest(reader: &impl Read<OrganizationScope>, account: Uuid) -> Result<String, StoreError> {
    let mut digest = Sha256::new();
    let Some(record) = reader.get::<Accounts>(&account)? else {
        return Ok(String::new());
    };
    let mut users = record.users;
    users.sort_unstable();
    for key in users {
        let Some(user) = reader.get::<Users>(&key)? else {
            continue;
        };
        digest.update(key.1);
        digest.update(user.revision.to_be_bytes());
        let mut groups = Vec::new();
        for row in reader.index_scan(&MEMBERS_BY_USER, Range::prefix(&key.1))? {
            let (_, (group, _)) = row?;
            // A row of a group that is gone waits to be ended.
            if reader.contains::<Groups>(&(key.0, group))? {
                groups.push(group);
            }
        }
        groups.sort_unstable();
        for group in groups {
            digest.update(group);
        }
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
