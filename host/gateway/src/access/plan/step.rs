//! One bounded step of a plan: some accounts are tried, and what comes of it is taken down or, where
//! the plan is being confirmed, compared with what it shows.

use super::difference::{self, Ranks};
use super::{proposal, prune, watch};
use crate::access::catalogue;
use crate::access::reconcile::setting::Setting;
use crate::access::reconcile::step::StepError;
use crate::access::reconcile::trial::{self, Tried};
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::access::{Accounts, Alerts, DIRTY_BY_DUE, Spreads};
use crate::model::plans::{
    ChangeKind, Difference, MOVED_BY_REVISION, PLANNED_BY_ASK, PlanRecord, PlanState, Planned,
    PlannedAsks, PlannedOwners, PlannedRecord, Plans, ProposalRecord, Proposals,
};
use crate::model::plugins::Slot;
use crate::plugins::Plugins;
use crate::telemetry::chain;
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How many accounts are tried in a step.
const STEP: usize = 64;

/// How many accounts that differ are kept, of those that keep a plan from being confirmed.
const DIFFERENCES: usize = 20;

/// So many accounts without a decision, and half of all that were tried, end a plan.
const MOST_FAILED: u64 = 50;

/// The wait where no instance of a policy was free, or the reconciler is still deciding what was
/// there before the plan.
const WAIT: Duration = Duration::from_millis(50);

/// What a step came to.
pub(super) enum Outcome {
    /// There is more to do.
    More,
    /// There is more to do, but not before this has passed.
    Later(Duration),
    /// There is nothing to do before that time, if ever.
    Idle(Option<Timestamp>),
}

/// What a step did, and whether a plan was put into force.
pub(super) struct Stepped {
    pub(super) outcome: Outcome,
    pub(super) applied: bool,
}

impl Stepped {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            applied: false,
        }
    }
}

/// Does one step of the oldest plan that wants one.
pub(super) fn step(
    organization: &Organization,
    plugins: &Plugins,
    now: Timestamp,
) -> Result<Stepped, StepError> {
    if prune::step(organization, now)? {
        return Ok(Stepped::of(Outcome::More));
    }
    let reader = organization.read()?;
    let mut working = None;
    for row in reader.scan::<Plans>(Range::all())? {
        let (id, record) = row?;
        if matches!(record.state, PlanState::Computing | PlanState::Confirming) {
            working = Some((id, record));
            break;
        }
    }
    let Some((id, record)) = working else {
        return Ok(Stepped::of(Outcome::Idle(prune::next(&reader)?)));
    };
    let Some(proposal) = reader.get::<Proposals>(&id)? else {
        return Ok(Stepped::of(Outcome::More));
    };
    if proposal::base(&reader)? != proposal.base {
        drop(reader);
        outdate(organization, now, id)?;
        return Ok(Stepped::of(Outcome::More));
    }
    let part = Part::next(&reader, id, &record, now)?;
    if part.accounts.is_empty() {
        let computing = record.state == PlanState::Computing;
        if computing && undecided(&reader, record.made)? {
            return Ok(Stepped::of(Outcome::Later(WAIT)));
        }
        drop(reader);
        let applied = finish(organization, now, id, proposal)?;
        return Ok(Stepped {
            outcome: Outcome::More,
            applied,
        });
    }
    let ranks = Ranks::of(
        &catalogue::load(&reader)?,
        &proposal::catalogue(&reader, &proposal)?,
    );
    let setting = match Setting::read(&reader, plugins, &proposal::instead(proposal)) {
        Ok(setting) => setting,
        Err(error @ StepError::Load(..)) => {
            drop(reader);
            fail(organization, now, id, chain(&error))?;
            return Ok(Stepped::of(Outcome::More));
        }
        Err(error) => return Err(error),
    };
    let trial = trial::run(&reader, &setting, now, &part.accounts)?;
    drop(reader);
    let rest = if trial.reached == 0 { WAIT } else { trial.rest };
    note(
        organization,
        now,
        id,
        ranks,
        part.cut(trial.reached),
        trial.tried,
    )?;
    Ok(Stepped::of(if rest.is_zero() {
        Outcome::More
    } else {
        Outcome::Later(rest)
    }))
}

/// The accounts to try next, and where the plan is after them.
struct Part {
    accounts: Vec<Uuid>,
    /// Of each account, in which revision something happened to it; empty in the walk.
    moved: Vec<u64>,
    /// Whether the walk through all accounts ends with these.
    last: bool,
    walk: bool,
}

