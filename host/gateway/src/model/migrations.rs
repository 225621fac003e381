//! The way from the formats of older versions to this one's. A step stays here as it was written:
//! databases of its time have to go through it, however the tables have changed since.

use super::access::{ACCOUNTS_UNLINKED, ASSIGNMENTS_BY_GRANT, Assignments, GrantKind};
use super::facts::USERS_BY_DISPLAY_NAME;
use super::guard::{Holders, SeatsTaken};
use super::tenancy::Organizations;
use gatewright_store::{
    Index, Key, Migration, OrganizationId, OrganizationScope, Range, Read, StoreError, SystemScope,
    Table, Writer,
};
use std::collections::HashMap;
use uuid::Uuid;

/// All steps, in order: the first leads from format 1 to 2.
pub static MIGRATIONS: &[Migration] = &[
    Migration {
        name: "index users by displayName",
        run: |writer| index(writer, &USERS_BY_DISPLAY_NAME),
    },
    Migration {
        name: "index assignments by what is granted",
        run: |writer| index(writer, &ASSIGNMENTS_BY_GRANT),
    },
    Migration {
        name: "index unlinked accounts",
        run: |writer| index(writer, &ACCOUNTS_UNLINKED),
    },
    Migration {
        name: "count seats",
        run: count_grants,
    },
];

fn organizations(writer: &Writer<'_, SystemScope>) -> Result<Vec<Uuid>, StoreError> {
    writer.keys::<Organizations>(Range::all())?.collect()
}

/// The guards ask how many have a seat.
fn count_grants(writer: &mut Writer<'_, SystemScope>) -> Result<(), StoreError> {
    for id in organizations(writer)? {
        let mut own = writer.organization(OrganizationId::from(id));
        let mut seats: HashMap<String, u64> = HashMap::new();
        let mut holders = 0;
        for row in own.scan::<Assignments>(Range::all())? {
            let (_, assignment) = row?;
            holders += u64::from(!assignment.grants.is_empty());
            for grant in assignment.grants {
                if grant.kind == GrantKind::Seat {
                    *seats.entry(grant.name).or_default() += 1;
                }
            }
        }
        own.put::<Holders>(&(), &holders)?;
        for (seat, taken) in seats {
            own.put::<SeatsTaken>(&seat, &taken)?;
        }
    }
    Ok(())
}

