//! The way from the formats of older versions to this one's. A step stays here as it was written:
//! databases of its time have to go through it, however the tables have changed since.

use super::access::ACCOUNTS_UNLINKED;
use super::facts::USERS_BY_DISPLAY_NAME;
use super::tenancy::Organizations;
use gatewright_store::{Migration, OrganizationId, Range, Read, StoreError, SystemScope, Writer};

/// All steps, in order: the first leads from format 1 to 2.
pub static MIGRATIONS: &[Migration] = &[
    Migration {
        name: "index users by displayName",
        run: index_display_names,
    },
    Migration {
        name: "index unlinked accounts",
        run: index_unlinked,
    },
];

fn index_display_names(writer: &mut Writer<'_, SystemScope>) -> Result<(), StoreError> {
    for id in organizations(writer)? {
        writer.organization(id).fill(&USERS_BY_DISPLAY_NAME)?;
    }
    Ok(())
}

fn index_unlinked(writer: &mut Writer<'_, SystemScope>) -> Result<(), StoreError> {
    for id in organizations(writer)? {
        writer.organization(id).fill(&ACCOUNTS_UNLINKED)?;
    }
    Ok(())
}

fn organizations(writer: &Writer<'_, SystemScope>) -> Result<Vec<OrganizationId>, StoreError> {
    let ids = writer.keys::<Organizations>(Range::all())?;
    ids.map(|id| id.map(OrganizationId::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::model::facts::{ResourceKey, UserRecord, Users};
    use crate::model::tenancy::OrganizationRecord;
    use gatewright_store::{OrganizationScope, RedbEngine, RedbOptions, Store, json_table};
    use serde_json::json;
    use std::path::Path;
    use std::sync::Arc;
    use uuid::Uuid;

    json_table! {
        /// The users as format 1 had them.
        struct UsersThen = 110, "users", OrganizationScope, ResourceKey => UserRecord;
    }

    fn open(path: &Path, migrations: &'static [Migration]) -> Store {
        let engine = RedbEngine::open(path, RedbOptions::default()).unwrap();
        Store::open_with(Arc::new(engine), migrations).unwrap()
    }

    fn user(document: &serde_json::Value) -> UserRecord {
        UserRecord {
            document: document.as_object().cloned().unwrap_or_default(),
            terms: Vec::new(),
            account: Uuid::nil(),
            created: Timestamp(0),
            modified: Timestamp(0),
            revision: 1,
        }
    }

    #[test]
    fn users_of_the_first_format_are_found_by_display_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        let (organization, directory) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let key = move |number| (directory, Uuid::from_u128(number));
        let store = open(&path, &[]);
        let wrote: Result<(), gatewright_store::WriteError<StoreError>> =
            store.system().write(move |tx| {
                let record = OrganizationRecord {
                    name: "Acme".into(),
                    created: Timestamp(0),
                };
                tx.put::<Organizations>(&organization, &record)?;
                let mut own = tx.organization(organization.into());
                own.put::<UsersThen>(&key(3), &user(&json!({ "displayName": "Ada" })))?;
                own.put::<UsersThen>(&key(4), &user(&json!({ "userName": "no name" })))
            });
        wrote.unwrap();
        drop(store);
        // A second start finds nothing to do.
        for _ in 0..2 {
            let store = open(&path, MIGRATIONS);
            let own = store.organization(organization.into());
            let found = own
                .read()
                .unwrap()
                .index_scan(&USERS_BY_DISPLAY_NAME, Range::all())
                .unwrap()
                .collect::<Result<Vec<_>, _>>()
                .unwrap();
            assert_eq!(found, [((directory, "ada".to_owned()), key(3))]);
        }
        // An entry of the migration is the row's own: it goes with the row.
        let store = open(&path, MIGRATIONS);
        let own = store.organization(organization.into());
        let removed: Result<bool, gatewright_store::WriteError<StoreError>> =
            own.write(move |tx| tx.delete::<Users>(&key(3)));
        assert!(removed.unwrap());
        let left = own
            .read()
            .unwrap()
            .find(&USERS_BY_DISPLAY_NAME, &(directory, "ada".to_owned()));
        assert_eq!(left.unwrap(), None);
    }
}
