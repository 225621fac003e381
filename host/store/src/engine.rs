//! What the store asks of a storage engine: bytes in order, one moment to read, all or nothing to
//! write.
//!
//! Two kinds fit: an embedded database with one writer, which never meets a conflict
//! ([`RedbEngine`]), and a server with serializable transactions, which runs a body again
//! when it loses against another.

mod committer;
mod opening;
mod overlay;
mod redb;
mod rehearsal;

use std::{error::Error, sync::Arc};

pub use self::redb::{RedbEngine, RedbOptions, Stats};
pub(crate) use self::rehearsal::Rehearsal;
use crate::OrganizationId;

/// An ordered, durable map from bytes to bytes.
pub trait Engine: Send + Sync + 'static {
    /// Opens a view of this moment: of every transaction that was answered before the call.
    ///
    /// # Errors
    ///
    /// [`EngineError`] where the database cannot be reached or read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError>;

    /// Runs `body` as one serializable transaction and returns when its end is durable.
    ///
    /// The writes are applied together if the body says [`Verdict::Commit`], and not at all if it
    /// says [`Verdict::Abort`] or panics. An engine that finds a conflict runs the body again from
    /// the start, whatever the lost run returned, so a body may have no effect outside the
    /// transaction that must not happen twice. It runs on a thread of the engine's choosing, and
    /// others wait for it: it must not wait for anything itself, least of all for another
    /// transaction.
    ///
    /// `lock` names the organization that the transaction belongs to. An engine where conflicts
    /// are possible locks that organization's row first, so that writers of one organization wait
    /// for each other and do not fail. The caller is blocked until the answer, also where `urgency`
    /// lets the engine take its time.
    ///
    /// # Errors
    ///
    /// [`EngineError`]. After [`EngineError::Panicked`] and [`EngineError::Nested`] nothing was
    /// written; after any other it is unknown whether the transaction will be there when the
    /// database is opened again.
    fn transact(
        &self,
        lock: Option<OrganizationId>,
        urgency: Urgency,
        body: Body,
    ) -> Result<Verdict, EngineError>;

    /// Whether somebody has just waited for a transaction, so that another one is likely to be near:
    /// those for which nobody waits had better be short.
    fn is_pressed(&self) -> bool;

    /// What an operator calls this database, for messages: the path of a file, the address of a
    /// server. It never holds a secret.
    fn location(&self) -> String;
}

/// The work of one transaction; see [`Engine::transact`].
pub type Body = Box<dyn FnMut(&mut dyn Transaction) -> Verdict + Send>;

/// What a transaction's body came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Apply the writes.
    Commit,
    /// Forget them.
    Abort,
}

/// How soon a transaction is to be durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for its end.
    #[default]
    Now,
    /// Nobody does: an engine may hold it back for a few milliseconds, so that it shares the commit
    /// of one for which somebody waits.
    Soon,
}

/// Reads of rows by their keys.
pub trait Rows {
    /// The value of one key.
    ///
    /// # Errors
    ///
    /// [`EngineError`] where the database cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// The rows of a range in order, read as the iterator advances.
    ///
    /// # Errors
    ///
    /// [`EngineError`] where the database cannot be read; the iterator's items fail likewise.
    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError>;
}

/// Reads that all see one moment, however long they take.
///
/// An engine keeps what the moment shows for as long as the snapshot lives, so a forgotten one
/// costs space. A snapshot does not keep its engine open.
pub trait Snapshot: Rows + Send + Sync {}

/// Reads that see this transaction's own writes, and writes.
pub trait Transaction: Rows {
    /// Sets the value of `key`.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);

    /// Removes `key`, which may be absent.
    fn delete(&mut self, key: Vec<u8>);
}

/// One row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows in the order of a [`Scan`].
pub type RowIter<'a> = Box<dyn Iterator<Item = Result<Row, EngineError>> + 'a>;

/// The keys from `from` up to, but not including, `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The smallest key.
    pub from: Vec<u8>,
    /// The bound above the greatest key.
    pub until: Vec<u8>,
    /// Greatest key first.
    pub reverse: bool,
    /// Values are not wanted; an engine leaves them empty where that saves work.
    pub keys_only: bool,
}

impl Scan {
    /// Whether no key can lie in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from >= self.until
    }
}

/// A failure of the engine itself. It can be cloned because the transactions that share a commit
/// also share its failure.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The storage below refused to read or write: a full or failing disk, a lost connection.
    #[error("the database could not be read or written")]
    Storage(#[source] Arc<dyn Error + Send + Sync>),
    /// A transaction's body panicked; nothing of it was written.
    #[error("a transaction panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A transaction was begun by the body of another, where it would wait for itself.
    #[error("a transaction was begun inside another")]
    Nested,
    /// The engine's writer ended after a failure. Opening the database again starts a new one.
    #[error("the storage engine has stopped and must be opened again")]
    Stopped,
}
