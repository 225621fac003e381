//! The host's guards: what stands between a decision and what it would take. A policy proposes; the
//! last active owner keeps the owner role, a mass removal waits for a person, and a seat that does
//! not exist is not given. What the identity provider says of a person's access needs no policy and
//! passes no guard.

pub mod brake;
pub mod capacity;
pub mod holds;
mod owner;

use super::assignment::{missing, same, sort};
use super::catalogue;
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::{AccountStatus, Accounts, DirtyRecord, GrantKind, GrantRecord};
use crate::model::catalogue::Catalogue;
use crate::model::guard::{GuardSettings, GuardsSet, HoldRecord, Holds};
use crate::model::plans::{Planned, PlannedGrant};
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError};
use uuid::Uuid;

pub use owner::{activated, alert_if_last, has_owner, is_last, owner_role, returned};

/// Why the guards were not set.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The window is too short or too long.
    #[error("window_minutes: must be from 1 to 10080, a week")]
    Window,
    /// The share is none.
    #[error("share_percent: must be from 0 to 100; 100 lets everything through")]
    Share,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Sets when the brake on mass removal trips. What it holds already stays held.
///
/// # Errors
/// Where a figure is out of its range; nothing is stored then.
pub fn set(
    organization: &Organization,
    at: Timestamp,
    settings: GuardSettings,
) -> Result<Committed<()>, WriteError<GuardError>> {
    change(organization, at, move |change| {
        if !(1..=10_080).contains(&settings.window_minutes) {
            return Err(GuardError::Window);
        }
        if settings.share_percent > 100 {
            return Err(GuardError::Share);
        }
        if brake::settings(change.tx)? != settings {
            change.tx.put::<GuardsSet>(&(), &settings)?;
            change.event("guards.changed", serde_json::json!(settings))?;
        }
        Ok(())
    })
}

/// An account about which was decided, as it is now.
pub struct Account<'a> {
    /// Its id.
    pub id: Uuid,
    /// The name to show.
    pub label: &'a str,
    /// What it has.
    pub grants: &'a [GrantRecord],
    /// Its status.
    pub status: AccountStatus,
    /// Whether an identity provider says of one of its users that it is active.
    pub said_active: bool,
    /// Seats that it was to have and did not get.
    pub denied: &'a [String],
    /// Why it was decided.
    pub dirty: &'a DirtyRecord,
}

/// What an account is to have.
#[derive(Debug)]
pub struct Outcome {
    /// Its grants, in the order in which they are stored.
    pub grants: Vec<GrantRecord>,
    /// Its status.
    pub status: AccountStatus,
    /// A sentence: why.
    pub status_reason: String,
    /// Seats that it is to have and that are all taken.
    pub denied: Vec<String>,
}

/// What an account would lose.
struct Losses {
    grants: Vec<GrantRecord>,
    /// The status that it would lose, and why it had it.
    status: Option<AccountStatus>,
}

impl Losses {
    fn none(&self) -> bool {
        self.grants.is_empty() && self.status.is_none()
    }

    /// One sentence: what the policies want.
    fn sentence(&self, outcome: &Outcome) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.status.is_some() {
            parts.push(format!(
                "{}: {}",
                outcome.status.name(),
                outcome.status_reason
            ));
        }
        for lost in &self.grants {
            let kind = catalogue::kind_name(lost.kind);
            parts.push(format!(
                "without the {kind} \"{}\" ({})",
                lost.name, lost.reason
            ));
        }
        parts.join("; ")
    }
}

/// What becomes of a decision.
///
/// # Errors
/// What the store says.
pub fn judge(
    change: &mut Change<'_, '_>,
    account: &Account<'_>,
    mut outcome: Outcome,
) -> Result<Outcome, StoreError> {
    let hold = change.tx.get::<Holds>(&account.id)?;
    let mut losses = losses(change, account, &outcome)?;
    let mut kept = Losses {
        grants: Vec::new(),
        status: None,
    };
    let mut next = Next::default();
    let approved = account.dirty.approved || is_as_planned(change, account, &outcome)?;
    if losses.none() {
        if let Some(hold) = &hold {
            holds::end(change, account.id, hold)?;
        }
    } else if !approved
        && let Some(pinned) = holds::still_pinned(change, account.id, hold.as_ref())?
    {
        next.pinned = Some(pinned);
        std::mem::swap(&mut kept, &mut losses);
    } else {
        next.owner = owner::keep(change, account, &outcome, &mut losses, &mut kept)?;
        let free = approved || !account.said_active;
        if !losses.none() && !free && !brake::lets_through(change, account, &losses)? {
            next.brake = true;
            kept.grants.append(&mut losses.grants);
            kept.status = kept.status.or(losses.status.take());
        }
    }
    if kept.none() {
        if let Some(hold) = hold.filter(|_| !losses.none()) {
            holds::end(change, account.id, &hold)?;
        }
    } else {
        let record = HoldRecord {
            owner: next.owner,
            brake: next.brake,
            pinned: next.pinned,
            wanted: kept.sentence(&outcome),
            kept: kept.grants.clone(),
            kept_status: kept.status,
            label: account.label.to_owned(),
            since: change.at(),
            revision: account.dirty.last,
            request: account.dirty.request,
        };
        holds::place(change, account.id, hold.as_ref(), record)?;
        keep(change, account, &mut outcome, kept)?;
    }
    capacity::limit(change, account, &mut outcome)?;
    Ok(outcome)
}

