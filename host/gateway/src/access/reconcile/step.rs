//! One step for one organization: a part of a wide change, then a batch of undecided accounts.

use super::commit::{self, Decided};
use super::decide::{Bound, Failure, Losses, Policies, Subject};
use super::{Outcome, Shared, spread};
use crate::access::gather::{Gatherer, Source};
use crate::access::standing::Phases;
use crate::access::{catalogue, mapping};
use crate::clock::Timestamp;
use crate::directory::{deleted, erase, schemas};
use crate::model::access::{ASSIGNMENTS_TO_ASK_AGAIN, DIRTY_BY_DUE, Decider, Dirty, DirtyRecord};
use crate::model::plugins::{Bindings, Slot};
use crate::model::tenancy::Directories;
use crate::plugins::Plugins;
use gatewright_sandbox::types;
use gatewright_store::{
    Organization, OrganizationId, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use std::collections::HashMap;
use std::time::Duration;
use tracing::{error, warn};
use uuid::Uuid;

/// For each second that failing calls took, an organization that has more to decide rests for so
/// many: whatever its policies do, they have no more than a quarter of a processor for it.
const REST: u32 = 3;

/// The wait where no instance was free.
const CROWDED: Duration = Duration::from_millis(20);

/// How many accounts are decided in one call of a policy.
pub(super) const BATCH: usize = 16;

#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    #[error("the decisions could not be stored")]
    Write(#[from] WriteError<StoreError>),
    #[error("the policy in slot \"{}\" could not be loaded", .0.name())]
    Load(Slot, #[source] crate::plugins::PluginError),
}

impl Shared {
    pub(super) fn step(&self, organization: OrganizationId) -> Outcome {
        // A decision that is durable with the next push, not before it, costs no sync of its own.
        let handle = self.store.organization(organization).unhurried();
        match self.try_step(&handle) {
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
                Outcome::Failing
            }
        }
    }

    fn try_step(&self, organization: &Organization) -> Result<Outcome, StepError> {
        let now = self.clock.now();
        let spreading = spread::step(organization, now)?;
        let woken = wake_sleepers(organization, now)?;
        let forgot = deleted::forget(organization, now)?;
        let erasing = erase::begin(organization, now)?;
        let reader = organization.read()?;
        let due = due(&reader, now, self.batch(organization.id()))?;
        if due.is_empty() {
            return Ok(if spreading || woken || forgot || erasing {
                Outcome::More
            } else {
                Outcome::Idle(next_due(&reader)?)
            });
        }
        let policies = policies(&self.plugins, &reader)?;
        let catalogue = catalogue::for_plugins(&catalogue::load(&reader)?);
        let phases = Phases::read(&reader)?;
        let (subjects, accounts) = subjects(&reader, &due, &catalogue, &self.plugins, &phases)?;
        let context = types::Context {
            now: now.0,
            catalogue,
            organization: organization.id().to_string(),
            extra: Vec::new(),
        };
        drop(reader);
        let mut losses = Losses::none();
        let verdicts = policies.decide(&context, &subjects, accounts, &mut losses);
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
        commit::store(organization, now, batch, due, phases)?;
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
            return Ok(Outcome::Failing);
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

/// Undecided accounts that may be tried now, the longest waiting first.
fn due(
    reader: &Reader<OrganizationScope>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(Uuid, DirtyRecord)>, StoreError> {
    let mut due = Vec::with_capacity(limit);
    for row in reader.index_scan(&DIRTY_BY_DUE, Range::all())?.take(limit) {
        let ((at, _), account) = row?;
        if at > now.0 {
            break;
        }
        if let Some(record) = reader.get::<Dirty>(&account)? {
            due.push((account, record));
        }
    }
    Ok(due)
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
    let directories = erase::next(reader)?;
    let times = times.map(Timestamp).chain(erased).chain(directories);
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

fn policies(plugins: &Plugins, reader: &Reader<OrganizationScope>) -> Result<Policies, StepError> {
    let bound = |slot: Slot| -> Result<Bound, StepError> {
        let binding = reader.get::<Bindings>(&slot.name().to_owned())?;
        let binding = binding.ok_or(StepError::Load(
            slot,
            crate::plugins::PluginError::Unbound { slot: slot.name() },
        ))?;
        let plugin = plugins
            .load(&binding.plugin, &binding.grants)
            .map_err(|error| StepError::Load(slot, error))?;
        let about = &plugin.loaded().inspection().about;
        let by = Decider {
            slot,
            place: 0,
            plugin: about.name.clone(),
            version: about.version.clone(),
            binding: binding.version,
        };
        Ok(Bound { plugin, by })
    };
    let (lifecycle, role, seat) = (
        bound(Slot::Lifecycle)?,
        bound(Slot::Roles)?,
        bound(Slot::Seats)?,
    );
    Policies::new(&lifecycle, &role, &seat).map_err(|(slot, error)| StepError::Load(slot, error))
}

/// Those to decide about, and what the policies are told of each.
fn subjects(
    reader: &Reader<OrganizationScope>,
    due: &[(Uuid, DirtyRecord)],
    catalogue: &types::Catalogue,
    plugins: &Plugins,
    phases: &Phases,
) -> Result<(Vec<Subject>, Vec<types::Account>), StepError> {
    let mapping = mapping::load(reader)?;
    let mut directories = HashMap::new();
    for row in reader.scan::<Directories>(Range::all())? {
        let (id, directory) = row?;
        if !directory.phase.in_force() {
            continue;
        }
        let source = Source {
            provider: plugins.name(&directory.provider),
            profile: schemas::profile(reader, id, &directory)?,
        };
        directories.insert(id, source);
    }
    // Those that failed last time come last: see `Policies::decide`.
    let (trusted, suspect): (Vec<_>, Vec<_>) =
        due.iter().partition(|(_, dirty)| dirty.failures == 0);
    let entries = &mapping.entries;
    let mut gatherer = Gatherer::new(reader, entries, catalogue, &directories, phases)?;
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
