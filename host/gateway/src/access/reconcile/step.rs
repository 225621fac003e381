//! One step for one organization: a part of a wide change, then a batch of undecided accounts.

use super::ask::Losses;
use super::commit::{self, Batch, Decided};
use super::decide::{Failure, Subject, Wanted};
use super::setting::{Instead, Setting};
use super::shadow::Beside;
use super::{Outcome, Part, Shared, spread};
use crate::access::{catalogue, reports};
use crate::clock::Timestamp;
use crate::directory::{deleted, erase};
use crate::model::access::{ASSIGNMENTS_TO_ASK_AGAIN, DIRTY_BY_DUE, Dirty, DirtyRecord};
use crate::model::plugins::Slot;
use crate::plugins::watch::Bound;
use gatewright_sandbox::types;
use gatewright_store::{
    Organization, OrganizationId, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use std::collections::HashSet;
use std::time::Duration;
use tracing::{error, warn};
use uuid::Uuid;

/// For each second that failing calls took, an organization that has more to decide rests for so
/// many: whatever its policies do, they have no more than a quarter of a processor for it.
pub(super) const REST: u32 = 3;

/// The wait where no instance was free.
const CROWDED: Duration = Duration::from_millis(20);

/// How many accounts are decided in one call of a policy.
pub(super) const BATCH: usize = 16;

/// How many accounts are decided in one step. They share what is read of mapping, catalogue and
/// bindings, and one transaction of some ten rows each, for which a push may have to wait.
pub(super) const ACCOUNTS: usize = 32;

/// The same while pushes come in.
pub(super) const FEW: usize = 8;

/// Why a step did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::access) enum StepError {
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    #[error("the decisions could not be stored")]
    Write(#[from] WriteError<StoreError>),
    #[error("the policy in slot \"{}\" could not be loaded", .0.name())]
    Load(Slot, #[source] crate::plugins::PluginError),
}

impl Shared {
    pub(super) fn step(&self, organization: OrganizationId, part: Part) -> Outcome {
        // A decision that is durable with the next push, not before it, costs no sync of its own.
        let handle = self.store.organization(organization).unhurried();
        match self.try_step(&handle, part) {
            Ok(outcome) => outcome,
            Err(error) => {
                error!(%organization, error = crate::telemetry::chain(&error), "reconcile failed");
                if let StepError::Load(slot, source) = &error {
                    let message = crate::telemetry::chain(source);
                    let now = self.clock.now();
                    if let Err(error) = commit::alert(&handle, now, *slot, message) {
                        warn!(error = crate::telemetry::chain(&error), "alert not stored");
                    }
                }
                Outcome::Failing(match error {
                    StepError::Load(slot, _) => Some(slot),
                    StepError::Store(_) | StepError::Write(_) => None,
                })
            }
        }
    }

    fn try_step(&self, organization: &Organization, part: Part) -> Result<Outcome, StepError> {
        let more = match part {
            Part::Own => self.prepare(organization)?,
            Part::Further => false,
        };
        let limit = self.batch(organization.id());
        let ((reader, now), claim) = self.claims.claim(organization.id(), |claimed| {
            let reader = organization.read()?;
            // Behind the snapshot: a decision is never older than the facts that it saw.
            let now = self.clock.now();
            let accounts = due(&reader, now, limit, claimed)?;
            Ok::<_, StepError>(((reader, now), accounts))
        })?;
        let due = marks(&reader, claim.accounts())?;
        if due.is_empty() {
            return Ok(if more {
                Outcome::More
            } else if claim.others || part == Part::Further {
                // Whoever has the rest wakes the organization.
                Outcome::Idle(None)
            } else {
                Outcome::Idle(next_due(&reader)?)
            });
        }
        let setting = Setting::read(&reader, &self.plugins, &Instead::default())?;
        let beside = Beside::read(&reader, &self.plugins)?;
        let (subjects, accounts) = subjects(&reader, &due, &setting)?;
        drop(reader);
        let mut losses = Losses::none();
        // Most organizations try nothing: what they are told is not copied.
        let again = if beside.is_idle() {
            Vec::new()
        } else {
            accounts.clone()
        };
        let verdicts = in_batches(&subjects, accounts, |part, told| {
            setting.decide(now, part, told, &mut losses)
        });
        let watch = &self.plugins.watch;
        for (slot, call) in losses.seen.drain(..) {
            watch.note(organization.id(), Bound::Slot(slot), now, [call]);
        }
        let mut seen = beside.run(&setting, now, &subjects, &again, &verdicts, &mut losses);
        for (slot, call) in seen.calls.drain(..) {
            watch.note(organization.id(), Bound::Shadow(slot), now, [call]);
        }
        // Who is tried again because it failed has been counted.
        let first = subjects.iter().zip(&verdicts);
        let first = first.filter(|(subject, _)| subject.dirty.failures == 0);
        let tried: Vec<_> = first
            .filter_map(|(subject, verdict)| match verdict {
                Ok(_) => Some((subject.account, None)),
                Err(Failure::Call { slot, .. }) => Some((subject.account, Some(*slot))),
                Err(Failure::Rejected { .. } | Failure::Skipped) => None,
            })
            .collect();
        let failures: Vec<Failure> = verdicts
            .iter()
            .filter_map(|verdict| verdict.as_ref().err().cloned())
            .collect();
        let decided = verdicts.len() - failures.len();
        let subjects_tried = subjects.len();
        let batch = subjects
            .into_iter()
            .zip(verdicts)
            .map(|(subject, verdict)| Decided { subject, verdict })
            .collect();
        let batch = Batch {
            decided: batch,
            due,
            phases: setting.phases().clone(),
            is_paused: setting.is_paused(),
            seen,
        };
        commit::store(organization, now, batch)?;
        let tripped = self.breakers().note(organization.id(), tried);
        let probing = self.is_paused(organization.id());
        let failed = failures
            .iter()
            .filter(|one| matches!(one, Failure::Call { .. }))
            .count();
        // One account that fails says nothing about the others, unless it is a probe.
        if decided == 0 && (failed > 1 || (failed == 1 && probing)) {
            if let Some(failure) = failures.first() {
                commit::alert_all(organization, now, failure.clone())?;
            }
            let slot = failures.iter().find_map(|one| match one {
                Failure::Call { slot, .. } => Some(*slot),
                Failure::Rejected { .. } | Failure::Skipped => None,
            });
            return Ok(Outcome::Failing(slot));
        }
        if let Some(slot) = tripped {
            let organization = organization.id();
            warn!(%organization, slot = slot.name(), "policies fail for half of the accounts: resting");
            return Ok(Outcome::Failing(Some(slot)));
        }
        let crowded = failures.len() == subjects_tried && failures.iter().all(Failure::is_skip);
        let rest = if crowded { CROWDED } else { losses.time * REST };
        Ok(if rest.is_zero() {
            Outcome::More
        } else {
            Outcome::Tired(rest)
        })
    }
}

impl Shared {
    /// What comes before decisions: parts of wide changes, and what is to happen at a time. Answers
    /// whether there was anything.
    fn prepare(&self, organization: &Organization) -> Result<bool, StepError> {
        let now = self.clock.now();
        let followed = catalogue::default::step(&self.store, organization, now)?;
        let spreading = spread::step(organization, now)?;
        let woken = wake_sleepers(organization, now)?;
        let forgot = deleted::forget(organization, now)?;
        let reported = reports::forget(organization, now)?;
        let erasing = erase::begin(organization, now)?;
        Ok(followed || spreading || woken || forgot || reported || erasing)
    }
}

/// Decides about each subject, [`BATCH`] in one call of a policy.
pub(super) fn in_batches(
    subjects: &[Subject],
    accounts: Vec<types::Account>,
    mut decide: impl FnMut(&[Subject], Vec<types::Account>) -> Vec<Result<Wanted, Failure>>,
) -> Vec<Result<Wanted, Failure>> {
    let mut accounts = accounts.into_iter();
    let mut verdicts = Vec::with_capacity(subjects.len());
    for part in subjects.chunks(BATCH) {
        let told = accounts.by_ref().take(part.len()).collect();
        verdicts.extend(decide(part, told));
    }
    verdicts
}

/// Undecided accounts that may be tried now and that nobody is deciding about, the longest waiting
/// first.
fn due(
    reader: &Reader<OrganizationScope>,
    now: Timestamp,
    limit: usize,
    claimed: &HashSet<Uuid>,
) -> Result<Vec<Uuid>, StoreError> {
    let mut due = Vec::with_capacity(limit);
    for row in reader.index_scan(&DIRTY_BY_DUE, Range::all())? {
        let ((at, _), account) = row?;
        if at > now.0 || due.len() == limit {
            break;
        }
        if !claimed.contains(&account) {
            due.push(account);
        }
    }
    Ok(due)
}

/// The marks of accounts.
fn marks(
    reader: &Reader<OrganizationScope>,
    accounts: &[Uuid],
) -> Result<Vec<(Uuid, DirtyRecord)>, StoreError> {
    let mark = |account: &Uuid| Ok(reader.get::<Dirty>(account)?.map(|mark| (*account, mark)));
    accounts
        .iter()
        .filter_map(|one| mark(one).transpose())
        .collect()
}

fn next_due(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let retry = reader
        .index_scan(&DIRTY_BY_DUE, Range::all())?
        .next()
        .transpose()?;
    let asked = reader
        .index_scan(&ASSIGNMENTS_TO_ASK_AGAIN, Range::all())?
        .next()
        .transpose()?;
    let times = retry
        .map(|((due, _), _)| due)
        .into_iter()
        .chain(asked.map(|(at, _)| at));
    let erased = deleted::next_expiry(reader)?;
    let reported = reports::next_expiry(reader)?;
    let directories = erase::next(reader)?;
    let times = times.map(Timestamp).chain(erased).chain(reported);
    let times = times.chain(directories);
    Ok(times.min())
}

/// Marks accounts whose policies wanted to be asked again by now.
fn wake_sleepers(organization: &Organization, now: Timestamp) -> Result<bool, StepError> {
    let reader = organization.read()?;
    let mut asked = Vec::new();
    for row in reader
        .index_scan(&ASSIGNMENTS_TO_ASK_AGAIN, Range::all())?
        .take(BATCH)
    {
        let (at, account) = row?;
        if at > now.0 {
            break;
        }
        asked.push(account);
    }
    drop(reader);
    if asked.is_empty() {
        return Ok(false);
    }
    commit::ask_again(organization, now, asked)?;
    Ok(true)
}

/// Those to decide about, and what the policies are told of each.
fn subjects(
    reader: &Reader<OrganizationScope>,
    due: &[(Uuid, DirtyRecord)],
    setting: &Setting,
) -> Result<(Vec<Subject>, Vec<types::Account>), StoreError> {
    // Those that failed last time come last: see `Policies::decide`.
    let (trusted, suspect): (Vec<_>, Vec<_>) =
        due.iter().partition(|(_, dirty)| dirty.failures == 0);
    let mut gatherer = setting.gatherer(reader)?;
    let mut subjects = Vec::with_capacity(due.len());
    let mut accounts = Vec::with_capacity(due.len());
    for (account, dirty) in trusted.into_iter().chain(suspect) {
        // An account that is gone, or about which nobody decides, needs no decision; its mark is
        // removed with the batch.
        if let Some((gathered, told)) = gatherer.account(*account)? {
            accounts.push(told);
            subjects.push(Subject {
                account: *account,
                dirty: dirty.clone(),
                gathered,
            });
        }
    }
    Ok((subjects, accounts))
}
