//! Typed tables: a name, a scope, the types of key and value, and the indexes over them.

use serde::{Serialize, de::DeserializeOwned};

use crate::{error::CodecError, index::AnyIndex, key::Key, scope::ScopeKind};

/// A table, declared once as a type without values.
///
/// [`ID`](Self::ID), the scope, the key type and the ids of indexes are part of the database's
/// format: changing one, or what an index says of existing rows, takes a
/// [`Migration`](crate::Migration); one that adds an index calls [`fill`](crate::Writer::fill).
///
/// [`json_table!`](crate::json_table) and [`raw_table!`](crate::raw_table) write the declaration.
pub trait Table: Sized + 'static {
    /// Tells the table apart in the database, in all scopes. 0 is the store's own.
    const ID: u16;
    /// The name in messages.
    const NAME: &'static str;
    /// Whether rows belong to an organization or to the whole installation.
    type Scope: ScopeKind;
    /// The primary key.
    type Key: Key;
    /// What a row holds.
    type Value;
    /// How a value becomes bytes: [`Json`] for documents, [`Raw`] for bytes as they are.
    type Codec: Codec<Self::Value>;

    /// The indexes, each with an id of its own.
    const INDEXES: &'static [&'static dyn AnyIndex<Self>] = &[];
}

/// A way to write values of one type as bytes.
pub trait Codec<V> {
    /// The value's bytes.
    ///
    /// # Errors
    ///
    /// Whatever keeps the value from being written.
    fn encode(value: &V) -> Result<Vec<u8>, CodecError>;

    /// The value of such bytes.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes.
    fn decode(bytes: &[u8]) -> Result<V, CodecError>;
}

/// Values as JSON text. Members keep their order and U+0000 is allowed in texts.
#[derive(Clone, Copy, Debug)]
pub enum Json {}

impl<V: Serialize + DeserializeOwned> Codec<V> for Json {
    fn encode(value: &V) -> Result<Vec<u8>, CodecError> {
        Ok(serde_json::to_vec(value)?)
    }

    fn decode(bytes: &[u8]) -> Result<V, CodecError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Values that are bytes already.
#[derive(Clone, Copy, Debug)]
pub enum Raw {}

impl Codec<Vec<u8>> for Raw {
    fn encode(value: &Vec<u8>) -> Result<Vec<u8>, CodecError> {
        Ok(value.clone())
    }

    fn decode(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        Ok(bytes.to_vec())
    }
}
