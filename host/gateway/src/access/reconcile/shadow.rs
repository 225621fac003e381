//! Chains in shadow: tried with everybody who is decided, and stored with the decision.

use super::ask::Losses;
use super::decide::{Failure, Policies, Subject, Wanted};
use super::setting::{self, Instead, Setting};
use super::step::{self, StepError};
use super::trial;
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::access::GrantKind;
use crate::model::plans::Holding;
use crate::model::plugins::{ShadowDifference, ShadowDifferences, ShadowRecord, Shadows, Slot};
use crate::plugins::Plugins;
use crate::plugins::shadows::MOST_FAILURES;
use crate::plugins::watch::Call;
use gatewright_sandbox::types;
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What runs beside the decisions of one step.
pub(super) struct Beside {
    running: Vec<(Name, Policies)>,
    broken: Vec<(Name, String)>,
}

/// Which chain: another one in the slot has another revision.
type Name = (Slot, u64);

/// What came of it: what is stored with the decisions.
#[derive(Default)]
pub(super) struct Seen {
    /// What each chain wants otherwise, if anything, by the account.
    accounts: HashMap<Uuid, Vec<(Name, Option<Difference>)>>,
    /// Chains that could not be loaded, and why.
    broken: Vec<(Name, String)>,
    /// How the chains' own policies did.
    pub(super) calls: Vec<(Slot, Call)>,
}

/// What was decided, and what would have been.
struct Difference {
    active: Holding,
    shadow: Result<Holding, String>,
}

