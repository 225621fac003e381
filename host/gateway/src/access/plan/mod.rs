//! Plans: what a change of mapping, catalogue or bindings would come to for each account, worked
//! out before anybody is concerned, and applied as it was shown or not at all.
//!
//! A plan is computed by a thread of its own (`worker.rs`), in bounded steps, each from a snapshot of
//! its own (`step.rs`). While a plan is open, the ledger notes of each account in which revision
//! something last happened to it; so neither the computation nor the confirmation has to look at
//! more than what moved meanwhile.

mod difference;
mod finish;
mod note;
mod owners;
mod part;
mod people;
mod proposal;
mod prune;
mod read;
mod seats;
mod step;
mod worker;

use crate::access::catalogue::CatalogueError;
use crate::access::mapping::MappingError;
use crate::clock::{Random, Timestamp};
use crate::directory::phases::{self, ACCEPT_LOCKOUT, PhaseError};
use crate::ledger::{Change, Committed, change};
use crate::model::plans::{Difference, PlanRecord, PlanState, Plans, Proposals, Watching};
use crate::plugins::{PluginError, Plugins};
pub use owners::{Lockout, Owners, owners};
pub use proposal::{New, NewMapping};
pub use read::{about, accounts, all, find, links, most_losses, proposal, unlinked};
pub use seats::{SeatUse, seats};
pub use worker::Planner;

use gatewright_store::{EngineError, Organization, Range, Read, StoreError, WriteError};
use serde_json::json;
use uuid::Uuid;

/// How many plans of an organization may be open: each costs the steps that compute it.
pub const MOST_OPEN: usize = 10;

/// For how many hours a plan can be confirmed where nothing else is said, and at most.
pub const EXPIRES_HOURS: (u32, u32) = (24, 720);

/// Why a plan was not made, found or confirmed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no such plan.
    #[error("plan \"{0}\" does not exist")]
    NotFound(Uuid),
    /// It proposes no change.
    #[error(
        "the plan proposes nothing: give at least one of mapping, pins, catalogue, bindings and \
         confirm"
    )]
    Nothing,
    /// It is to expire at a time that is not possible.
    #[error("expires_hours: must be from 1 to {}", EXPIRES_HOURS.1)]
    Expires,
    /// There is no such slot.
    #[error("bindings.{0}: is no slot; there are lifecycle, roles and seats")]
    Slot(String),
    /// Too many are open.
    #[error(
        "{MOST_OPEN} plans are open already: delete one of them (`gatewright plans delete ID`)"
    )]
    TooMany,
    /// What it proposes for the mapping is wrong.
    #[error("mapping.{0}")]
    Mapping(#[source] MappingError),
    /// What it proposes for the catalogue is wrong.
    #[error("catalogue: {0}")]
    Catalogue(#[source] CatalogueError),
    /// A plugin that it proposes is refused.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The directory that it confirms, or that is to be confirmed by it, is none that can be.
    #[error(transparent)]
    Phase(PhaseError),
    /// Nobody is said to act.
    #[error(
        "acting: say who confirms, by email or account, so that nobody locks themselves out; or say \
         accept_lockout: \"{ACCEPT_LOCKOUT}\""
    )]
    NobodyActs,
    /// It cannot be confirmed as it stands.
    #[error("the plan is {state}: only one that is ready can be confirmed")]
    NotReady {
        /// Its state.
        state: &'static str,
    },
    /// Its time is over.
    #[error("the plan expired at {0}: make a new one")]
    Expired(Timestamp),
    /// What it said is no longer so.
    #[error("the plan no longer holds: {why}")]
    Outdated {
        /// A sentence.
        why: String,
        /// Some of the accounts that changed.
        differences: Vec<Difference>,
        /// How many they are.
        different: u64,
    },
    /// The only owners there are would lose the role.
    #[error(
        "this plan would take the role \"{owner}\", or the access, from the last active account that \
         has it: let it give the role to somebody else"
    )]
    LastOwner {
        /// The owner role.
        owner: String,
    },
    /// Nobody could administer the application afterwards.
    #[error(
        "after this plan no active account would have the role \"{owner}\": nobody could administer \
         the application. Change the plan, or confirm with \"accept_lockout\": \"{ACCEPT_LOCKOUT}\""
    )]
    NoOwner {
        /// The owner role.
        owner: String,
    },
    /// Who confirms would not have the owner role.
    #[error(
        "{acting} would not have the role \"{owner}\" after this plan. Change the plan, let \
         another owner confirm it, or confirm with \"accept_lockout\": \"{ACCEPT_LOCKOUT}\""
    )]
    LocksOutActing {
        /// Who, as it was said.
        acting: String,
        /// The owner role.
        owner: String,
    },
    /// Who confirms is not known.
    #[error("acting: no account has the id or email \"{0}\"")]
    UnknownActing(String),
    /// The words are not the right ones.
    #[error("accept_lockout: must be \"{ACCEPT_LOCKOUT}\", word for word")]
    Words,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error("the change could not be stored")]
    Engine(#[from] EngineError),
}

