//! Bindings: which plugins decide in which slot of an organization, how to pause them, and how to
//! go back.

use super::{PluginError, Plugins};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::plugins::{
    Audit, BindingRecord, BindingVersions, Bindings, Bound, BoundLimits, Chain, How, Slot,
};
use crate::model::spread::Spread;
use gatewright_sandbox::Grants;
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many versions of a slot's binding are kept to go back to.
const KEPT: u64 = 1_000;

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
                chain: Chain {
                    first: Bound {
                        plugin: plugins.built_in(name)?,
                        grants: Grants::default(),
                        limits: BoundLimits::default(),
                    },
                    rest: Vec::new(),
                },
                bound: now,
                origin: 0,
                paused: false,
                how: How::Bound,
                audit: Audit::default(),
                previous: Vec::new(),
            };
            Ok((slot, binding))
        })
        .collect()
}

/// What is to be bound to a slot: one plugin, or a chain of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Name or digest of an installed plugin.
    pub plugin: Option<String>,
    /// Its settings.
    pub settings: Option<Value>,
    /// What it may grant; without it, everything in the catalogue.
    pub grants: Option<Grants>,
    /// What a call of it may use; without it, what the gateway allows.
    pub limits: Option<BoundLimits>,
    /// In the place of all that: several, in their order.
    pub chain: Option<Vec<Wanted>>,
    /// Who binds it.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// A plugin that is to be bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Name or digest of an installed plugin.
    pub plugin: String,
    /// Its settings.
    #[serde(default = "empty")]
    pub settings: Value,
    /// What it may grant; without it, everything in the catalogue.
    #[serde(default)]
    pub grants: Grants,
    /// What a call of it may use; without it, what the gateway allows.
    #[serde(default)]
    pub limits: BoundLimits,
}

fn empty() -> Value {
    json!({})
}

impl New {
    /// Who wants it and why.
    ///
    /// # Errors
    /// Where they say too much.
    pub fn audit(&self) -> Result<Audit, PluginError> {
        let (by, why) = (self.by.clone(), self.why.clone());
        checked(Audit { by, why })
    }

    fn wanted(self) -> Result<Vec<Wanted>, PluginError> {
        let Self {
            plugin,
            settings,
            grants,
            limits,
            chain,
            ..
        } = self;
        match (plugin, chain) {
            (Some(plugin), None) => Ok(vec![Wanted {
                plugin,
                settings: settings.unwrap_or_else(empty),
                grants: grants.unwrap_or_default(),
                limits: limits.unwrap_or_default(),
            }]),
            (None, Some(chain)) if settings.is_none() && grants.is_none() && limits.is_none() => {
                Ok(chain)
            }
            _ => Err(PluginError::OneOrChain),
        }
    }
}

/// What is said of a change, within its bounds.
///
/// # Errors
/// Where it is not.
pub fn checked(audit: Audit) -> Result<Audit, PluginError> {
    for (field, text, most) in [("by", &audit.by, 256), ("why", &audit.why, 1_000)] {
        let length = text.as_ref().map_or(0, String::len);
        if length > most {
            return Err(PluginError::TooLong {
                field,
                most,
                length,
            });
        }
    }
    Ok(audit)
}

/// Proves each plugin of a chain with its settings, in their order.
///
/// # Errors
/// Where there are none or too many; for the first that is not installed, does not fit the slot, or
/// refuses its settings: in [`PluginError::InChain`], where the chain has more than one.
pub fn prove(plugins: &Plugins, slot: Slot, new: New) -> Result<Chain, PluginError> {
    let wanted = new.wanted()?;
    let number = wanted.len();
    if number > Chain::MAX {
        return Err(PluginError::ChainLength(number));
    }
    let one = |wanted: Wanted| {
        let Wanted {
            plugin,
            settings,
            grants,
            limits,
        } = wanted;
        let (plugin, record) = plugins.prove(&plugin, settings, &grants, limits)?;
        if record.kind != slot.kind() {
            return Err(PluginError::WrongKind { slot: slot.name() });
        }
        Ok(Bound {
            plugin,
            grants,
            limits,
        })
    };
    let mut rest = Vec::with_capacity(number);
    for (place, wanted) in wanted.into_iter().enumerate() {
        let bound = one(wanted).map_err(|error| match number {
            1 => error,
            _ => PluginError::InChain {
                place,
                error: Box::new(error),
            },
        })?;
        rest.push(bound);
    }
    if rest.is_empty() {
        return Err(PluginError::ChainLength(0));
    }
    let first = rest.remove(0);
    Ok(Chain { first, rest })
}