/// Why a hold is placed.
#[derive(Default)]
struct Next {
    owner: bool,
    brake: bool,
    pinned: Option<String>,
}

fn keep(
    change: &Change<'_, '_>,
    account: &Account<'_>,
    outcome: &mut Outcome,
    kept: Losses,
) -> Result<(), StoreError> {
    if let Some(status) = kept.status {
        outcome.status = status;
        outcome.status_reason = format!("held; its policies want: {}", outcome.status_reason);
    }
    let keeps = |kind| kept.grants.iter().any(|one| one.kind == kind);
    // There is one base role.
    if keeps(GrantKind::BaseRole) {
        outcome.grants.retain(|one| one.kind != GrantKind::BaseRole);
    }
    // The default seat was for want of another.
    if keeps(GrantKind::Seat) {
        let catalogue = catalogue::load(change.tx)?;
        outcome.grants.retain(|one| {
            let has = account.grants.iter().any(|old| same(old, one));
            has || !is_default_seat(one, &catalogue)
        });
    }
    outcome.grants.extend(kept.grants);
    sort(&mut outcome.grants);
    Ok(())
}

/// What the account would lose. A base role for a higher one is no loss, nor is the default seat for
/// another, nor a status that the identity provider took already.
fn losses(
    change: &Change<'_, '_>,
    account: &Account<'_>,
    outcome: &Outcome,
) -> Result<Losses, StoreError> {
    let mut grants: Vec<GrantRecord> = missing(account.grants, &outcome.grants).cloned().collect();
    if !grants.is_empty() {
        let catalogue = catalogue::load(change.tx)?;
        grants.retain(|lost| !is_replaced(lost, &outcome.grants, &catalogue));
    }
    let worse = outcome.status.is_worse_than(account.status);
    Ok(Losses {
        grants,
        status: worse.then_some(account.status),
    })
}

fn is_replaced(lost: &GrantRecord, grants: &[GrantRecord], catalogue: &Catalogue) -> bool {
    let mut others = grants.iter().filter(|grant| grant.kind == lost.kind);
    match lost.kind {
        GrantKind::BaseRole => {
            let rank = |name: &str| catalogue.base_roles.iter().position(|one| one.name == name);
            others.any(|other| rank(&other.name) < rank(&lost.name))
        }
        GrantKind::Seat => is_default_seat(lost, catalogue) && others.next().is_some(),
        GrantKind::CustomRole => false,
    }
}

fn is_default_seat(grant: &GrantRecord, catalogue: &Catalogue) -> bool {
    let mut seats = catalogue.seat_types.iter();
    grant.kind == GrantKind::Seat && seats.any(|seat| seat.default && seat.name == grant.name)
}

/// Whether a confirmed plan showed exactly this of the account: a person has seen it.
fn is_as_planned(
    change: &Change<'_, '_>,
    account: &Account<'_>,
    outcome: &Outcome,
) -> Result<bool, StoreError> {
    let Some(plan) = account.dirty.plan else {
        return Ok(false);
    };
    let Some(shown) = change.tx.get::<Planned>(&(plan, account.id))? else {
        return Ok(false);
    };
    let same = |shown: &PlannedGrant, grant: &GrantRecord| {
        shown.kind == grant.kind && shown.name == grant.name
    };
    let (after, grants) = (&shown.after.grants, &outcome.grants);
    Ok(shown.failure.is_none()
        && shown.after.status == outcome.status
        && after.len() == grants.len()
        && after
            .iter()
            .all(|one| grants.iter().any(|grant| same(one, grant))))
}

/// Whether another account is active.
fn is_active(reader: &impl Read<OrganizationScope>, account: Uuid) -> Result<bool, StoreError> {
    let record = reader.get::<Accounts>(&account)?;
    Ok(record.is_some_and(|record| record.status == AccountStatus::Active))
}
