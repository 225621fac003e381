//! The brake on mass removal. A decision that takes something counts; when too many accounts have
//! lost something within a window, what more would be taken is held until a person says what was
//! meant. What the identity provider says of a person's access counts too, is told, and not held.

use super::{Account, Losses};
use crate::access::alerts;
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::access::AccountStatus;
use crate::model::guard::{
    BrakeRecord, Brakes, GuardSettings, GuardsSet, Holders, RemovalRecord, Removals, Window,
};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// The slot of the brake's alerts.
const SLOT: &str = "brake";
/// The slot of alerts about people whom the identity provider deactivated.
pub(super) const DEACTIVATIONS: &str = "deactivations";
/// A window has so many parts: how exactly it slides.
const PARTS: u64 = 60;
/// Old removals to forget with each new one.
const FORGOTTEN: usize = 4;

impl Window {
    /// How often it happened within the `length` milliseconds before `now`.
    fn count(&self, now: Timestamp, length: u64) -> u64 {
        let begin = now.0.saturating_sub(length);
        let parts = self.parts.iter().filter(|(at, _)| *at > begin);
        parts.map(|(_, times)| u64::from(*times)).sum()
    }

    /// It happened once more.
    fn add(&mut self, now: Timestamp, length: u64) {
        let begin = now.0.saturating_sub(length);
        self.parts.retain(|(at, _)| *at > begin);
        let part = (length / PARTS).max(1);
        match self.parts.last_mut() {
            Some((at, times)) if now.0 < *at + part => *times = times.saturating_add(1),
            _ => self.parts.push((now.0, 1)),
        }
    }
}

/// The settings of the guards.
///
/// # Errors
/// What the store says.
pub fn settings(reader: &impl Read<OrganizationScope>) -> Result<GuardSettings, StoreError> {
    Ok(reader.get::<GuardsSet>(&())?.unwrap_or_default())
}

/// What the brake knows.
///
/// # Errors
/// What the store says.
pub fn load(reader: &impl Read<OrganizationScope>) -> Result<BrakeRecord, StoreError> {
    Ok(reader.get::<Brakes>(&())?.unwrap_or_default())
}

/// How many accounts may lose something within the window.
///
/// # Errors
/// What the store says.
pub fn allowed(
    reader: &impl Read<OrganizationScope>,
    settings: &GuardSettings,
) -> Result<u64, StoreError> {
    let holders = reader.get::<Holders>(&())?.unwrap_or(0);
    let share = holders.saturating_mul(u64::from(settings.share_percent)) / 100;
    Ok(share.max(u64::from(settings.number)))
}

/// How many have, each way: by decisions, and by the identity provider.
///
/// # Errors
/// What the store says.
pub fn counts(
    reader: &impl Read<OrganizationScope>,
    settings: &GuardSettings,
    now: Timestamp,
) -> Result<(u64, u64), StoreError> {
    let brake = load(reader)?;
    let length = length(settings);
    Ok((
        brake.removals.count(now, length),
        brake.deactivations.count(now, length),
    ))
}

/// Whether a decision may take what it takes; it is counted and kept to be given back.
pub(super) fn lets_through(
    change: &mut Change<'_, '_>,
    account: &Account<'_>,
    losses: &Losses,
) -> Result<bool, StoreError> {
    let mut brake = load(change.tx)?;
    if brake.tripped.is_some() {
        return Ok(false);
    }
    let settings = settings(change.tx)?;
    let (now, length) = (change.at(), length(&settings));
    let allowed = allowed(change.tx, &settings)?;
    let passes = settings.share_percent >= 100 || brake.removals.count(now, length) < allowed;
    if passes {
        brake.removals.add(now, length);
        let record = RemovalRecord {
            lost: losses.grants.clone(),
            status: losses.status,
            by_provider: false,
            label: account.label.to_owned(),
            revision: account.dirty.last,
            request: account.dirty.request,
        };
        remember(change, account.id, &record, length)?;
    } else {
        brake.tripped = Some(now);
        let minutes = settings.window_minutes;
        let message = format!(
            "more than {allowed} accounts would lose roles, seats or access within {minutes} \
             minutes: what was not taken yet is held until somebody approves or rejects it"
        );
        alerts::raise(change, SLOT, None, "mass-removal", &message, &[])?;
        change.event(
            "brake.tripped",
            json!({ "allowed": allowed, "window_minutes": minutes }),
        )?;
    }
    change.tx.put::<Brakes>(&(), &brake)?;
    Ok(passes)
}