/// Binds a chain that was proven to a slot. Calls under way finish on what was bound before;
/// everybody is decided anew. A pause ends.
///
/// # Errors
/// What the store says.
pub fn bind(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    chain: Chain,
    audit: Audit,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let binding = put(change, slot, &chain, How::Bound, audit.clone())?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

/// Binds a chain that was proven to a slot. Who is concerned is for the caller to mark.
///
/// # Errors
/// What the store says.
pub fn put(
    change: &mut Change<'_, '_>,
    slot: Slot,
    chain: &Chain,
    how: How,
    audit: Audit,
) -> Result<BindingRecord, StoreError> {
    let before = change.tx.get::<Bindings>(&slot.name().to_owned())?;
    let next = BindingRecord {
        version: before.as_ref().map_or(0, |before| before.version) + 1,
        chain: chain.clone(),
        bound: change.at(),
        origin: 0,
        paused: false,
        how,
        audit,
        previous: Vec::new(),
    };
    if let Some(before) = &before {
        keep_older(change, slot, before)?;
    }
    store(change, slot, next)
}

/// Returns to an earlier version: the one before the present chain where none is named. A pause ends.
///
/// # Errors
/// Where there is none, or one of its plugins was removed.
pub fn roll_back(
    plugins: &Arc<Plugins>,
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    to: Option<u64>,
    audit: Audit,
) -> Result<Committed<BindingRecord>, PluginError> {
    let plugins = Arc::clone(plugins);
    let committed = change(organization, now, move |change| {
        let before = present(change, slot)?;
        keep_older(change, slot, &before)?;
        let target = match to {
            Some(to) => version(change.tx, slot, to)?,
            None => earlier(change.tx, slot, before.origin())?
                .ok_or(PluginError::NothingBefore { slot: slot.name() })?,
        };
        plugins.are_there(&target.chain)?;
        let next = BindingRecord {
            version: before.version + 1,
            bound: change.at(),
            origin: target.origin(),
            paused: false,
            how: How::RolledBack { to: target.version },
            audit: audit.clone(),
            chain: target.chain,
            previous: Vec::new(),
        };
        let binding = store(change, slot, next)?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

/// Pauses a slot, or ends its pause. While it is paused, accounts keep what they have of the slot,
/// and the other slots go on deciding; behind it everybody is decided anew. Where it is as wanted
/// already, nothing changes.
///
/// # Errors
/// Where nothing is bound.
pub fn pause(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    paused: bool,
    audit: Audit,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let before = present(change, slot)?;
        if before.paused == paused {
            return Ok(before);
        }
        keep_older(change, slot, &before)?;
        let next = BindingRecord {
            version: before.version + 1,
            bound: change.at(),
            origin: before.origin(),
            paused,
            how: if paused { How::Paused } else { How::Resumed },
            audit: audit.clone(),
            chain: before.chain.clone(),
            previous: Vec::new(),
        };
        let binding = store(change, slot, next)?;
        if !paused {
            change.spread(Spread::Everybody)?;
        }
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

/// The versions of a slot's binding, the newest first, the present one included.
///
/// # Errors
/// What the store says.
pub fn versions(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<BindingRecord>, StoreError> {
    let key = slot.name().to_owned();
    let range = Range::prefix(&key).reverse();
    let range = range.behind(before.map(|before| (key, before)));
    let rows = reader.scan::<BindingVersions>(range)?.take(limit);
    rows.map(|row| row.map(|(_, record)| record)).collect()
}

fn present(change: &Change<'_, '_>, slot: Slot) -> Result<BindingRecord, PluginError> {
    let present = change.tx.get::<Bindings>(&slot.name().to_owned())?;
    present.ok_or(PluginError::Unbound { slot: slot.name() })
}

/// One version.
fn version(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
    version: u64,
) -> Result<BindingRecord, PluginError> {
    let key = (slot.name().to_owned(), version);
    let found = reader.get::<BindingVersions>(&key)?;
    found.ok_or(PluginError::NoVersion {
        slot: slot.name(),
        version,
    })
}

/// The last chain that was bound before that version.
fn earlier(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
    origin: u64,
) -> Result<Option<BindingRecord>, StoreError> {
    let key = slot.name().to_owned();
    let range = Range::prefix(&key).reverse().after(&(key, origin));
    for row in reader.scan::<BindingVersions>(range)? {
        let (_, record) = row?;
        if record.origin() == record.version {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Whether there is a version to return to.
///
/// # Errors
/// What the store says.
pub fn can_roll_back(
    reader: &impl Read<OrganizationScope>,
    slot: Slot,
    binding: &BindingRecord,
) -> Result<bool, StoreError> {
    Ok(!binding.previous.is_empty() || earlier(reader, slot, binding.origin())?.is_some())
}

/// Gives what was bound before versions were kept a number each: the last ones before the present.
fn keep_older(
    change: &mut Change<'_, '_>,
    slot: Slot,
    before: &BindingRecord,
) -> Result<(), StoreError> {
    let name = slot.name().to_owned();
    for (back, chain) in (1..).zip(before.previous.iter().rev()) {
        let Some(version) = before.version.checked_sub(back).filter(|one| *one > 0) else {
            break;
        };
        let older = BindingRecord {
            version,
            chain: chain.clone(),
            previous: Vec::new(),
            ..before.clone()
        };
        change
            .tx
            .put::<BindingVersions>(&(name.clone(), version), &older)?;
    }
    let own = BindingRecord {
        previous: Vec::new(),
        ..before.clone()
    };
    change
        .tx
        .put::<BindingVersions>(&(name, before.version), &own)
}

/// Puts a version into force. What was bound before is kept already.
fn store(
    change: &mut Change<'_, '_>,
    slot: Slot,
    binding: BindingRecord,
) -> Result<BindingRecord, StoreError> {
    let key = slot.name().to_owned();
    change.tx.put::<Bindings>(&key, &binding)?;
    let place = (key.clone(), binding.version);
    change.tx.put::<BindingVersions>(&place, &binding)?;
    if let Some(old) = binding.version.checked_sub(KEPT) {
        change.tx.delete::<BindingVersions>(&(key.clone(), old))?;
    }
    let members = binding.chain.members();
    let digests: Vec<&String> = members.map(|one| &one.plugin.digest).collect();
    change.event(
        "binding.changed",
        json!({
            "slot": key, "version": binding.version, "digest": digests[0], "chain": digests,
            "paused": binding.paused, "how": binding.how, "audit": binding.audit,
        }),
    )?;
    Ok(binding)
}
