//! Decides about accounts without storing anything: what a plan is made of.

use super::ask::Losses;
use super::decide::{Failure, Subject, Wanted};
use super::setting::Setting;
use super::step::{BATCH, REST, StepError};
use crate::access::gather::Gathered;
use crate::clock::Timestamp;
use crate::model::access::{AccountStatus, DirtyRecord, GrantKind};
use crate::model::plans::{Holding, PlannedGrant};
use gatewright_sandbox::types;
use gatewright_store::{OrganizationScope, Reader};
use std::time::Duration;
use uuid::Uuid;

/// What an account has, and what it would have.
pub(in crate::access) struct Tried {
    pub(in crate::access) account: Uuid,
    pub(in crate::access) label: String,
    pub(in crate::access) before: Holding,
    /// Or why there is no decision, in a sentence.
    pub(in crate::access) after: Result<Holding, String>,
    /// When the policies want to be asked again.
    pub(in crate::access) ask_again: Option<u64>,
}

/// What became of trying some accounts.
pub(in crate::access) struct Trial {
    /// Those that were decided or refused, in their order. One that is gone is not among them.
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
    reader: &Reader<OrganizationScope>,
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
    let mut gatherer = setting.gatherer(reader)?;
    'parts: for part in accounts.chunks(BATCH) {
        let (mut subjects, mut told) = (Vec::new(), Vec::new());
        for account in part {
            if let Some((gathered, account_told)) = gatherer.account(*account)? {
                subjects.push(subject(*account, gathered));
                told.push(account_told);
            }
        }
        let verdicts = setting.decide(now, &subjects, told, &mut losses);
        for (subject, verdict) in subjects.into_iter().zip(verdicts) {
            if matches!(verdict, Err(Failure::Skipped)) {
                let place = accounts.iter().position(|id| *id == subject.account);
                trial.reached = place.unwrap_or(trial.reached);
                break 'parts;
            }
            trial.tried.push(tried(subject, verdict));
        }
        trial.reached += part.len();
    }
    trial.rest = losses.time * REST;
    Ok(trial)
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

fn tried(subject: Subject, verdict: Result<Wanted, Failure>) -> Tried {
    let Gathered {
        record, assignment, ..
    } = subject.gathered;
    let grants = assignment.map_or_else(Vec::new, |stored| stored.grants);
    let before = Holding {
        status: record.status,
        status_reason: record.status_reason,
        grants: grants
            .into_iter()
            .map(|grant| PlannedGrant {
                kind: grant.kind,
                name: grant.name,
                reason: grant.reason,
            })
            .collect(),
    };
    let (after, ask_again) = match verdict {
        Ok(wanted) => {
            let ask_again = wanted.ask_again;
            (Ok(holding(wanted)), ask_again)
        }
        Err(failure) => (Err(why(&failure)), None),
    };
    Tried {
        account: subject.account,
        label: record.label,
        before,
        after,
        ask_again,
    }
}

fn why(failure: &Failure) -> String {
    match failure {
        Failure::Call { slot, error } => format!("{}: {error}", slot.name()),
        Failure::Rejected { slot, why } => format!("{}: {why}", slot.name()),
        Failure::Skipped => "not tried".to_owned(),
    }
}

fn holding(wanted: Wanted) -> Holding {
    let mut grants: Vec<PlannedGrant> = wanted
        .grants
        .into_iter()
        .map(|wanted| PlannedGrant {
            kind: match wanted.proposal.kind {
                types::GrantKind::BaseRole => GrantKind::BaseRole,
                types::GrantKind::CustomRole => GrantKind::CustomRole,
                types::GrantKind::Seat => GrantKind::Seat,
            },
            name: wanted.proposal.name,
            reason: wanted.proposal.reason,
        })
        .collect();
    grants.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Holding {
        status: match wanted.status {
            types::AccountStatus::Active => AccountStatus::Active,
            types::AccountStatus::Deactivated => AccountStatus::Deactivated,
            types::AccountStatus::Deleted => AccountStatus::Deleted,
        },
        status_reason: wanted.status_reason,
        grants,
    }
}
