//! The phases of a directory: from its draft through the confirmation, from which on what it says is
//! decided about, to the end.

use super::credentials;
use super::error::FactError;
use crate::clock::Timestamp;
use crate::directory::erase;
use crate::ledger::{Change, Committed, change};
use crate::model::access::Accounts;
use crate::model::facts::Users;
use crate::model::spread::Spread;
use crate::model::tenancy::{Credentials, Directories, DirectoryRecord, Phase, Purpose, Tokens};
use gatewright_store::{
    Organization, OrganizationId, OrganizationScope, Range, Read, Store, StoreError, WriteError,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// What somebody has to write who confirms what leaves no active owner, or not them.
pub const ACCEPT_LOCKOUT: &str = "I accept to be locked out";

/// For how long the facts of an uninstalled directory can be kept, in days: ten years.
pub const MOST_KEEP_DAYS: u32 = 3_650;

/// The phases before the confirmation.
const UNCONFIRMED: [Phase; 3] = [Phase::Draft, Phase::Connected, Phase::Receiving];

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Why a directory did not come into another phase.
#[derive(Debug, thiserror::Error)]
pub enum PhaseError {
    /// There is no such directory.
    #[error("directory {0} does not exist in this organization")]
    NoDirectory(Uuid),
    /// Not from the phase it is in.
    #[error(
        "the directory cannot be {wanted}: it is {phase}; possible from there: {possible}",
        phase = .phase.name(), possible = possible(*.phase)
    )]
    Wrong {
        /// What was asked for.
        wanted: &'static str,
        /// Where it is.
        phase: Phase,
    },
    /// Nobody can be owner yet.
    #[error(
        "there is no account yet, so nobody acts as owner: leave acting out, and say accept_lockout: \
         \"{ACCEPT_LOCKOUT}\""
    )]
    NoAccounts,
    /// The words are others.
    #[error("accept_lockout: must be \"{ACCEPT_LOCKOUT}\", word by word, or left out")]
    Words,
    /// Somebody is concerned, and nobody was shown what becomes of them.
    #[error(
        "the directory cannot be confirmed unseen: make a plan that shows what becomes of whom \
         (POST /plans with {{\"confirm\": \"{0}\"}}), look at it, and give its id as \"plan\"; or use \
         gatewright directories confirm"
    )]
    Unseen(Uuid),
    /// The plan is of something else.
    #[error("plan: it does not confirm directory {0}: make one with {{\"confirm\": \"{0}\"}}")]
    OtherPlan(Uuid),
    /// Facts cannot be kept for so long.
    #[error("days: must be from 1 to {MOST_KEEP_DAYS}; to keep nothing, say facts: \"erase\"")]
    Days,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

fn possible(phase: Phase) -> &'static str {
    match phase {
        Phase::Draft | Phase::Connected | Phase::Receiving => "confirm, uninstall",
        Phase::Enforcing => "pause, uninstall",
        Phase::Paused => "resume, uninstall",
        Phase::Uninstalled => "nothing; create another directory",
    }
}

/// Who confirms, and what they accept.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation {
    /// The account of the acting administrator, which need not be opened yet; none where none was
    /// named.
    pub acting: Option<Uuid>,
    /// Whether they said so.
    pub accepts_lockout: bool,
}

/// Puts a directory into force where that concerns nobody yet: it has no users, and the organization
/// has no accounts. Else a plan does it, which shows what becomes of whom.
///
/// # Errors
/// Where there is no such directory, it was confirmed before, or somebody is concerned.
pub fn confirm(
    organization: &Organization,
    at: Timestamp,
    directory: Uuid,
    acting: Option<String>,
    accept_lockout: Option<String>,
) -> Result<Committed<DirectoryRecord>, WriteError<PhaseError>> {
    change(organization, at, move |change| {
        confirmable(change.tx, directory)?;
        let users = change.tx.keys::<Users>(Range::prefix(&directory))?.next();
        let accounts = change.tx.keys::<Accounts>(Range::all())?.next();
        if users.is_some() || accounts.is_some() {
            return Err(PhaseError::Unseen(directory));
        }
        match accept_lockout.as_deref() {
            Some(ACCEPT_LOCKOUT) if acting.is_none() => {}
            Some(ACCEPT_LOCKOUT) | None => return Err(PhaseError::NoAccounts),
            Some(_) => return Err(PhaseError::Words),
        }
        let confirmation = Confirmation {
            acting: None,
            accepts_lockout: true,
        };
        put_into_force(change, directory, &confirmation, None)
    })
}

