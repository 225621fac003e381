//! Reports of calls of policies that came to no decision. Each has the call itself, so that it can
//! be made again, by the same component with the same settings or by another one.

use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::access::{Accounts, Decider};
use crate::model::plugins::{PluginRef, Slot};
use crate::model::reports::{
    Outcome, REPORTS_BY_TIME, Recorded, ReportId, ReportKey, ReportRecord, ReportedCalls, Reports,
};
use crate::plugins::{PluginError, Plugins};
use gatewright_sandbox::{Called, Decisions, FailureKind, LogLine, Plugin, Rejection};
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cmp::Reverse;
use std::time::Duration;
use uuid::Uuid;

/// How many an organization has at most: the newest.
const KEPT: usize = 100;

/// For how long one is kept, in milliseconds: 30 days. It holds what the identity provider says of a
/// person. What still happens behind that time is recorded anew.
const KEPT_FOR: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Why a call could not be made again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such report.
    #[error(
        "there is no report \"{0}\": `gatewright plugin reports list` has those that there are; one \
         is kept for 30 days, and 100 of an organization"
    )]
    NoReport(String),
    /// The plugin is not to be had with these settings.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The recorded call is of another contract than this gateway speaks.
    #[error("the recorded call cannot be read")]
    Call(#[source] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of making a call again.
#[derive(Debug)]
pub struct Replayed {
    /// What came of it now.
    pub outcome: Outcome,
    /// Whether that is what came of it then, bit for bit: of a deadline only that it was missed,
    /// because where the processor was by then is chance.
    pub same: bool,
    /// What the plugin said.
    pub log: Vec<LogLine>,
    /// How long it took.
    pub elapsed: Duration,
    /// The most bytes of memory that it had.
    pub memory: u64,
    /// SHA-256 of the component that was called, in hexadecimal.
    pub digest: String,
}

/// Keeps a call about an account. Where the same happened before it is counted up, and the first
/// call is kept.
///
/// # Errors
/// What the store says.
pub fn keep(
    change: &mut Change<'_, '_>,
    account: Uuid,
    recorded: &Recorded,
    message: &str,
) -> Result<ReportId, StoreError> {
    let by = &recorded.by;
    let key = (by.slot.name().to_owned(), by.place, account);
    let known = change.tx.get::<Reports>(&key)?;
    let is_same = |known: &ReportRecord| known.by == *by && known.message == message;
    if let Some(mut known) = known.filter(is_same) {
        known.last = change.at();
        known.count += 1;
        change.tx.put::<Reports>(&key, &known)?;
        return Ok(known.id);
    }
    let mut others = Vec::new();
    for row in change.tx.scan::<Reports>(Range::all())? {
        let (other, report) = row?;
        if other != key {
            others.push((report.last, report.id, other));
        }
    }
    others.sort_by_key(|(last, id, _)| Reverse((*last, *id)));
    for (_, _, oldest) in others.iter().skip(KEPT - 1) {
        delete(change, oldest)?;
    }
    let revision = change.revision();
    let number = others.iter().filter(|(_, id, _)| id.0 == revision).count();
    let record = change.tx.get::<Accounts>(&account)?;
    let report = ReportRecord {
        id: ReportId(revision, u32::try_from(number).unwrap_or(u32::MAX)),
        label: record.map_or_else(String::new, |record| record.label),
        by: by.clone(),
        message: message.to_owned(),
        since: change.at(),
        last: change.at(),
        count: 1,
    };
    change.tx.put::<Reports>(&key, &report)?;
    change.tx.put::<ReportedCalls>(&key, recorded)?;
    Ok(report.id)
}

/// All reports with the accounts that they are about, the newest first.
///
/// # Errors
/// What the store says.
pub fn all(
    reader: &impl Read<OrganizationScope>,
) -> Result<Vec<(ReportKey, ReportRecord)>, StoreError> {
    let rows = reader.scan::<Reports>(Range::all())?;
    let mut all = rows.collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|(_, report)| Reverse((report.last, report.id)));
    Ok(all)
}

/// One report and its call.
///
/// # Errors
/// Where there is none.
pub fn find(
    reader: &impl Read<OrganizationScope>,
    id: &str,
) -> Result<(ReportKey, ReportRecord, Recorded), ReplayError> {
    let missing = || ReplayError::NoReport(id.to_owned());
    let wanted: ReportId = id.parse().map_err(|()| missing())?;
    let found = all(reader)?.into_iter().find(|(_, one)| one.id == wanted);
    let (key, report) = found.ok_or_else(missing)?;
    let call = reader.get::<ReportedCalls>(&key)?.ok_or_else(missing)?;
    Ok((key, report, call))
}

