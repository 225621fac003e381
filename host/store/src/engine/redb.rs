//! The embedded engine: one redb file, many readers, one writer with group commit.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use ::redb::{
    AccessGuard, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, ReadableTable,
    StorageBackend, StorageError, TableDefinition,
};

use super::{
    Body, Engine, EngineError, Row, RowIter, Rows, Scan, Snapshot, Urgency, Verdict,
    committer::{self, Counters, Job},
    opening,
};
use crate::{OpenError, OrganizationId};

/// All rows; the store's tables are ranges of it.
pub(super) const ROWS: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("rows");

/// Storage in one file of this machine, which only one process may have open.
///
/// Transactions run one after another on the engine's own thread and never conflict. Those that
/// arrive while a commit is being synced share the next one. Reading needs no lock and waits for
/// nobody. Dropping the engine finishes what is queued and closes the file; snapshots that still
/// live can read no more.
#[derive(Debug)]
pub struct RedbEngine {
    database: Arc<Database>,
    /// `None` only while the engine is being dropped.
    jobs: Option<Sender<Job>>,
    committer: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
    began: Instant,
    /// When somebody last waited for a transaction, in milliseconds since it began.
    pressed: AtomicU64,
    location: String,
}

/// For how many milliseconds a transaction for which somebody waits lets others be expected.
const PRESSED: u64 = 50;

/// How a file is used.
#[derive(Clone, Copy, Debug)]
pub struct RedbOptions {
    /// Memory for cached pages, in bytes. The default is 256 MiB, which serves tens of millions of
    /// rows.
    pub cache_bytes: usize,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What an engine has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Transactions that ran, also those that aborted.
    pub transactions: u64,
    /// Commits, each with one sync to the disk. Transactions divided by commits is the size of the
    /// average group.
    pub commits: u64,
}

impl RedbEngine {
    /// Opens the file at `path`, making it if there is none. A file that was not closed (power
    /// loss, a killed process) is checked and repaired first, which reads all of it.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the file and what to do about it.
    pub fn open(path: &Path, options: RedbOptions) -> Result<Self, OpenError> {
        let location = path.display().to_string();
        // redb would make a new database of it: a truncated one would come back empty.
        if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            return Err(OpenError::Empty { database: location });
        }
        let builder = opening::builder(options, location.clone());
        Self::start(location, || builder.create(path))
    }

    /// Opens storage that is not a file: memory, or a disk that a test makes fail.
    ///
    /// # Errors
    ///
    /// [`OpenError`], as for a file.
    pub fn with_backend(
        backend: impl StorageBackend,
        options: RedbOptions,
    ) -> Result<Self, OpenError> {
        let location = "the storage backend".to_owned();
        let builder = opening::builder(options, location.clone());
        Self::start(location, || builder.create_with_backend(backend))
    }

    /// Counts since the engine was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }

    fn start(
        location: String,
        open: impl FnOnce() -> Result<Database, DatabaseError>,
    ) -> Result<Self, OpenError> {
        let database = Arc::new(opening::open(&location, open)?);
        let counters = Arc::new(Counters::default());
        let (jobs, queue) = mpsc::channel();
        let committer = thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn({
                let (database, counters) = (Arc::clone(&database), Arc::clone(&counters));
                move || committer::run(&database, &queue, &counters)
            })
            .map_err(|source| OpenError::Inaccessible {
                database: location.clone(),
                source,
            })?;
        Ok(Self {
            database,
            jobs: Some(jobs),
            committer: Some(committer),
            counters,
            began: Instant::now(),
            pressed: AtomicU64::new(0),
            location,
        })
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Engine for RedbEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        let transaction = self.database.begin_read().map_err(storage)?;
        let table = transaction.open_table(ROWS).map_err(storage)?;
        Ok(Box::new(RedbSnapshot(table)))
    }

    fn transact(
        &self,
        _: Option<OrganizationId>,
        urgency: Urgency,
        body: Body,
    ) -> Result<Verdict, EngineError> {
        let here = thread::current().id();
        if (self.committer.as_ref()).is_some_and(|committer| committer.thread().id() == here) {
            return Err(EngineError::Nested);
        }
        if urgency == Urgency::Now {
            let now = self.milliseconds();
            self.pressed.store(now, Ordering::Relaxed);
        }
        let (reply, answer) = mpsc::sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or(EngineError::Stopped)?;
        let job = Job {
            body,
            urgency,
            reply,
        };
        jobs.send(job).map_err(|_| EngineError::Stopped)?;
        answer.recv().map_err(|_| EngineError::Stopped)?
    }

    fn is_pressed(&self) -> bool {
        let pressed = self.pressed.load(Ordering::Relaxed);
        pressed > 0 && self.milliseconds() < pressed + PRESSED
    }

    fn location(&self) -> String {
        self.location.clone()
    }
}

impl Drop for RedbEngine {
    fn drop(&mut self) {
        self.jobs = None;
        // A committer that panicked has already failed its callers.
        if let Some(committer) = self.committer.take() {
            let _ = committer.join();
        }
    }
}

/// A table of a read transaction, which it keeps open.
struct RedbSnapshot(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Snapshot for RedbSnapshot {}

impl Rows for RedbSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        get(&self.0, key)
    }

    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError> {
        rows(&self.0, scan)
    }
}

/// A table of a write transaction, as it stands.
pub(super) struct TableRows<'t, T>(pub(super) &'t T);

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Rows for TableRows<'_, T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        get(self.0, key)
    }

    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError> {
        rows(self.0, scan)
    }
}

fn get(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, EngineError> {
    let value = table.get(key).map_err(storage)?;
    Ok(value.map(|value| value.value().to_vec()))
}

fn rows<'t>(
    table: &'t impl ReadableTable<&'static [u8], &'static [u8]>,
    scan: &Scan,
) -> Result<RowIter<'t>, EngineError> {
    if scan.is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    let range = table
        .range::<&[u8]>(scan.from.as_slice()..scan.until.as_slice())
        .map_err(storage)?;
    let keys_only = scan.keys_only;
    let own = move |row| owned(row, keys_only);
    Ok(if scan.reverse {
        Box::new(range.rev().map(own))
    } else {
        Box::new(range.map(own))
    })
}

type Guarded<'t> = (
    AccessGuard<'t, &'static [u8]>,
    AccessGuard<'t, &'static [u8]>,
);

fn owned(row: Result<Guarded<'_>, StorageError>, keys_only: bool) -> Result<Row, EngineError> {
    let (key, value) = row.map_err(storage)?;
    let value = if keys_only { &[] } else { value.value() };
    Ok((key.value().to_vec(), value.to_vec()))
}

pub(super) fn storage(error: impl Into<::redb::Error>) -> EngineError {
    EngineError::Storage(Arc::new(error.into()))
}
