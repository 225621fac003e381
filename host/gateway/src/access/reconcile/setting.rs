//! What decisions are made by: mapping, catalogue and policies, as they are stored or as a plan
//! proposes them.

use super::ask::Losses;
use super::decide::{Bound, Failure, Policies, Subject, Wanted};
use super::step::StepError;
use crate::access::gather::{Gatherer, Source};
use crate::access::standing::Phases;
use crate::access::{catalogue, mapping};
use crate::clock::Timestamp;
use crate::directory::schemas;
use crate::model::access::{Catalogue, Decider, MappingEntry, MappingRecord};
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
}

/// What decides about accounts of one organization.
pub(in crate::access) struct Setting {
    mapping: Vec<MappingEntry>,
    catalogue: types::Catalogue,
    organization: String,
    policies: Policies,
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
        let mapping = match &instead.mapping {
            Some(mapping) => mapping.clone(),
            None => mapping::load(reader)?,
        };
        let catalogue = match &instead.catalogue {
            Some(catalogue) => catalogue::for_plugins(catalogue),
            None => catalogue::for_plugins(&catalogue::load(reader)?),
        };
        Ok(Self {
            mapping: mapping.entries,
            catalogue,
            organization: reader.id().to_string(),
            policies: policies(reader, plugins, instead)?,
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

    /// Decides about each subject, as [`Policies::decide`] does.
    pub(super) fn decide(
        &self,
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
        self.policies.decide(&context, subjects, accounts, losses)
    }
}

fn policies(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
    instead: &Instead,
) -> Result<Policies, StepError> {
    let mut chains = [const { Vec::new() }; 3];
    for (slot, chain) in Slot::ALL.into_iter().zip(&mut chains) {
        let bound = bound(reader, plugins, instead, slot);
        *chain = bound.map_err(|error| StepError::Load(slot, error))?;
    }
    Policies::new(chains).map_err(|(slot, error)| StepError::Load(slot, error))
}

/// The chain of a slot, loaded.
fn bound(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
    instead: &Instead,
    slot: Slot,
) -> Result<Vec<Bound>, PluginError> {
    let stored = reader.get::<Bindings>(&slot.name().to_owned())?;
    let (members, version) = match (instead.bindings.get(&slot), stored) {
        (Some(members), stored) => {
            let version = stored.map_or(0, |stored| stored.version);
            (members.clone(), version + 1)
        }
        (None, Some(stored)) => (stored.chain, stored.version),
        (None, None) => return Err(PluginError::Unbound { slot: slot.name() }),
    };
    let mut chain = Vec::new();
    for (place, member) in (0..).zip(members.members()) {
        let plugin = plugins.load(&member.plugin, &member.grants)?;
        let about = &plugin.loaded().inspection().about;
        let by = Decider {
            slot,
            place,
            plugin: about.name.clone(),
            version: about.version.clone(),
            binding: version,
        };
        chain.push(Bound { plugin, by });
    }
    Ok(chain)
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
