//! The reconciler: drains the undecided accounts of all organizations through their policies.
//!
//! It has threads of its own, so that a push never waits for a policy. Organizations take turns:
//! one step at a time each, whatever they have waiting. Where nobody else waits, one that has much to
//! decide takes further steps beside its own. An organization whose policies fail for everybody is
//! left alone for a while, longer each time.

mod ask;
mod breaker;
mod claims;
mod commit;
mod decide;
mod kept;
mod merge;
pub(in crate::access) mod setting;
mod shadow;
mod spread;
pub(in crate::access) mod step;
pub(in crate::access) mod trial;

pub use breaker::{State, Tripped};

use crate::clock::{Clock, Timestamp};
use crate::model::plugins::Slot;
use crate::plugins::Plugins;
use breaker::{Breakers, Pause};
use claims::Claims;
use gatewright_store::{OrganizationId, Store};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// The nice value of the threads: deciding yields to answering. Where nobody else wants the
/// processor they are as fast as any, and a plugin's deadline counts only the time it has had.
const NICE: i32 = 10;

/// The handle to the reconciler's threads. Dropping it stops them.
pub struct Reconciler {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

struct Shared {
    store: Store,
    plugins: Arc<Plugins>,
    clock: Clock,
    turns: Mutex<Turns>,
    claims: Claims,
    breakers: Mutex<Breakers>,
    work: Condvar,
    progress: watch::Sender<u64>,
}

/// Whose turn it is.
#[derive(Default)]
struct Turns {
    ready: VecDeque<OrganizationId>,
    queued: BTreeSet<OrganizationId>,
    running: BTreeSet<OrganizationId>,
    /// Had more to decide after a step in which nothing failed: may have further steps beside its own.
    busy: BTreeSet<OrganizationId>,
    /// Who had the last further step.
    last_busy: Option<OrganizationId>,
    /// Woken while it was running: has another turn.
    again: BTreeSet<OrganizationId>,
    /// Its policies were changed while it was running: what failed then says nothing any more.
    mended: BTreeSet<OrganizationId>,
    later: BTreeSet<(Timestamp, OrganizationId)>,
    pauses: HashMap<OrganizationId, Pause>,
    stop: bool,
}

/// Which step of an organization it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Its own: there is one at a time.
    Own,
    /// One beside it, which only decides about accounts.
    Further,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// There is more to do now.
    More,
    /// There is nothing to do before that time, if ever.
    Idle(Option<Timestamp>),
    /// There is more to do, but failing calls took much time: others first.
    Tired(Duration),
    /// The policies failed for everybody that was tried, or too often; those of this slot, where it
    /// is a policy that failed.
    Failing(Option<Slot>),
}

impl Turns {
    fn pause(&mut self, organization: OrganizationId, pause: Pause) {
        self.pauses.insert(organization, pause);
        self.later.insert((pause.until, organization));
    }

    /// Who may have a further step, each in its turn.
    fn next_busy(&mut self) -> Option<OrganizationId> {
        let last = self.last_busy;
        let mut busy = self.busy.iter();
        let behind = busy.find(|one| Some(**one) > last);
        let next = *behind.or_else(|| self.busy.first())?;
        self.last_busy = Some(next);
        Some(next)
    }
}

impl Reconciler {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// Where the operating system has no thread to give.
    pub fn start(
        store: Store,
        plugins: Arc<Plugins>,
        clock: Clock,
        threads: usize,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            store,
            plugins,
            clock,
            turns: Mutex::new(Turns::default()),
            claims: Claims::default(),
            breakers: Mutex::default(),
            work: Condvar::new(),
            progress: watch::Sender::new(0),
        });
        let threads = (0..threads)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("reconcile-{number}"))
                    .spawn(move || shared.run())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, threads })
    }

    /// Says that the organization may have something to decide.
    pub fn wake(&self, organization: OrganizationId) {
        self.shared.wake(organization);
    }

    /// Says that something was changed for the organization that may mend its policies: a pause
    /// ends.
    pub fn retry(&self, organization: OrganizationId) {
        self.shared.breakers().forget(organization);
        let mut turns = self.shared.turns();
        turns.pauses.remove(&organization);
        if turns.running.contains(&organization) {
            turns.mended.insert(organization);
        }
        drop(turns);
        self.shared.wake(organization);
    }

    /// Whether the organization's policies are asked at present.
    #[must_use]
    pub fn breaker(&self, organization: OrganizationId) -> State {
        let turns = self.shared.turns();
        let pause = turns.pauses.get(&organization);
        pause.map_or(State::Closed, |pause| pause.state(self.shared.clock.now()))
    }

    /// A value that changes after each step, for those who wait for a decision.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.progress.subscribe()
    }
}

