//! The thread that writes the log: many requests in one transaction, and what is too old or too
//! much removed in steps.

use super::prepare::{self, Row};
use super::{Caller, Keep, LeftOut, Message, Seen, Shared, read, subject};
use crate::clock::{Clock, Random, Timestamp};
use crate::directory::organizations;
use crate::model::requests::{
    RequestBodies, RequestLogRecord, RequestLogs, RequestRecord, Requests,
};
use crate::model::tenancy::Directories;
use crate::telemetry::chain;
use gatewright_store::{
    OrganizationId, OrganizationScope, Range, Read, Reader, Store, StoreError, Writer as Tx,
};
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tracing::{error, warn};
use uuid::Uuid;

/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_millis(200);
/// Requests of one transaction. Others wait while it is applied, so it is not large.
const BATCH: usize = 64;
/// How often the thread looks around when nothing comes in.
const TICK: Duration = Duration::from_secs(1);
/// How often directories are looked at that may have nothing but old rows.
const SWEEP: Duration = Duration::from_secs(600);
/// How often it is told that requests are being left out, so that a flood does not fill both logs with
/// that. What was not told yet is told at the end.
const TELL: Duration = Duration::from_secs(10);
/// Rows that a sweep removes in one transaction.
const STEP: usize = 256;
/// Rows of strangers that one directory gets in a minute.
const STRANGERS: u32 = 10;
/// In milliseconds.
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

pub(super) struct Writer {
    store: Store,
    clock: Clock,
    random: Random,
    keep: Keep,
    shared: Arc<Shared>,
    strangers: Strangers,
}

