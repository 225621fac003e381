//! Bindings: which plugins decide in which slot of an organization, and how to go back.

use super::{PluginError, Plugins};
use crate::clock::Timestamp;
use crate::ledger::{Change, Committed, change};
use crate::model::access::Spread;
use crate::model::plugins::{BindingRecord, Bindings, Bound, Chain, Slot};
use gatewright_sandbox::Grants;
use gatewright_store::{Organization, Read, StoreError};
use serde::Deserialize;
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
                chain: Chain {
                    first: Bound {
                        plugin: plugins.built_in(name)?,
                        grants: Grants::default(),
                    },
                    rest: Vec::new(),
                },
                bound: now,
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
    /// In the place of all that: several, in their order.
    pub chain: Option<Vec<Wanted>>,
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
}

fn empty() -> Value {
    json!({})
}

impl New {
    fn wanted(self) -> Result<Vec<Wanted>, PluginError> {
        let Self {
            plugin,
            settings,
            grants,
            chain,
        } = self;
        match (plugin, chain) {
            (Some(plugin), None) => Ok(vec![Wanted {
                plugin,
                settings: settings.unwrap_or_else(empty),
                grants: grants.unwrap_or_default(),
            }]),
            (None, Some(chain)) if settings.is_none() && grants.is_none() => Ok(chain),
            _ => Err(PluginError::OneOrChain),
        }
    }
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
        } = wanted;
        let (plugin, record) = plugins.prove(&plugin, settings, &grants)?;
        if record.kind != slot.kind() {
            return Err(PluginError::WrongKind { slot: slot.name() });
        }
        Ok(Bound { plugin, grants })
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
/// everybody is decided anew.
///
/// # Errors
/// What the store says.
pub fn bind(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
    chain: Chain,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let binding = put(change, slot, &chain)?;
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
) -> Result<BindingRecord, StoreError> {
    store(change, slot, |before| {
        let mut previous = Vec::new();
        if let Some(before) = before {
            previous.clone_from(&before.previous);
            previous.push(before.chain.clone());
            let surplus = previous.len().saturating_sub(HISTORY);
            previous.drain(..surplus);
        }
        Ok((chain.clone(), previous))
    })
}

/// Returns to the chain before the present one.
///
/// # Errors
/// Where there is none.
pub fn roll_back(
    organization: &Organization,
    now: Timestamp,
    slot: Slot,
) -> Result<Committed<BindingRecord>, PluginError> {
    let committed = change(organization, now, move |change| {
        let binding = store(change, slot, |before| {
            let nothing = PluginError::NothingBefore { slot: slot.name() };
            let mut previous = before
                .map(|before| before.previous.clone())
                .unwrap_or_default();
            let earlier = previous.pop().ok_or(nothing)?;
            Ok::<_, PluginError>((earlier, previous))
        })?;
        change.spread(Spread::Everybody)?;
        Ok::<_, PluginError>(binding)
    })?;
    Ok(committed)
}

type Next = (Chain, Vec<Chain>);

fn store<E: From<StoreError>>(
    change: &mut Change<'_, '_>,
    slot: Slot,
    next: impl FnOnce(Option<&BindingRecord>) -> Result<Next, E>,
) -> Result<BindingRecord, E> {
    let key = slot.name().to_owned();
    let before = change.tx.get::<Bindings>(&key)?;
    let (chain, previous) = next(before.as_ref())?;
    let binding = BindingRecord {
        version: before.map_or(0, |before| before.version) + 1,
        chain,
        bound: change.at(),
        previous,
    };
    change.tx.put::<Bindings>(&key, &binding)?;
    let members = binding.chain.members();
    let digests: Vec<&String> = members.map(|one| &one.plugin.digest).collect();
    change.event(
        "binding.changed",
        json!({
            "slot": key, "version": binding.version, "digest": digests[0], "chain": digests,
        }),
    )?;
    Ok(binding)
}