impl From<PhaseError> for PlanError {
    fn from(error: PhaseError) -> Self {
        match error {
            PhaseError::Store(error) => Self::Store(error),
            other @ (PhaseError::NoDirectory(_)
            | PhaseError::Wrong { .. }
            | PhaseError::NoAccounts
            | PhaseError::Words
            | PhaseError::Unseen(_)
            | PhaseError::OtherPlan(_)
            | PhaseError::Days) => Self::Phase(other),
        }
    }
}

impl From<WriteError<PlanError>> for PlanError {
    fn from(error: WriteError<PlanError>) -> Self {
        match error {
            WriteError::Aborted(error) => error,
            WriteError::Engine(error) => Self::Engine(error),
        }
    }
}

/// Makes a plan: it is checked and stored, and computed afterwards. Nothing that it proposes is in
/// force.
///
/// # Errors
/// Where it proposes nothing, or something that would be refused if it were not a plan.
pub fn create(
    organization: &Organization,
    plugins: &Plugins,
    random: &Random,
    now: Timestamp,
    new: New,
) -> Result<Committed<(Uuid, PlanRecord)>, PlanError> {
    let hours = new.expires_hours.unwrap_or(EXPIRES_HOURS.0);
    if !(1..=EXPIRES_HOURS.1).contains(&hours) {
        return Err(PlanError::Expires);
    }
    let proven = proposal::prove(plugins, &new.bindings)?;
    let random = random.clone();
    let id = random.id(now);
    let committed = change(organization, now, move |change| {
        if open(change)? >= MOST_OPEN {
            return Err(PlanError::TooMany);
        }
        let proposal = proposal::prepare(change.tx, &new, &proven, &random, now)?;
        let expires = now.plus(u64::from(hours) * 3_600_000);
        let record = PlanRecord::new(now, expires, change.revision());
        change.tx.put::<Plans>(&id, &record)?;
        change.tx.put::<Proposals>(&id, &proposal)?;
        change.tx.put::<Watching>(&(), &true)?;
        change.event("plan.created", json!({ "plan": id }))?;
        Ok((id, record))
    })?;
    Ok(committed)
}

/// Says that a plan is to be applied. That happens afterwards, if nothing has moved that changes
/// what it shows. `directory` is one that it has to confirm.
///
/// # Errors
/// Where it is not ready or too old, does not confirm that directory, or would lock out everybody or
/// who confirms it.
pub fn confirm(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    directory: Option<Uuid>,
    lockout: &Lockout,
) -> Result<(), PlanError> {
    let lockout = lockout.clone();
    change(organization, now, move |change| {
        if let Some(directory) = directory {
            phases::confirmable(change.tx, directory)?;
        }
        let record = change.tx.get::<Plans>(&plan)?;
        let mut record = record.ok_or(PlanError::NotFound(plan))?;
        let proposal = proposal(change.tx, plan)?;
        if let Some(directory) = directory
            && proposal.confirms() != Some(directory)
        {
            return Err(PhaseError::OtherPlan(directory).into());
        }
        match &record.state {
            PlanState::Ready if record.expires <= now => {
                return Err(PlanError::Expired(record.expires));
            }
            PlanState::Ready => {}
            PlanState::Outdated { why } => {
                return Err(PlanError::Outdated {
                    why: why.clone(),
                    differences: record.differences,
                    different: record.different,
                });
            }
            other @ (PlanState::Computing
            | PlanState::Confirming
            | PlanState::Confirmed { .. }
            | PlanState::Failed { .. }) => {
                return Err(PlanError::NotReady {
                    state: other.name(),
                });
            }
        }
        record.confirmation = Some(lockout.check(change.tx, plan, &proposal)?);
        record.state = PlanState::Confirming;
        change.tx.put::<Plans>(&plan, &record)?;
        change.event("plan.confirming", json!({ "plan": plan }))?;
        Ok(())
    })?;
    Ok(())
}

/// Forgets a plan. What it showed is erased afterwards.
///
/// # Errors
/// Where there is none.
pub fn delete(organization: &Organization, now: Timestamp, plan: Uuid) -> Result<u64, PlanError> {
    let committed = change(organization, now, move |change| {
        if !change.tx.delete::<Plans>(&plan)? {
            return Err(PlanError::NotFound(plan));
        }
        change.tx.delete::<Proposals>(&plan)?;
        change.event("plan.deleted", json!({ "plan": plan }))?;
        watch(change)?;
        Ok(())
    })?;
    Ok(committed.revision)
}

/// How many plans are open.
fn open(change: &Change<'_, '_>) -> Result<usize, StoreError> {
    let mut open = 0;
    for row in change.tx.scan::<Plans>(Range::all())? {
        open += usize::from(row?.1.state.is_open());
    }
    Ok(open)
}

/// Stops noting what happens to accounts where no plan is open any more.
fn watch(change: &mut Change<'_, '_>) -> Result<(), StoreError> {
    if open(change)? == 0 {
        change.tx.delete::<Watching>(&())?;
    }
    Ok(())
}
