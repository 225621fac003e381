//! Deleted users. To every client they do not exist; for a retention time they are kept, so that a
//! person whom the provider creates again is the same one as before.

use super::error::FactError;
use super::users::{self, StoredUser};
use super::{Directory, identifier};
use crate::access::standing::Phases;
use crate::access::{accounts, links};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::Accounts;
use crate::model::facts::{
    Counted, DELETED_BY_EXPIRY, DELETED_BY_EXTERNAL_ID, DeletedUserRecord, DeletedUsers,
    ResourceKey, UserRecord, Users, text,
};
use crate::model::tenancy::LinkBy;
use gatewright_scim::ResourceType;
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use serde_json::json;
use std::cmp::Reverse;
use uuid::Uuid;

/// Deleted users that are forgotten in one step: some rows each.
const STEP: usize = 100;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Keeps a user that was just deleted, for so many days; for none, not at all.
///
/// # Errors
/// What the store says.
pub(super) fn keep(
    change: &mut Change<'_, '_>,
    key: ResourceKey,
    record: UserRecord,
    days: u32,
) -> Result<(), StoreError> {
    if days == 0 {
        return Ok(());
    }
    let deleted = DeletedUserRecord {
        record,
        deleted: change.at(),
        expires: change.at().plus(u64::from(days) * DAY_MS),
    };
    change.tx.put::<DeletedUsers>(&key, &deleted)
}

/// Takes out the deleted user that the provider means by this `externalId`: the one deleted last, if
/// it is still kept. An equal `userName` is no sign: names are given to other people.
///
/// # Errors
/// What the store says.
pub(super) fn take(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    external_id: Option<&str>,
) -> Result<Option<(ResourceKey, UserRecord)>, StoreError> {
    let Some(external_id) = external_id else {
        return Ok(None);
    };
    let wanted = (directory, external_id.to_owned());
    let mut found = Vec::new();
    for row in change
        .tx
        .index_scan(&DELETED_BY_EXTERNAL_ID, Range::prefix(&wanted))?
    {
        let (_, key) = row?;
        if let Some(deleted) = change.tx.get::<DeletedUsers>(&key)?
            && deleted.expires > change.at()
        {
            found.push((key, deleted));
        }
    }
    let newest = found
        .into_iter()
        .min_by_key(|(_, deleted)| Reverse(deleted.deleted));
    let Some((key, deleted)) = newest else {
        return Ok(None);
    };
    change.tx.delete::<DeletedUsers>(&key)?;
    Ok(Some((key, deleted.record)))
}

/// Restores a deleted user as it was when it was deleted. Its memberships and seats do not come
/// back: they are the provider's and the policies' to give.
///
/// # Errors
/// Where no such user is kept, or what makes it unique belongs to another user by now.
pub fn restore(
    directory: &Directory,
    now: Timestamp,
    id: &str,
) -> Result<Committed<StoredUser>, FactError> {
    let key = (directory.id, users::key(ResourceType::User, id)?);
    let identifier = directory.record.behaviour.unique_identifier;
    let link_by = directory.record.behaviour.link_by;
    let shape = directory.profile.shape(ResourceType::User);
    let id = id.to_owned();
    let restored = change(&directory.organization, now, move |change| {
        let kept = change.tx.get::<DeletedUsers>(&key)?;
        let Some(kept) = kept.filter(|kept| kept.expires > change.at()) else {
            return Err(FactError::NotFound {
                resource: ResourceType::User,
                id: id.clone(),
            });
        };
        change.tx.delete::<DeletedUsers>(&key)?;
        let record = UserRecord {
            terms: shape.index_terms(&kept.record.document, &kept.record.terms),
            modified: change.at(),
            revision: change.revision(),
            ..kept.record
        };
        identifier::check(change.tx, identifier, key, &record)?;
        let phases = Phases::read(change.tx)?;
        let record = bring_back(change, &phases, link_by, key, record)?;
        Ok(StoredUser { id: key.1, record })
    })?;
    Ok(restored)
}

/// Stores a user that was deleted, and links its account to it again. One that had none, because its
/// directory was not in force, is linked as a new user is.
pub(super) fn bring_back(
    change: &mut Change<'_, '_>,
    phases: &Phases,
    link_by: LinkBy,
    key: ResourceKey,
    mut record: UserRecord,
) -> Result<UserRecord, FactError> {
    let label = text(&record.document, "userName")
        .unwrap_or_default()
        .to_owned();
    users::put(change, key, &record, &label)?;
    users::count(change, Counted::Users, key.0, 1)?;
    let account = change.tx.get::<Accounts>(&record.account)?;
    let its_own = account.is_some_and(|account| {
        let of_directory = |(directory, _): &ResourceKey| *directory == key.0;
        !account.free && !account.users.iter().any(of_directory)
    });
    if its_own {
        accounts::reopen(change, record.account, key, &label)?;
    } else {
        links::settle(change, phases, link_by, key)?;
        if let Some(linked) = change.tx.get::<Users>(&key)? {
            record = linked;
        }
    }
    change.event("user.restored", users::event(key, &record))?;
    Ok(record)
}

