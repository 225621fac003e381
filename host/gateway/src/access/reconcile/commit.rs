//! Stores what was decided: assignments with their events, failures with their alerts.

use super::decide::{Failure, Subject, Wanted};
use super::merge::Proposed;
use super::shadow::{self, Seen};
use crate::access::guard::{self, Outcome};
use crate::access::standing::Phases;
use crate::access::{accounts, alerts, assignment, reports};
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::access::{
    AccountStatus, Accounts, Alerts, AssignmentRecord, Assignments, Dirty, DirtyRecord, GrantKind,
    GrantOrigin, GrantRecord,
};
use crate::model::facts::Ended;
use crate::model::plugins::Slot;
use gatewright_sandbox::types;
use gatewright_store::{Organization, Range, Read, StoreError, WriteError};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// The wait before an account whose decision failed is tried again: doubles each time, up to the
/// second figure. In milliseconds.
const RETRY: (u64, u64) = (1_000, 300_000);

pub(super) struct Decided {
    pub(super) subject: Subject,
    pub(super) verdict: Result<Wanted, Failure>,
}

/// What a step decided.
pub(super) struct Batch {
    pub(super) decided: Vec<Decided>,
    /// Those that it was about, and their marks.
    pub(super) due: Vec<(Uuid, DirtyRecord)>,
    /// The phases in which it was decided.
    pub(super) phases: Phases,
    /// Whether a slot was paused.
    pub(super) is_paused: bool,
    /// What chains in shadow would have had otherwise.
    pub(super) seen: Seen,
}

/// Stores a batch in one transaction. An account whose facts moved meanwhile is left undecided.
pub(super) fn store(
    organization: &Organization,
    now: Timestamp,
    batch: Batch,
) -> Result<(), WriteError<StoreError>> {
    let batch = Arc::new(batch);
    change(organization, now, move |change| {
        // A directory that was paused or uninstalled meanwhile: all of them come again.
        if Phases::read(change.tx)? != batch.phases {
            return Ok(());
        }
        let mut assigned = Vec::with_capacity(batch.decided.len());
        for decided in &batch.decided {
            let subject = &decided.subject;
            if change.tx.get::<Dirty>(&subject.account)?.as_ref() != Some(&subject.dirty) {
                continue;
            }
            match &decided.verdict {
                Ok(wanted) => {
                    assign(change, subject, wanted, batch.is_paused)?;
                    assigned.push(subject.account);
                }
                Err(failure) => postpone(change, subject, failure)?,
            }
        }
        batch.seen.store(change, &assigned)?;
        // What nobody decides about.
        let decided = batch.decided.iter();
        let asked: HashSet<Uuid> = decided.map(|one| one.subject.account).collect();
        let due = batch.due.iter();
        for (account, dirty) in due.filter(|(account, _)| !asked.contains(account)) {
            if change.tx.get::<Dirty>(account)?.as_ref() == Some(dirty) {
                change.tx.delete::<Dirty>(account)?;
                shadow::forget(change, *account)?;
                for slot in Slot::ALL {
                    alerts::clear(change, slot.name(), Some(*account))?;
                }
                reports::erase(change, *account)?;
            }
        }
        Ok(())
    })
    .map(|_| ())
}

/// Raises an alert about a whole binding.
pub(super) fn alert(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    message: String,
) -> Result<(), WriteError<StoreError>> {
    change(organization, now, move |change| {
        alerts::raise(
            change,
            slot.name(),
            None,
            "policy-not-loaded",
            &message,
            &[],
        )
    })
    .map(|_| ())
}

/// Raises an alert about a policy that fails for everybody who was tried: those who were not
/// tried are as stale as they.
pub(super) fn alert_all(
    organization: &Organization,
    now: Timestamp,
    failure: Failure,
) -> Result<(), WriteError<StoreError>> {
    change(organization, now, move |change| match &failure {
        Failure::Call { slot, error, .. } => {
            let message = error.to_string();
            alerts::raise(
                change,
                slot.name(),
                None,
                "policy-failing",
                &message,
                &error.frames,
            )
        }
        Failure::Rejected { .. } | Failure::Skipped => Ok(()),
    })
    .map(|_| ())
}

/// Marks accounts whose policies wanted to be asked again.
pub(super) fn ask_again(
    organization: &Organization,
    now: Timestamp,
    accounts: Vec<Uuid>,
) -> Result<(), WriteError<StoreError>> {
    change(organization, now, move |change| {
        for account in &accounts {
            if let Some(mut assignment) = change.tx.get::<Assignments>(account)? {
                assignment.ask_again = None;
                change.tx.put::<Assignments>(account, &assignment)?;
                change.mark(*account)?;
            }
        }
        Ok(())
    })
    .map(|_| ())
}

