//! What decisions are made by: mapping, catalogue and policies, as they are stored or as a plan
//! proposes them.

use super::ask::Losses;
use super::decide::{Bound, Deciding, Failure, Policies, Subject, Wanted};
use super::step::StepError;
use crate::access::gather::{Gatherer, Source};
use crate::access::standing::Phases;
use crate::access::{catalogue, mapping, pins};
use crate::clock::Timestamp;
use crate::directory::schemas;
use crate::model::access::Decider;
use crate::model::catalogue::Catalogue;
use crate::model::mapping::{MappingEntry, MappingRecord};
use crate::model::plugins::{Bindings, Chain, Slot};
use crate::model::tenancy::Directories;
use crate::plugins::{PluginError, Plugins};
use gatewright_sandbox::types;
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// What a plan puts in the place of what is stored. By default nothing.
#[derive(Default)]
pub(in crate::access) struct Instead {
    pub(in crate::access) mapping: Option<MappingRecord>,
    pub(in crate::access) catalogue: Option<Catalogue>,
    pub(in crate::access) bindings: HashMap<Slot, Chain>,
    pub(in crate::access) pins: HashMap<(u8, String), Uuid>,
}

/// What decides about accounts of one organization.
pub(in crate::access) struct Setting {
    mapping: Vec<MappingEntry>,
    catalogue: types::Catalogue,
    organization: String,
    policies: Policies,
    is_paused: bool,
    directories: HashMap<Uuid, Source>,
    phases: Phases,
}

impl Setting {
    /// Reads it from one snapshot, and loads the policies.
    ///
    /// # Errors
    /// What the store says; where a slot has no policy, or it cannot be loaded.
    pub(in crate::access) fn read(
        reader: &Reader<OrganizationScope>,
        plugins: &Plugins,
        instead: &Instead,
    ) -> Result<Self, StepError> {
        let stored;
        let entries = match &instead.mapping {
            Some(mapping) => &mapping.entries,
            None => {
                stored = mapping::load(reader)?.entries;
                &stored
            }
        };
        let mapping = pins::resolve(reader, entries, &instead.pins)?;
        let catalogue = match &instead.catalogue {
            Some(catalogue) => catalogue::for_plugins(catalogue),
            None => catalogue::for_plugins(&catalogue::load(reader)?),
        };
        let (policies, is_paused) = policies(reader, plugins, instead)?;
        Ok(Self {
            mapping,
            catalogue,
            organization: reader.id().to_string(),
            policies,
            is_paused,
            directories: directories(reader, plugins)?,
            phases: Phases::read(reader)?,
        })
    }

    /// Reads accounts from the same snapshot.
    pub(super) fn gatherer<'a, R: Read<OrganizationScope>>(
        &'a self,
        reader: &'a R,
    ) -> Result<Gatherer<'a, R>, StoreError> {
        Gatherer::new(
            reader,
            &self.mapping,
            &self.catalogue,
            &self.directories,
            &self.phases,
        )
    }

    /// The phases that the directories were in.
    pub(super) fn phases(&self) -> &Phases {
        &self.phases
    }

    /// Whether a slot is paused: what is told to its policies once only has to wait for them.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Decides about each subject, as [`Policies::decide`] does.
    pub(super) fn decide(
        &self,
        now: Timestamp,
        subjects: &[Subject],
        accounts: Vec<types::Account>,
        losses: &mut Losses,
    ) -> Vec<Result<Wanted, Failure>> {
        self.decide_by(&self.policies, now, subjects, accounts, losses)
    }

    /// The same by other policies.
    pub(super) fn decide_by(
        &self,
        policies: &Policies,
        now: Timestamp,
        subjects: &[Subject],
        accounts: Vec<types::Account>,
        losses: &mut Losses,
    ) -> Vec<Result<Wanted, Failure>> {
        let context = types::Context {
            now: now.0,
            catalogue: self.catalogue.clone(),
            organization: self.organization.clone(),
            extra: Vec::new(),
        };
        policies.decide(&context, subjects, accounts, losses)
    }
}

/// What decides in each slot, and whether one of them is paused.
pub(super) fn policies(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
    instead: &Instead,
) -> Result<(Policies, bool), StepError> {
    let deciding = |slot| {
        deciding(reader, plugins, instead, slot).map_err(|error| StepError::Load(slot, error))
    };
    let slots = [
        deciding(Slot::Lifecycle)?,
        deciding(Slot::Roles)?,
        deciding(Slot::Seats)?,
    ];
    let mut all = slots.iter();
    let is_paused = all.any(|slot| matches!(slot, Deciding::Paused(_)));
    let policies = Policies::new(slots).map_err(|(slot, error)| StepError::Load(slot, error))?;
    Ok((policies, is_paused))
}

/// The chain of a slot, loaded, or that it is paused. What is proposed instead is not.
fn deciding(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
    instead: &Instead,
    slot: Slot,
) -> Result<Deciding, PluginError> {
    let stored = reader.get::<Bindings>(&slot.name().to_owned())?;
    let (members, version, paused) = match (instead.bindings.get(&slot), stored) {
        (Some(members), stored) => {
            let version = stored.map_or(0, |stored| stored.version);
            (members.clone(), version + 1, false)
        }
        (None, Some(stored)) => (stored.chain, stored.version, stored.paused),
        (None, None) => return Err(PluginError::Unbound { slot: slot.name() }),
    };
    if paused {
        let first = &members.first.plugin;
        return Ok(Deciding::Paused(Decider {
            slot,
            place: 0,
            plugin: plugins.name(first),
            version: String::new(),
            binding: version,
        }));
    }
    let mut chain = Vec::new();
    for (place, member) in (0..).zip(members.members()) {
        let plugin = plugins.load(&member.plugin, &member.grants, member.limits)?;
        let about = &plugin.loaded().inspection().about;
        let by = Decider {
            slot,
            place,
            plugin: about.name.clone(),
            version: about.version.clone(),
            binding: version,
        };
        chain.push(Bound {
            plugin,
            bound: member.clone(),
            by,
        });
    }
    Ok(Deciding::Chain(chain))
}

fn directories(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
) -> Result<HashMap<Uuid, Source>, StoreError> {
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
    Ok(directories)
}
