//! A batch of accounts through lifecycle, role and seat policy.
//!
//! Batches are invisible: when one traps it is halved until the account that causes it is found,
//! and only that one goes stale.

use crate::access::gather::Gathered;
use crate::model::access::{Decider, DirtyRecord};
use crate::model::plugins::Slot;
use crate::plugins::PluginError;
use gatewright_sandbox::{
    CallError, Called, FailureKind, LifecyclePolicy, Loaded, LogLine, Plugin, Rejection,
    RolePolicy, SeatPolicy, types,
};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info};
use uuid::Uuid;

/// How many calls may fail in one step. Enough to find one bad account among 16 in each slot; a
/// policy that fails for everybody costs no more than that.
const MAX_FAILED_CALLS: u32 = 10;

/// What failing calls have cost a step.
pub(super) struct Losses {
    calls: u32,
    /// The time that they took.
    pub(super) time: Duration,
}

impl Losses {
    pub(super) fn none() -> Self {
        Self {
            calls: 0,
            time: Duration::ZERO,
        }
    }
}

/// A plugin in its slot, loaded, and what grants say of it.
pub(super) struct Bound {
    pub(super) plugin: Arc<Plugin>,
    pub(super) by: Decider,
}

/// The three policies of an organization, loaded.
pub(super) struct Policies {
    lifecycle: LifecyclePolicy,
    role: RolePolicy,
    seat: SeatPolicy,
    role_by: Decider,
    seat_by: Decider,
}

/// An account to decide about.
pub(super) struct Subject {
    pub(super) account: Uuid,
    pub(super) dirty: DirtyRecord,
    pub(super) gathered: Gathered,
}

/// What the policies want for one account.
pub(super) struct Wanted {
    pub(super) status: types::AccountStatus,
    pub(super) status_reason: String,
    pub(super) grants: Vec<Proposed>,
    pub(super) ask_again: Option<u64>,
}

/// A grant that a policy wants.
pub(super) struct Proposed {
    pub(super) proposal: types::Proposal,
    pub(super) by: Decider,
}

impl Proposed {
    fn all(proposals: Vec<types::Proposal>, by: &Decider) -> impl Iterator<Item = Self> {
        proposals.into_iter().map(|proposal| Self {
            proposal,
            by: by.clone(),
        })
    }
}

/// Why there is no decision about one account.
#[derive(Clone)]
pub(super) enum Failure {
    /// The call failed for this account alone.
    Call { slot: Slot, error: Arc<CallError> },
    /// The policy refused, or wanted what it may not grant.
    Rejected { slot: Slot, why: String },
    /// Not tried: too many calls failed in this step, or no instance was free. Tried next time.
    Skipped,
}

impl Failure {
    pub(super) fn is_skip(&self) -> bool {
        matches!(self, Self::Skipped)
    }
}

type Answer<T> = Result<Called<Vec<Result<T, Rejection>>>, CallError>;

impl Policies {
    pub(super) fn new(
        lifecycle: &Bound,
        role: &Bound,
        seat: &Bound,
    ) -> Result<Self, (Slot, PluginError)> {
        let misfit = |slot: Slot| (slot, PluginError::WrongKind { slot: slot.name() });
        let Plugin::Lifecycle(lifecycle) = &*lifecycle.plugin else {
            return Err(misfit(Slot::Lifecycle));
        };
        let Plugin::Role(role_policy) = &*role.plugin else {
            return Err(misfit(Slot::Roles));
        };
        let Plugin::Seat(seat_policy) = &*seat.plugin else {
            return Err(misfit(Slot::Seats));
        };
        Ok(Self {
            lifecycle: lifecycle.clone(),
            role: role_policy.clone(),
            seat: seat_policy.clone(),
            role_by: role.by.clone(),
            seat_by: seat.by.clone(),
        })
    }

    /// Decides about each subject, in their order: those that failed last time come last, and
    /// are asked about one by one. `accounts` is what the policies are told of each.
    pub(super) fn decide(
        &self,
        context: &types::Context,
        subjects: &[Subject],
        accounts: Vec<types::Account>,
        losses: &mut Losses,
    ) -> Vec<Result<Wanted, Failure>> {
        let trusted = subjects.partition_point(|subject| subject.dirty.failures == 0);
        let lifecycle = ask(
            (Slot::Lifecycle, self.lifecycle.loaded()),
            &accounts,
            trusted,
            losses,
            &|part| self.lifecycle.decide(context, part),
        );
        let mut staged = Staged::new(accounts.len());
        let mut next = Vec::new();
        for (place, (mut account, verdict)) in accounts.into_iter().zip(lifecycle).enumerate() {
            match verdict {
                Ok(decision) => {
                    let subject = &subjects[place];
                    let (status, reason) = guard(subject, decision.status, decision.reason);
                    account.status = status;
                    staged.wanted[place] = Some(Wanted {
                        status,
                        status_reason: reason,
                        grants: Vec::new(),
                        ask_again: decision.ask_again,
                    });
                    next.push((place, account));
                }
                Err(failure) => staged.failed[place] = Some(failure),
            }
        }
        let (places, accounts): (Vec<usize>, Vec<types::Account>) = next.into_iter().unzip();
        let trusted_left = places.partition_point(|place| *place < trusted);
        let roles = ask(
            (Slot::Roles, self.role.loaded()),
            &accounts,
            trusted_left,
            losses,
            &|part| self.role.decide(context, part),
        );
        let mut next = Vec::new();
        for ((place, account), verdict) in places.into_iter().zip(accounts).zip(roles) {
            if let Some(decision) = staged.note(place, verdict) {
                staged.ask(place, decision.ask_again);
                next.push((
                    place,
                    types::SeatRequest {
                        account,
                        roles: decision.roles,
                    },
                ));
            }
        }
        let (places, requests): (Vec<usize>, Vec<types::SeatRequest>) = next.into_iter().unzip();
        let trusted_left = places.partition_point(|place| *place < trusted);
        let seats = ask(
            (Slot::Seats, self.seat.loaded()),
            &requests,
            trusted_left,
            losses,
            &|part| self.seat.decide(context, part),
        );
        for ((place, request), verdict) in places.into_iter().zip(requests).zip(seats) {
            if let Some(decision) = staged.note(place, verdict) {
                staged.ask(place, decision.ask_again);
                if let Some(wanted) = &mut staged.wanted[place] {
                    wanted.grants = Proposed::all(request.roles, &self.role_by)
                        .chain(Proposed::all(decision.seats, &self.seat_by))
                        .collect();
                }
            }
        }
        staged.finish()
    }
}

