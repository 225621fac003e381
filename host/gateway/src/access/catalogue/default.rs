//! The default catalogue: what organizations have that were given none of their own.
//!
//! An organization has a copy of it, so that whatever decides reads rows of the organization alone.
//! A change is copied by the reconciler, an organization at a time; one that uses what the new
//! default lacks keeps what it has, and an alert says so.

use super::{CatalogueError, check, load, shipped, usage, versions};
use crate::access::alerts;
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::catalogue::{
    Catalogue, CatalogueVersionRecord, DefaultCatalogues, Following, FollowingRecord,
};
use crate::model::spread::Spread;
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Store, StoreError, SystemScope, WriteError,
};

/// The name under which alerts about it stand.
const ALERT: &str = "catalogue";

/// The default catalogue and its version; 0: the one that the gateway is shipped with.
///
/// # Errors
/// What the store says.
pub fn newest(
    reader: &impl Read<SystemScope>,
) -> Result<(u64, CatalogueVersionRecord), StoreError> {
    let row = reader
        .scan::<DefaultCatalogues>(Range::all().reverse())?
        .next();
    Ok(row.transpose()?.unwrap_or_else(|| {
        let record = CatalogueVersionRecord {
            catalogue: shipped(),
            at: Timestamp(0),
            default: None,
        };
        (0, record)
    }))
}

/// Replaces the default catalogue, and answers its version. Organizations that follow it have it
/// when the reconciler comes to them.
///
/// # Errors
/// Where it is not at version `wanted` any more, or the new one contradicts itself.
pub fn replace(
    store: &Store,
    at: Timestamp,
    catalogue: Catalogue,
    wanted: Option<u64>,
) -> Result<u64, WriteError<CatalogueError>> {
    store.system().write(move |tx| {
        let (present, record) = newest(tx)?;
        if let Some(wanted) = wanted
            && wanted != present
        {
            return Err(CatalogueError::Changed { present, wanted });
        }
        check(&catalogue)?;
        if record.catalogue == catalogue {
            return Ok(present);
        }
        let record = CatalogueVersionRecord {
            catalogue: catalogue.clone(),
            at,
            default: None,
        };
        tx.put::<DefaultCatalogues>(&(present + 1), &record)?;
        Ok(present + 1)
    })
}

/// Whether the organization follows the default catalogue.
///
/// # Errors
/// What the store says.
pub fn is_followed(reader: &impl Read<OrganizationScope>) -> Result<bool, StoreError> {
    let following = reader.get::<Following>(&())?.unwrap_or_default();
    Ok(!following.own)
}

/// Gives a new organization the default catalogue.
///
/// # Errors
/// What the store says.
pub fn begin(
    change: &mut Change<'_, '_>,
    newest: &(u64, CatalogueVersionRecord),
) -> Result<(), StoreError> {
    if newest.0 > 0 {
        take(change, newest.0, &newest.1.catalogue)?;
    }
    Ok(())
}

/// Copies the default catalogue to an organization that follows it and has an older one. Says
/// whether there was anything to do. Costs two looks where there is not.
///
/// # Errors
/// What the store says.
pub fn step(
    store: &Store,
    organization: &Organization,
    at: Timestamp,
) -> Result<bool, WriteError<StoreError>> {
    let system = store.system().read().map_err(WriteError::Aborted)?;
    let (version, record) = newest(&system).map_err(WriteError::Aborted)?;
    let due = move |following: FollowingRecord| !following.own && following.default < version;
    let own = system.organization(organization.id());
    let following = own.get::<Following>(&()).map_err(WriteError::Aborted)?;
    if !due(following.unwrap_or_default()) {
        return Ok(false);
    }
    drop((own, system));
    change(organization, at, move |change| {
        if !due(change.tx.get::<Following>(&())?.unwrap_or_default()) {
            return Ok(());
        }
        let uses = usage::of_removed(change.tx, &record.catalogue)?;
        let Some(first) = uses.first() else {
            take(change, version, &record.catalogue)?;
            change.spread(Spread::Everybody)?;
            return alerts::clear(change, ALERT, None);
        };
        follow(change, version)?;
        let message = format!(
            "version {version} of the default catalogue is not taken over, for it lacks the {}, \
             which is in use: {}. Follow it again when that is no longer so (`gatewright catalogue \
             follow`), or give the organization a catalogue of its own",
            first.thing(),
            first.users()
        );
        alerts::raise(change, ALERT, None, "catalogue-not-followed", &message, &[])
    })?;
    Ok(true)
}

/// Has an organization follow the default catalogue, which it takes over at once. Everybody is
/// decided anew.
///
/// # Errors
/// Where the mapping gives or somebody has what the default does not have.
pub fn adopt(
    store: &Store,
    organization: &Organization,
    at: Timestamp,
) -> Result<Committed<()>, WriteError<CatalogueError>> {
    let newest = store.system().read().and_then(|system| newest(&system));
    let (version, record) = newest.map_err(|error| WriteError::Aborted(error.into()))?;
    change(organization, at, move |change| {
        let uses = usage::of_removed(change.tx, &record.catalogue)?;
        if !uses.is_empty() {
            return Err(CatalogueError::InUse(uses));
        }
        if load(change.tx)? != record.catalogue {
            change.spread(Spread::Everybody)?;
        }
        take(change, version, &record.catalogue)?;
        alerts::clear(change, ALERT, None)?;
        Ok(())
    })
}

fn take(
    change: &mut Change<'_, '_>,
    version: u64,
    catalogue: &Catalogue,
) -> Result<(), StoreError> {
    let before = change.tx.get::<Following>(&())?.unwrap_or_default();
    if before.own || load(change.tx)? != *catalogue {
        versions::add(change, catalogue, Some(version))?;
    }
    follow(change, version)
}

fn follow(change: &mut Change<'_, '_>, version: u64) -> Result<(), StoreError> {
    let record = FollowingRecord {
        own: false,
        default: version,
    };
    change.tx.put::<Following>(&(), &record)
}
