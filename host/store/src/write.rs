//! Writing rows, and the index entries that belong to them.

use crate::{
    OrganizationId,
    engine::{Rows, Transaction},
    error::StoreError,
    index::{AnyIndex, Index},
    key::{Key, encoded},
    range::Range,
    read::{Read, sealed::Source, value},
    scope::{OrganizationScope, ScopeKind, SystemScope, base, physical},
    table::{Codec, Table},
};

/// Reads and writes of one transaction. Its reads ([`Read`]) see its own writes and those of every
/// transaction before it.
pub struct Writer<'t, S: ScopeKind> {
    transaction: &'t mut dyn Transaction,
    scope: S,
}

impl<'t, S: ScopeKind> Writer<'t, S> {
    pub(crate) fn new(transaction: &'t mut dyn Transaction, scope: S) -> Self {
        Self { transaction, scope }
    }

    /// Writes a row, replacing one under the same key, and brings the indexes up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] if a unique index has one of the row's keys for another row,
    /// [`StoreError::Value`] if the value cannot be encoded; nothing was written then, and the
    /// transaction may go on. [`StoreError::Engine`] where the storage fails.
    pub fn put<T: Table<Scope = S>>(
        &mut self,
        key: &T::Key,
        value: &T::Value,
    ) -> Result<(), StoreError> {
        // Without indexes it does not matter what the row was.
        let old = if T::INDEXES.is_empty() {
            None
        } else {
            self.get::<T>(key)?
        };
        self.replace::<T>(key, old.as_ref(), value)
    }

    /// Writes a row whose key must be new.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is a row under this key, else those of
    /// [`put`](Self::put); nothing was written then.
    pub fn insert<T: Table<Scope = S>>(
        &mut self,
        key: &T::Key,
        value: &T::Value,
    ) -> Result<(), StoreError> {
        if self.contains::<T>(key)? {
            return Err(StoreError::Exists { table: T::NAME });
        }
        self.replace::<T>(key, None, value)
    }

    /// Removes a row and its index entries. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Value`] if the table has indexes and the row cannot be decoded,
    /// [`StoreError::Engine`] where the storage fails.
    pub fn delete<T: Table<Scope = S>>(&mut self, key: &T::Key) -> Result<bool, StoreError> {
        let row = physical::<T>(self.scope, 0, key);
        let Some(bytes) = self.transaction.get(&row)? else {
            return Ok(false);
        };
        if !T::INDEXES.is_empty() {
            let old = value::<T>(&bytes)?;
            for &index in T::INDEXES {
                for entry in index.keys(key, &old) {
                    let (entry, _) = self.entry::<T>(index, &entry, key);
                    self.transaction.delete(entry);
                }
            }
        }
        self.transaction.delete(row);
        Ok(true)
    }

    /// Gives an index its entries for all rows, for the [`Migration`](crate::Migration) that adds
    /// it: rows from before have none. Entries that are there already stay.
    ///
    /// # Errors
    ///
    /// [`StoreError::Duplicate`] if the index is unique and two rows have the same key,
    /// [`StoreError::Value`] if a row cannot be decoded, [`StoreError::Engine`] where the storage
    /// fails.
    pub fn fill<T: Table<Scope = S>, K: Key>(
        &mut self,
        index: &'static Index<T, K>,
    ) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        for row in self.scan::<T>(Range::all())? {
            let (key, value) = row?;
            for entry in index.keys(&key, &value) {
                entries.push(self.entry::<T>(index, &entry, &key));
            }
        }
        for (entry, row) in entries {
            if index.is_unique() && self.transaction.get(&entry)?.is_some_and(|own| own != row) {
                return Err(StoreError::Duplicate {
                    table: T::NAME,
                    index: index.name(),
                });
            }
            self.transaction.put(entry, row);
        }
        Ok(())
    }

    fn replace<T: Table<Scope = S>>(
        &mut self,
        key: &T::Key,
        old: Option<&T::Value>,
        new: &T::Value,
    ) -> Result<(), StoreError> {
        let bytes = T::Codec::encode(new).map_err(|source| StoreError::Value {
            table: T::NAME,
            source,
        })?;
        let mut removed = Vec::new();
        let mut added = Vec::new();
        for &index in T::INDEXES {
            let before = old.map_or_else(Vec::new, |old| index.keys(key, old));
            let after = index.keys(key, new);
            for entry in before.iter().filter(|entry| !after.contains(entry)) {
                removed.push(self.entry::<T>(index, entry, key).0);
            }
            for entry in after.iter().filter(|entry| !before.contains(entry)) {
                let (entry, row) = self.entry::<T>(index, entry, key);
                if index.is_unique() && self.transaction.get(&entry)?.is_some() {
                    return Err(StoreError::Duplicate {
                        table: T::NAME,
                        index: index.name(),
                    });
                }
                added.push((entry, row));
            }
        }
        // All that can fail has been done, so a put applies whole or not at all.
        for entry in removed {
            self.transaction.delete(entry);
        }
        for (entry, row) in added {
            self.transaction.put(entry, row);
        }
        self.transaction
            .put(physical::<T>(self.scope, 0, key), bytes);
        Ok(())
    }

    /// The physical row of an index entry.
    fn entry<T: Table<Scope = S>>(
        &self,
        index: &dyn AnyIndex<T>,
        entry: &[u8],
        key: &T::Key,
    ) -> (Vec<u8>, Vec<u8>) {
        let mut physical = base::<T>(self.scope, index.id());
        physical.extend_from_slice(entry);
        if index.is_unique() {
            (physical, encoded(key))
        } else {
            key.encode(&mut physical);
            (physical, Vec::new())
        }
    }
}

impl Writer<'_, SystemScope> {
    /// Reads and writes of one organization within the same transaction.
    #[must_use]
    pub fn organization(&mut self, id: OrganizationId) -> Writer<'_, OrganizationScope> {
        Writer::new(self.transaction, OrganizationScope(id))
    }
}

impl Writer<'_, OrganizationScope> {
    /// Whose rows these are.
    #[must_use]
    pub fn id(&self) -> OrganizationId {
        self.scope.0
    }
}

impl<S: ScopeKind> Source<S> for Writer<'_, S> {
    fn rows(&self) -> &dyn Rows {
        &*self.transaction
    }

    fn scope(&self) -> S {
        self.scope
    }
}

impl<S: ScopeKind> std::fmt::Debug for Writer<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
