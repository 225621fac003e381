//! Organizations, their directories and tokens: created, listed, revoked.

use super::Directory;
use super::credentials::{self, Secret};
use crate::access::catalogue::default;
use crate::clock::{Random, Timestamp};
use crate::ledger::Change;
use crate::model::access::Accounts;
use crate::model::plugins::{BindingRecord, BindingVersions, Bindings, PluginRef, Slot};
use crate::model::tenancy::{
    Behaviour, Credentials, Directories, DirectoryRecord, OrganizationRecord, Organizations, Phase,
    Purpose, TokenRecord, Tokens,
};
use gatewright_scim::schema::DeclarationError;
use gatewright_store::{OrganizationId, Range, Read, Store, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// Why an organization, directory or token was not created, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum TenancyError {
    /// There is no such organization.
    #[error("organization {0} does not exist")]
    NoOrganization(Uuid),
    /// There is no such directory.
    #[error("directory {0} does not exist in this organization")]
    NoDirectory(Uuid),
    /// There is no such token.
    #[error("token {0} does not exist in this organization")]
    NoToken(Uuid),
    /// A name is not acceptable.
    #[error("name: must not be empty, longer than 200 characters, or begin or end with a space")]
    Name,
    /// The directory is over.
    #[error("directory {0} is uninstalled and gets no more tokens: create another directory")]
    Uninstalled(Uuid),
    /// There are accounts that a directory in force would concern, and nobody was shown how.
    #[error(
        "phase: the organization has accounts, so a directory comes into force by a plan that shows \
         what becomes of them: create it as \"draft\", then plan the confirmation (POST /plans with \
         {{\"confirm\": ID}}, or gatewright directories confirm ID)"
    )]
    Unseen,
    /// Deleted users cannot be kept for so long.
    #[error("keep_deleted_days: must be from 0 to {MOST_KEEP_DELETED_DAYS}")]
    KeepDeletedDays,
    /// A schema that a directory was to declare is none.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// An attribute that a directory was to declare had another form before.
    #[error(
        "{at}: was declared before as {before}, and values of that form may be stored: declare it so, \
         or an attribute of another name"
    )]
    Form {
        /// The attribute, as a path from the list of schemas.
        at: String,
        /// How it was declared.
        before: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error("the change could not be stored")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<WriteError<TenancyError>> for TenancyError {
    fn from(error: WriteError<TenancyError>) -> Self {
        match error {
            WriteError::Aborted(error) => error,
            WriteError::Engine(error) => Self::Engine(Box::new(error)),
        }
    }
}

/// What was created together with a token: the only time that it can be shown.
pub struct WithToken<T> {
    /// What was created.
    pub value: T,
    /// The id of the token.
    pub token_id: Uuid,
    /// The token.
    pub secret: Secret,
}

/// Creates an organization whose slots are bound to `bindings`, with a key for its application.
///
/// # Errors
/// Where the name is not acceptable.
pub fn create(
    store: &Store,
    random: &Random,
    now: Timestamp,
    name: &str,
    bindings: Vec<(Slot, BindingRecord)>,
) -> Result<WithToken<OrganizationId>, TenancyError> {
    check_name(name)?;
    let id = random.id(now);
    let organization = OrganizationId::from(id);
    let purpose = Purpose::Application { organization: id };
    let secret = Secret::generate(random, credentials::prefix(&purpose));
    let token_id = random.id(now);
    let record = OrganizationRecord {
        name: name.to_owned(),
        created: now,
    };
    let kept = secret.clone();
    store.system().write(move |tx| {
        let catalogue = default::newest(tx)?;
        tx.put::<Organizations>(&id, &record)?;
        credentials::credential(tx, token_id, &kept, &purpose, now)?;
        let mut scoped = tx.organization(organization);
        let mut change = Change::begin(&mut scoped, now)?;
        change.event("organization.created", json!({ "name": record.name }))?;
        default::begin(&mut change, &catalogue)?;
        credentials::list(&mut change, token_id, &kept, &purpose)?;
        for (slot, binding) in &bindings {
            let name = slot.name().to_owned();
            change.tx.put::<Bindings>(&name, binding)?;
            let version = (name, binding.version);
            change.tx.put::<BindingVersions>(&version, binding)?;
        }
        change.finish()?;
        Ok::<_, TenancyError>(())
    })?;
    Ok(WithToken {
        value: organization,
        token_id,
        secret,
    })
}

/// All organizations, in the order of their creation.
///
/// # Errors
/// What the store says.
pub fn all(store: &Store) -> Result<Vec<(Uuid, OrganizationRecord)>, StoreError> {
    store
        .system()
        .read()?
        .scan::<Organizations>(Range::all())?
        .collect()
}

/// The organization of this id, if there is one.
///
/// # Errors
/// Where there is none.
pub fn find(store: &Store, id: Uuid) -> Result<(OrganizationId, OrganizationRecord), TenancyError> {
    match store.system().read()?.get::<Organizations>(&id)? {
        Some(record) => Ok((OrganizationId::from(id), record)),
        None => Err(TenancyError::NoOrganization(id)),
    }
}

/// What a new directory is to be like.
#[derive(Clone, Debug)]
pub struct NewDirectory {
    /// What people call it.
    pub name: String,
    /// The provider plugin it goes through.
    pub provider: PluginRef,
    /// How it treats what the provider sends. Deleted users are kept for at most
    /// [`MOST_KEEP_DELETED_DAYS`].
    pub behaviour: Behaviour,
}

/// Ten years: longer is for an archive to do.
pub const MOST_KEEP_DELETED_DAYS: u32 = 3_650;

/// Creates a directory with its first token, in this phase.
///
/// # Errors
/// Where the name is not acceptable, or it is to be in force where there are accounts already.
pub fn create_directory(
    store: &Store,
    organization: OrganizationId,
    random: &Random,
    now: Timestamp,
    new: NewDirectory,
    phase: Phase,
) -> Result<WithToken<(Uuid, DirectoryRecord)>, TenancyError> {
    check(&new)?;
    let id = random.id(now);
    let record = DirectoryRecord {
        name: new.name,
        provider: new.provider,
        previous_provider: None,
        behaviour: new.behaviour,
        has_schemas: false,
        phase,
        created: now,
    };
    let purpose = Purpose::Directory {
        organization: organization.uuid(),
        directory: id,
    };
    let stored = record.clone();
    let (token_id, secret) = issue(store, organization, random, now, purpose, move |change| {
        if phase.in_force() && change.tx.keys::<Accounts>(Range::all())?.next().is_some() {
            return Err(TenancyError::Unseen);
        }
        change.tx.put::<Directories>(&id, &stored)?;
        change.event(
            "directory.created",
            json!({ "directory": id, "name": stored.name, "phase": phase }),
        )?;
        Ok(())
    })?;
    Ok(WithToken {
        value: (id, record),
        token_id,
        secret,
    })
}

/// Creates one more token.
///
/// # Errors
/// Where the directory it is for does not exist.
pub fn create_token(
    store: &Store,
    organization: OrganizationId,
    random: &Random,
    now: Timestamp,
    purpose: Purpose,
) -> Result<WithToken<()>, TenancyError> {
    let directory = match &purpose {
        Purpose::Directory { directory, .. } => Some(*directory),
        Purpose::Application { .. } | Purpose::Operator { .. } => None,
    };
    let (token_id, secret) = issue(store, organization, random, now, purpose, move |change| {
        if let Some(directory) = directory {
            let record = change.tx.get::<Directories>(&directory)?;
            let record = record.ok_or(TenancyError::NoDirectory(directory))?;
            if record.phase == Phase::Uninstalled {
                return Err(TenancyError::Uninstalled(directory));
            }
        }
        Ok(())
    })?;
    Ok(WithToken {
        value: (),
        token_id,
        secret,
    })
}

fn issue(
    store: &Store,
    organization: OrganizationId,
    random: &Random,
    now: Timestamp,
    purpose: Purpose,
    also: impl Fn(&mut Change<'_, '_>) -> Result<(), TenancyError> + Send + 'static,
) -> Result<(Uuid, Secret), TenancyError> {
    let secret = Secret::generate(random, credentials::prefix(&purpose));
    let token_id = random.id(now);
    let kept = secret.clone();
    store.system().write(move |tx| {
        credentials::credential(tx, token_id, &kept, &purpose, now)?;
        let mut scoped = tx.organization(organization);
        let mut change = Change::begin(&mut scoped, now)?;
        also(&mut change)?;
        credentials::list(&mut change, token_id, &kept, &purpose)?;
        change.finish()?;
        Ok::<_, TenancyError>(())
    })?;
    Ok((token_id, secret))
}

/// Revokes a token: requests with it are refused from now on. Revoking it again changes nothing.
///
/// # Errors
/// Where there is no such token.
pub fn revoke_token(
    store: &Store,
    organization: OrganizationId,
    now: Timestamp,
    token: Uuid,
) -> Result<TokenRecord, TenancyError> {
    let record = store.system().write(move |tx| {
        let record = {
            let mut scoped = tx.organization(organization);
            let mut change = Change::begin(&mut scoped, now)?;
            let Some(mut record) = change.tx.get::<Tokens>(&token)? else {
                return Err(TenancyError::NoToken(token));
            };
            if record.revoked.is_none() {
                record.revoked = Some(now);
                change.tx.put::<Tokens>(&token, &record)?;
                change.event(
                    "token.revoked",
                    json!({ "token": token, "hint": record.hint }),
                )?;
            }
            change.finish()?;
            record
        };
        if let Some(digest) = credentials::unhex(&record.digest) {
            tx.delete::<Credentials>(&digest)?;
        }
        Ok(record)
    })?;
    Ok(record)
}

/// The tokens of an organization.
///
/// # Errors
/// What the store says.
pub fn tokens(
    store: &Store,
    organization: OrganizationId,
) -> Result<Vec<(Uuid, TokenRecord)>, StoreError> {
    store
        .organization(organization)
        .read()?
        .scan::<Tokens>(Range::all())?
        .collect()
}

/// The directories of an organization.
///
/// # Errors
/// What the store says.
pub fn directories(
    store: &Store,
    organization: OrganizationId,
) -> Result<Vec<(Uuid, DirectoryRecord)>, StoreError> {
    store
        .organization(organization)
        .read()?
        .scan::<Directories>(Range::all())?
        .collect()
}

/// One directory.
///
/// # Errors
/// Where there is no such directory.
pub fn directory(
    store: &Store,
    organization: OrganizationId,
    id: Uuid,
) -> Result<DirectoryRecord, TenancyError> {
    let record = store
        .organization(organization)
        .read()?
        .get::<Directories>(&id)?;
    record.ok_or(TenancyError::NoDirectory(id))
}

/// Changes a directory's settings. A new provider plugin keeps the old one as the one to fall
/// back to.
///
/// # Errors
/// Where there is no such directory, or the name is not acceptable.
pub fn update_directory(
    store: &Store,
    organization: OrganizationId,
    now: Timestamp,
    id: Uuid,
    new: NewDirectory,
) -> Result<DirectoryRecord, TenancyError> {
    check(&new)?;
    let handle = store.organization(organization);
    let updated = crate::ledger::change(&handle, now, move |change| {
        let Some(before) = change.tx.get::<Directories>(&id)? else {
            return Err(TenancyError::NoDirectory(id));
        };
        let mut after = before.clone();
        after.name.clone_from(&new.name);
        after.behaviour.clone_from(&new.behaviour);
        if after.provider != new.provider {
            after.previous_provider = Some(after.provider);
            after.provider = new.provider.clone();
        }
        change.tx.put::<Directories>(&id, &after)?;
        change.event(
            "directory.changed",
            json!({ "directory": id, "name": after.name }),
        )?;
        Ok(after)
    })?;
    Ok(updated.value)
}

/// The directory that a token is for, and the token's id: the only way from the SCIM side to an
/// organization's handle. None where the token is unknown or revoked, or not for this directory.
///
/// # Errors
/// What the store says.
pub fn enter(
    store: &Store,
    secret: &Secret,
    wanted: &str,
) -> Result<Option<(Directory, Uuid)>, StoreError> {
    let reader = store.system().read()?;
    let Some(credential) = reader.get::<Credentials>(&secret.digest())? else {
        return Ok(None);
    };
    let Purpose::Directory {
        organization,
        directory,
    } = credential.purpose
    else {
        return Ok(None);
    };
    if directory.to_string() != wanted {
        return Ok(None);
    }
    let organization = OrganizationId::from(organization);
    let reader = reader.organization(organization);
    let Some(record) = reader.get::<Directories>(&directory)? else {
        return Ok(None);
    };
    let handle = store.organization(organization);
    let directory = Directory::new(handle, &reader, directory, record)?;
    Ok(Some((directory, credential.id)))
}

fn check(new: &NewDirectory) -> Result<(), TenancyError> {
    check_name(&new.name)?;
    if new.behaviour.keep_deleted_days > MOST_KEEP_DELETED_DAYS {
        return Err(TenancyError::KeepDeletedDays);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), TenancyError> {
    if name.is_empty() || name.trim() != name || name.chars().count() > 200 {
        return Err(TenancyError::Name);
    }
    Ok(())
}
