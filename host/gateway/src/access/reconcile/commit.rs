//! Stores what was decided: assignments with their events, failures with their alerts.

use super::decide::{Failure, Proposed, Subject, Wanted};
use crate::access::alerts;
use crate::access::standing::Phases;
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, Alerts, AssignmentRecord, Assignments, Dirty,
    DirtyRecord, GrantKind, GrantOrigin, GrantRecord,
};
use crate::model::facts::Ended;
use crate::model::plugins::Slot;
use gatewright_sandbox::types;
use gatewright_store::{Organization, Range, Read, StoreError, WriteError};
use serde_json::json;
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

/// Stores a batch in one transaction. An account whose facts moved meanwhile is left undecided.
pub(super) fn store(
    organization: &Organization,
    now: Timestamp,
    batch: Vec<Decided>,
    due: Vec<(Uuid, DirtyRecord)>,
    phases: Phases,
) -> Result<(), WriteError<StoreError>> {
    let batch = Arc::new(batch);
    change(organization, now, move |change| {
        // A directory that was paused or uninstalled meanwhile: all of them come again.
        if Phases::read(change.tx)? != phases {
            return Ok(());
        }
        for decided in batch.iter() {
            let subject = &decided.subject;
            if change.tx.get::<Dirty>(&subject.account)?.as_ref() != Some(&subject.dirty) {
                continue;
            }
            match &decided.verdict {
                Ok(wanted) => assign(change, subject, wanted)?,
                Err(failure) => postpone(change, subject, failure)?,
            }
        }
        // What nobody decides about.
        let asked: HashSet<Uuid> = batch.iter().map(|one| one.subject.account).collect();
        for (account, dirty) in due.iter().filter(|(account, _)| !asked.contains(account)) {
            if change.tx.get::<Dirty>(account)?.as_ref() == Some(dirty) {
                change.tx.delete::<Dirty>(account)?;
                for slot in Slot::ALL {
                    alerts::clear(change, slot.name(), Some(*account))?;
                }
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
        Failure::Call { slot, error } => {
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
) -> Result<(), StoreError> {
    let account = subject.account;
    set_status(change, subject, wanted)?;
    let before = subject
        .gathered
        .assignment
        .as_ref()
        .map_or(&[][..], |stored| &stored.grants);
    let entries = &subject.gathered.entries;
    let grants = grants(change.at(), before, entries, &wanted.grants, &subject.dirty);
    let label = &subject.gathered.record.label;
    for grant in before
        .iter()
        .filter(|old| !grants.iter().any(|new| same(old, new)))
    {
        change.event(
            "grant.removed",
            json!({ "account": account, "label": label, "kind": grant.kind, "name": grant.name }),
        )?;
    }
    for grant in grants
        .iter()
        .filter(|new| !before.iter().any(|old| same(old, new)))
    {
        change.event(
            "grant.added",
            json!({
                "account": account, "label": label, "kind": grant.kind, "name": grant.name,
                "reason": grant.reason,
            }),
        )?;
    }
    let assignment = AssignmentRecord {
        grants,
        decided: change.at(),
        revision: subject.dirty.last,
        // Not before a second has passed, or a careless policy would be asked without end.
        ask_again: wanted
            .ask_again
            .map(|at| Timestamp(at).max(change.at().plus(1_000))),
    };
    change.tx.put::<Assignments>(&account, &assignment)?;
    for ended in &subject.gathered.ended {
        change.tx.delete::<Ended>(ended)?;
    }
    change.tx.delete::<Dirty>(&account)?;
    if change.tx.keys::<Alerts>(Range::all())?.next().is_some() {
        for slot in Slot::ALL {
            alerts::clear(change, slot.name(), Some(account))?;
            alerts::clear(change, slot.name(), None)?;
        }
    }
    Ok(())
}

fn set_status(
    change: &mut Change<'_, '_>,
    subject: &Subject,
    wanted: &Wanted,
) -> Result<(), StoreError> {
    let status = match wanted.status {
        types::AccountStatus::Active => AccountStatus::Active,
        types::AccountStatus::Deactivated => AccountStatus::Deactivated,
        types::AccountStatus::Deleted => AccountStatus::Deleted,
    };
    let record = &subject.gathered.record;
    if record.status == status && record.status_reason == wanted.status_reason {
        return Ok(());
    }
    // Who it belongs to may have changed while it was decided.
    let Some(present) = change.tx.get::<Accounts>(&subject.account)? else {
        return Ok(());
    };
    let after = AccountRecord {
        status,
        status_reason: wanted.status_reason.clone(),
        ..present
    };
    change.tx.put::<Accounts>(&subject.account, &after)?;
    if record.status != status {
        let kind = match status {
            AccountStatus::Active => "account.activated",
            AccountStatus::Deactivated => "account.deactivated",
            AccountStatus::Deleted => "account.deleted",
        };
        let (label, reason) = (&record.label, &wanted.status_reason);
        change.event(
            kind,
            json!({ "account": subject.account, "label": label, "reason": reason }),
        )?;
    }
    Ok(())
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
    grants.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    grants
}

fn same(a: &GrantRecord, b: &GrantRecord) -> bool {
    a.kind == b.kind && a.name == b.name
}

/// Keeps the account's last assignment, raises an alert, and tries again later.
fn postpone(
    change: &mut Change<'_, '_>,
    subject: &Subject,
    failure: &Failure,
) -> Result<(), StoreError> {
    let (slot, kind, message, details) = match failure {
        Failure::Skipped => return Ok(()),
        Failure::Call { slot, error } => (
            slot,
            "policy-failed",
            error.to_string(),
            error.frames.clone(),
        ),
        Failure::Rejected { slot, why } => (slot, "decision-rejected", why.clone(), Vec::new()),
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
    )
}
