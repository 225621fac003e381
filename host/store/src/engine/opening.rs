//! Opening a redb database, and saying what is wrong with one that cannot be opened.

use std::{
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableError};

use super::{
    committer::panic_message,
    redb::{ROWS, RedbOptions, storage},
};
use crate::{CodecError, OpenError};

/// Runs `open` and makes sure that the table is there.
pub(super) fn open(
    location: &str,
    open: impl FnOnce() -> Result<Database, DatabaseError>,
) -> Result<Database, OpenError> {
    // redb trusts a file that was closed properly, and may panic where one was altered since.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = open().map_err(|error| open_error(error, location))?;
        prepare(&database, location)?;
        Ok(database)
    }));
    opened.unwrap_or_else(|payload| {
        Err(OpenError::Damaged {
            database: location.to_owned(),
            source: panic_message(payload.as_ref()).into(),
        })
    })
}

pub(super) fn builder(options: RedbOptions, location: String) -> Builder {
    let mut builder = Database::builder();
    builder
        .set_cache_size(options.cache_bytes)
        .set_repair_callback(move |repair| {
            tracing::warn!(
                database = location,
                progress = repair.progress(),
                "the database was not closed and is being checked"
            );
        });
    builder
}

/// Makes the table in a new file, so that snapshots find it.
fn prepare(database: &Database, location: &str) -> Result<(), OpenError> {
    let failed = |error: redb::Error| OpenError::Engine {
        database: location.to_owned(),
        source: storage(error),
    };
    let foreign = |source: CodecError| OpenError::Foreign {
        database: location.to_owned(),
        source,
    };
    let read = database
        .begin_read()
        .map_err(|error| failed(error.into()))?;
    match read.open_table(ROWS) {
        Ok(_) => return Ok(()),
        Err(TableError::TableDoesNotExist(_)) => {}
        Err(TableError::Storage(error)) => return Err(failed(error.into())),
        Err(error) => return Err(foreign(error.into())),
    }
    let mut others = read.list_tables().map_err(|error| failed(error.into()))?;
    if others.next().is_some() {
        return Err(foreign("it holds other tables".into()));
    }
    let create = || -> Result<(), redb::Error> {
        let write = database.begin_write()?;
        write.open_table(ROWS)?;
        Ok(write.commit()?)
    };
    create().map_err(failed)
}

fn open_error(error: DatabaseError, location: &str) -> OpenError {
    let database = location.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse { database }
        }
        DatabaseError::UpgradeRequired(_) => OpenError::Foreign {
            database,
            source: error.into(),
        },
        DatabaseError::Storage(StorageError::Corrupted(_)) => OpenError::Damaged {
            database,
            source: error.into(),
        },
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            // redb's way to say that the first bytes are not its own.
            ErrorKind::InvalidData => OpenError::Foreign {
                database,
                source: source.into(),
            },
            ErrorKind::UnexpectedEof => OpenError::Damaged {
                database,
                source: source.into(),
            },
            _ => OpenError::Inaccessible { database, source },
        },
        error => OpenError::Engine {
            database,
            source: storage(error),
        },
    }
}
