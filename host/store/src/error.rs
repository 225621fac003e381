//! What can go wrong, by who has to act: the caller, the operator who opens a database, nobody.

use std::{error::Error, io};

use crate::{EngineError, KeyError};

/// A failure of one read or write of a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another row has this key in a unique index. Nothing of the put was applied.
    #[error("another row of {table} has the same {index}")]
    Duplicate {
        /// The table's name.
        table: &'static str,
        /// The index's name.
        index: &'static str,
    },
    /// An insert met a row under its key.
    #[error("{table} already has a row with this key")]
    Exists {
        /// The table's name.
        table: &'static str,
    },
    /// A value could not be written as bytes, or its bytes not be read.
    #[error("a value of {table} could not be encoded or decoded")]
    Value {
        /// The table's name.
        table: &'static str,
        /// What the table's codec said.
        #[source]
        source: CodecError,
    },
    /// A stored key is not of the table's type.
    #[error("a key of {table} could not be decoded")]
    Key {
        /// The table's name.
        table: &'static str,
        /// What is wrong with the bytes.
        #[source]
        source: KeyError,
    },
    /// The storage engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a [`Codec`](crate::Codec) could not do.
pub type CodecError = Box<dyn Error + Send + Sync>;

/// Why a transaction did not take place.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The transaction's own function returned this error, and so nothing was written.
    #[error(transparent)]
    Aborted(E),
    /// The storage engine failed; see [`Engine::transact`](crate::Engine::transact) for what is
    /// known about the writes then.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<WriteError<Self>> for StoreError {
    fn from(error: WriteError<Self>) -> Self {
        match error {
            WriteError::Aborted(error) => error,
            WriteError::Engine(error) => Self::Engine(error),
        }
    }
}

/// Why a database cannot be used. Each text names the database and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the file open.
    #[error(
        "the database {database} is open in another process; stop that process, or give this one \
         another file"
    )]
    InUse {
        /// Path or address of the database.
        database: String,
    },
    /// The file is there and has no content.
    #[error(
        "the database {database} is an empty file; restore it from a backup, or delete it to begin \
         with a new database"
    )]
    Empty {
        /// Path of the database.
        database: String,
    },
    /// The database is cut short or its content altered.
    #[error("the database {database} is truncated or damaged; restore it from a backup")]
    Damaged {
        /// Path or address of the database.
        database: String,
        /// What was found.
        #[source]
        source: CodecError,
    },
    /// The database belongs to something else.
    #[error(
        "{database} is not a database of this program; check the path, restore the file from a \
         backup if it is the right one, or delete it if its very first start was interrupted"
    )]
    Foreign {
        /// Path or address of the database.
        database: String,
        /// What was found.
        #[source]
        source: CodecError,
    },
    /// The database was written by a newer release.
    #[error(
        "the database {database} has format {found}, and this release knows formats up to \
         {supported}; start the newer release again, or restore a backup made before the upgrade"
    )]
    Newer {
        /// Path or address of the database.
        database: String,
        /// The format it has.
        found: u32,
        /// The newest format known here.
        supported: u32,
    },
    /// A migration failed. The database keeps the format that it had before that step.
    #[error(
        "the database {database} could not be brought from format {from} to the next one; the step \
         changed nothing, so the previous release can still open it"
    )]
    Migration {
        /// Path or address of the database.
        database: String,
        /// The format that it still has.
        from: u32,
        /// What failed.
        #[source]
        source: StoreError,
    },
    /// The file cannot be opened or made.
    #[error(
        "the database {database} cannot be opened; check that its folder exists and that this user \
         may write to it"
    )]
    Inaccessible {
        /// Path or address of the database.
        database: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The storage engine failed while opening.
    #[error("the database {database} cannot be read; check the disk below it and start again")]
    Engine {
        /// Path or address of the database.
        database: String,
        /// What failed.
        #[source]
        source: EngineError,
    },
}