/// What is known of requests without a token.
#[derive(Default)]
struct Strangers {
    /// Whose each directory is.
    directories: HashMap<Uuid, OrganizationId>,
    /// When that was read.
    read: Timestamp,
    /// Rows of the minute that began then, by directory.
    minute: Timestamp,
    rows: HashMap<Uuid, u32>,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        clock: Clock,
        random: Random,
        keep: Keep,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            store,
            clock,
            random,
            keep,
            shared,
            strangers: Strangers::default(),
        }
    }

    /// Writes until every sender is gone and the queue is empty.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut swept = Instant::now();
        let mut told: Option<Instant> = None;
        loop {
            let (batch, flushed, open) = gather(messages);
            let count = batch.len();
            let left_out =
                if flushed.is_some() || !open || told.is_none_or(|told| told.elapsed() > TELL) {
                    std::mem::take(&mut *self.shared.left_out())
                } else {
                    LeftOut::new()
                };
            if !left_out.is_empty() {
                told = Some(Instant::now());
            }
            let done = panic::catch_unwind(AssertUnwindSafe(|| self.write(batch, left_out)));
            match done {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => {
                    error!(error = chain(&problem), count, "requests were not logged");
                }
                Err(_) => error!(count, "requests were not logged: the writer panicked"),
            }
            if let Some(done) = flushed {
                // Who waited may be gone.
                let _ = done.send(());
            }
            if swept.elapsed() > SWEEP {
                swept = Instant::now();
                if let Err(problem) = self.sweep() {
                    warn!(error = chain(&problem), "old requests were not removed");
                }
            }
            if !open {
                return;
            }
        }
    }

    fn write(&mut self, batch: Vec<Seen>, left_out: LeftOut) -> Result<(), StoreError> {
        let bytes: usize = batch.iter().map(Seen::size).sum();
        let count = batch.len();
        let mut rows = Vec::with_capacity(count);
        for seen in batch {
            let organization = match seen.caller {
                Caller::Known { organization, .. } => Some(organization),
                Caller::Stranger { directory } => self.of_stranger(directory)?,
            };
            if let Some(organization) = organization {
                rows.push(prepare::row(organization, seen));
            }
        }
        self.shared.rows.fetch_sub(count, Ordering::Relaxed);
        self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        for ((organization, directory), number) in left_out {
            warn!(
                organization = %organization, %directory, number,
                "requests were left out of the request log: more came in than it takes"
            );
            rows.push(self.gap(organization, directory, number));
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.name(&mut rows)?;
        let (keep, now) = (self.keep, self.clock.now());
        let mut places: Vec<(OrganizationId, Uuid)> = rows
            .iter()
            .map(|row| (row.organization, row.directory))
            .collect();
        places.sort();
        places.dedup();
        self.store
            .system()
            .unhurried()
            .write(move |tx| {
                for &(organization, directory) in &places {
                    let mut tx = tx.organization(organization);
                    let rows = rows.iter().filter(|row| row.directory == directory);
                    put(&mut tx, directory, rows, keep, now)?;
                }
                Ok::<_, StoreError>(())
            })
            .map_err(StoreError::from)
    }

    /// A row that says how many were left out.
    fn gap(&self, organization: OrganizationId, directory: Uuid, left_out: u64) -> Row {
        let at = self.clock.now();
        Row {
            organization,
            directory,
            id: self.random.id(at),
            record: RequestRecord {
                at,
                method: String::new(),
                path: String::new(),
                query: None,
                status: 0,
                micros: 0,
                revision: None,
                credential: None,
                resource_id: None,
                name: None,
                subjects: Vec::new(),
                repaired: 0,
                ignored: 0,
                masked: false,
                bytes: 0,
                left_out,
            },
            details: b"{}".to_vec(),
        }
    }

    /// Gives rows that know an id alone, such as those of a DELETE, the name and the subjects of
    /// the last row about that id, so that who looks for the name finds them.
    fn name(&self, rows: &mut [Row]) -> Result<(), StoreError> {
        let mut known: HashMap<(Uuid, String), (Option<String>, Vec<String>)> = HashMap::new();
        for row in rows {
            let record = &mut row.record;
            let Some(id) = record.resource_id.clone() else {
                continue;
            };
            let key = (row.directory, id);
            if record.subjects.len() > 1 {
                known.insert(key, (record.name.clone(), record.subjects.clone()));
                continue;
            }
            let found = match known.get(&key) {
                Some(found) => Some(found.clone()),
                None => {
                    let reader = self.store.organization(row.organization).read()?;
                    let subject = subject::digest(key.0, &key.1);
                    read::last_of(&reader, key.0, &subject)?.map(|last| (last.name, last.subjects))
                }
            };
            if let Some((name, subjects)) = found {
                record.name = name.filter(|_| !record.masked || record.path.contains("/Groups/"));
                record.subjects.clone_from(&subjects);
                known.insert(key, (record.name.clone(), subjects));
            }
        }
        Ok(())
    }

    /// The organization of a directory that somebody without its token named; none where there is
    /// no such directory, or it had enough of such rows in this minute.
    fn of_stranger(&mut self, directory: Uuid) -> Result<Option<OrganizationId>, StoreError> {
        let now = self.clock.now();
        let strangers = &mut self.strangers;
        if !strangers.directories.contains_key(&directory) && now > strangers.read.plus(10_000) {
            strangers.read = now;
            strangers.directories.clear();
            let reader = self.store.system().read()?;
            for (id, _) in organizations::all(&self.store)? {
                let organization = OrganizationId::from(id);
                let rows = reader.organization(organization);
                for known in rows.keys::<Directories>(Range::all())? {
                    strangers.directories.insert(known?, organization);
                }
            }
        }
        let Some(&organization) = strangers.directories.get(&directory) else {
            return Ok(None);
        };
        if now > strangers.minute.plus(MINUTE) {
            strangers.minute = now;
            strangers.rows.clear();
        }
        let rows = strangers.rows.entry(directory).or_default();
        *rows += 1;
        Ok((*rows <= STRANGERS).then_some(organization))
    }

    /// Removes what is too old in directories where nothing comes in.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        let (keep, now) = (self.keep, self.clock.now());
        for (id, _) in organizations::all(&self.store)? {
            let organization = self
                .store
                .organization(OrganizationId::from(id))
                .unhurried();
            let reader = organization.read()?;
            let logs: Vec<Uuid> = reader
                .keys::<RequestLogs>(Range::all())?
                .collect::<Result<_, _>>()?;
            for directory in logs {
                while is_over(&reader_of(&organization)?, directory, keep, now)? {
                    organization
                        .write(move |tx| {
                            let mut log = tx.get::<RequestLogs>(&directory)?.unwrap_or_default();
                            trim(tx, directory, &mut log, keep, now, STEP)?;
                            tx.put::<RequestLogs>(&directory, &log)
                        })
                        .map_err(StoreError::from)?;
                }
            }
        }
        Ok(())
    }
}

