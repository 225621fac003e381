//! Chains in shadow: they run beside the one that is bound, on everybody who is decided, and what
//! they want otherwise is kept for people to look at.

use super::{PluginError, bindings};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::plugins::{
    Audit, BindingRecord, Chain, How, ShadowDifference, ShadowDifferences, ShadowRecord, Shadows,
    Slot,
};
use crate::model::spread::Spread;
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// A chain in shadow that had no decision so often is stopped: it is broken, and costs time that
/// decisions want.
pub const MOST_FAILURES: u64 = 100;

/// Differences that one transaction removes, when a shadow ends.
const STEP: usize = 1_000;

/// Runs a chain that was proven beside the one that is bound to its slot. Everybody is decided anew,
/// and so tried with it. A chain that ran there before ends.
///
/// # Errors
/// Where nothing is bound, or what the store says.
pub fn start(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    chain: Chain,
    audit: Audit,
) -> Result<Committed<ShadowRecord>, PluginError> {
    forget(organization, now, slot)?;
    let committed = change(organization, now, move |change| {
        let shadow = ShadowRecord {
            chain: chain.clone(),
            started: change.at(),
            revision: change.revision(),
            audit: audit.clone(),
            tried: 0,
            different: 0,
            failed: 0,
            stopped: None,
        };
        change.tx.put::<Shadows>(&slot.name().to_owned(), &shadow)?;
        let digests: Vec<&String> = chain.members().map(|one| &one.plugin.digest).collect();
        change.event(
            "shadow.started",
            json!({ "slot": slot, "chain": digests, "audit": audit }),
        )?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(shadow)
    })?;
    Ok(committed)
}

/// Ends what runs in shadow, and forgets what it wanted. Answers what it had come to.
///
/// # Errors
/// Where nothing runs.
pub fn stop(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    audit: Audit,
) -> Result<Committed<ShadowRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let shadow = take(change, slot)?;
        change.event("shadow.stopped", json!({ "slot": slot, "audit": audit }))?;
        Ok::<_, PluginError>(shadow)
    })?;
    forget(organization, now, slot)?;
    Ok(committed)
}

/// Binds the chain that runs in shadow, as it was proven there.
///
/// # Errors
/// Where none runs.
pub fn activate(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    audit: Audit,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let shadow = take(change, slot)?;
        let (chain, audit) = (shadow.chain, audit.clone());
        let binding = bindings::put(change, slot, &chain, How::Activated, audit)?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    forget(organization, now, slot)?;
    Ok(committed)
}

/// What runs in shadow in a slot.
///
/// # Errors
/// Where nothing does.
pub fn find(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
) -> Result<ShadowRecord, PluginError> {
    let found = reader.get::<Shadows>(&slot.name().to_owned())?;
    found.ok_or(PluginError::NoShadow { slot: slot.name() })
}

/// What it wants otherwise, in the order of the accounts' ids.
///
/// # Errors
/// What the store says.
pub fn differences(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(Uuid, ShadowDifference)>, StoreError> {
    let key = slot.name().to_owned();
    let range = Range::prefix(&key);
    let range = range.behind(after.map(|after| (key, after)));
    let rows = reader.scan::<ShadowDifferences>(range)?.take(limit);
    rows.map(|row| row.map(|((_, account), difference)| (account, difference)))
        .collect()
}

fn take(change: &mut Change<'_, '_>, slot: Slot) -> Result<ShadowRecord, PluginError> {
    let shadow = find(change.tx, slot)?;
    change.tx.delete::<Shadows>(&slot.name().to_owned())?;
    Ok(shadow)
}

/// Removes all differences of a slot, some in each transaction. Those that a step under way still
/// writes belong to no shadow, and the step sees that there is none.
fn forget(organization: &Organization, now: Timestamp, slot: Slot) -> Result<(), PluginError> {
    loop {
        let gone = change(organization, now, move |change| {
            let range = Range::prefix(&slot.name().to_owned());
            let rows = change.tx.keys::<ShadowDifferences>(range)?.take(STEP);
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            for key in &rows {
                change.tx.delete::<ShadowDifferences>(key)?;
            }
            Ok::<_, StoreError>(rows.len())
        });
        if gone.map_err(StoreError::from)?.value < STEP {
            return Ok(());
        }
    }
}
