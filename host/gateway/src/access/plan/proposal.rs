//! What a plan proposes: read, checked, and applied.

use super::PlanError;
use crate::access::catalogue::{self, CatalogueError};
use crate::access::mapping::{self, MappingError, NewEntry};
use crate::access::reconcile::setting::Instead;
use crate::access::{links, pins};
use crate::clock::{Random, Timestamp};
use crate::directory::credentials::hex;
use crate::directory::phases::{self, Confirmation, PhaseError};
use crate::ledger::Change;
use crate::model::catalogue::Catalogue;
use crate::model::people::DOMAINS_VERIFIED;
use crate::model::plans::{PlanRecord, ProposalRecord, Proposed};
use crate::model::plugins::{Audit, Bindings, Chain, How, Slot};
use crate::model::spread::Spread;
use crate::model::tenancy::{Directories, Phase};
use crate::plugins::{Plugins, bindings};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A plan as it is asked for: each part in the shape of its PUT.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Another mapping.
    pub mapping: Option<NewMapping>,
    /// Another catalogue.
    pub catalogue: Option<catalogue::New>,
    /// Which groups entries of the mapping are to mean, by the entries' ids.
    #[serde(default)]
    pub pins: BTreeMap<Uuid, Uuid>,
    /// Other bindings, by slot.
    #[serde(default)]
    pub bindings: BTreeMap<String, bindings::New>,
    /// A directory that is to come into force.
    pub confirm: Option<Uuid>,
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

/// A chain whose plugins accepted their settings, and who wants it.
pub(super) type Proven = (Slot, Chain, Audit);

