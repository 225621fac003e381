//! The thread that writes the log: many requests in one transaction, and what is too old or too
//! much removed in steps.

use super::prepare::{self, Row};
use super::{Caller, Keep, LeftOut, Message, Seen, Shared, segment, subject};
use crate::clock::{Clock, Random, Timestamp};
use crate::directory::organizations;
use crate::model::facts::{DeletedUsers, Groups, Users, text};
use crate::model::requests::{RequestLogs, RequestRecord};
use crate::model::tenancy::Directories;
use crate::telemetry::chain;
use gatewright_store::{OrganizationId, OrganizationScope, Range, Read, Reader, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
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
/// Segments that a sweep removes in one transaction.
const STEP: usize = 16;
/// Rows of strangers that one directory gets in a minute.
const STRANGERS: u32 = 10;
/// In milliseconds.
const MINUTE: u64 = 60_000;

pub(super) struct Writer {
    store: Store,
    clock: Clock,
    random: Random,
    keep: Keep,
    shared: Arc<Shared>,
    strangers: Strangers,
    names: Names,
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
            names: Names::default(),
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
        let mut parts: BTreeMap<(OrganizationId, Uuid), Vec<Row>> = BTreeMap::new();
        for row in rows {
            let place = (row.organization, row.directory);
            parts.entry(place).or_default().push(row);
        }
        // Made here, so that the transaction, for which others wait, has little to do.
        let ready: Vec<_> = parts
            .into_iter()
            .map(|(place, rows)| (place, segment::make(place.1, rows, keep)))
            .collect();
        self.store
            .system()
            .unhurried()
            .write(move |tx| {
                for ((organization, directory), segments) in &ready {
                    let mut tx = tx.organization(*organization);
                    segment::put(&mut tx, *directory, segments.iter(), keep, now)?;
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
                details: (0, 0),
                left_out,
            },
            details: b"{}".to_vec(),
        }
    }

    /// Gives rows that know an id alone, such as those of a DELETE, the name that belongs to it, so
    /// that who looks for the name finds them.
    fn name(&mut self, rows: &mut [Row]) -> Result<(), StoreError> {
        for row in rows {
            let record = &mut row.record;
            let Some(id) = record.resource_id.clone() else {
                continue;
            };
            let key = (row.directory, id);
            if record.subjects.len() > 1 {
                self.names
                    .note(key, &record.subjects, record.name.as_deref());
                continue;
            }
            let known = match self.names.get(&key) {
                Some(known) => Some(known.clone()),
                None => {
                    let reader = self.store.organization(row.organization).read()?;
                    stored_name(&reader, &key)?.map(|name| {
                        let mut subjects = record.subjects.clone();
                        subjects.push(subject::digest(key.0, &name));
                        (Some(name), subjects)
                    })
                }
            };
            if let Some((name, subjects)) = known {
                let shown = name.filter(|_| !record.masked || record.path.contains("/Groups/"));
                self.names.note(key, &subjects, shown.as_deref());
                record.name = shown;
                record.subjects = subjects;
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
                let mut more = true;
                while more {
                    more = organization
                        .write(move |tx| {
                            let mut log = tx.get::<RequestLogs>(&directory)?.unwrap_or_default();
                            let any = segment::trim(tx, directory, &mut log, keep, now, STEP)?;
                            if any {
                                tx.put::<RequestLogs>(&directory, &log)?;
                            }
                            Ok::<_, StoreError>(any)
                        })
                        .map_err(StoreError::from)?;
                }
            }
        }
        Ok(())
    }
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

/// What is known of the names of users and groups that were logged: those that are deleted have none
/// in the store any more.
#[derive(Default)]
struct Names(HashMap<(Uuid, String), Known>);

type Known = (Option<String>, Vec<String>);

impl Names {
    /// Names that are remembered; when there are more, all are forgotten.
    const MOST: usize = 10_000;

    fn get(&self, key: &(Uuid, String)) -> Option<&Known> {
        self.0.get(key)
    }

    fn note(&mut self, key: (Uuid, String), subjects: &[String], name: Option<&str>) {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        let known = (name.map(str::to_owned), subjects.to_vec());
        self.0.insert(key, known);
    }
}

/// The `userName` or `displayName` of the user or group of that id, also of a deleted user.
fn stored_name(
    reader: &Reader<OrganizationScope>,
    (directory, id): &(Uuid, String),
) -> Result<Option<String>, StoreError> {
    let Ok(id) = id.parse::<Uuid>() else {
        return Ok(None);
    };
    let key = (*directory, id);
    let (document, name) = if let Some(user) = reader.get::<Users>(&key)? {
        (user.document, "userName")
    } else if let Some(deleted) = reader.get::<DeletedUsers>(&key)? {
        (deleted.record.document, "userName")
    } else if let Some(group) = reader.get::<Groups>(&key)? {
        (group.document, "displayName")
    } else {
        return Ok(None);
    };
    Ok(text(&document, name).map(str::to_owned))
}
