//! The thread that computes plans. It is not the reconciler's: where policies fail for everybody the
//! reconciler leaves an organization alone, and a plan may be what mends it.
//!
//! Organizations take turns, one step each, so that a plan over very many accounts holds nobody up.

use super::step::{self, Outcome, Stepped};
use crate::access::reconcile::Reconciler;
use crate::clock::{Clock, Timestamp};
use crate::plugins::Plugins;
use crate::telemetry::chain;
use gatewright_store::{OrganizationId, Store};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// As the reconciler's threads, it yields to answering.
const NICE: i32 = 10;

/// The wait after a step that failed, in milliseconds.
const FAILED: u64 = 5_000;

/// The handle to the thread. Dropping it ends the thread.
pub struct Planner {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Shared {
    store: Store,
    plugins: Arc<Plugins>,
    reconciler: Arc<Reconciler>,
    clock: Clock,
    turns: Mutex<Turns>,
    work: Condvar,
    progress: watch::Sender<u64>,
}

#[derive(Default)]
struct Turns {
    ready: VecDeque<OrganizationId>,
    queued: BTreeSet<OrganizationId>,
    later: BTreeSet<(Timestamp, OrganizationId)>,
    stop: bool,
}

impl Planner {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn start(
        store: Store,
        plugins: Arc<Plugins>,
        reconciler: Arc<Reconciler>,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            store,
            plugins,
            reconciler,
            clock,
            turns: Mutex::default(),
            work: Condvar::new(),
            progress: watch::Sender::new(0),
        });
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("plan".into())
            .spawn(move || own.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Says that the organization may have a plan to work on.
    pub fn wake(&self, organization: OrganizationId) {
        self.shared.wake(organization);
    }

    /// A value that changes after each step, for those who wait for a plan.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.progress.subscribe()
    }
}

impl Drop for Planner {
    fn drop(&mut self) {
        self.shared.turns().stop = true;
        self.shared.work.notify_all();
        if let Some(thread) = self.thread.take() {
            // A step's panic is caught; there is nobody left to tell of another one.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, organization: OrganizationId) {
        let mut turns = self.turns();
        if turns.queued.insert(organization) {
            turns.ready.push_back(organization);
            self.work.notify_one();
        }
    }

    fn run(&self) {
        // On Linux this is the thread's own. Where it is refused, all are alike.
        let _ = rustix::process::setpriority_process(None, NICE);
        while let Some(organization) = self.next() {
            // A bug in one organization's plan must not end those of all others.
            let step = || self.step(organization);
            let stepped = panic::catch_unwind(AssertUnwindSafe(step));
            let outcome = stepped.unwrap_or_else(|_| {
                error!(%organization, "a step of a plan panicked");
                Outcome::Later(Duration::from_millis(FAILED))
            });
            self.progress.send_modify(|steps| *steps += 1);
            self.done(organization, &outcome);
        }
    }

    fn step(&self, organization: OrganizationId) -> Outcome {
        match step::step(&self.store, organization, &self.plugins, self.clock.now()) {
            Ok(Stepped { outcome, applied }) => {
                if applied {
                    self.reconciler.retry(organization);
                }
                outcome
            }
            Err(error) => {
                error!(%organization, error = chain(&error), "a step of a plan failed");
                Outcome::Later(Duration::from_millis(FAILED))
            }
        }
    }

    fn next(&self) -> Option<OrganizationId> {
        let mut turns = self.turns();
        loop {
            if turns.stop {
                return None;
            }
            let now = self.clock.now();
            while let Some(&(due, organization)) = turns.later.first()
                && due <= now
            {
                turns.later.pop_first();
                if turns.queued.insert(organization) {
                    turns.ready.push_back(organization);
                }
            }
            if let Some(organization) = turns.ready.pop_front() {
                turns.queued.remove(&organization);
                return Some(organization);
            }
            let wait = self
                .clock
                .sleep(now, turns.later.first().map(|(due, _)| *due));
            turns = self
                .work
                .wait_timeout(turns, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn done(&self, organization: OrganizationId, outcome: &Outcome) {
        let later = match outcome {
            Outcome::More => return self.wake(organization),
            Outcome::Later(wait) => {
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                Some(self.clock.now().plus(wait.max(1)))
            }
            Outcome::Idle(due) => *due,
        };
        if let Some(due) = later {
            self.turns().later.insert((due, organization));
        }
    }
}
