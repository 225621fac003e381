//! Group commit: the thread that runs transactions one after another and makes many of them
//! durable with one sync.

use std::{
    any::Any,
    collections::VecDeque,
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
    time::{Duration, Instant},
};

use redb::{Database, Table};

use super::{
    Body, EngineError, Rows, Urgency, Verdict,
    overlay::{Overlay, Writes},
    redb::{ROWS, TableRows, storage},
};

/// The most transactions that share a commit. It bounds how long the first of them waits.
const BATCH: usize = 256;

/// How long a transaction for which nobody waits is held back: for one to share a commit with, and
/// behind one for which somebody waited, since the next of those is often near.
const PATIENCE: Duration = Duration::from_millis(3);

/// How long transactions for which nobody waits go on in one commit, so that whoever comes meanwhile
/// does not wait long. One more may have begun.
const SLICE: Duration = Duration::from_millis(1);

/// One that has waited so long runs beside those for which somebody waits, one in a commit: nothing
/// waits for ever.
const OVERDUE: Duration = Duration::from_millis(10);

/// A transaction and where its answer goes.
pub(super) struct Job {
    pub(super) body: Body,
    pub(super) urgency: Urgency,
    pub(super) reply: SyncSender<Answer>,
}

pub(super) type Answer = Result<Verdict, EngineError>;

/// What has happened since the database was opened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) transactions: AtomicU64,
    pub(super) commits: AtomicU64,
}

/// Transactions that wait for the next batch.
struct Queue<'j> {
    jobs: &'j Receiver<Job>,
    /// Somebody waits for these.
    now: VecDeque<Job>,
    /// Nobody waits for these; since when each is here.
    soon: VecDeque<(Instant, Job)>,
    /// When the last one came for which somebody waits.
    last: Option<Instant>,
}

impl<'j> Queue<'j> {
    fn new(jobs: &'j Receiver<Job>) -> Self {
        Self {
            jobs,
            now: VecDeque::new(),
            soon: VecDeque::new(),
            last: None,
        }
    }

    fn push(&mut self, job: Job) {
        let here = Instant::now();
        match job.urgency {
            Urgency::Now => {
                self.last = Some(here);
                self.now.push_back(job);
            }
            Urgency::Soon => self.soon.push_back((here, job)),
        }
    }

    /// Waits until it is worth to begin a batch: for a transaction for which somebody waits, for two
    /// that can share a commit, or for the end of patience. False when every sender is gone and
    /// nothing is left.
    fn wait(&mut self) -> bool {
        if self.now.is_empty() && self.soon.is_empty() {
            let Ok(job) = self.jobs.recv() else {
                return false;
            };
            self.push(job);
        }
        self.take();
        while self.now.is_empty() {
            let left = self.patience().saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // Also where every sender is gone, what was queued is to be done.
            let Ok(job) = self.jobs.recv_timeout(left) else {
                break;
            };
            self.push(job);
        }
        true
    }

    /// Until when those for which nobody waits are held back.
    fn patience(&self) -> Instant {
        let alone = match self.soon.len() {
            1 => self.soon.front().map(|(since, _)| *since + PATIENCE),
            _ => None,
        };
        let behind = self.last.map(|last| last + PATIENCE);
        let now = Instant::now();
        let overdue = self.soon.front().map_or(now, |(since, _)| *since + OVERDUE);
        alone.max(behind).unwrap_or(now).min(overdue)
    }

    /// Takes what has come.
    fn take(&mut self) {
        while let Ok(job) = self.jobs.try_recv() {
            self.push(job);
        }
    }

    /// The next transaction of a batch.
    fn next(&mut self, batch: &mut Batch) -> Option<Job> {
        self.take();
        if let Some(job) = self.now.pop_front() {
            batch.somebody_waits = true;
            return Some(job);
        }
        let (since, _) = self.soon.front()?;
        let may = match batch.somebody_waits {
            true => batch.soon == 0 && since.elapsed() >= OVERDUE,
            false => batch.began.elapsed() < SLICE,
        };
        if !may {
            return None;
        }
        batch.soon += 1;
        self.soon.pop_front().map(|(_, job)| job)
    }
}

