//! Group commit: the thread that runs transactions one after another and makes many of them
//! durable with one sync.

use std::{
    any::Any,
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
    Body, EngineError, Urgency, Verdict,
    overlay::{Overlay, Writes},
    redb::{ROWS, storage},
};

/// The most transactions that share a commit. It bounds how long the first of them waits.
const BATCH: usize = 256;

/// How long a transaction for which nobody waits is held back for one to share a commit with.
const PATIENCE: Duration = Duration::from_millis(3);

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

/// Runs batches until every sender is gone and the queue is empty. Callers that arrive during one
/// batch's sync form the next.
pub(super) fn run(database: &Database, jobs: &Receiver<Job>, counters: &Counters) {
    while let Some(waiting) = wait(jobs) {
        let mut replies = Vec::new();
        let answers = run_batch(database, jobs, waiting, &mut replies, counters);
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

/// The transactions that make it worth to begin a batch: one for which somebody waits, and those
/// that came before it; or those whose patience has ended. None when every sender is gone.
fn wait(jobs: &Receiver<Job>) -> Option<Vec<Job>> {
    let mut waiting = vec![jobs.recv().ok()?];
    let end = Instant::now() + PATIENCE;
    while waiting.len() < BATCH
        && waiting
            .last()
            .is_some_and(|job| job.urgency == Urgency::Soon)
    {
        let left = end.saturating_duration_since(Instant::now());
        // Also where every sender is gone, what was queued is to be done.
        let Ok(next) = jobs.recv_timeout(left) else {
            break;
        };
        waiting.push(next);
    }
    Some(waiting)
}

/// Runs `waiting` and what else comes meanwhile, and commits. The answers may be given only now, those of
/// aborted transactions too: what made them abort may be a write of this batch.
fn run_batch(
    database: &Database,
    jobs: &Receiver<Job>,
    waiting: Vec<Job>,
    replies: &mut Vec<SyncSender<Answer>>,
    counters: &Counters,
) -> Result<Vec<Answer>, EngineError> {
    let (waiting, waiters): (Vec<Body>, Vec<_>) =
        waiting.into_iter().map(|job| (job.body, job.reply)).unzip();
    replies.extend(waiters);
    let mut waiting = waiting.into_iter();
    let transaction = database.begin_write().map_err(storage)?;
    let mut answers = Vec::new();
    let mut wrote = false;
    {
        let mut table = transaction.open_table(ROWS).map_err(storage)?;
        while answers.len() < BATCH
            && let Some(body) = waiting.next().or_else(|| {
                let Job { body, reply, .. } = jobs.try_recv().ok()?;
                replies.push(reply);
                Some(body)
            })
        {
            let ran = run_body(&table, body);
            counters.transactions.fetch_add(1, Ordering::Relaxed);
            answers.push(match ran {
                Ok((verdict, writes)) => {
                    wrote |= !writes.is_empty();
                    apply(&mut table, writes)?;
                    Ok(verdict)
                }
                Err(error) => Err(error),
            });
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
fn run_body(
    table: &Table<'_, &'static [u8], &'static [u8]>,
    mut body: Body,
) -> Result<(Verdict, Writes), EngineError> {
    // The body is dropped inside, for what it holds may panic as well.
    let ran = catch_unwind(AssertUnwindSafe(move || {
        let mut overlay = Overlay::new(table);
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
