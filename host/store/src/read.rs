//! Reading tables and indexes, from a snapshot or within a transaction.

use std::sync::Arc;

use crate::{
    OrganizationId,
    engine::{Rows, Snapshot},
    error::StoreError,
    index::{AnyIndex, Index},
    key::{Key, decode_whole},
    range::Range,
    scope::{OrganizationScope, ScopeKind, SystemScope, base, physical},
    table::{Codec, Table},
};

/// Reads of the tables of scope `S`. A [`Reader`] sees one moment; a [`Writer`](crate::Writer) sees
/// its own writes as well.
///
/// Iterators read as they advance, so taking the first few rows of a large range is cheap. Every
/// method fails with [`StoreError::Engine`] where the storage does, and with
/// [`StoreError::Value`] or [`StoreError::Key`] where stored bytes are not what the table declares.
pub trait Read<S: ScopeKind>: sealed::Source<S> {
    /// The row under `key`.
    ///
    /// # Errors
    ///
    /// Those of the trait.
    fn get<T: Table<Scope = S>>(&self, key: &T::Key) -> Result<Option<T::Value>, StoreError> {
        let bytes = self.rows().get(&physical::<T>(self.scope(), 0, key))?;
        bytes.map(|bytes| value::<T>(&bytes)).transpose()
    }

    /// Whether there is a row under `key`.
    ///
    /// # Errors
    ///
    /// Those of the trait.
    fn contains<T: Table<Scope = S>>(&self, key: &T::Key) -> Result<bool, StoreError> {
        let bytes = self.rows().get(&physical::<T>(self.scope(), 0, key))?;
        Ok(bytes.is_some())
    }

    /// The rows of a range, in its order.
    ///
    /// # Errors
    ///
    /// Those of the trait, also for each item.
    fn scan<T: Table<Scope = S>>(
        &self,
        range: Range<T::Key>,
    ) -> Result<impl Iterator<Item = Entry<T::Key, T::Value>>, StoreError> {
        let base = base::<T>(self.scope(), 0);
        let rows = self.rows().scan(&range.scan(&base, false))?;
        Ok(rows.map(move |row| {
            let (key, bytes) = row?;
            Ok((key_after::<T, _>(&key, base.len())?, value::<T>(&bytes)?))
        }))
    }

    /// The keys of a range, in its order, without reading the values.
    ///
    /// # Errors
    ///
    /// Those of the trait, also for each item.
    fn keys<T: Table<Scope = S>>(
        &self,
        range: Range<T::Key>,
    ) -> Result<impl Iterator<Item = Result<T::Key, StoreError>>, StoreError> {
        let base = base::<T>(self.scope(), 0);
        let rows = self.rows().scan(&range.scan(&base, true))?;
        Ok(rows.map(move |row| key_after::<T, _>(&row?.0, base.len())))
    }

    /// The primary key of the row that `index` has under `key`; of several, the smallest.
    ///
    /// # Errors
    ///
    /// Those of the trait.
    fn find<T: Table<Scope = S>, K: Key>(
        &self,
        index: &'static Index<T, K>,
        key: &K,
    ) -> Result<Option<T::Key>, StoreError> {
        if index.is_unique() {
            let row = self
                .rows()
                .get(&physical::<T>(self.scope(), index.id(), key))?;
            row.map(|row| key_after::<T, _>(&row, 0)).transpose()
        } else {
            let mut entries = self.index_scan(index, Range::prefix(key))?;
            entries.next().map(|entry| Ok(entry?.1)).transpose()
        }
    }

    /// The entries of an index, in the range's order: each with the primary key of its row.
    /// Entries with equal keys are in the order of their rows.
    ///
    /// # Errors
    ///
    /// Those of the trait, also for each item.
    fn index_scan<T: Table<Scope = S>, K: Key>(
        &self,
        index: &'static Index<T, K>,
        range: Range<K>,
    ) -> Result<impl Iterator<Item = Entry<K, T::Key>>, StoreError> {
        let base = base::<T>(self.scope(), index.id());
        // A unique index keeps the primary key in the value, a shared one at the end of the key.
        let unique = index.is_unique();
        let rows = self.rows().scan(&range.scan(&base, !unique))?;
        Ok(rows.map(move |row| {
            let (key, value) = row?;
            if unique {
                Ok((
                    key_after::<T, _>(&key, base.len())?,
                    key_after::<T, _>(&value, 0)?,
                ))
            } else {
                key_after::<T, (K, T::Key)>(&key, base.len())
            }
        }))
    }
}

impl<S: ScopeKind, R: sealed::Source<S>> Read<S> for R {}

/// One step of an iterator over pairs.
pub type Entry<K, V> = Result<(K, V), StoreError>;

/// Reads of one moment. It can be kept and shared; the moment's rows take up space in the database
/// until the last reader of it is dropped.
#[derive(Clone)]
pub struct Reader<S: ScopeKind> {
    snapshot: Arc<dyn Snapshot>,
    scope: S,
}

impl<S: ScopeKind> Reader<S> {
    pub(crate) fn new(snapshot: Arc<dyn Snapshot>, scope: S) -> Self {
        Self { snapshot, scope }
    }
}

impl Reader<SystemScope> {
    /// The same moment of one organization.
    #[must_use]
    pub fn organization(&self, id: OrganizationId) -> Reader<OrganizationScope> {
        Reader::new(Arc::clone(&self.snapshot), OrganizationScope(id))
    }
}

impl Reader<OrganizationScope> {
    /// Whose rows these are.
    #[must_use]
    pub fn id(&self) -> OrganizationId {
        self.scope.0
    }
}

impl<S: ScopeKind> std::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

pub(crate) mod sealed {
    use super::{Rows, ScopeKind};

    /// Where reads go.
    pub trait Source<S: ScopeKind> {
        fn rows(&self) -> &dyn Rows;
        fn scope(&self) -> S;
    }
}

impl<S: ScopeKind> sealed::Source<S> for Reader<S> {
    fn rows(&self) -> &dyn Rows {
        &*self.snapshot
    }

    fn scope(&self) -> S {
        self.scope
    }
}

pub(crate) fn value<T: Table>(bytes: &[u8]) -> Result<T::Value, StoreError> {
    T::Codec::decode(bytes).map_err(|source| StoreError::Value {
        table: T::NAME,
        source,
    })
}

/// Decodes what follows the first `base` bytes.
fn key_after<T: Table, K: Key>(bytes: &[u8], base: usize) -> Result<K, StoreError> {
    decode_whole(bytes.get(base..).unwrap_or_default()).map_err(|source| StoreError::Key {
        table: T::NAME,
        source,
    })
}