/// What is the host's own to say: whose users are all inactive is out, whatever a policy wants.
fn guard(
    subject: &Subject,
    wanted: types::AccountStatus,
    reason: String,
) -> (types::AccountStatus, String) {
    if wanted == types::AccountStatus::Active && !subject.gathered.any_user_active {
        let reason = "the identity provider says that the user is not active".to_owned();
        return (types::AccountStatus::Deactivated, reason);
    }
    (wanted, reason)
}

struct Staged {
    wanted: Vec<Option<Wanted>>,
    failed: Vec<Option<Failure>>,
}

impl Staged {
    fn new(len: usize) -> Self {
        Self {
            wanted: (0..len).map(|_| None).collect(),
            failed: (0..len).map(|_| None).collect(),
        }
    }

    fn note<T>(&mut self, place: usize, verdict: Result<T, Failure>) -> Option<T> {
        verdict
            .map_err(|failure| self.failed[place] = Some(failure))
            .ok()
    }

    fn ask(&mut self, place: usize, at: Option<u64>) {
        if let Some(wanted) = &mut self.wanted[place] {
            wanted.ask_again = wanted.ask_again.into_iter().chain(at).min();
        }
    }

    fn finish(self) -> Vec<Result<Wanted, Failure>> {
        self.wanted
            .into_iter()
            .zip(self.failed)
            .map(|(wanted, failed)| match (wanted, failed) {
                (Some(wanted), None) => Ok(wanted),
                (_, Some(failure)) => Err(failure),
                (None, None) => Err(Failure::Skipped),
            })
            .collect()
    }
}

/// The first `trusted` inputs in one call, the others in one each: else an account that fails
/// again and again would each time cost the calls that find it.
fn ask<I, T>(
    asked: (Slot, &Loaded),
    inputs: &[I],
    trusted: usize,
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let (together, alone) = inputs.split_at(trusted);
    let mut verdicts = halve(asked, together, losses, call);
    for one in alone.chunks(1) {
        verdicts.extend(halve(asked, one, losses, call));
    }
    verdicts
}

fn halve<I, T>(
    asked: (Slot, &Loaded),
    inputs: &[I],
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let (slot, plugin) = asked;
    if inputs.is_empty() {
        return Vec::new();
    }
    let skipped = || inputs.iter().map(|_| Err(Failure::Skipped)).collect();
    if losses.calls == MAX_FAILED_CALLS {
        return skipped();
    }
    match call(inputs) {
        Ok(called) => {
            note(slot, &called.log);
            called
                .value
                .into_iter()
                .map(|one| {
                    one.map_err(|why| Failure::Rejected {
                        slot,
                        why: rejected(slot, plugin, &why),
                    })
                })
                .collect()
        }
        Err(error) if error.kind == FailureKind::Busy => skipped(),
        Err(error) => {
            losses.calls += 1;
            losses.time += error.elapsed;
            note(slot, &error.log);
            info!(slot = slot.name(), batch = inputs.len(), %error, "policy failed");
            if inputs.len() == 1 {
                return vec![Err(Failure::Call {
                    slot,
                    error: Arc::new(error),
                })];
            }
            let (left, right) = inputs.split_at(inputs.len() / 2);
            let mut verdicts = halve(asked, left, losses, call);
            verdicts.extend(halve(asked, right, losses, call));
            verdicts
        }
    }
}

/// One sentence that names the plugin and its export, as those of failed calls do.
fn rejected(slot: Slot, plugin: &Loaded, why: &Rejection) -> String {
    let about = &plugin.inspection().about;
    let export = match slot {
        Slot::Lifecycle => "lifecycle-policy.decide",
        Slot::Roles => "role-policy.decide",
        Slot::Seats => "seat-policy.decide",
    };
    format!(
        "plugin {}@{} has no valid answer in {export}: {why}",
        about.name, about.version
    )
}

fn note(slot: Slot, log: &[LogLine]) {
    for line in log {
        debug!(slot = slot.name(), level = ?line.level, "plugin: {}", line.text);
    }
}