fn assign(
    change: &mut Change<'_, '_>,
    subject: &Subject,
    wanted: &Wanted,
    is_paused: bool,
) -> Result<(), StoreError> {
    let account = subject.account;
    change.moved(account)?;
    let gathered = &subject.gathered;
    let stored = gathered.assignment.as_ref();
    let before = stored.map_or(&[][..], |stored| &stored.grants);
    // Who it belongs to may have changed while it was decided.
    let Some(record) = &change.tx.get::<Accounts>(&account)? else {
        return Ok(());
    };
    change.follows(subject.dirty.request);
    let judged = guard::Account {
        id: account,
        label: &record.label,
        grants: before,
        status: record.status,
        said_active: gathered.any_user_active,
        denied: stored.map_or(&[][..], |stored| &stored.denied),
        dirty: &subject.dirty,
    };
    let outcome = Outcome {
        grants: grants(
            change.at(),
            before,
            &gathered.entries,
            &wanted.grants,
            &subject.dirty,
        ),
        status: status(wanted.status),
        status_reason: wanted.status_reason.clone(),
        denied: Vec::new(),
    };
    let outcome = guard::judge(change, &judged, outcome)?;
    accounts::set_status(
        change,
        account,
        record,
        outcome.status,
        &outcome.status_reason,
    )?;
    let why = |grant: &GrantRecord| format!("no longer: {}", grant.reason);
    assignment::changed(
        change,
        (account, &record.label),
        before,
        &outcome.grants,
        &why,
    )?;
    let is_owner = is_new_owner(change, &judged, &outcome)?;
    let assignment = AssignmentRecord {
        grants: outcome.grants,
        lifecycle_reasons: wanted.lifecycle_reasons.clone(),
        decided: change.at(),
        revision: subject.dirty.last,
        // Not before a second has passed, or a careless policy would be asked without end.
        ask_again: wanted
            .ask_again
            .map(|at| Timestamp(at).max(change.at().plus(1_000))),
        denied: outcome.denied,
        asked: is_paused.then(|| {
            let before = stored.and_then(AssignmentRecord::asked);
            before.unwrap_or(Timestamp(0))
        }),
    };
    change.tx.put::<Assignments>(&account, &assignment)?;
    // Policies are told once of what ended. Those that are paused are told behind the pause.
    if !is_paused {
        for ended in &gathered.ended {
            change.tx.delete::<Ended>(ended)?;
        }
    }
    change.tx.delete::<Dirty>(&account)?;
    if is_owner {
        guard::returned(change, account)?;
    }
    if change.tx.keys::<Alerts>(Range::all())?.next().is_some() {
        for slot in Slot::ALL {
            alerts::clear(change, slot.name(), Some(account))?;
            alerts::clear(change, slot.name(), None)?;
        }
    }
    Ok(())
}

/// Whether the account, which is active, comes to the owner role.
fn is_new_owner(
    change: &Change<'_, '_>,
    before: &guard::Account<'_>,
    after: &Outcome,
) -> Result<bool, StoreError> {
    let role = |grants: &[GrantRecord]| {
        let mut grants = grants.iter();
        let role = grants.find(|grant| grant.kind == GrantKind::BaseRole);
        role.map(|grant| grant.name.clone())
    };
    let (had, has) = (role(before.grants), role(&after.grants));
    if after.status != AccountStatus::Active || had == has {
        return Ok(false);
    }
    Ok(has.is_some() && has == guard::owner_role(change.tx)?)
}

fn status(status: types::AccountStatus) -> AccountStatus {
    match status {
        types::AccountStatus::Active => AccountStatus::Active,
        types::AccountStatus::Deactivated => AccountStatus::Deactivated,
        types::AccountStatus::Deleted => AccountStatus::Deleted,
    }
}

/// What was wanted, as it is stored: with ids instead of places, which are of one decision only.
fn grants(
    now: Timestamp,
    before: &[GrantRecord],
    entries: &[Uuid],
    wanted: &[Proposed],
    dirty: &DirtyRecord,
) -> Vec<GrantRecord> {
    let mut grants: Vec<GrantRecord> = wanted
        .iter()
        .map(|Proposed { proposal, by }| {
            let kind = match proposal.kind {
                types::GrantKind::BaseRole => GrantKind::BaseRole,
                types::GrantKind::CustomRole => GrantKind::CustomRole,
                types::GrantKind::Seat => GrantKind::Seat,
            };
            let known = before
                .iter()
                .find(|old| old.kind == kind && old.name == proposal.name);
            GrantRecord {
                kind,
                name: proposal.name.clone(),
                reason: proposal.reason.clone(),
                mapping_entry: match proposal.basis {
                    types::Basis::Rule => None,
                    types::Basis::MappingEntry(place) => entries.get(place as usize).copied(),
                    types::Basis::Kept => known.and_then(|old| old.mapping_entry),
                },
                since: known.map_or(now, |old| old.since),
                origin: known.map_or(GrantOrigin::Policy, |old| old.origin),
                by: Some(by.clone()),
                revision: known.map_or(dirty.last, |old| old.revision),
                request: known.map_or(dirty.request, |old| old.request),
            }
        })
        .collect();
    assignment::sort(&mut grants);
    grants
}

/// Keeps the account's last assignment, raises an alert, and tries again later.
fn postpone(
    change: &mut Change<'_, '_>,
    subject: &Subject,
    failure: &Failure,
) -> Result<(), StoreError> {
    let (slot, kind, message, details, recorded) = match failure {
        Failure::Skipped => return Ok(()),
        Failure::Call {
            slot,
            error,
            recorded,
        } => {
            let (message, frames) = (error.to_string(), error.frames.clone());
            (slot, "policy-failed", message, frames, recorded)
        }
        Failure::Rejected {
            slot,
            why,
            recorded,
        } => {
            let kind = "decision-rejected";
            (slot, kind, why.clone(), Vec::new(), recorded)
        }
    };
    let failures = subject.dirty.failures + 1;
    let wait = (RETRY.0 << (failures - 1).min(16)).min(RETRY.1);
    let dirty = DirtyRecord {
        due: change.at().plus(wait),
        failures,
        ..subject.dirty.clone()
    };
    change.tx.put::<Dirty>(&subject.account, &dirty)?;
    alerts::raise(
        change,
        slot.name(),
        Some(subject.account),
        kind,
        &message,
        &details,
    )?;
    if let Some(recorded) = recorded {
        let report = reports::keep(change, subject.account, recorded, &message)?;
        alerts::refer(change, slot.name(), subject.account, report)?;
    }
    Ok(())
}