impl Part {
    fn next(
        reader: &Reader<OrganizationScope>,
        plan: Uuid,
        record: &PlanRecord,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut part = Self {
            accounts: Vec::with_capacity(STEP),
            moved: Vec::new(),
            last: false,
            walk: !record.walked,
        };
        if part.walk {
            let range = match record.done {
                Some(done) => Range::all().after(&done),
                None => Range::all(),
            };
            for account in reader.keys::<Accounts>(range)?.take(STEP) {
                part.accounts.push(account?);
            }
            part.last = part.accounts.len() < STEP;
            if !part.accounts.is_empty() {
                return Ok(part);
            }
            part.walk = false;
        }
        // What was decided until a time that is over may be decided otherwise now.
        for row in reader
            .index_scan(&PLANNED_BY_ASK, Range::prefix(&plan))?
            .take(STEP)
        {
            let ((_, at), (_, account)) = row?;
            if at > now.0 {
                break;
            }
            part.accounts.push(account);
        }
        if !part.accounts.is_empty() {
            return Ok(part);
        }
        let range = Range::all().after(&record.seen);
        for row in reader.index_scan(&MOVED_BY_REVISION, range)?.take(STEP) {
            let ((revision, account), _) = row?;
            part.accounts.push(account);
            part.moved.push(revision);
        }
        Ok(part)
    }

    /// What is left of it where only so many were come to.
    fn cut(mut self, reached: usize) -> Self {
        self.last &= reached == self.accounts.len();
        self.accounts.truncate(reached);
        self.moved.truncate(reached);
        self
    }

    /// Moves the plan's place behind these accounts.
    fn pass(&self, record: &mut PlanRecord) {
        let Some(last) = self.accounts.last() else {
            return;
        };
        if self.walk {
            record.done = Some(*last);
            record.walked |= self.last;
            record.considered += self.accounts.len() as u64;
        } else if let Some(revision) = self.moved.last() {
            record.seen = (*revision, *last);
        }
    }
}

/// Whether something that happened before the plan was made still waits for its decision, which
/// would move accounts. Where policies fail for everybody nobody waits: the plan may be the remedy.
fn undecided(reader: &Reader<OrganizationScope>, made: u64) -> Result<bool, StoreError> {
    for slot in Slot::ALL {
        if reader.contains::<Alerts>(&(slot.name().to_owned(), Uuid::nil()))? {
            return Ok(false);
        }
    }
    if let Some(spread) = reader.keys::<Spreads>(Range::all())?.next()
        && spread?.0 <= made
    {
        return Ok(true);
    }
    let first = reader.index_scan(&DIRTY_BY_DUE, Range::all())?.next();
    let first = first.transpose()?;
    // An account that failed is due later.
    Ok(first.is_some_and(|((due, first), _)| due == 0 && first <= made))
}

/// Takes down what some accounts come to.
fn note(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    ranks: Ranks,
    part: Part,
    tried: Vec<Tried>,
) -> Result<(), WriteError<StoreError>> {
    let tried = Arc::new(tried);
    change(organization, now, move |change| {
        let Some(mut record) = change.tx.get::<Plans>(&plan)? else {
            return Ok(());
        };
        let computing = match record.state {
            PlanState::Computing => true,
            PlanState::Confirming => false,
            PlanState::Ready
            | PlanState::Confirmed { .. }
            | PlanState::Outdated { .. }
            | PlanState::Failed { .. } => return Ok(()),
        };
        part.pass(&mut record);
        for one in tried.iter() {
            let key = (plan, one.account);
            ask(change, key, one.ask_again)?;
            let before = change.tx.get::<Planned>(&key)?;
            let after = difference::planned(one, &ranks);
            if computing {
                count(&mut record, before.as_ref(), after.as_ref());
                match &after {
                    Some(after) => change.tx.put::<Planned>(&key, after)?,
                    None if before.is_some() => {
                        change.tx.delete::<Planned>(&key)?;
                    }
                    None => {}
                }
                own(change, key, one, &ranks)?;
            } else if !difference::agree(before.as_ref(), after.as_ref()) {
                record.different += 1;
                if record.differences.len() < DIFFERENCES {
                    let sides = |it: PlannedRecord| (it.before, it.after);
                    record.differences.push(Difference {
                        account: one.account,
                        label: one.label.clone(),
                        planned: before.map(sides),
                        now: after.map(sides),
                    });
                }
            }
        }
        let failed = record.counts.kinds[ChangeKind::Failed as usize];
        if computing && failed >= MOST_FAILED && failed * 2 >= record.considered {
            let why = tried.iter().find_map(|one| one.after.clone().err());
            let why = why.unwrap_or_default();
            let why = format!("there is no decision about {failed} accounts; {why}");
            return close(
                change,
                plan,
                record,
                PlanState::Failed { why },
                "plan.failed",
            );
        }
        change.tx.put::<Plans>(&plan, &record)
    })
    .map(|_| ())
}

fn ask(
    change: &mut Change<'_, '_>,
    key: (Uuid, Uuid),
    ask_again: Option<u64>,
) -> Result<(), StoreError> {
    match ask_again {
        // As the reconciler does, not before a second has passed.
        Some(at) => {
            let at = at.max(change.at().plus(1_000).0);
            change.tx.put::<PlannedAsks>(&key, &at)
        }
        None => change.tx.delete::<PlannedAsks>(&key).map(|_| ()),
    }
}