/// Whether a directory is still to be confirmed.
///
/// # Errors
/// Where there is no such directory, or it was confirmed before.
pub fn confirmable(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
) -> Result<(), PhaseError> {
    let record = reader.get::<Directories>(&directory)?;
    let phase = record.ok_or(PhaseError::NoDirectory(directory))?.phase;
    let wanted = "confirmed";
    match UNCONFIRMED.contains(&phase) {
        true => Ok(()),
        false => Err(PhaseError::Wrong { wanted, phase }),
    }
}

/// Puts a directory into force, maybe by a confirmed plan: from now on what it says is decided about.
/// Its users are linked to accounts, or get new ones, step by step.
///
/// # Errors
/// Where there is no such directory, or it was confirmed before.
pub fn put_into_force(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    confirmation: &Confirmation,
    plan: Option<Uuid>,
) -> Result<DirectoryRecord, PhaseError> {
    let mut said = json!({
        "acting": confirmation.acting, "accepts_lockout": confirmation.accepts_lockout,
    });
    if let Some(plan) = plan {
        said["plan"] = json!(plan);
    }
    let to = Phase::Enforcing;
    let record = enter(change, directory, "confirmed", &UNCONFIRMED, to, said)?;
    let cause = Spread::Confirmed { directory };
    match plan {
        Some(plan) => change.spread_plan(cause, plan)?,
        None => change.spread(cause)?,
    };
    Ok(record)
}

/// Freezes the decisions about a directory's people. What the provider says is still stored, and
/// whom it deactivates loses access.
///
/// # Errors
/// Where there is no such directory, or it is not in force.
pub fn pause(
    organization: &Organization,
    at: Timestamp,
    directory: Uuid,
) -> Result<Committed<DirectoryRecord>, WriteError<PhaseError>> {
    change(organization, at, move |change| {
        let before = [Phase::Enforcing];
        enter(
            change,
            directory,
            "paused",
            &before,
            Phase::Paused,
            json!({}),
        )
    })
}

/// Ends a pause: everybody is decided anew, for it is not known whose facts moved meanwhile.
///
/// # Errors
/// Where there is no such directory, or it is not paused.
pub fn resume(
    organization: &Organization,
    at: Timestamp,
    directory: Uuid,
) -> Result<Committed<DirectoryRecord>, WriteError<PhaseError>> {
    change(organization, at, move |change| {
        let before = [Phase::Paused];
        let to = Phase::Enforcing;
        let record = enter(change, directory, "resumed", &before, to, json!({}))?;
        change.spread(Spread::Everybody)?;
        Ok(record)
    })
}

/// What becomes of the facts of an uninstalled directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// They are erased now, step by step.
    Erase,
    /// They are kept for so many days, and then erased.
    Keep(u32),
}

