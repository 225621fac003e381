//! The log of requests of each directory: what came in, what the provider plugin made of it, and
//! what was answered.
//!
//! It is written behind the answers: a request hands over what it knows and goes on, a thread takes
//! secrets out and stores many requests in one transaction. So a request waits for no second sync;
//! a crash loses at most the last moment of the log, never a fact. Where more comes in than can be
//! written, requests are left out, and a row says how many.

mod prepare;
mod read;
pub(crate) mod redact;
mod segment;
mod subject;
#[cfg(test)]
mod tests;
mod writer;

pub use prepare::parameters;
pub use read::{Page, Search, details, find, search};
pub use redact::PARSED;

use crate::clock::{Clock, Random, Timestamp};
use crate::rate::{Rate, Rates};
use bytes::Bytes;
use gatewright_store::{OrganizationId, Store};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use uuid::Uuid;

/// Requests that wait to be written.
const QUEUE: usize = 4_096;
/// Bytes of their bodies.
const QUEUED_BYTES: usize = 64 << 20;

/// What of a directory is logged without fail only up to this: reads that succeeded, and requests
/// that were refused for their rate. It is beyond what the default rate lets one token do.
const ROUTINE: Rate = Rate {
    per_second: 100,
    burst: 400,
};

/// Requests without a token of the directory that are looked at, over all directories. How many
/// are written is bounded for each directory.
const STRANGERS: Rate = Rate {
    per_second: 20,
    burst: 100,
};

/// For how long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days.
    pub days: u64,
    /// Rows of one directory; 0: nothing is logged.
    pub rows: u64,
    /// Bytes of one directory.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            days: 7,
            rows: 10_000,
            bytes: 128 << 20,
        }
    }
}

/// One request with its answer, as the door saw it.
pub struct Seen {
    /// Its id, which the answer says too.
    pub id: Uuid,
    /// When it came in.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The HTTP method.
    pub method: String,
    /// The path as it was called.
    pub path: String,
    /// The query as it was called.
    pub query: Option<String>,
    /// Those headers that tell clients apart.
    pub headers: Vec<(String, String)>,
    /// Who called.
    pub caller: Caller,
    /// What it is about, as far as the path was understood.
    pub place: Place,
    /// The body.
    pub body: Bytes,
    /// What the provider plugin made of it, if it changed something.
    pub understood: Option<Understood>,
    /// What the provider plugin says that it mended.
    pub repaired: Vec<String>,
    /// What was not kept of it.
    pub ignored: Vec<String>,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub answer: Answered,
    /// The revision that holds what it wrote.
    pub revision: Option<u64>,
}

/// Who called.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    /// Somebody with a token of the directory.
    Known {
        /// The organization.
        organization: OrganizationId,
        /// The directory.
        directory: Uuid,
        /// The id of the token.
        credential: Uuid,
        /// Whether personal values are masked in this directory.
        mask: bool,
    },
    /// Somebody without. The path names this directory, which may not exist.
    Stranger {
        /// The directory.
        directory: Uuid,
    },
}

/// What a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Users.
    Users,
    /// Groups.
    Groups,
    /// Something else, or several.
    #[default]
    Other,
}

/// A request after its provider plugin.
pub struct Understood {
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The body of an answer, as far as it may be kept: many of a large one's bytes would wait here
/// until they are dropped.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// All of it; where it is larger than [`PARSED`], the beginning.
    pub beginning: Bytes,
    /// Bytes of all of it.
    pub length: usize,
}

impl Answered {
    /// Bytes that are kept of a text at most.
    pub const KEPT: usize = redact::KEPT;

    /// What may be kept of that body.
    #[must_use]
    pub fn of(body: &Bytes) -> Self {
        let beginning = match body.len() {
            ..=PARSED => body.clone(),
            _ => Bytes::copy_from_slice(&body[..Self::KEPT]),
        };
        Self {
            beginning,
            length: body.len(),
        }
    }
}

/// The log's writer. Dropping it writes what waits.
pub struct Journal {
    queue: Option<SyncSender<Message>>,
    shared: Arc<Shared>,
    routine: Rates,
    strangers: Rates,
    keep: Keep,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Seen(Box<Seen>),
    Flush(SyncSender<()>),
}

/// What those who hand over and the thread have in common.
#[derive(Default)]
struct Shared {
    rows: AtomicUsize,
    bytes: AtomicUsize,
    left_out: Mutex<LeftOut>,
}

type LeftOut = HashMap<(OrganizationId, Uuid), u64>;

impl Shared {
    fn left_out(&self) -> MutexGuard<'_, LeftOut> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// Where the operating system has no thread to give.
    pub fn start(store: Store, clock: Clock, random: Random, keep: Keep) -> std::io::Result<Self> {
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let thread = {
            let writer = writer::Writer::new(store, clock, random, keep, Arc::clone(&shared));
            std::thread::Builder::new()
                .name("request-log".into())
                .spawn(move || writer.run(&messages))?
        };
        Ok(Self {
            queue: Some(queue),
            shared,
            routine: Rates::new(ROUTINE),
            strangers: Rates::new(STRANGERS),
            keep,
            thread: Some(thread),
        })
    }

    /// Whether anything is logged.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.keep.rows > 0
    }

    /// Hands a request over. Never waits.
    pub fn note(&self, seen: Seen) {
        let Some(queue) = self.queue.as_ref().filter(|_| self.is_on()) else {
            return;
        };
        let caller = seen.caller;
        let full = |part: usize| self.shared.rows.load(Ordering::Relaxed) >= QUEUE / part;
        let room = match caller {
            Caller::Stranger { .. } => !full(4) && self.strangers.check(Uuid::nil()).is_ok(),
            Caller::Known { directory, .. } if is_routine(&seen) => {
                !full(2) && self.routine.check(directory).is_ok()
            }
            Caller::Known { .. } => true,
        };
        let bytes = seen.size();
        let room = room && self.shared.bytes.load(Ordering::Relaxed) + bytes <= QUEUED_BYTES;
        if room {
            self.shared.rows.fetch_add(1, Ordering::Relaxed);
            self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
            match queue.try_send(Message::Seen(Box::new(seen))) {
                Ok(()) => return,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.shared.rows.fetch_sub(1, Ordering::Relaxed);
                    self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
                }
            }
        }
        if let Caller::Known {
            organization,
            directory,
            ..
        } = caller
        {
            let mut left_out = self.shared.left_out();
            *left_out.entry((organization, directory)).or_default() += 1;
        }
    }

    /// Waits until everything that was handed over is written.
    pub fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if let Some(queue) = &self.queue
            && queue.send(Message::Flush(done)).is_ok()
        {
            // A writer that is gone has nothing left to write.
            let _ = wait.recv();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A batch's panic is caught; there is nobody left to tell of another one.
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn size(&self) -> usize {
        let understood = self.understood.as_ref();
        self.body.len()
            + self.answer.beginning.len()
            + understood.map_or(0, |changed| changed.body.len())
    }
}

/// Whether a request is one of many that say the same: see [`ROUTINE`].
fn is_routine(seen: &Seen) -> bool {
    (reads(seen) && seen.status < 400) || seen.status == 429
}

fn reads(seen: &Seen) -> bool {
    seen.method == "GET" || seen.path.ends_with("/.search")
}
