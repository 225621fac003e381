//! Decides about accounts without storing anything: what a plan is made of.

use super::ask::Losses;
use super::decide::{Failure, Subject, Wanted};
use super::setting::Setting;
use super::step::{BATCH, REST, StepError};
use crate::access::gather::Gathered;
use crate::clock::Timestamp;
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, AssignmentRecord, Assignments, DirtyRecord, GrantKind,
    GrantRecord,
};
use crate::model::plans::{Holding, PlannedGrant};
use gatewright_sandbox::types;
use gatewright_store::{OrganizationScope, Read, Reader, StoreError};
use std::time::Duration;
use uuid::Uuid;

/// What an account has, and what it would have.
pub(in crate::access) struct Tried {
    pub(in crate::access) account: Uuid,
    /// Empty where there is no such account.
    pub(in crate::access) label: String,
    /// Whether no user claims it.
    pub(in crate::access) unlinked: bool,
    pub(in crate::access) before: Holding,
    /// Or why there is no decision, in a sentence.
    pub(in crate::access) after: Result<Holding, String>,
    /// When the policies want to be asked again.
    pub(in crate::access) ask_again: Option<u64>,
}

/// Where accounts are read from.
pub(in crate::access) struct Sides<'a> {
    /// What they have; none where a plan changes no fact, and it is what is decided about.
    pub(in crate::access) before: Option<&'a Reader<OrganizationScope>>,
    /// What is decided about.
    pub(in crate::access) after: &'a Reader<OrganizationScope>,
    /// The directory without whose users nobody is decided about, if there is one: who keeps what
    /// they have by then.
    pub(in crate::access) only: Option<Uuid>,
}

/// What became of trying some accounts.
pub(in crate::access) struct Trial {
    /// Those that were decided or refused, and those about which nobody decides.
    pub(in crate::access) tried: Vec<Tried>,
    /// How many of the accounts were come to: the rest has to be tried again.
    pub(in crate::access) reached: usize,
    /// How long to rest for the time that failing calls took.
    pub(in crate::access) rest: Duration,
}

/// Decides about accounts as they are in a snapshot.
///
/// # Errors
/// What the store says.
pub(in crate::access) fn run(
    sides: &Sides<'_>,
    setting: &Setting,
    now: Timestamp,
    accounts: &[Uuid],
) -> Result<Trial, StepError> {
    let mut trial = Trial {
        tried: Vec::with_capacity(accounts.len()),
        reached: 0,
        rest: Duration::ZERO,
    };
    let mut losses = Losses::none();
    let mut gatherer = setting.gatherer(sides.after)?;
    'parts: for part in accounts.chunks(BATCH) {
        let (mut subjects, mut told) = (Vec::new(), Vec::new());
        for account in part {
            match gatherer.account(*account)? {
                Some((gathered, account_told)) if sides.concerns(&gathered.record) => {
                    subjects.push(subject(*account, gathered));
                    told.push(account_told);
                }
                _ => trial.tried.push(kept(sides, *account)?),
            }
        }
        let verdicts = setting.decide(now, &subjects, told, &mut losses);
        for (subject, verdict) in subjects.into_iter().zip(verdicts) {
            if matches!(verdict, Err(Failure::Skipped)) {
                let place = accounts.iter().position(|id| *id == subject.account);
                trial.reached = place.unwrap_or(trial.reached);
                break 'parts;
            }
            trial.tried.push(tried(sides, subject, verdict)?);
        }
        trial.reached += part.len();
    }
    trial.rest = losses.time * REST;
    Ok(trial)
}

impl Sides<'_> {
    fn concerns(&self, record: &AccountRecord) -> bool {
        let mut users = record.users.iter();
        self.only
            .is_none_or(|only| users.any(|(directory, _)| *directory == only))
    }
}