/// Makes a recorded call again: by the component that was called, with its settings, grants and
/// limits, or by another one.
///
/// # Errors
/// Where the component is not installed any more, is of another kind, or refuses the settings.
pub fn replay(
    plugins: &Plugins,
    recorded: &Recorded,
    instead: Option<&str>,
) -> Result<Replayed, ReplayError> {
    let bound = &recorded.bound;
    let slot = recorded.by.slot;
    let digest = match instead {
        Some(wanted) => {
            let (digest, record) = plugins.find(wanted)?;
            if record.kind != slot.kind() {
                return Err(PluginError::WrongKind { slot: slot.name() }.into());
            }
            digest
        }
        None => bound.plugin.digest.clone(),
    };
    let plugin = PluginRef {
        digest: digest.clone(),
        settings: bound.plugin.settings.clone(),
    };
    let plugin = plugins.load(&plugin, &bound.grants, bound.limits)?;
    let context = parse(&recorded.context)?;
    let (outcome, log, elapsed, memory) = match &*plugin {
        Plugin::Lifecycle(policy) => came(policy.decide(&context, &[parse(&recorded.input)?]))?,
        Plugin::Role(policy) => came(policy.decide(&context, &[parse(&recorded.input)?]))?,
        Plugin::Seat(policy) => came(policy.decide(&context, &[parse(&recorded.input)?]))?,
        Plugin::Provider(_) => {
            return Err(PluginError::WrongKind { slot: slot.name() }.into());
        }
    };
    Ok(Replayed {
        same: is_same(&recorded.outcome, &outcome),
        outcome,
        log,
        elapsed,
        memory,
        digest,
    })
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, ReplayError> {
    T::deserialize(value).map_err(ReplayError::Call)
}

type Came = (Outcome, Vec<LogLine>, Duration, u64);

fn came<D: serde::Serialize>(
    called: Result<Decisions<D>, gatewright_sandbox::CallError>,
) -> Result<Came, ReplayError> {
    Ok(match called {
        Ok(Called {
            mut value,
            log,
            elapsed,
            memory,
            ..
        }) => {
            let outcome = match value.pop() {
                Some(Ok(decision)) => {
                    let decision = serde_json::to_value(&decision).map_err(ReplayError::Call)?;
                    Outcome::Decided(decision)
                }
                Some(Err(rejection)) => Outcome::Rejected(rejection),
                // As many answers as questions: the sandbox has counted.
                None => Outcome::Decided(Value::Null),
            };
            (outcome, log, elapsed, memory)
        }
        Err(error) => {
            let (log, elapsed, memory) = (error.log.clone(), error.elapsed, error.memory);
            (Outcome::Failed(error), log, elapsed, memory)
        }
    })
}

/// Whether two calls ended alike, whatever time they took.
fn is_same(then: &Outcome, now: &Outcome) -> bool {
    match (then, now) {
        (Outcome::Failed(then), Outcome::Failed(now)) => {
            then.kind == now.kind
                && (then.kind == FailureKind::Timeout
                    || (&then.panic, &then.frames, &then.log, then.memory)
                        == (&now.panic, &now.frames, &now.log, now.memory))
        }
        (then, now) => then == now,
    }
}

/// One sentence that names the plugin and its export, as those of failed calls do.
#[must_use]
pub fn rejection(by: &Decider, why: &Rejection) -> String {
    let export = match by.slot {
        Slot::Lifecycle => "lifecycle-policy.decide",
        Slot::Roles => "role-policy.decide",
        Slot::Seats => "seat-policy.decide",
    };
    format!(
        "plugin {}@{} has no valid answer in {export}: {why}",
        by.plugin, by.version
    )
}

/// Forgets all reports about an account.
///
/// # Errors
/// What the store says.
pub fn erase(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    let keys = change.tx.keys::<Reports>(Range::all())?;
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    for key in keys.iter().filter(|(_, _, about)| *about == account) {
        delete(change, key)?;
    }
    Ok(())
}

fn delete(change: &mut Change<'_, '_>, key: &ReportKey) -> Result<(), StoreError> {
    change.tx.delete::<Reports>(key)?;
    change.tx.delete::<ReportedCalls>(key)?;
    Ok(())
}

/// Forgets what is too old. Says whether there was anything.
///
/// # Errors
/// What the store says.
pub fn forget(organization: &Organization, now: Timestamp) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    let due = expired(&reader, now).map_err(WriteError::Aborted)?;
    drop(reader);
    if due.is_empty() {
        return Ok(false);
    }
    change(organization, now, move |change| {
        due.iter().try_for_each(|key| delete(change, key))
    })?;
    Ok(true)
}

fn expired(
    reader: &Reader<OrganizationScope>,
    now: Timestamp,
) -> Result<Vec<ReportKey>, StoreError> {
    let rows = reader.index_scan(&REPORTS_BY_TIME, Range::all())?;
    rows.take_while(|row| row.as_ref().map_or(true, |(at, _)| at + KEPT_FOR <= now.0))
        .map(|row| row.map(|(_, key)| key))
        .collect()
}

/// When the next one is to be forgotten.
///
/// # Errors
/// What the store says.
pub fn next_expiry(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let first = reader.index_scan(&REPORTS_BY_TIME, Range::all())?.next();
    Ok(first.transpose()?.map(|(at, _)| Timestamp(at + KEPT_FOR)))
}
