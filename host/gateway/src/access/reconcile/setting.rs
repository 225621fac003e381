//! What decisions are made by: mapping, catalogue and policies, as they are stored or as a plan
//! proposes them.

use super::decide::{Bound, Failure, Losses, Policies, Subject, Wanted};
use super::step::StepError;
use crate::access::gather::{Gatherer, Source};
use crate::access::{catalogue, mapping};
use crate::clock::Timestamp;
use crate::directory::schemas;
use crate::model::access::{Catalogue, Decider, MappingEntry, MappingRecord};
use crate::model::plugins::{Bindings, PluginRef, Slot};
use crate::model::tenancy::Directories;
use crate::plugins::{PluginError, Plugins};
use gatewright_sandbox::{Grants, types};
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// What a plan puts in the place of what is stored. By default nothing.
#[derive(Default)]
pub(in crate::access) struct Instead {
    pub(in crate::access) mapping: Option<MappingRecord>,
    pub(in crate::access) catalogue: Option<Catalogue>,
    pub(in crate::access) bindings: HashMap<Slot, (PluginRef, Grants)>,
}

/// What decides about accounts of one organization.
pub(in crate::access) struct Setting {
    mapping: Vec<MappingEntry>,
    catalogue: types::Catalogue,
    organization: String,
    policies: Policies,
    directories: HashMap<Uuid, Source>,
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
        })
    }

    /// Reads accounts from the same snapshot.
    pub(super) fn gatherer<'a, R: Read<OrganizationScope>>(
        &'a self,
        reader: &'a R,
    ) -> Gatherer<'a, R> {
        Gatherer::new(reader, &self.mapping, &self.catalogue, &self.directories)
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
    let bound = |slot: Slot| -> Result<Bound, StepError> {
        let stored = reader.get::<Bindings>(&slot.name().to_owned())?;
        let (plugin, grants, version) = match (instead.bindings.get(&slot), stored) {
            (Some((plugin, grants)), stored) => {
                let version = stored.map_or(0, |stored| stored.version);
                (plugin.clone(), grants.clone(), version + 1)
            }
            (None, Some(stored)) => (stored.plugin, stored.grants, stored.version),
            (None, None) => {
                let unbound = PluginError::Unbound { slot: slot.name() };
                return Err(StepError::Load(slot, unbound));
            }
        };
        let plugin = plugins
            .load(&plugin, &grants)
            .map_err(|error| StepError::Load(slot, error))?;
        let about = &plugin.loaded().inspection().about;
        let by = Decider {
            slot,
            place: 0,
            plugin: about.name.clone(),
            version: about.version.clone(),
            binding: version,
        };
        Ok(Bound { plugin, by })
    };
    let (lifecycle, role, seat) = (
        bound(Slot::Lifecycle)?,
        bound(Slot::Roles)?,
        bound(Slot::Seats)?,
    );
    Policies::new(&lifecycle, &role, &seat).map_err(|(slot, error)| StepError::Load(slot, error))
}

fn directories(
    reader: &Reader<OrganizationScope>,
    plugins: &Plugins,
) -> Result<HashMap<Uuid, Source>, StoreError> {
    let mut directories = HashMap::new();
    for row in reader.scan::<Directories>(Range::all())? {
        let (id, directory) = row?;
        let source = Source {
            provider: plugins.name(&directory.provider),
            profile: schemas::profile(reader, id, &directory)?,
        };
        directories.insert(id, source);
    }
    Ok(directories)
}