/// The deleted users of a directory that are still kept, in the order of their ids, from behind
/// `after`.
///
/// # Errors
/// What the store says.
pub fn list(
    reader: &Reader<OrganizationScope>,
    directory: Uuid,
    after: Option<Uuid>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(Uuid, DeletedUserRecord)>, StoreError> {
    let range = Range::prefix(&directory);
    let range = range.behind(after.map(|after| (directory, after)));
    let rows = reader.scan::<DeletedUsers>(range)?;
    rows.map(|row| row.map(|((_, id), deleted)| (id, deleted)))
        .filter(|row| row.as_ref().map_or(true, |(_, kept)| kept.expires > now))
        .take(limit)
        .collect()
}

/// Erases deleted users whose time is over, a part of them. Answers whether there were any.
///
/// # Errors
/// What the store says.
pub fn forget(organization: &Organization, now: Timestamp) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    let due = expired(&reader, now).map_err(WriteError::Aborted)?;
    drop(reader);
    if due.is_empty() {
        return Ok(false);
    }
    change(organization, now, move |change| {
        for key in &due {
            change.tx.delete::<DeletedUsers>(key)?;
            change.event("user.erased", json!({ "directory": key.0, "user": key.1 }))?;
        }
        Ok(())
    })?;
    Ok(true)
}

fn expired(
    reader: &Reader<OrganizationScope>,
    now: Timestamp,
) -> Result<Vec<ResourceKey>, StoreError> {
    let rows = reader.index_scan(&DELETED_BY_EXPIRY, Range::all())?;
    rows.take(STEP)
        .take_while(|row| row.as_ref().map_or(true, |(at, _)| *at <= now.0))
        .map(|row| row.map(|(_, key)| key))
        .collect()
}

/// When the next deleted user is to be erased.
///
/// # Errors
/// What the store says.
pub fn next_expiry(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let first = reader.index_scan(&DELETED_BY_EXPIRY, Range::all())?.next();
    Ok(first.transpose()?.map(|(at, _)| Timestamp(at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Random;
    use crate::directory::Moment;
    use crate::model::plugins::PluginRef;
    use crate::model::tenancy::{Behaviour, DirectoryRecord, Phase};
    use gatewright_scim::{Preconditions, Profile, User};
    use gatewright_store::{OrganizationId, RedbEngine, RedbOptions, Store};
    use serde_json::Value;
    use std::sync::Arc;

    fn create(directory: &Directory, now: Timestamp) -> Uuid {
        let moment = Moment {
            now,
            random: Random::system(),
            request: None,
        };
        let user = User::parse(
            json!({ "userName": "ada", "externalId": "1" }),
            Profile::default(),
        )
        .unwrap();
        users::create(directory, &moment, user.resource)
            .unwrap()
            .value
            .id
    }

    fn delete(directory: &Directory, now: Timestamp, id: Uuid) {
        let moment = Moment {
            now,
            random: Random::system(),
            request: None,
        };
        let any = Preconditions::default();
        users::delete(directory, &moment, &id.to_string(), &any).unwrap();
    }

    #[test]
    fn a_deleted_user_is_kept_until_its_time_is_over_and_then_erased() {
        let folder = tempfile::tempdir().unwrap();
        let engine =
            RedbEngine::open(&folder.path().join("x.redb"), RedbOptions::default()).unwrap();
        let store = Store::open(Arc::new(engine)).unwrap();
        let organization = store.organization(OrganizationId::from(Uuid::from_u128(1)));
        let directory = Directory {
            organization: organization.clone(),
            id: Uuid::from_u128(2),
            record: DirectoryRecord {
                name: "Okta".into(),
                provider: PluginRef {
                    digest: String::new(),
                    settings: Value::Null,
                },
                previous_provider: None,
                behaviour: Behaviour {
                    keep_deleted_days: 7,
                    ..Behaviour::default()
                },
                has_schemas: false,
                phase: Phase::Enforcing,
                created: Timestamp(0),
            },
            profile: Profile::default(),
            names: None,
        };
        let day = |days: u64| Timestamp(1_000).plus(days * DAY_MS);
        let kept = |now| {
            let reader = organization.read().unwrap();
            list(&reader, directory.id, None, now, 10).unwrap().len()
        };
        let id = create(&directory, day(0));
        delete(&directory, day(1), id);
        assert_eq!(
            next_expiry(&organization.read().unwrap()).unwrap(),
            Some(day(8))
        );
        assert!(!forget(&organization, day(7)).unwrap());
        assert_eq!(create(&directory, day(7)), id, "the same person");

        delete(&directory, day(10), id);
        assert_eq!((kept(day(16)), kept(day(17))), (1, 0));
        // Nobody has erased it yet, but its time is over.
        let other = create(&directory, day(17));
        assert_ne!(other, id);
        assert!(restore(&directory, day(17), &id.to_string()).is_err());
        assert!(forget(&organization, day(17)).unwrap());
        assert!(!forget(&organization, day(17)).unwrap());
        let reader = organization.read().unwrap();
        assert_eq!(
            reader.scan::<DeletedUsers>(Range::all()).unwrap().count(),
            0
        );
        assert_eq!(next_expiry(&reader).unwrap(), None);
    }
}
