//! What a plan proposes: read, checked, and applied.

use super::PlanError;
use crate::access::catalogue::{self, CatalogueError};
use crate::access::mapping::{self, MappingError, NewEntry};
use crate::access::reconcile::setting::Instead;
use crate::clock::{Random, Timestamp};
use crate::directory::credentials::hex;
use crate::ledger::Change;
use crate::model::access::Catalogue;
use crate::model::plans::{ProposalRecord, Proposed};
use crate::model::plugins::{Bindings, Chain, Slot};
use crate::plugins::{Plugins, bindings};
use gatewright_store::{OrganizationScope, Read, StoreError};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A plan as it is asked for: each part in the shape of its PUT.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Another mapping.
    pub mapping: Option<NewMapping>,
    /// Another catalogue.
    pub catalogue: Option<catalogue::New>,
    /// Other bindings, by slot.
    #[serde(default)]
    pub bindings: BTreeMap<String, bindings::New>,
    /// For how many hours it can be confirmed.
    pub expires_hours: Option<u32>,
}

/// A mapping, as `PUT /mapping` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMapping {
    /// In the administrator's order.
    pub entries: Vec<NewEntry>,
}

/// A chain whose plugins accepted their settings.
pub(super) type Proven = (Slot, Chain);

/// Has each plugin prove itself with its settings.
pub(super) fn prove(
    plugins: &Plugins,
    wanted: &BTreeMap<String, bindings::New>,
) -> Result<Vec<Proven>, PlanError> {
    let mut proven = Vec::with_capacity(wanted.len());
    for (name, new) in wanted {
        let slot = Slot::from_name(name).ok_or_else(|| PlanError::Slot(name.clone()))?;
        proven.push((slot, bindings::prove(plugins, slot, new.clone())?));
    }
    Ok(proven)
}

/// Checks what is proposed beside what stays, and takes down what it is planned against.
pub(super) fn prepare(
    reader: &impl Read<OrganizationScope>,
    new: &New,
    proven: &[Proven],
    random: &Random,
    now: Timestamp,
) -> Result<ProposalRecord, PlanError> {
    let mut changes = Vec::new();
    let catalogue = match &new.catalogue {
        Some(wanted) => {
            catalogue::check_version(reader, wanted.version)?;
            let catalogue = Catalogue::from(wanted.clone());
            catalogue::check(&catalogue)?;
            changes.push(Proposed::Catalogue {
                catalogue: catalogue.clone(),
            });
            catalogue
        }
        None => catalogue::load(reader)?,
    };
    match &new.mapping {
        Some(wanted) => {
            let mapping = mapping::prepare(reader, &catalogue, &wanted.entries, random, now)?;
            changes.push(Proposed::Mapping { mapping });
        }
        None => catalogue::check_mapping(&catalogue, &mapping::load(reader)?)?,
    }
    for (slot, chain) in proven {
        changes.push(Proposed::Binding {
            slot: *slot,
            chain: chain.clone(),
        });
    }
    if changes.is_empty() {
        return Err(PlanError::Nothing);
    }
    Ok(ProposalRecord {
        changes,
        base: base(reader)?,
    })
}

impl From<MappingError> for PlanError {
    fn from(error: MappingError) -> Self {
        match error {
            MappingError::Store(error) => Self::Store(error),
            other @ (MappingError::UnknownTarget { .. }
            | MappingError::EmptyGroup(_)
            | MappingError::Twice { .. }
            | MappingError::TooMany(_)) => Self::Mapping(other),
        }
    }
}

impl From<CatalogueError> for PlanError {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::Store(error) => Self::Store(error),
            other @ (CatalogueError::Invalid { .. }
            | CatalogueError::InUse(_)
            | CatalogueError::Changed { .. }) => Self::Catalogue(other),
        }
    }
}

/// A digest of all that a plan is planned against: mapping, catalogue and bindings.
pub(super) fn base(reader: &impl Read<OrganizationScope>) -> Result<String, StoreError> {
    let mut bound = Vec::with_capacity(Slot::ALL.len());
    for slot in Slot::ALL {
        bound.push(reader.get::<Bindings>(&slot.name().to_owned())?);
    }
    let mapping = mapping::load(reader)?.entries;
    let catalogue = catalogue::load(reader)?;
    let text = json!([mapping, catalogue, bound]).to_string();
    Ok(hex(&Sha256::digest(text)))
}

/// What is to be tried in the place of what is stored.
pub(super) fn instead(proposal: ProposalRecord) -> Instead {
    let mut instead = Instead::default();
    for change in proposal.changes {
        match change {
            Proposed::Mapping { mapping } => instead.mapping = Some(mapping),
            Proposed::Catalogue { catalogue } => instead.catalogue = Some(catalogue),
            Proposed::Binding { slot, chain } => {
                instead.bindings.insert(slot, chain);
            }
        }
    }
    instead
}

/// The catalogue that there would be.
pub(super) fn catalogue(
    reader: &impl Read<OrganizationScope>,
    proposal: &ProposalRecord,
) -> Result<Catalogue, StoreError> {
    for change in &proposal.changes {
        if let Proposed::Catalogue { catalogue } = change {
            return Ok(catalogue.clone());
        }
    }
    catalogue::load(reader)
}

/// Puts everything into force. Who is concerned is for the caller to mark.
pub(super) fn apply(
    change: &mut Change<'_, '_>,
    proposal: &ProposalRecord,
) -> Result<(), StoreError> {
    for proposed in &proposal.changes {
        match proposed {
            Proposed::Mapping { mapping } => {
                mapping::put(change, mapping)?;
            }
            Proposed::Catalogue { catalogue } => {
                catalogue::put(change, catalogue)?;
            }
            Proposed::Binding { slot, chain } => {
                bindings::put(change, *slot, chain)?;
            }
        }
    }
    Ok(())
}
