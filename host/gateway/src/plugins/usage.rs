//! Who uses a component.

use crate::model::plans::{Plans, Proposals, Proposed};
use crate::model::plugins::{BindingVersions, Bindings, Chain, Shadows, Slot};
use crate::model::tenancy::{Directories, Organizations, Phase};
use gatewright_store::{OrganizationId, OrganizationScope, Range, Read, Reader, Store, StoreError};
use std::fmt;
use uuid::Uuid;

/// One use of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The organization.
    pub organization: Uuid,
    /// What people call it.
    pub name: String,
    /// What uses it there.
    pub holder: Holder,
}

/// What uses a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It decides in a slot.
    Binding(Slot),
    /// It runs in shadow in a slot.
    Shadow(Slot),
    /// An open plan would bind it.
    Plan(Uuid),
    /// A directory's requests go through it.
    Directory(Uuid),
    /// A directory falls back on it.
    PreviousProvider(Uuid),
    /// A version of a binding that could be returned to.
    Version(Slot, u64),
}

impl Holder {
    /// Whether the component cannot be removed while this uses it.
    #[must_use]
    pub fn hinders_removal(&self) -> bool {
        match self {
            Self::Binding(_) | Self::Shadow(_) | Self::Plan(_) | Self::Directory(_) => true,
            Self::PreviousProvider(_) | Self::Version(..) => false,
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Holder::Binding(slot) => write!(f, "it is bound to slot \"{}\"", slot.name())?,
            Holder::Shadow(slot) => write!(f, "it runs in shadow in slot \"{}\"", slot.name())?,
            Holder::Plan(plan) => write!(f, "plan {plan} would bind it")?,
            Holder::Directory(id) => write!(f, "it is the provider plugin of directory {id}")?,
            Holder::PreviousProvider(id) => write!(f, "directory {id} falls back on it")?,
            Holder::Version(slot, version) => {
                write!(f, "version {version} of slot \"{}\" has it", slot.name())?;
            }
        }
        write!(f, " in organization {} ({})", self.name, self.organization)
    }
}

/// Uses as a sentence names them: the first ten.
pub(super) fn listed(uses: &[Usage]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<_> = uses.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = uses.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("and {more} more"));
    }
    shown.join("; ")
}

/// Every use of a component in all organizations. Reads their bindings with all kept versions, so
/// it is nothing for a request that must be fast.
///
/// # Errors
/// What the store says.
pub fn of(store: &Store, digest: &str) -> Result<Vec<Usage>, StoreError> {
    let reader = store.system().read()?;
    let mut uses = Vec::new();
    for row in reader.scan::<Organizations>(Range::all())? {
        let (organization, record) = row?;
        let within = reader.organization(OrganizationId::from(organization));
        uses.extend(holders(&within, digest)?.into_iter().map(|holder| Usage {
            organization,
            name: record.name.clone(),
            holder,
        }));
    }
    Ok(uses)
}

fn holders(reader: &Reader<OrganizationScope>, digest: &str) -> Result<Vec<Holder>, StoreError> {
    let has = |chain: &Chain| chain.members().any(|one| one.plugin.digest == digest);
    let mut holders = Vec::new();
    for slot in Slot::ALL {
        let key = slot.name().to_owned();
        let bound = reader.get::<Bindings>(&key)?;
        if bound.as_ref().is_some_and(|bound| has(&bound.chain)) {
            holders.push(Holder::Binding(slot));
        }
        if reader
            .get::<Shadows>(&key)?
            .is_some_and(|one| has(&one.chain))
        {
            holders.push(Holder::Shadow(slot));
        }
        let present = bound.map_or(0, |bound| bound.version);
        for row in reader.scan::<BindingVersions>(Range::prefix(&key))? {
            let ((_, version), record) = row?;
            if version != present && has(&record.chain) {
                holders.push(Holder::Version(slot, version));
            }
        }
    }
    for row in reader.scan::<Plans>(Range::all())? {
        let (id, plan) = row?;
        if !plan.state.is_open() {
            continue;
        }
        let proposal = reader.get::<Proposals>(&id)?;
        let changes = proposal.map_or_else(Vec::new, |proposal| proposal.changes);
        let binds =
            |change: &Proposed| matches!(change, Proposed::Binding { chain, .. } if has(chain));
        if changes.iter().any(binds) {
            holders.push(Holder::Plan(id));
        }
    }
    for row in reader.scan::<Directories>(Range::all())? {
        let (id, directory) = row?;
        if directory.phase == Phase::Uninstalled {
            continue;
        }
        if directory.provider.digest == digest {
            holders.push(Holder::Directory(id));
        }
        let previous = directory.previous_provider;
        if previous.is_some_and(|previous| previous.digest == digest) {
            holders.push(Holder::PreviousProvider(id));
        }
    }
    Ok(holders)
}