impl Beside {
    /// Reads what runs in shadow, and loads it.
    ///
    /// # Errors
    /// What the store says. What cannot be loaded is noted.
    pub(super) fn read(
        reader: &Reader<OrganizationScope>,
        plugins: &Plugins,
    ) -> Result<Self, StepError> {
        let mut beside = Self {
            running: Vec::new(),
            broken: Vec::new(),
        };
        for row in reader.scan::<Shadows>(Range::all())? {
            let (name, shadow) = row?;
            let Some(slot) = Slot::from_name(&name).filter(|_| shadow.stopped.is_none()) else {
                continue;
            };
            let name = (slot, shadow.revision);
            let instead = Instead {
                bindings: HashMap::from([(slot, shadow.chain)]),
                ..Instead::default()
            };
            match setting::policies(reader, plugins, &instead) {
                Ok((policies, _)) => beside.running.push((name, policies)),
                Err(StepError::Load(_, error)) => {
                    let why = crate::telemetry::chain(&error);
                    beside.broken.push((name, why));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(beside)
    }

    /// Whether there is nothing to try.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Tries each chain with everybody about whom there is a decision.
    pub(super) fn run(
        self,
        setting: &Setting,
        now: Timestamp,
        subjects: &[Subject],
        accounts: &[types::Account],
        decided: &[Result<Wanted, Failure>],
        losses: &mut Losses,
    ) -> Seen {
        let mut accounts_seen: HashMap<Uuid, Vec<_>> = HashMap::new();
        let mut calls = Vec::new();
        for (name, policies) in &self.running {
            // Each chain may lose as many calls as the decisions themselves.
            let mut own = Losses::none();
            let tried = step::in_batches(subjects, accounts.to_vec(), |part, told| {
                setting.decide_by(policies, now, part, told, &mut own)
            });
            losses.time += own.time;
            // The other slots are asked as well, by the policies that decide.
            let (tried_slot, revision) = *name;
            for (slot, mut call) in own.seen {
                if slot == tried_slot {
                    call.who.binding = revision;
                    calls.push((slot, call));
                }
            }
            for ((subject, decided), tried) in subjects.iter().zip(decided).zip(&tried) {
                if let Ok(decided) = decided {
                    let seen = accounts_seen.entry(subject.account).or_default();
                    seen.push((*name, difference(decided, tried)));
                }
            }
        }
        Seen {
            accounts: accounts_seen,
            broken: self.broken,
            calls,
        }
    }
}

fn difference(decided: &Wanted, tried: &Result<Wanted, Failure>) -> Option<Difference> {
    let active = trial::holding(decided);
    let shadow = match tried {
        Ok(wanted) => Ok(trial::holding(wanted)),
        Err(failure) => Err(trial::why(failure)),
    };
    let is_same = matches!(&shadow, Ok(shadow) if is_same(&active, shadow));
    (!is_same).then_some(Difference { active, shadow })
}

/// Whether an account would be and have the same, for whatever reasons.
fn is_same(one: &Holding, other: &Holding) -> bool {
    fn grants(holding: &Holding) -> BTreeSet<(GrantKind, &str)> {
        let grants = holding.grants.iter();
        grants.map(|one| (one.kind, one.name.as_str())).collect()
    }
    one.status == other.status && grants(one) == grants(other)
}

impl Seen {
    /// Stores what was seen of those accounts that were decided, in the decision's transaction. What
    /// was seen of a chain that runs no more is dropped.
    pub(super) fn store(
        &self,
        change: &mut Change<'_, '_>,
        decided: &[Uuid],
    ) -> Result<(), StoreError> {
        for ((slot, revision), why) in &self.broken {
            if let Some(mut shadow) = running(change, (*slot, *revision))? {
                stop(change, *slot, &mut shadow, why.clone())?;
                change.tx.put::<Shadows>(&slot.name().to_owned(), &shadow)?;
            }
        }
        let mut shadows: HashMap<Name, Option<ShadowRecord>> = HashMap::new();
        for account in decided {
            for (name, difference) in self.accounts.get(account).into_iter().flatten() {
                if !shadows.contains_key(name) {
                    shadows.insert(*name, running(change, *name)?);
                }
                if let Some(Some(shadow)) = shadows.get_mut(name) {
                    count(change, name.0, shadow, *account, difference.as_ref())?;
                }
            }
        }
        for ((slot, _), shadow) in &shadows {
            if let Some(shadow) = shadow {
                change.tx.put::<Shadows>(&slot.name().to_owned(), shadow)?;
            }
        }
        Ok(())
    }
}

/// Forgets what chains in shadow wanted for an account about which nobody decides any more.
pub(super) fn forget(change: &mut Change<'_, '_>, account: Uuid) -> Result<(), StoreError> {
    for slot in Slot::ALL {
        let (name, key) = (slot.name().to_owned(), (slot.name().to_owned(), account));
        let Some(mut shadow) = change.tx.get::<Shadows>(&name)? else {
            continue;
        };
        if change.tx.get::<ShadowDifferences>(&key)?.is_some() {
            change.tx.delete::<ShadowDifferences>(&key)?;
            shadow.different = shadow.different.saturating_sub(1);
            change.tx.put::<Shadows>(&name, &shadow)?;
        }
    }
    Ok(())
}

fn running(change: &Change<'_, '_>, name: Name) -> Result<Option<ShadowRecord>, StoreError> {
    let (slot, revision) = name;
    let stored = change.tx.get::<Shadows>(&slot.name().to_owned())?;
    Ok(stored.filter(|stored| stored.revision == revision && stored.stopped.is_none()))
}

fn count(
    change: &mut Change<'_, '_>,
    slot: Slot,
    shadow: &mut ShadowRecord,
    account: Uuid,
    difference: Option<&Difference>,
) -> Result<(), StoreError> {
    let key = (slot.name().to_owned(), account);
    let before = change.tx.get::<ShadowDifferences>(&key)?;
    shadow.tried += 1;
    let Some(Difference {
        active,
        shadow: wanted,
    }) = difference
    else {
        if before.is_some() {
            shadow.different = shadow.different.saturating_sub(1);
            change.tx.delete::<ShadowDifferences>(&key)?;
        }
        return Ok(());
    };
    if before.is_none() {
        shadow.different += 1;
    }
    let row = ShadowDifference {
        active: active.clone(),
        shadow: wanted.clone(),
        since: before.map_or(change.at(), |before| before.since),
    };
    change.tx.put::<ShadowDifferences>(&key, &row)?;
    if let Err(why) = wanted {
        shadow.failed += 1;
        if shadow.failed >= MOST_FAILURES && shadow.stopped.is_none() {
            let why = format!("it had no decision {MOST_FAILURES} times, at last: {why}");
            stop(change, slot, shadow, why)?;
        }
    }
    Ok(())
}

fn stop(
    change: &mut Change<'_, '_>,
    slot: Slot,
    shadow: &mut ShadowRecord,
    why: String,
) -> Result<(), StoreError> {
    change.event("shadow.stopped", json!({ "slot": slot, "because": why }))?;
    shadow.stopped = Some(why);
    Ok(())
}
