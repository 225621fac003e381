//! The format's number, and the way from older formats to the newest.

use crate::{
    engine::Scan,
    error::{OpenError, StoreError, WriteError},
    json_table,
    read::{Read, sealed::Source},
    scope::SystemScope,
    store::Store,
    write::Writer,
};

/// One step from a format to the next.
///
/// It changes everything in one transaction, whose writes are held in memory until they are
/// applied: about 200 bytes for each row besides its content.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// What the step does, for the log: "split names of users".
    pub name: &'static str,
    /// Rewrites the rows. It may run more than once, like the body of any transaction.
    pub run: fn(&mut Writer<'_, SystemScope>) -> Result<(), StoreError>,
}

/// Brings `store` to the format after the last of `migrations`, or says why that cannot be.
pub(crate) fn settle(store: &Store, migrations: &'static [Migration]) -> Result<(), OpenError> {
    let database = store.engine().location();
    let supported = FIRST + u32::try_from(migrations.len()).unwrap_or(u32::MAX - FIRST);
    let Some(found) = found(store, &database)? else {
        return advance(store, supported, None).map_err(|source| engine(&database, source));
    };
    if found > supported {
        return Err(OpenError::Newer {
            database,
            found,
            supported,
        });
    }
    for (from, migration) in (FIRST..).zip(migrations) {
        if from < found {
            continue;
        }
        tracing::info!(
            database,
            from,
            step = migration.name,
            "migrating the database"
        );
        advance(store, from + 1, Some(migration)).map_err(|source| OpenError::Migration {
            database: database.clone(),
            from,
            source,
        })?;
    }
    Ok(())
}

/// The format that databases without any migration have.
const FIRST: u32 = 1;

json_table! {
    /// Holds the number of the format. This table can never change.
    struct FormatTable = 0, "format", SystemScope, () => u32;
}

/// The database's format, or nothing if it has no rows at all.
fn found(store: &Store, database: &str) -> Result<Option<u32>, OpenError> {
    let read = || {
        let reader = store.system().read()?;
        let found = reader.get::<FormatTable>(&())?;
        let everything = Scan {
            from: Vec::new(),
            until: vec![u8::MAX],
            reverse: false,
            keys_only: true,
        };
        let empty = reader.rows().scan(&everything)?.next().is_none();
        Ok((found, empty))
    };
    match read().map_err(|source| engine(database, source))? {
        (Some(found), _) => Ok(Some(found)),
        (None, true) => Ok(None),
        (None, false) => Err(OpenError::Foreign {
            database: database.to_owned(),
            source: "it holds rows but no format".into(),
        }),
    }
}

/// Runs a step and writes the new number in one transaction.
fn advance(
    store: &Store,
    to: u32,
    migration: Option<&'static Migration>,
) -> Result<(), StoreError> {
    let result: Result<(), WriteError<StoreError>> = store.system().write(move |writer| {
        if let Some(migration) = migration {
            (migration.run)(writer)?;
        }
        writer.put::<FormatTable>(&(), &to)
    });
    Ok(result?)
}

/// Sorts what went wrong with the format's row itself.
fn engine(database: &str, error: StoreError) -> OpenError {
    let database = database.to_owned();
    match error {
        StoreError::Engine(source) => OpenError::Engine { database, source },
        other => OpenError::Damaged {
            database,
            source: other.into(),
        },
    }
}