/// Takes down whether the account would be an active owner. Where there is no decision it stays
/// what it is.
fn own(
    change: &mut Change<'_, '_>,
    key: (Uuid, Uuid),
    tried: &Tried,
    ranks: &Ranks,
) -> Result<(), StoreError> {
    if ranks.is_owner(tried.after.as_ref().unwrap_or(&tried.before)) {
        change.tx.put::<PlannedOwners>(&key, &tried.label)
    } else {
        change.tx.delete::<PlannedOwners>(&key).map(|_| ())
    }
}

fn count(record: &mut PlanRecord, before: Option<&PlannedRecord>, after: Option<&PlannedRecord>) {
    let counts = &mut record.counts;
    let changes = |it: &&PlannedRecord| it.failure.is_none();
    if let Some(before) = before {
        counts.changed -= u64::from(changes(&before));
        for kind in &before.kinds {
            counts.kinds[*kind as usize] -= 1;
        }
    }
    if let Some(after) = after {
        counts.changed += u64::from(changes(&after));
        for kind in &after.kinds {
            counts.kinds[*kind as usize] += 1;
        }
    }
}

/// Ends a computation or a confirmation, if nothing has happened to any account that it has not
/// seen. Says whether the plan was put into force.
fn finish(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    proposal: ProposalRecord,
) -> Result<bool, WriteError<StoreError>> {
    let done = change(organization, now, move |change| {
        let Some(mut record) = change.tx.get::<Plans>(&plan)? else {
            return Ok(false);
        };
        record.walked = true;
        let range = Range::all().after(&record.seen);
        if change
            .tx
            .index_scan(&MOVED_BY_REVISION, range)?
            .next()
            .is_some()
        {
            change.tx.put::<Plans>(&plan, &record)?;
            return Ok(false);
        }
        match record.state {
            PlanState::Computing => {
                record.state = PlanState::Ready;
                let counts = &record.counts;
                let event = json!({ "plan": plan, "changed": counts.changed });
                change.event("plan.ready", event)?;
                change.tx.put::<Plans>(&plan, &record)?;
                Ok(false)
            }
            PlanState::Confirming if record.different > 0 => {
                let why = format!(
                    "what it says of {} {} has changed since: make a new plan",
                    record.different,
                    if record.different == 1 {
                        "account"
                    } else {
                        "accounts"
                    }
                );
                let state = PlanState::Outdated { why };
                close(change, plan, record, state, "plan.outdated")?;
                Ok(false)
            }
            PlanState::Confirming => {
                if proposal::base(change.tx)? != proposal.base {
                    close(change, plan, record, outdated(), "plan.outdated")?;
                    return Ok(false);
                }
                proposal::apply(change, &proposal)?;
                change.spread_plan(plan)?;
                let state = PlanState::Confirmed {
                    at: change.at(),
                    revision: change.revision(),
                };
                close(change, plan, record, state, "plan.confirmed")?;
                Ok(true)
            }
            PlanState::Ready
            | PlanState::Confirmed { .. }
            | PlanState::Outdated { .. }
            | PlanState::Failed { .. } => Ok(false),
        }
    })?;
    Ok(done.value)
}

fn outdated() -> PlanState {
    let why = "mapping, catalogue or a binding is another than when it was made: make a new plan";
    PlanState::Outdated { why: why.into() }
}

/// Says that a plan was made against what is no longer there.
fn outdate(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
) -> Result<(), WriteError<StoreError>> {
    end(organization, now, plan, outdated(), "plan.outdated")
}

/// Says that a plan could not be worked out.
fn fail(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    why: String,
) -> Result<(), WriteError<StoreError>> {
    let state = PlanState::Failed { why };
    end(organization, now, plan, state, "plan.failed")
}

fn end(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    state: PlanState,
    event: &'static str,
) -> Result<(), WriteError<StoreError>> {
    change(organization, now, move |change| {
        match change.tx.get::<Plans>(&plan)? {
            Some(record) => close(change, plan, record, state.clone(), event),
            None => Ok(()),
        }
    })
    .map(|_| ())
}

fn close(
    change: &mut Change<'_, '_>,
    plan: Uuid,
    mut record: PlanRecord,
    state: PlanState,
    event: &str,
) -> Result<(), StoreError> {
    let why = match &state {
        PlanState::Outdated { why } | PlanState::Failed { why } => Some(why.clone()),
        PlanState::Computing
        | PlanState::Ready
        | PlanState::Confirming
        | PlanState::Confirmed { .. } => None,
    };
    record.state = state;
    change.tx.put::<Plans>(&plan, &record)?;
    change.event(event, json!({ "plan": plan, "why": why }))?;
    watch(change)
}