/// Ends a directory. Its tokens are revoked; every account keeps exactly what it had, and is
/// unlinked step by step.
///
/// # Errors
/// Where there is no such directory, or it was uninstalled before.
pub fn uninstall(
    store: &Store,
    organization: OrganizationId,
    now: Timestamp,
    directory: Uuid,
    facts: Facts,
) -> Result<Committed<DirectoryRecord>, WriteError<PhaseError>> {
    if let Facts::Keep(days) = facts
        && !(1..=MOST_KEEP_DAYS).contains(&days)
    {
        return Err(WriteError::Aborted(PhaseError::Days));
    }
    store.system().write(move |tx| {
        let mut scoped = tx.organization(organization);
        let mut change = Change::begin(&mut scoped, now)?;
        let before = [
            Phase::Draft,
            Phase::Connected,
            Phase::Receiving,
            Phase::Enforcing,
            Phase::Paused,
        ];
        let said = match facts {
            Facts::Erase => json!({ "facts": "erase" }),
            Facts::Keep(days) => json!({ "facts": "keep", "days": days }),
        };
        let to = Phase::Uninstalled;
        let record = enter(&mut change, directory, "uninstalled", &before, to, said)?;
        let revoked = revoke(&mut change, directory)?;
        change.spread(Spread::Uninstalled { directory })?;
        match facts {
            Facts::Erase => {
                change.spread(Spread::FactsErased { directory })?;
            }
            Facts::Keep(days) => {
                let at = change.at().plus(u64::from(days) * DAY_MS);
                erase::later(&mut change, directory, at)?;
            }
        }
        let revision = change.finish()?;
        for digest in &revoked {
            tx.delete::<Credentials>(digest)?;
        }
        Ok(Committed {
            value: record,
            revision,
        })
    })
}

/// Revokes all tokens of a directory. Answers the digests of the credentials that are to go.
fn revoke(change: &mut Change<'_, '_>, directory: Uuid) -> Result<Vec<[u8; 32]>, StoreError> {
    let rows = change.tx.scan::<Tokens>(Range::all())?;
    let of_directory = |purpose: &Purpose| match purpose {
        Purpose::Directory { directory: of, .. } => *of == directory,
        Purpose::Application { .. } | Purpose::Operator { .. } => false,
    };
    let mut valid = Vec::new();
    for row in rows {
        let (id, record) = row?;
        if record.revoked.is_none() && of_directory(&record.purpose) {
            valid.push((id, record));
        }
    }
    let mut digests = Vec::new();
    for (id, mut record) in valid {
        record.revoked = Some(change.at());
        change.tx.put::<Tokens>(&id, &record)?;
        change.event("token.revoked", json!({ "token": id, "hint": record.hint }))?;
        digests.extend(credentials::unhex(&record.digest));
    }
    Ok(digests)
}

/// Notes that the provider's first call was let in. Written once, at the transition.
///
/// # Errors
/// What the store says.
pub fn seen(organization: &Organization, at: Timestamp, directory: Uuid) -> Result<(), FactError> {
    change(organization, at, move |change| {
        if let Some(mut record) = change.tx.get::<Directories>(&directory)?
            && record.phase == Phase::Draft
        {
            record.phase = Phase::Connected;
            store(change, directory, &record, Phase::Draft, json!({}))?;
        }
        Ok::<_, FactError>(())
    })?;
    Ok(())
}

/// Notes that users or groups arrive, the first time.
///
/// # Errors
/// What the store says.
pub(super) fn arrived(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    phase: Option<Phase>,
) -> Result<(), StoreError> {
    let Some(phase @ (Phase::Draft | Phase::Connected)) = phase else {
        return Ok(());
    };
    if let Some(mut record) = change.tx.get::<Directories>(&directory)? {
        record.phase = Phase::Receiving;
        store(change, directory, &record, phase, json!({}))?;
    }
    Ok(())
}

fn enter(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    wanted: &'static str,
    before: &[Phase],
    to: Phase,
    said: Value,
) -> Result<DirectoryRecord, PhaseError> {
    let record = change.tx.get::<Directories>(&directory)?;
    let mut record = record.ok_or(PhaseError::NoDirectory(directory))?;
    let phase = record.phase;
    if !before.contains(&phase) {
        return Err(PhaseError::Wrong { wanted, phase });
    }
    record.phase = to;
    store(change, directory, &record, phase, said)?;
    Ok(record)
}

fn store(
    change: &mut Change<'_, '_>,
    directory: Uuid,
    record: &DirectoryRecord,
    from: Phase,
    said: Value,
) -> Result<(), StoreError> {
    change.tx.put::<Directories>(&directory, record)?;
    let mut data = json!({
        "directory": directory, "name": record.name, "from": from, "to": record.phase,
    });
    if let (Value::Object(data), Value::Object(said)) = (&mut data, said) {
        data.extend(said);
    }
    change.event("directory.phase_changed", data)
}
