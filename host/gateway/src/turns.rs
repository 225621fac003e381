//! Calls of provider plugins, shared out: one directory has at most a quarter of the workers in
//! its plugin, so that a slow one leaves the others room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// How long a request waits for its directory's turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// With more directories than this in the table, those without a call are forgotten.
const TABLE: usize = 1_024;

/// Who is in a plugin, by directory.
pub struct Turns {
    share: usize,
    directories: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

/// The right to call the directory's plugin; given back when it is dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    /// Shares out so many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            share: (workers / 4).max(1),
            directories: Mutex::default(),
        }
    }

    /// A turn, if there is one now.
    #[must_use]
    pub fn take(&self, directory: Uuid) -> Option<Turn> {
        let permit = self.of(directory).try_acquire_owned().ok()?;
        Some(Turn { _permit: permit })
    }

    /// Waits for a turn, without a worker; none where it took too long.
    pub async fn wait(&self, directory: Uuid) -> Option<Turn> {
        let waiting = self.of(directory).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, waiting).await.ok()?.ok()?;
        Some(Turn { _permit: permit })
    }

    fn of(&self, directory: Uuid) -> Arc<Semaphore> {
        let mut known = self
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() > TABLE {
            // Who holds or awaits a turn holds the semaphore.
            known.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let turns = known
            .entry(directory)
            .or_insert_with(|| Arc::new(Semaphore::new(self.share)));
        Arc::clone(turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_a_quarter_and_not_one_more() {
        let turns = Turns::new(8);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = turns.take(one);
        let second = turns.take(one);
        assert!(first.is_some() && second.is_some());
        assert!(turns.take(one).is_none());
        assert!(turns.take(other).is_some(), "another one has its own");
        drop(first);
        assert!(turns.take(one).is_some());
    }

    #[test]
    fn who_waits_gets_the_turn_that_is_given_back() {
        let turns = Turns::new(1);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let held = turns.take(Uuid::nil());
            let (waited, ()) = tokio::join!(turns.wait(Uuid::nil()), async { drop(held) });
            assert!(waited.is_some());
        });
    }

    #[test]
    fn who_has_no_call_is_forgotten() {
        let turns = Turns::new(4);
        let held = turns.take(Uuid::from_u128(7));
        for number in 100..100 + 2 * TABLE as u128 {
            let _ = turns.take(Uuid::from_u128(number));
        }
        let known = turns.directories.lock().unwrap();
        assert!(known.len() <= TABLE + 1);
        assert!(held.is_some() && known.contains_key(&Uuid::from_u128(7)));
    }
}