/// An account about which nobody decides, or that is not there (any more).
fn kept(sides: &Sides<'_>, account: Uuid) -> Result<Tried, StoreError> {
    let record = sides.after.get::<Accounts>(&account)?;
    let assignment = sides.after.get::<Assignments>(&account)?;
    let keeps = holding_of(record.as_ref(), assignment.as_ref());
    Ok(Tried {
        account,
        before: match sides.before {
            Some(before) => had(before, account)?,
            None => keeps.clone(),
        },
        after: Ok(keeps),
        unlinked: record
            .as_ref()
            .is_some_and(|record| record.users.is_empty()),
        label: record.map_or_else(String::new, |record| record.label),
        ask_again: None,
    })
}

fn had(before: &Reader<OrganizationScope>, account: Uuid) -> Result<Holding, StoreError> {
    let record = before.get::<Accounts>(&account)?;
    let assignment = before.get::<Assignments>(&account)?;
    Ok(holding_of(record.as_ref(), assignment.as_ref()))
}

/// Nobody failed in a plan before, so nobody is asked about alone.
fn subject(account: Uuid, gathered: Gathered) -> Subject {
    let dirty = DirtyRecord {
        first: 0,
        last: 0,
        due: Timestamp(0),
        failures: 0,
        request: None,
        plan: None,
        approved: false,
    };
    Subject {
        account,
        dirty,
        gathered,
    }
}

fn tried(
    sides: &Sides<'_>,
    subject: Subject,
    verdict: Result<Wanted, Failure>,
) -> Result<Tried, StoreError> {
    let (after, ask_again) = match verdict {
        Ok(wanted) => {
            let ask_again = wanted.ask_again;
            (Ok(holding(&wanted)), ask_again)
        }
        Err(failure) => (Err(why(&failure)), None),
    };
    let (record, assignment) = (subject.gathered.record, subject.gathered.assignment);
    Ok(Tried {
        account: subject.account,
        before: match sides.before {
            Some(before) => had(before, subject.account)?,
            None => holding_of(Some(&record), assignment.as_ref()),
        },
        after,
        unlinked: record.users.is_empty(),
        label: record.label,
        ask_again,
    })
}

/// What an account has. One that is not there may do nothing.
fn holding_of(record: Option<&AccountRecord>, assignment: Option<&AssignmentRecord>) -> Holding {
    let grants = assignment.map_or(&[][..], |stored| &stored.grants);
    let planned = |grant: &GrantRecord| PlannedGrant {
        kind: grant.kind,
        name: grant.name.clone(),
        reason: grant.reason.clone(),
    };
    Holding {
        status: record.map_or(AccountStatus::Deactivated, |record| record.status),
        status_reason: record.map_or_else(
            || "there is no account yet".to_owned(),
            |record| record.status_reason.clone(),
        ),
        grants: grants.iter().map(planned).collect(),
    }
}

/// Why there is no decision, in a sentence.
pub(super) fn why(failure: &Failure) -> String {
    match failure {
        Failure::Call { slot, error, .. } => format!("{}: {error}", slot.name()),
        Failure::Rejected { slot, why, .. } => format!("{}: {why}", slot.name()),
        Failure::Skipped => "not tried".to_owned(),
    }
}

/// What an account would have.
pub(super) fn holding(wanted: &Wanted) -> Holding {
    let mut grants: Vec<PlannedGrant> = wanted
        .grants
        .iter()
        .map(|wanted| PlannedGrant {
            kind: match wanted.proposal.kind {
                types::GrantKind::BaseRole => GrantKind::BaseRole,
                types::GrantKind::CustomRole => GrantKind::CustomRole,
                types::GrantKind::Seat => GrantKind::Seat,
            },
            name: wanted.proposal.name.clone(),
            reason: wanted.proposal.reason.clone(),
        })
        .collect();
    grants.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Holding {
        status: match wanted.status {
            types::AccountStatus::Active => AccountStatus::Active,
            types::AccountStatus::Deactivated => AccountStatus::Deactivated,
            types::AccountStatus::Deleted => AccountStatus::Deleted,
        },
        status_reason: wanted.status_reason.clone(),
        grants,
    }
}
