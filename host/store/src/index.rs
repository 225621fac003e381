//! Indexes: further keys by which a table's rows can be found.

use std::marker::PhantomData;

use crate::{
    key::{Key, encoded},
    table::Table,
};

/// The keys of type `K` under which the rows of `T` are also found, declared as a `static`.
///
/// What an index says of a row may depend on nothing but the row. `P` and `V` are always the
/// table's key and value; they are parameters so that the compiler knows the types of a closure's
/// arguments from the type of the `static`.
#[derive(Debug)]
pub struct Index<T, K, P = <T as Table>::Key, V = <T as Table>::Value>
where
    T: Table<Key = P, Value = V>,
{
    id: u16,
    name: &'static str,
    unique: bool,
    of: fn(&P, &V) -> Vec<K>,
    table: PhantomData<fn() -> T>,
}

impl<T: Table<Key = P, Value = V>, K: Key, P: Key, V> Index<T, K, P, V> {
    /// An index in which every key leads to one row; a put that would give a key a second row
    /// fails. `id` is unique within the table and not 0; `of` gives a row's keys, none or several.
    #[must_use]
    pub const fn unique(id: u16, name: &'static str, of: fn(&P, &V) -> Vec<K>) -> Self {
        Self::new(id, name, true, of)
    }

    /// An index in which rows may share keys. `id` and `of` are as for [`unique`](Self::unique).
    #[must_use]
    pub const fn multi(id: u16, name: &'static str, of: fn(&P, &V) -> Vec<K>) -> Self {
        Self::new(id, name, false, of)
    }

    const fn new(id: u16, name: &'static str, unique: bool, of: fn(&P, &V) -> Vec<K>) -> Self {
        assert!(id != 0, "index 0 is the table itself");
        Self {
            id,
            name,
            unique,
            of,
            table: PhantomData,
        }
    }
}

/// An [`Index`] of `T` whatever its keys are.
pub trait AnyIndex<T: Table>: Sync {
    /// Tells the index apart within the table.
    fn id(&self) -> u16;

    /// The name in messages.
    fn name(&self) -> &'static str;

    /// Whether a key leads to one row only.
    fn is_unique(&self) -> bool;

    /// The encoded keys of a row, sorted, each once.
    fn keys(&self, key: &T::Key, value: &T::Value) -> Vec<Vec<u8>>;
}

impl<T: Table, K: Key> AnyIndex<T> for Index<T, K> {
    fn id(&self) -> u16 {
        self.id
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn is_unique(&self) -> bool {
        self.unique
    }

    fn keys(&self, key: &T::Key, value: &T::Value) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = (self.of)(key, value).iter().map(encoded).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
