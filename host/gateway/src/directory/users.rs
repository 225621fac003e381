//! Users: create, replace, patch, delete, and how they look.

use super::error::FactError;
use super::membership::{self, GroupOf, Left, Memberships, Who};
use super::{Directory, Moment, deleted, exposed, identifier, inherited, phases, version};
use crate::access::accounts;
use crate::access::links::{self, Match};
use crate::access::standing::Phases;
use crate::ledger::{Change, Committed, change};
use crate::model::facts::{
    Counted, Counters, ResourceKey, USERS_BY_NAME, UserRecord, Users, is_active, text,
};
use gatewright_scim::{
    GroupRef, ManagerRef, Meta, Preconditions, ResourceType, User, UserPatch, manager_id,
};
use gatewright_store::{AnyIndex, OrganizationScope, Read, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

/// A user as it is stored.
#[derive(Clone, Debug)]
pub struct StoredUser {
    /// The SCIM `id`.
    pub id: Uuid,
    /// The rest.
    pub record: UserRecord,
}

/// Creates a user, and links it to its account where its directory is in force; or brings back the user that was deleted, with its id and its
/// account, where the `externalId` says that it is the same person.
///
/// # Errors
/// Where another user has the user name, or what else identifies users in this directory, or a
/// required attribute is missing.
pub fn create(
    directory: &Directory,
    moment: &Moment,
    user: User,
) -> Result<Committed<StoredUser>, FactError> {
    user.check_required(directory.profile)?;
    let key = (directory.id, moment.random.id(moment.now));
    let account = moment.random.id(moment.now);
    let label = user.user_name().to_owned();
    let document = user.into_map();
    let shape = directory.profile.shape(ResourceType::User);
    let terms = shape.index_terms(&document, &[]);
    let identifier = directory.record.behaviour.unique_identifier;
    let link_by = directory.record.behaviour.link_by;
    let created = change(&directory.organization, moment, move |change| {
        let phases = Phases::read(change.tx)?;
        phases::arrived(change, key.0, phases.of(key.0))?;
        if let Some((key, before)) = deleted::take(change, key.0, text(&document, "externalId"))? {
            let record = UserRecord {
                document: document.clone(),
                terms: terms.clone(),
                modified: change.at(),
                revision: change.revision(),
                ..before
            };
            identifier::check(change.tx, identifier, key, &record)?;
            let record = deleted::bring_back(change, &phases, link_by, key, record)?;
            return Ok(StoredUser { id: key.1, record });
        }
        let mut record = UserRecord {
            document: document.clone(),
            terms: terms.clone(),
            account,
            created: change.at(),
            modified: change.at(),
            revision: change.revision(),
        };
        identifier::check(change.tx, identifier, key, &record)?;
        let found = match phases.in_force(key.0) {
            true => Some(links::find(change.tx, &phases, link_by, key, &record)?),
            false => None,
        };
        if let Some(Match::Account(account)) = found {
            record.account = account;
        }
        put(change, key, &record, &label)?;
        count(change, Counted::Users, key.0, 1)?;
        match &found {
            Some(found) => links::apply(change, key, &record, found)?,
            None => change.moved(key.1)?,
        }
        change.event("user.created", event(key, &record))?;
        Ok::<_, FactError>(StoredUser { id: key.1, record })
    })?;
    Ok(created)
}

/// Replaces a user's document (RFC 7644 section 3.5.1).
///
/// # Errors
/// Where there is no such user or none of the version asked for, another one has the user name, or
/// an attribute that is set once is given another value.
pub fn replace(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    user: User,
) -> Result<Committed<StoredUser>, FactError> {
    let profile = directory.profile;
    update(directory, moment, id, conditions, move |before| {
        Ok(before.replaced_by(user.clone(), profile)?)
    })
}

/// Applies a patch, all of it or nothing (RFC 7644 section 3.5.2).
///
/// # Errors
/// Where there is no such user or none of the version asked for, or the patch cannot be applied.
pub fn patch(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    patch: UserPatch,
) -> Result<Committed<StoredUser>, FactError> {
    update(directory, moment, id, conditions, move |user| {
        Ok(patch.apply(user)?.resource)
    })
}

fn update(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
    change_document: impl Fn(&User) -> Result<User, FactError> + Send + 'static,
) -> Result<Committed<StoredUser>, FactError> {
    let key = (directory.id, key(ResourceType::User, id)?);
    let id = id.to_owned();
    let identifier = directory.record.behaviour.unique_identifier;
    let shape = directory.profile.shape(ResourceType::User);
    let conditions = conditions.clone();
    let entered = directory.clone();
    let updated = change(&directory.organization, moment, move |change| {
        let stored = change.tx.get::<Users>(&key)?;
        // What is written to becomes a user, also where nothing of it changes.
        let shown = match stored {
            Some(_) => None,
            None => exposed::user(change.tx, &entered, key.1)?,
        };
        let is_new = shown.is_some();
        let Some(mut record) = stored.or(shown) else {
            return Err(FactError::NotFound {
                resource: ResourceType::User,
                id: id.clone(),
            });
        };
        check(change.tx, &conditions, key, &record)?;
        let before = User::from_stored(record.document.clone());
        let after = change_document(&before)?;
        if after.as_map() == &record.document && !is_new {
            return Ok(StoredUser { id: key.1, record });
        }
        let label = after.user_name().to_owned();
        record.document = after.into_map();
        record.terms = shape.index_terms(&record.document, &record.terms);
        identifier::check(change.tx, identifier, key, &record)?;
        record.modified = change.at();
        record.revision = change.revision();
        put(change, key, &record, &label)?;
        if is_new {
            let phases = Phases::read(change.tx)?;
            phases::arrived(change, key.0, phases.of(key.0))?;
            count(change, Counted::Users, key.0, 1)?;
            change.event("user.created", event(key, &record))?;
            let link_by = entered.record.behaviour.link_by;
            links::settle(change, &phases, link_by, key)?;
        } else {
            change.event("user.updated", event(key, &record))?;
            accounts::user_changed(change, record.account, key, &label)?;
        }
        Ok(StoredUser { id: key.1, record })
    })?;
    Ok(updated)
}

/// Deletes a user. Its account stays, without access; what it had is for the policies to say. The
/// user itself is kept for as long as the directory says, in case that it comes back.
///
/// # Errors
/// Where there is no such user, or none of the version asked for.
pub fn delete(
    directory: &Directory,
    moment: &Moment,
    id: &str,
    conditions: &Preconditions,
) -> Result<Committed<()>, FactError> {
    let key = (directory.id, key(ResourceType::User, id)?);
    let id = id.to_owned();
    let keep_days = directory.record.behaviour.keep_deleted_days;
    let conditions = conditions.clone();
    let deleted = change(&directory.organization, moment, move |change| {
        let Some(record) = change.tx.get::<Users>(&key)? else {
            return Err(FactError::NotFound {
                resource: ResourceType::User,
                id: id.clone(),
            });
        };
        check(change.tx, &conditions, key, &record)?;
        for group in Memberships::new(change.tx).direct(key)? {
            let left = Left {
                group: group.id,
                name: &group.name,
                external_id: group.external_id.as_deref(),
            };
            let leaver = membership::end(change, key, &left, change.at())?;
            inherited::users_left(change, (key.0, group.id), leaver.as_slice())?;
            let (nobody, gone) = (Who::default(), Who::user(key.1));
            membership::report(change, (key.0, group.id), &group.name, &nobody, &gone)?;
            membership::touch(change, (key.0, group.id))?;
        }
        change.tx.delete::<Users>(&key)?;
        count(change, Counted::Users, key.0, -1)?;
        let mut data = event(key, &record);
        data["active"] = false.into();
        change.event("user.deleted", data)?;
        accounts::user_deleted(change, record.account, key)?;
        deleted::keep(change, key, record, keep_days)?;
        Ok(())
    })?;
    Ok(deleted)
}

/// One user.
///
/// # Errors
/// Where there is no such user.
pub fn get(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    id: &str,
) -> Result<StoredUser, FactError> {
    let uuid = key(ResourceType::User, id)?;
    match stored(reader, directory, uuid)? {
        Some(record) => Ok(StoredUser { id: uuid, record }),
        None => Err(FactError::NotFound {
            resource: ResourceType::User,
            id: id.to_owned(),
        }),
    }
}

/// A user, or an account that its directory shows as one.
pub(super) fn stored(
    reader: &impl Read<OrganizationScope>,
    directory: &Directory,
    id: Uuid,
) -> Result<Option<UserRecord>, StoreError> {
    match reader.get::<Users>(&(directory.id, id))? {
        Some(record) => Ok(Some(record)),
        None => exposed::user(reader, directory, id),
    }
}

/// What a user shows of other records.
#[derive(Default)]
pub struct Derived {
    groups: Vec<GroupOf>,
    manager: Option<(Uuid, Option<String>)>,
}

impl Derived {
    /// Reads it: costs what the user has of groups, and one read for a manager.
    ///
    /// # Errors
    /// What the store says.
    pub fn read<R: Read<OrganizationScope>>(
        memberships: &mut Memberships<'_, R>,
        user: ResourceKey,
        record: &UserRecord,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            groups: memberships.all(user)?,
            manager: manager_of(memberships.reader(), user.0, record)?,
        })
    }

    /// A text that differs where anything shown differs; none where nothing is shown.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        if self.groups.is_empty() && self.manager.is_none() {
            return None;
        }
        let told = |group: &GroupOf| match group.indirect {
            false => json!([group.id, group.name]),
            true => json!([group.id, group.name, "indirect"]),
        };
        let groups: Vec<_> = self.groups.iter().map(told).collect();
        Some(json!([groups, self.manager]).to_string())
    }
}