/// Counts that the identity provider took an account's access, so that it can be given back, and
/// tells where many lose it.
///
/// # Errors
/// What the store says.
pub fn deactivated(
    change: &mut Change<'_, '_>,
    account: Uuid,
    label: &str,
) -> Result<(), StoreError> {
    let settings = settings(change.tx)?;
    let (now, length) = (change.at(), length(&settings));
    let mut brake = load(change.tx)?;
    brake.deactivations.add(now, length);
    let many = brake.deactivations.count(now, length);
    change.tx.put::<Brakes>(&(), &brake)?;
    let record = RemovalRecord {
        lost: Vec::new(),
        status: Some(AccountStatus::Active),
        by_provider: true,
        label: label.to_owned(),
        revision: change.revision(),
        request: change.request(),
    };
    remember(change, account, &record, length)?;
    let allowed = allowed(change.tx, &settings)?;
    if settings.share_percent < 100 && many > allowed {
        let minutes = settings.window_minutes;
        let message = format!(
            "the identity provider deactivated more than {allowed} people within {minutes} \
             minutes; they are out, and can be restored"
        );
        alerts::raise(
            change,
            DEACTIVATIONS,
            None,
            "mass-deactivation",
            &message,
            &[],
        )?;
    }
    Ok(())
}

/// Says that what is held is dealt with: the window begins anew.
///
/// # Errors
/// What the store says.
pub fn reset(change: &mut Change<'_, '_>) -> Result<(), StoreError> {
    let brake = load(change.tx)?;
    let Some(tripped) = brake.tripped else {
        return Ok(());
    };
    let after = BrakeRecord {
        tripped: None,
        removals: Window::default(),
        ..brake
    };
    change.tx.put::<Brakes>(&(), &after)?;
    alerts::clear(change, SLOT, None)?;
    change.event("brake.released", json!({ "tripped": tripped.to_string() }))
}

/// One more, or one less, of the brake's holds waits for a person. Behind the last one the brake is
/// released.
pub(super) fn waits(change: &mut Change<'_, '_>, more: bool) -> Result<(), StoreError> {
    let mut brake = load(change.tx)?;
    if more {
        brake.waiting += 1;
    } else {
        brake.waiting = brake.waiting.saturating_sub(1);
    }
    let nobody = brake.waiting == 0;
    change.tx.put::<Brakes>(&(), &brake)?;
    if nobody { reset(change) } else { Ok(()) }
}

fn remember(
    change: &mut Change<'_, '_>,
    account: Uuid,
    record: &RemovalRecord,
    length: u64,
) -> Result<(), StoreError> {
    let now = change.at();
    change.tx.put::<Removals>(&(now.0, account), record)?;
    // What led to the brake can be given back for as long as it is not released.
    if load(change.tx)?.tripped.is_some() {
        return Ok(());
    }
    let old: Vec<(u64, Uuid)> = change
        .tx
        .keys::<Removals>(Range::all())?
        .take(FORGOTTEN)
        .collect::<Result<_, _>>()?;
    for key in old {
        if key.0.saturating_add(length) < now.0 {
            change.tx.delete::<Removals>(&key)?;
        }
    }
    Ok(())
}

fn length(settings: &GuardSettings) -> u64 {
    u64::from(settings.window_minutes) * 60_000
}
