//! Tables that the tests share.

use std::sync::Arc;

use gatewright_store::{
    Index, OrganizationId, OrganizationScope, RedbEngine, RedbOptions, Store, SystemScope,
    json_table, raw_table,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::disk::Disk;

pub(crate) type ItemKey = (u8, String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) tags: Vec<u8>,
}

json_table! {
    /// Documents with a unique name and any number of tags, in folders.
    pub(crate) struct Items = 1, "items", OrganizationScope, ItemKey => Item,
        indexes [&BY_NAME, &BY_TAG];
}

pub(crate) static BY_NAME: Index<Items, String> =
    Index::unique(1, "name", |_, item| vec![item.name.clone()]);

pub(crate) static BY_TAG: Index<Items, u8> = Index::multi(2, "tag", |_, item| item.tags.clone());

raw_table! {
    /// Bytes by number and part, also found by the part.
    pub(crate) struct Blobs = 2, "blobs", OrganizationScope, (u64, u8), indexes [&BLOBS_BY_PART];
}

pub(crate) static BLOBS_BY_PART: Index<Blobs, u8> = Index::multi(1, "part", |key, _| vec![key.1]);

json_table! {
    /// One number for the whole installation.
    pub(crate) struct Tally = 3, "tally", SystemScope, () => u64;
}

pub(crate) fn organization(number: u128) -> OrganizationId {
    OrganizationId::new(Uuid::from_u128(number))
}

/// A store on a simulated disk, and its engine for the counters.
pub(crate) fn open(disk: &Disk) -> (Store, Arc<RedbEngine>) {
    let options = RedbOptions {
        cache_bytes: 8 * 1024 * 1024,
    };
    let engine = Arc::new(RedbEngine::with_backend(disk.clone(), options).unwrap());
    let store = Store::open(Arc::clone(&engine) as Arc<_>).unwrap();
    (store, engine)
}
