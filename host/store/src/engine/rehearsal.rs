//! An engine that only rehearses: it begins at one moment of another engine, keeps what is written
//! to it in memory, and forgets it when it is dropped.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use super::{
    Body, Engine, EngineError, RowIter, Rows, Scan, Snapshot, Urgency, Verdict,
    committer::run_body,
    overlay::{Writes, get_above, scan_above},
};
use crate::OrganizationId;

/// For the one thread that rehearses.
pub(crate) struct Rehearsal {
    base: Arc<dyn Snapshot>,
    writes: Mutex<Arc<Writes>>,
    location: String,
}

impl Rehearsal {
    /// Begins at the present moment of `engine`.
    pub(crate) fn of(engine: &dyn Engine) -> Result<Self, EngineError> {
        Ok(Self {
            base: Arc::from(engine.snapshot()?),
            writes: Mutex::default(),
            location: format!("a rehearsal of {}", engine.location()),
        })
    }
}

impl Engine for Rehearsal {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(View {
            base: Arc::clone(&self.base),
            writes: Arc::clone(&writes),
        }))
    }

    fn transact(
        &self,
        _: Option<OrganizationId>,
        _: Urgency,
        body: Body,
    ) -> Result<Verdict, EngineError> {
        // One thread rehearses: who finds it taken is inside another transaction.
        let mut writes = match self.writes.try_lock() {
            Ok(writes) => writes,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(EngineError::Nested),
        };
        let view = View {
            base: Arc::clone(&self.base),
            writes: Arc::clone(&writes),
        };
        let (verdict, new) = run_body(&view, body)?;
        drop(view);
        Arc::make_mut(&mut writes).extend(new);
        Ok(verdict)
    }

    fn is_pressed(&self) -> bool {
        false
    }

    fn location(&self) -> String {
        self.location.clone()
    }
}

/// The moment that a rehearsal began at, and what it has written since.
struct View {
    base: Arc<dyn Snapshot>,
    writes: Arc<Writes>,
}

impl Snapshot for View {}

impl Rows for View {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        get_above(&*self.base, &self.writes, key)
    }

    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError> {
        scan_above(&*self.base, &self.writes, scan)
    }
}