/// Has each plugin prove itself with its settings.
pub(super) fn prove(
    plugins: &Plugins,
    wanted: &BTreeMap<String, bindings::New>,
) -> Result<Vec<Proven>, PlanError> {
    let mut proven = Vec::with_capacity(wanted.len());
    for (name, new) in wanted {
        let slot = Slot::from_name(name).ok_or_else(|| PlanError::Slot(name.clone()))?;
        let audit = new.audit()?;
        let chain = bindings::prove(plugins, slot, new.clone())?;
        proven.push((slot, chain, audit));
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
    let mapping = match &new.mapping {
        Some(wanted) => {
            let mapping = mapping::prepare(reader, &catalogue, &wanted.entries, random, now)?;
            changes.push(Proposed::Mapping {
                mapping: mapping.clone(),
            });
            mapping
        }
        None => {
            let mapping = mapping::load(reader)?;
            catalogue::check_mapping(&catalogue, &mapping)?;
            mapping
        }
    };
    for (entry, group) in &new.pins {
        let key = pins::check(reader, &mapping.entries, *entry, *group)?;
        changes.push(Proposed::Pin {
            entry: *entry,
            key,
            group: *group,
        });
    }
    for (slot, chain, audit) in proven {
        changes.push(Proposed::Binding {
            slot: *slot,
            chain: chain.clone(),
            audit: Box::new(audit.clone()),
        });
    }
    if let Some(directory) = new.confirm {
        phases::confirmable(reader, directory)?;
        changes.push(Proposed::Confirm { directory });
    }
    if changes.is_empty() {
        return Err(PlanError::Nothing);
    }
    Ok(ProposalRecord {
        changes,
        base: base(reader, new.confirm)?,
    })
}

impl From<MappingError> for PlanError {
    fn from(error: MappingError) -> Self {
        match error {
            MappingError::Store(error) => Self::Store(error),
            other @ (MappingError::UnknownTarget { .. }
            | MappingError::EmptyGroup(_)
            | MappingError::Twice { .. }
            | MappingError::TooMany(_)
            | MappingError::NoEntry(_)
            | MappingError::NoGroup(_)
            | MappingError::ById(_)) => Self::Mapping(other),
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

/// A digest of all that a plan is planned against: mapping, catalogue and bindings; and where it
/// confirms a directory, by what people are linked and whose word counts.
pub(super) fn base(
    reader: &impl Read<OrganizationScope>,
    confirms: Option<Uuid>,
) -> Result<String, StoreError> {
    let mut bound = Vec::with_capacity(Slot::ALL.len());
    for slot in Slot::ALL {
        bound.push(reader.get::<Bindings>(&slot.name().to_owned())?);
    }
    let mapping = mapping::load(reader)?.entries;
    let catalogue = catalogue::load(reader)?;
    let text = match confirms {
        None => json!([mapping, catalogue, bound]),
        Some(directory) => json!([mapping, catalogue, bound, people(reader, directory)?]),
    };
    Ok(hex(&Sha256::digest(text.to_string())))
}

fn people(reader: &impl Read<OrganizationScope>, directory: Uuid) -> Result<Value, StoreError> {
    let mut phases = Vec::new();
    for row in reader.scan::<Directories>(Range::all())? {
        let (id, record) = row?;
        // How far one is before its confirmation is no matter, and whether others are there.
        match record.phase {
            Phase::Draft | Phase::Connected | Phase::Receiving if id == directory => {
                phases.push(json!([id, "unconfirmed"]));
            }
            phase @ (Phase::Enforcing | Phase::Paused) => phases.push(json!([id, phase])),
            Phase::Draft | Phase::Connected | Phase::Receiving | Phase::Uninstalled => {}
        }
    }
    let mut domains = Vec::new();
    for row in reader.index_scan(&DOMAINS_VERIFIED, Range::all())? {
        domains.push(row?.0);
    }
    let link_by = links::link_by(reader, directory)?;
    Ok(json!([link_by, phases, domains]))
}

/// What is to be tried in the place of what is stored.
pub(super) fn instead(proposal: ProposalRecord) -> Instead {
    let mut instead = Instead::default();
    for change in proposal.changes {
        match change {
            Proposed::Mapping { mapping } => instead.mapping = Some(mapping),
            Proposed::Catalogue { catalogue } => instead.catalogue = Some(catalogue),
            Proposed::Pin { key, group, .. } => {
                instead.pins.insert(key, group);
            }
            Proposed::Binding { slot, chain, .. } => {
                instead.bindings.insert(slot, chain);
            }
            // That is a change of facts: it is rehearsed.
            Proposed::Confirm { .. } => {}
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

/// Puts everything into force, and writes down who is concerned. Answers why that cannot be.
pub(super) fn apply(
    change: &mut Change<'_, '_>,
    plan: Uuid,
    record: &PlanRecord,
    proposal: &ProposalRecord,
) -> Result<Result<(), String>, StoreError> {
    // First: where it is refused, nothing was changed.
    if let Some(directory) = proposal.confirms() {
        match phases::put_into_force(change, directory, &said(record), Some(plan)) {
            Ok(_) => {}
            Err(PhaseError::Store(error)) => return Err(error),
            Err(refused) => return Ok(Err(refused.to_string())),
        }
    }
    for proposed in &proposal.changes {
        match proposed {
            Proposed::Mapping { mapping } => {
                mapping::put(change, mapping)?;
            }
            Proposed::Catalogue { catalogue } => {
                catalogue::put(change, catalogue)?;
            }
            // Behind the mapping, which makes the pins of its names.
            Proposed::Pin { key, group, .. } => pins::set(change, key, *group)?,
            Proposed::Binding { slot, chain, audit } => {
                let audit = confirmed(audit, record);
                bindings::put(change, *slot, chain, How::Planned { plan }, audit)?;
            }
            Proposed::Confirm { .. } => {}
        }
    }
    if !proposal.only_confirms() {
        change.spread_plan(Spread::Everybody, plan)?;
    }
    Ok(Ok(()))
}

/// What a binding keeps of a plan: who confirmed it, where that was said, else who wanted it.
fn confirmed(wanted: &Audit, record: &PlanRecord) -> Audit {
    let confirmation = record.confirmation.as_ref();
    let acting = confirmation.and_then(|by| by.acting.as_ref());
    Audit {
        by: acting.map(|(said, _)| said.clone()).or(wanted.by.clone()),
        why: wanted.why.clone(),
    }
}

/// Who confirms a directory by a plan.
fn said(record: &PlanRecord) -> Confirmation {
    let by = record.confirmation.as_ref();
    let acting = by.and_then(|by| by.acting.as_ref());
    Confirmation {
        acting: acting.and_then(|(_, accounts)| accounts.first().copied()),
        accepts_lockout: by.is_some_and(|by| by.accepts_lockout),
    }
}