impl Drop for Reconciler {
    fn drop(&mut self) {
        self.shared.turns().stop = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
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
        let now = self.clock.now();
        if let Some(pause) = turns.pauses.get_mut(&organization)
            && pause.until > now
        {
            if pause.shorten() {
                let sooner = pause.until;
                turns.later.insert((sooner, organization));
                self.work.notify_one();
            }
            return;
        }
        if turns.running.contains(&organization) {
            turns.again.insert(organization);
        } else if turns.queued.insert(organization) {
            turns.ready.push_back(organization);
            self.work.notify_one();
        }
    }

    fn run(&self) {
        // On Linux this is the thread's own. Where it is refused, all are alike.
        let _ = rustix::process::setpriority_process(None, NICE);
        while let Some((organization, part)) = self.next() {
            // A bug in one organization's step must not end the decisions of all others.
            let step = || self.step(organization, part);
            let outcome = panic::catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
                error!(%organization, "a reconcile step panicked");
                Outcome::Failing(None)
            });
            self.progress.send_modify(|steps| *steps += 1);
            match part {
                Part::Own => self.done(organization, &outcome),
                Part::Further => self.done_further(organization, &outcome),
            }
        }
    }

    fn next(&self) -> Option<(OrganizationId, Part)> {
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
                let paused = turns
                    .pauses
                    .get(&organization)
                    .is_some_and(|pause| pause.until > now);
                if !paused
                    && !turns.running.contains(&organization)
                    && turns.queued.insert(organization)
                {
                    turns.ready.push_back(organization);
                }
            }
            if let Some(organization) = turns.ready.pop_front() {
                turns.queued.remove(&organization);
                turns.running.insert(organization);
                return Some((organization, Part::Own));
            }
            if let Some(organization) = turns.next_busy() {
                return Some((organization, Part::Further));
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
        let now = self.clock.now();
        let mut turns = self.turns();
        turns.running.remove(&organization);
        if *outcome == Outcome::More {
            turns.busy.insert(organization);
            self.work.notify_one();
        } else {
            turns.busy.remove(&organization);
        }
        let again = turns.again.remove(&organization);
        let mended = turns.mended.remove(&organization);
        let before = turns.pauses.get(&organization);
        let pause = match outcome {
            _ if mended => None,
            Outcome::Failing(slot) => Some(Pause::failing(before, *slot, now)),
            Outcome::Tired(rest) => Some(Pause::rest(now, *rest)),
            Outcome::More | Outcome::Idle(_) => None,
        };
        if let Some(pause) = pause {
            turns.pause(organization, pause);
            self.work.notify_one();
            return;
        }
        // A further step that was tired meanwhile: there is a time for this one to come again.
        let mut pause = turns.pauses.get(&organization).into_iter();
        if pause.any(|pause| pause.rests(now)) {
            return;
        }
        turns.pauses.remove(&organization);
        let more = again || mended || *outcome == Outcome::More;
        if more && turns.queued.insert(organization) {
            turns.ready.push_back(organization);
            self.work.notify_one();
        }
        if let Outcome::Idle(Some(due)) = outcome {
            turns.later.insert((*due, organization));
            self.work.notify_one();
        }
    }

    /// Behind a further step. Whether the policies fail for everybody is for the organization's own
    /// step to find out; the time that they took is to be rested for.
    fn done_further(&self, organization: OrganizationId, outcome: &Outcome) {
        if *outcome != Outcome::More {
            self.turns().busy.remove(&organization);
        }
        let now = self.clock.now();
        let rest = match outcome {
            Outcome::Tired(rest) => Pause::rest(now, *rest),
            Outcome::Failing(_) => Pause::shortest(now),
            // The own step may have found nothing but what this one had claimed.
            Outcome::More | Outcome::Idle(_) => return self.wake(organization),
        };
        let mut turns = self.turns();
        turns.pause(organization, rest);
        self.work.notify_one();
    }

    /// Whether the organization's policies failed at the last try.
    fn is_paused(&self, organization: OrganizationId) -> bool {
        let turns = self.turns();
        let pause = turns.pauses.get(&organization);
        pause.is_some_and(Pause::is_tripped)
    }

    fn breakers(&self) -> MutexGuard<'_, Breakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many accounts to try at once: one, while the organization's policies are failing.
    fn batch(&self, organization: OrganizationId) -> usize {
        if self.is_paused(organization) {
            1
        } else if self.store.is_pressed() {
            step::FEW
        } else {
            step::ACCOUNTS
        }
    }
}
