//! One bounded step of a plan: some accounts are tried, and what comes of it is taken down or, where
//! the plan is being confirmed, compared with what it shows.

use super::difference::Ranks;
use super::finish::{fail, finish, outdate, spreading};
use super::note::{self, Noted};
use super::part::Part;
use super::{people, proposal, prune};
use crate::access::catalogue;
use crate::access::reconcile::setting::Setting;
use crate::access::reconcile::step::StepError;
use crate::access::reconcile::trial::{self, Sides};
use crate::clock::Timestamp;
use crate::model::access::{Alerts, DIRTY_BY_DUE};
use crate::model::plans::{PlanRecord, PlanState, Plans, ProposalRecord, Proposals};
use crate::model::plugins::Slot;
use crate::model::spread::Spreads;
use crate::plugins::Plugins;
use crate::telemetry::chain;
use gatewright_store::{
    Organization, OrganizationId, OrganizationScope, Range, Read, Reader, Store, StoreError,
};
use std::time::Duration;
use uuid::Uuid;

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
    store: &Store,
    organization: OrganizationId,
    plugins: &Plugins,
    now: Timestamp,
) -> Result<Stepped, StepError> {
    let handle = store.organization(organization);
    if prune::step(&handle, now)? {
        return Ok(Stepped::of(Outcome::More));
    }
    let reader = handle.read()?;
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
    // What would become of people is tried out where nobody sees it, from one moment on.
    let stage = match proposal.confirms() {
        None => Stage {
            rehearsal: None,
            reader,
        },
        Some(_) => {
            drop(reader);
            let rehearsal = store.rehearsal()?.organization(organization);
            Stage {
                reader: rehearsal.read()?,
                rehearsal: Some(rehearsal),
            }
        }
    };
    Working {
        organization: &handle,
        plugins,
        now,
        id,
        record,
        proposal,
    }
    .step(stage)
}

/// Where a step reads, and where it tries out what becomes of people.
struct Stage {
    reader: Reader<OrganizationScope>,
    rehearsal: Option<Organization>,
}

/// A plan that a step is done of.
struct Working<'a> {
    organization: &'a Organization,
    plugins: &'a Plugins,
    now: Timestamp,
    id: Uuid,
    record: PlanRecord,
    proposal: ProposalRecord,
}

impl Working<'_> {
    fn step(self, stage: Stage) -> Result<Stepped, StepError> {
        let (organization, now, id) = (self.organization, self.now, self.id);
        let reader = &stage.reader;
        if proposal::base(reader, self.proposal.confirms())? != self.proposal.base {
            outdate(organization, now, id, &self.proposal)?;
            return Ok(Stepped::of(Outcome::More));
        }
        let part = Part::next(reader, id, &self.record, &self.proposal, now)?;
        if part.waits && part.is_empty() {
            return Ok(Stepped::of(Outcome::Later(WAIT)));
        }
        if part.is_empty() {
            return self.finish(&stage.reader);
        }
        self.try_part(stage, part)
    }

    fn finish(self, reader: &Reader<OrganizationScope>) -> Result<Stepped, StepError> {
        let computing = self.record.state == PlanState::Computing;
        if computing && undecided(reader, self.record.made)? {
            return Ok(Stepped::of(Outcome::Later(WAIT)));
        }
        if !computing && spreading(reader)? {
            return Ok(Stepped::of(Outcome::Later(WAIT)));
        }
        let applied = finish(self.organization, self.now, self.id, self.proposal)?;
        Ok(Stepped {
            outcome: Outcome::More,
            applied,
        })
    }

    fn try_part(self, stage: Stage, mut part: Part) -> Result<Stepped, StepError> {
        let (organization, now, id) = (self.organization, self.now, self.id);
        let (reader, proposal) = (stage.reader, self.proposal);
        let ranks = Ranks::of(
            &catalogue::load(&reader)?,
            &proposal::catalogue(&reader, &proposal)?,
        );
        let confirms = proposal.confirms();
        let only = confirms.filter(|_| proposal.only_confirms());
        let rehearsed = match (&stage.rehearsal, confirms) {
            (Some(rehearsal), Some(directory)) => {
                let users = part.users();
                Some(people::rehearse(rehearsal, &reader, now, directory, users)?)
            }
            _ => None,
        };
        let sides = Sides {
            before: rehearsed.as_ref().map(|_| &reader),
            after: rehearsed.as_ref().map_or(&reader, |it| &it.after),
            only,
        };
        let setting = match Setting::read(sides.after, self.plugins, &proposal::instead(proposal)) {
            Ok(setting) => setting,
            Err(error @ StepError::Load(..)) => {
                fail(organization, now, id, chain(&error))?;
                return Ok(Stepped::of(Outcome::More));
            }
            Err(error) => return Err(error),
        };
        let accounts = part.accounts(rehearsed.as_ref().map_or(&[], |it| &it.links));
        let mut trial = trial::run(&sides, &setting, now, &accounts)?;
        let reached = part.cut(trial.reached);
        trial.tried.retain(|tried| {
            let mut reached = accounts.iter().take(reached);
            reached.any(|account| *account == tried.account)
        });
        let users = part.users();
        let links = rehearsed.map(|it| {
            let links = it.links.into_iter();
            links.filter(|(user, _)| users.contains(user)).collect()
        });
        let rest = if trial.reached == 0 && !accounts.is_empty() {
            WAIT
        } else {
            trial.rest
        };
        let noted = Noted {
            part,
            tried: trial.tried,
            links,
        };
        note::note(organization, now, id, ranks, noted)?;
        Ok(Stepped::of(if rest.is_zero() {
            Outcome::More
        } else {
            Outcome::Later(rest)
        }))
    }
}

/// Whether something that happened before the plan was made still waits for its decision, which
/// would move accounts. Where policies fail for everybody nobody waits: the plan may be the remedy.
fn undecided(reader: &Reader<OrganizationScope>, made: u64) -> Result<bool, StoreError> {
    if failing(reader)? {
        return Ok(false);
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

/// Whether the policies fail for everybody.
pub(super) fn failing(reader: &Reader<OrganizationScope>) -> Result<bool, StoreError> {
    for slot in Slot::ALL {
        if reader.contains::<Alerts>(&(slot.name().to_owned(), Uuid::nil()))? {
            return Ok(true);
        }
    }
    Ok(false)
}