/// Gives an index its entries in all organizations.
fn index<T: Table<Scope = OrganizationScope>, K: Key>(
    writer: &mut Writer<'_, SystemScope>,
    index: &'static Index<T, K>,
) -> Result<(), StoreError> {
    for id in organizations(writer)? {
        writer.organization(OrganizationId::from(id)).fill(index)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::model::access::Accounts;
    use crate::model::facts::{ResourceKey, UserRecord, Users};
    use crate::model::tenancy::OrganizationRecord;
    use gatewright_store::{OrganizationScope, RedbEngine, RedbOptions, Store, json_table};
    use serde_json::json;
    use std::path::Path;
    use std::sync::Arc;

    json_table! {
        /// The users as format 1 had them.
        struct UsersThen = 110, "users", OrganizationScope, ResourceKey => UserRecord;
    }

    fn open(path: &Path, migrations: &'static [Migration]) -> Store {
        let engine = RedbEngine::open(path, RedbOptions::default()).unwrap();
        Store::open_with(Arc::new(engine), migrations).unwrap()
    }

    const ACME: Uuid = Uuid::from_u128(1);

    /// An organization as an older version left it.
    fn acme(
        path: &Path,
        migrations: &'static [Migration],
        fill: impl Fn(&mut Writer<'_, OrganizationScope>) -> Result<(), StoreError>
        + Send
        + Sync
        + 'static,
    ) {
        let store = open(path, migrations);
        let wrote: Result<(), gatewright_store::WriteError<StoreError>> =
            store.system().write(move |tx| {
                let record = OrganizationRecord {
                    name: "Acme".into(),
                    created: Timestamp(0),
                };
                tx.put::<Organizations>(&ACME, &record)?;
                fill(&mut tx.organization(ACME.into()))
            });
        wrote.unwrap();
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

    json_table! {
        /// The assignments as format 2 had them.
        struct AssignmentsThen = 121, "assignments", OrganizationScope, Uuid => serde_json::Value;
    }

    #[test]
    fn owners_and_seats_of_the_second_format_are_found_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        acme(&path, &MIGRATIONS[..1], move |own| {
            for number in 1..=3_u128 {
                let grants = json!([
                    { "kind": "base-role", "name": "Owner", "reason": "", "mapping_entry": null, "since": 1 },
                    { "kind": "seat", "name": "viewer", "reason": "", "mapping_entry": null, "since": 1 },
                ]);
                let then =
                    json!({ "grants": grants, "decided": 1, "revision": 1, "ask_again": null });
                own.put::<AssignmentsThen>(&Uuid::from_u128(number), &then)?;
            }
            Ok(())
        });
        let store = open(&path, MIGRATIONS);
        let reader = store.organization(ACME.into()).read().unwrap();
        let owners = reader
            .index_scan(
                &ASSIGNMENTS_BY_GRANT,
                Range::prefix(&(GrantKind::BaseRole as u8, "Owner".to_owned())),
            )
            .unwrap();
        assert_eq!(owners.count(), 3);
        assert_eq!(reader.get::<Holders>(&()).unwrap(), Some(3));
        let taken = reader.get::<SeatsTaken>(&"viewer".to_owned()).unwrap();
        assert_eq!(taken, Some(3));
    }

    json_table! {
        /// The accounts as format 3 had them.
        struct AccountsThen = 120, "accounts", OrganizationScope, Uuid => serde_json::Value;
    }

    #[test]
    fn accounts_of_the_third_format_that_nobody_claims_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        let [claimed, unlinked, later] = [2, 3, 4].map(Uuid::from_u128);
        let account = |users: serde_json::Value| {
            json!({
                "users": users, "status": "active", "status_reason": "", "created": 1, "label": "x",
            })
        };
        let user = account(json!([[Uuid::from_u128(9), Uuid::from_u128(8)]]));
        let nobodys = account(json!([]));
        acme(&path, &MIGRATIONS[..2], move |own| {
            own.put::<AccountsThen>(&claimed, &user)?;
            own.put::<AccountsThen>(&unlinked, &nobodys)
        });
        let store = open(&path, MIGRATIONS);
        let own = store.organization(ACME.into());
        let found = || -> Vec<Uuid> {
            let reader = own.read().unwrap();
            let rows = reader.index_scan(&ACCOUNTS_UNLINKED, Range::all()).unwrap();
            rows.map(|row| row.unwrap().1).collect()
        };
        assert_eq!(found(), [unlinked]);
        // From then on the rows keep it: one is claimed, another comes.
        let moved: Result<(), gatewright_store::WriteError<StoreError>> = own.write(move |tx| {
            let mut account = tx.get::<Accounts>(&unlinked)?.unwrap();
            tx.put::<Accounts>(&later, &account)?;
            account.users.push((Uuid::from_u128(9), Uuid::from_u128(7)));
            tx.put::<Accounts>(&unlinked, &account)
        });
        moved.unwrap();
        assert_eq!(found(), [later]);
    }

    #[test]
    fn users_of_the_first_format_are_found_by_display_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        let directory = Uuid::from_u128(2);
        let key = move |number| (directory, Uuid::from_u128(number));
        acme(&path, &[], move |own| {
            own.put::<UsersThen>(&key(3), &user(&json!({ "displayName": "Ada" })))?;
            own.put::<UsersThen>(&key(4), &user(&json!({ "userName": "no name" })))
        });
        // A second start finds nothing to do.
        for _ in 0..2 {
            let store = open(&path, MIGRATIONS);
            let own = store.organization(ACME.into());
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
        let own = store.organization(ACME.into());
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