/// The user whom a user names as manager, with its name if it has one, where it is one of the same
/// directory.
fn manager_of(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    record: &UserRecord,
) -> Result<Option<(Uuid, Option<String>)>, StoreError> {
    let Some(Ok(id)) = manager_id(&record.document).map(|id| key(ResourceType::User, id)) else {
        return Ok(None);
    };
    let manager = reader.get::<Users>(&(directory, id))?;
    Ok(manager.map(|record| {
        // No other name takes its place: RFC 7643 section 4.3 says which one it is.
        let name = text(&record.document, "displayName");
        (id, name.map(str::to_owned))
    }))
}

/// What of a user is wanted that costs reads of its own.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// `groups`.
    pub groups: bool,
    /// What is said of the manager.
    pub manager: bool,
    /// `meta`, whose version covers both.
    pub meta: bool,
}

/// The user as SCIM shows it.
///
/// # Errors
/// What the store says.
pub fn represent<R: Read<OrganizationScope>>(
    memberships: &mut Memberships<'_, R>,
    directory: &Directory,
    user: StoredUser,
    base_url: &str,
    wanted: Wanted,
) -> Result<Value, StoreError> {
    let derived = if wanted.groups || wanted.manager || wanted.meta {
        Derived::read(memberships, (directory.id, user.id), &user.record)?
    } else {
        Derived::default()
    };
    let meta = Meta {
        created: user.record.created.into(),
        last_modified: user.record.modified.into(),
        location: format!("{base_url}/Users/{}", user.id),
        version: version::of_user(&user.record, &derived),
    };
    let groups: Vec<GroupRef> = derived
        .groups
        .into_iter()
        .filter(|_| wanted.groups)
        .map(|group| GroupRef {
            location: format!("{base_url}/Groups/{}", group.id),
            id: group.id.to_string(),
            display: group.name,
            indirect: group.indirect,
        })
        .collect();
    let manager = derived.manager.map(|(id, display)| ManagerRef {
        location: format!("{base_url}/Users/{id}"),
        display,
    });
    let document = User::from_stored(user.record.document);
    let id = user.id.to_string();
    Ok(document.to_response(directory.profile, &id, &meta, &groups, manager.as_ref()))
}