/// What is in a batch so far.
struct Batch {
    began: Instant,
    /// Whether it has a transaction for which somebody waits.
    somebody_waits: bool,
    /// How many it has for which nobody does.
    soon: usize,
}

/// Runs batches until every sender is gone and the queue is empty. Callers that arrive during one
/// batch's sync form the next.
pub(super) fn run(database: &Database, jobs: &Receiver<Job>, counters: &Counters) {
    let mut queue = Queue::new(jobs);
    while queue.wait() {
        let mut replies = Vec::new();
        let answers = run_batch(database, &mut queue, &mut replies, counters);
        if let Err(error) = &answers {
            let error: &dyn Error = error;
            tracing::error!(error, transactions = replies.len(), "a commit failed");
        }
        let mut answers = answers.map(Vec::into_iter);
        for reply in replies {
            let answer = match &mut answers {
                Ok(answers) => answers.next().unwrap_or(Err(EngineError::Stopped)),
                Err(error) => Err(error.clone()),
            };
            // A caller that is gone needs no answer.
            let _ = reply.send(answer);
        }
    }
}

/// Runs what waits and what else comes meanwhile, and commits. The answers may be given only now, those
/// of aborted transactions too: what made them abort may be a write of this batch.
fn run_batch(
    database: &Database,
    queue: &mut Queue<'_>,
    replies: &mut Vec<SyncSender<Answer>>,
    counters: &Counters,
) -> Result<Vec<Answer>, EngineError> {
    let mut batch = Batch {
        began: Instant::now(),
        somebody_waits: false,
        soon: 0,
    };
    // Whatever fails from here on fails for those who are in it: for one at least, so that a queue
    // that cannot be worked off comes to its end.
    let mut next = queue.next(&mut batch);
    replies.extend(next.as_ref().map(|job| job.reply.clone()));
    let transaction = database.begin_write().map_err(storage)?;
    let mut answers = Vec::new();
    let mut wrote = false;
    {
        let mut table = transaction.open_table(ROWS).map_err(storage)?;
        while let Some(Job { body, .. }) = next.take() {
            let ran = run_body(&TableRows(&table), body);
            counters.transactions.fetch_add(1, Ordering::Relaxed);
            answers.push(match ran {
                Ok((verdict, writes)) => {
                    wrote |= !writes.is_empty();
                    apply(&mut table, writes)?;
                    Ok(verdict)
                }
                Err(error) => Err(error),
            });
            if answers.len() < BATCH {
                next = queue.next(&mut batch);
                replies.extend(next.as_ref().map(|job| job.reply.clone()));
            }
        }
    }
    if wrote {
        transaction.commit().map_err(storage)?;
        counters.commits.fetch_add(1, Ordering::Relaxed);
    } else {
        transaction.abort().map_err(storage)?;
    }
    Ok(answers)
}

/// Runs one body over an overlay of its own, so that one that aborts or panics leaves no trace.
pub(super) fn run_body(rows: &impl Rows, mut body: Body) -> Result<(Verdict, Writes), EngineError> {
    // The body is dropped inside, for what it holds may panic as well.
    let ran = catch_unwind(AssertUnwindSafe(move || {
        let mut overlay = Overlay::new(rows);
        let verdict = body(&mut overlay);
        drop(body);
        (verdict, overlay.into_writes())
    }));
    match ran {
        Ok((Verdict::Commit, writes)) => Ok((Verdict::Commit, writes)),
        Ok((Verdict::Abort, _)) => Ok((Verdict::Abort, Writes::new())),
        Err(payload) => Err(EngineError::Panicked {
            message: panic_message(payload.as_ref()),
        }),
    }
}

fn apply(
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    writes: Writes,
) -> Result<(), EngineError> {
    for (key, value) in writes {
        match value {
            Some(value) => table.insert(key.as_slice(), value.as_slice()),
            None => table.remove(key.as_slice()),
        }
        .map_err(storage)?;
    }
    Ok(())
}

/// The text of a panic, as far as it has one.
pub(super) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
        .to_owned()
}