fn reader_of(
    organization: &gatewright_store::Organization,
) -> Result<Reader<OrganizationScope>, StoreError> {
    organization.read()
}

/// What waits, up to a batch; whom to tell when it is written; whether more can come.
fn gather(messages: &Receiver<Message>) -> (Vec<Seen>, Option<SyncSender<()>>, bool) {
    let mut batch = Vec::new();
    let mut wait = TICK;
    let mut began = Instant::now();
    loop {
        match messages.recv_timeout(wait) {
            Ok(Message::Seen(seen)) => {
                if batch.is_empty() {
                    began = Instant::now();
                }
                batch.push(*seen);
            }
            Ok(Message::Flush(done)) => return (batch, Some(done), true),
            Err(RecvTimeoutError::Timeout) => return (batch, None, true),
            Err(RecvTimeoutError::Disconnected) => return (batch, None, false),
        }
        wait = GATHER.saturating_sub(began.elapsed());
        if batch.len() >= BATCH || wait.is_zero() {
            return (batch, None, true);
        }
    }
}

fn put<'r>(
    tx: &mut Tx<'_, OrganizationScope>,
    directory: Uuid,
    rows: impl Iterator<Item = &'r Row>,
    keep: Keep,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut log = tx.get::<RequestLogs>(&directory)?.unwrap_or_default();
    let mut count = 0;
    for row in rows {
        let key = (directory, row.id);
        tx.insert::<Requests>(&key, &row.record)?;
        tx.put::<RequestBodies>(&key, &row.details)?;
        log.rows += 1;
        log.bytes += row.record.bytes;
        count += 1;
    }
    // Twice as many go as came, so a log that is too large gets smaller, in steps.
    trim(tx, directory, &mut log, keep, now, 2 * count)?;
    tx.put::<RequestLogs>(&directory, &log)
}

/// Removes up to `most` of the oldest rows that are too old or too many.
fn trim(
    tx: &mut Tx<'_, OrganizationScope>,
    directory: Uuid,
    log: &mut RequestLogRecord,
    keep: Keep,
    now: Timestamp,
    most: usize,
) -> Result<(), StoreError> {
    let mut gone = Vec::new();
    for row in tx.scan::<Requests>(Range::prefix(&directory))?.take(most) {
        let (key, record) = row?;
        if !goes(log, record.at, keep, now) {
            break;
        }
        log.rows = log.rows.saturating_sub(1);
        log.bytes = log.bytes.saturating_sub(record.bytes);
        gone.push(key);
    }
    for key in gone {
        tx.delete::<Requests>(&key)?;
        tx.delete::<RequestBodies>(&key)?;
    }
    Ok(())
}

/// Whether the oldest row, of that time, is one too many.
fn goes(log: &RequestLogRecord, at: Timestamp, keep: Keep, now: Timestamp) -> bool {
    let old = now > at.plus(keep.days.saturating_mul(DAY));
    log.rows > keep.rows || log.bytes > keep.bytes || old
}

fn is_over(
    reader: &Reader<OrganizationScope>,
    directory: Uuid,
    keep: Keep,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let log = reader.get::<RequestLogs>(&directory)?.unwrap_or_default();
    let oldest = reader.scan::<Requests>(Range::prefix(&directory))?.next();
    Ok(match oldest.transpose()? {
        Some((_, record)) => goes(&log, record.at, keep, now),
        None => false,
    })
}
