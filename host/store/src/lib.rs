//! Storage: an ordered transactional engine, typed tables above it, handles that reach one
//! organization each.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gatewright_store::{
//!     Index, OrganizationId, OrganizationScope, Range, Read, RedbEngine, RedbOptions, Store,
//!     StoreError, WriteError, json_table,
//! };
//! use uuid::Uuid;
//!
//! json_table! {
//!     /// Names of groups, by id.
//!     struct Groups = 7, "groups", OrganizationScope, Uuid => String, indexes [&GROUPS_BY_NAME];
//! }
//!
//! static GROUPS_BY_NAME: Index<Groups, String> =
//!     Index::unique(1, "name", |_, name| vec![name.to_lowercase()]);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("example.redb");
//! let engine = RedbEngine::open(&path, RedbOptions::default())?;
//! let store = Store::open(Arc::new(engine))?;
//! let acme = store.organization(OrganizationId::new(Uuid::from_u128(1)));
//!
//! let id = Uuid::from_u128(2);
//! acme.write(move |writer| writer.insert::<Groups>(&id, &"Staff".to_owned()))?;
//!
//! // A second group of that name is refused, and nothing of its transaction is written.
//! let clash = acme.write(|writer| writer.put::<Groups>(&Uuid::from_u128(3), &"STAFF".to_owned()));
//! assert!(matches!(clash, Err(WriteError::Aborted(StoreError::Duplicate { .. }))));
//!
//! let reader = acme.read()?;
//! assert_eq!(reader.find(&GROUPS_BY_NAME, &"staff".to_owned())?, Some(id));
//! assert_eq!(reader.scan::<Groups>(Range::all())?.count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! A physical key is the scope (0, or 1 and the organization's 16 bytes), the table's id, the
//! index's id (0 for the rows themselves; both ids two bytes, big-endian) and the encoded key. An
//! entry of a shared index ends with the primary key; one of a unique index has it as its value.
#![forbid(unsafe_code)]

mod declare;
mod engine;
mod error;
mod format;
mod index;
mod key;
mod organization;
mod range;
mod read;
mod scope;
mod store;
mod table;
mod write;

pub use engine::{
    Body, Engine, EngineError, RedbEngine, RedbOptions, Row, RowIter, Rows, Scan, Snapshot, Stats,
    Transaction, Urgency, Verdict,
};
pub use error::{CodecError, OpenError, StoreError, WriteError};
pub use format::Migration;
pub use index::{AnyIndex, Index};
pub use key::{Key, KeyError};
pub use organization::OrganizationId;
pub use range::Range;
pub use read::{Entry, Read, Reader};
pub use scope::{OrganizationScope, ScopeKind, SystemScope};
pub use store::{Organization, Store, System};
pub use table::{Codec, Json, Raw, Table};
pub use write::Writer;
