//! Bindings: which plugin decides in which slot of an organization, and how to go back.

use super::{PluginError, Plugins};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::Spread;
use crate::model::plugins::{BindingRecord, Bindings, EarlierBinding, PluginRef, Slot};
use gatewright_sandbox::Grants;
use gatewright_store::{Organization, Read, StoreError};
use serde_json::{Value, json};

/// How many earlier bindings are kept to go back to.
const HISTORY: usize = 10;

/// What a new organization's slots are bound to: the shipped policies.
///
/// # Errors
/// Where a shipped policy cannot be loaded.
pub fn shipped(
    plugins: &Plugins,
    now: Timestamp,
) -> Result<Vec<(Slot, BindingRecord)>, PluginError> {
    Slot::ALL
        .into_iter()
        .map(|slot| {
            let name = match slot {
                Slot::Lifecycle => "group-lifecycle",
                Slot::Roles => "group-roles",
                Slot::Seats => "group-seats",
            };
            let binding = BindingRecord {
                version: 1,
                plugin: plugins.built_in(name)?,
                grants: Grants::default(),
                bound: now,
                previous: Vec::new(),
            };
            Ok((slot, binding))
        })
        .collect()
}

/// Binds a plugin to a slot once it has proven itself with its settings. Calls under way finish
/// on what was bound before; everybody is decided anew.
///
/// # Errors
/// Where there is no such plugin, it does not fit the slot, or its settings are refused.
pub fn bind(
    plugins: &Plugins,
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    wanted: &str,
    settings: Value,
    grants: Grants,
) -> Result<Committed<BindingRecord>, PluginError> {
    let (plugin, record) = plugins.prove(wanted, settings, &grants)?;
    if record.kind != slot.kind() {
        return Err(PluginError::WrongKind { slot: slot.name() });
    }
    let committed = change(organization, now, move |change| {
        let binding = put(change, slot, &plugin, &grants)?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

/// Binds a plugin that has proven itself to a slot. Who is concerned is for the caller to mark.
///
/// # Errors
/// What the store says.
pub fn put(
    change: &mut Change<'_, '_>,
    slot: Slot,
    plugin: &PluginRef,
    grants: &Grants,
) -> Result<BindingRecord, StoreError> {
    store(change, slot, |before| {
        let mut previous = Vec::new();
        if let Some(before) = before {
            previous.clone_from(&before.previous);
            previous.push(EarlierBinding {
                plugin: before.plugin.clone(),
                grants: before.grants.clone(),
            });
            let surplus = previous.len().saturating_sub(HISTORY);
            previous.drain(..surplus);
        }
        Ok((plugin.clone(), grants.clone(), previous))
    })
}

/// Returns to the binding before the present one.
///
/// # Errors
/// Where there is none.
pub fn roll_back(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let binding = store(change, slot, earlier(slot))?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

fn earlier(slot: Slot) -> impl FnOnce(Option<&BindingRecord>) -> Result<Next, PluginError> {
    move |before| {
        let nothing = PluginError::NothingBefore { slot: slot.name() };
        let mut previous = before
            .map(|before| before.previous.clone())
            .unwrap_or_default();
        let earlier = previous.pop().ok_or(nothing)?;
        Ok((earlier.plugin, earlier.grants, previous))
    }
}

type Next = (PluginRef, Grants, Vec<EarlierBinding>);

fn store<E: From<StoreError>>(
    change: &mut Change<'_, '_>,
    slot: Slot,
    next: impl FnOnce(Option<&BindingRecord>) -> Result<Next, E>,
) -> Result<BindingRecord, E> {
    let key = slot.name().to_owned();
    let before = change.tx.get::<Bindings>(&key)?;
    let (plugin, grants, previous) = next(before.as_ref())?;
    let binding = BindingRecord {
        version: before.map_or(0, |before| before.version) + 1,
        plugin,
        grants,
        bound: change.at(),
        previous,
    };
    change.tx.put::<Bindings>(&key, &binding)?;
    change.event(
        "binding.changed",
        json!({ "slot": key, "version": binding.version, "digest": binding.plugin.digest }),
    )?;
    Ok(binding)
}