fn check(
    reader: &impl Read<OrganizationScope>,
    conditions: &Preconditions,
    key: ResourceKey,
    record: &UserRecord,
) -> Result<(), FactError> {
    version::check(conditions, || {
        let derived = Derived::read(&mut Memberships::new(reader), key, record)?;
        Ok::<_, StoreError>(version::of_user(record, &derived))
    })
}

/// An id out of a path. What is no id of ours cannot exist.
pub(super) fn key(resource: ResourceType, id: &str) -> Result<Uuid, FactError> {
    let not_found = |_| FactError::NotFound {
        resource,
        id: id.to_owned(),
    };
    let uuid: Uuid = id.parse().map_err(not_found)?;
    // Only the one spelling that we gave out: SCIM ids are case-exact (RFC 7643 section 3.1).
    if uuid.to_string() == id {
        Ok(uuid)
    } else {
        Err(FactError::NotFound {
            resource,
            id: id.to_owned(),
        })
    }
}

pub(super) fn count(
    change: &mut Change<'_, '_>,
    counted: Counted,
    directory: Uuid,
    by: i64,
) -> Result<(), StoreError> {
    let key = counted.of(directory);
    let before = change.tx.get::<Counters>(&key)?.unwrap_or(0);
    change
        .tx
        .put::<Counters>(&key, &before.saturating_add_signed(by))
}

pub(super) fn put(
    change: &mut Change<'_, '_>,
    key: ResourceKey,
    record: &UserRecord,
    user_name: &str,
) -> Result<(), FactError> {
    match change.tx.put::<Users>(&key, record) {
        Err(StoreError::Duplicate { index, .. }) if index == USERS_BY_NAME.name() => {
            Err(FactError::UserNameTaken(user_name.to_owned()))
        }
        other => Ok(other?),
    }
}

pub(super) fn event(key: ResourceKey, record: &UserRecord) -> Value {
    json!({
        "directory": key.0,
        "user": key.1,
        "account": record.account,
        "user_name": text(&record.document, "userName"),
        "external_id": text(&record.document, "externalId"),
        "active": is_active(&record.document),
    })
}
