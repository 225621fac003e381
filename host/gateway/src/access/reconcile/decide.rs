//! A batch of accounts through the chains of lifecycle, role and seat policies.

use super::ask::{Answer, Asked, Losses, ask};
use super::kept;
use super::merge::{Proposed, Verdict, Wish, earliest};
use crate::access::gather::Gathered;
use crate::model::access::{Decider, DirtyRecord};
use crate::model::plugins::{self, Slot};
use crate::model::reports::Recorded;
use crate::plugins::PluginError;
use gatewright_sandbox::{CallError, LifecyclePolicy, Plugin, RolePolicy, SeatPolicy, types};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// A plugin in its slot, loaded, and what grants say of it.
pub(super) struct Bound {
    pub(super) plugin: Arc<Plugin>,
    pub(super) bound: plugins::Bound,
    pub(super) by: Decider,
}

/// One policy of a chain.
struct Member<P> {
    policy: P,
    bound: plugins::Bound,
    by: Decider,
}

/// What decides in one slot.
pub(super) enum Deciding {
    /// A chain of policies.
    Chain(Vec<Bound>),
    /// Nobody: the slot is paused. Whose answers are kept, where a grant does not say it itself.
    Paused(Decider),
}

/// What decides in one slot, with policies of its kind.
enum Chained<P> {
    Chain(Vec<Member<P>>),
    Paused(Decider),
}

/// The policies of an organization, loaded: a chain for each slot.
pub(super) struct Policies {
    lifecycle: Chained<LifecyclePolicy>,
    roles: Chained<RolePolicy>,
    seats: Chained<SeatPolicy>,
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
    /// What each lifecycle policy gave as its reason.
    pub(super) lifecycle_reasons: Vec<String>,
    pub(super) grants: Vec<Proposed>,
    pub(super) ask_again: Option<u64>,
}

/// Why there is no decision about one account.
#[derive(Clone)]
pub(super) enum Failure {
    /// The call failed for this account alone.
    Call {
        slot: Slot,
        error: Arc<CallError>,
        /// How to make the call again.
        recorded: Option<Arc<Recorded>>,
    },
    /// The policy refused, or wanted what it may not grant.
    Rejected {
        slot: Slot,
        why: String,
        /// How to make the call again.
        recorded: Option<Arc<Recorded>>,
    },
    /// Not tried: too many calls failed in this step, or no instance was free. Tried next time.
    Skipped,
}

impl Failure {
    pub(super) fn is_skip(&self) -> bool {
        matches!(self, Self::Skipped)
    }
}

impl Policies {
    /// Of the chains of the three slots, in the slots' order.
    pub(super) fn new(chains: [Deciding; 3]) -> Result<Self, (Slot, PluginError)> {
        let [lifecycle, roles, seats] = chains;
        Ok(Self {
            lifecycle: members(Slot::Lifecycle, lifecycle, |plugin| match plugin {
                Plugin::Lifecycle(policy) => Some(policy.clone()),
                _ => None,
            })?,
            roles: members(Slot::Roles, roles, |plugin| match plugin {
                Plugin::Role(policy) => Some(policy.clone()),
                _ => None,
            })?,
            seats: members(Slot::Seats, seats, |plugin| match plugin {
                Plugin::Seat(policy) => Some(policy.clone()),
                _ => None,
            })?,
        })
    }

    /// Decides about each subject, in their order: those that failed last time come last, and
    /// are asked about one by one. `accounts` is what the policies are told of each: all of a chain
    /// the same.
    pub(super) fn decide(
        &self,
        context: &types::Context,
        subjects: &[Subject],
        accounts: Vec<types::Account>,
        losses: &mut Losses,
    ) -> Vec<Result<Wanted, Failure>> {
        let mut wanted: Vec<Option<Wanted>> = accounts.iter().map(|_| None).collect();
        let mut round = Round {
            context,
            trusted: subjects.partition_point(|subject| subject.dirty.failures == 0),
            failed: accounts.iter().map(|_| None).collect(),
            losses,
        };
        let all: Vec<(usize, types::Account)> = accounts.into_iter().enumerate().collect();
        let decided = round.slot(
            &self.lifecycle,
            all,
            |policy, part| policy.decide(context, part),
            |before: Option<Verdict>, decision, _| match before {
                Some(before) => before.join(decision.into()),
                None => decision.into(),
            },
            |place, account, _| kept::verdict(&subjects[place], account),
        );
        let mut next = Vec::with_capacity(decided.len());
        for (place, mut account, verdict) in decided {
            let any_active = subjects[place].gathered.any_user_active;
            let (status, status_reason) = guard(any_active, &account.signals, &verdict);
            account.status = status;
            wanted[place] = Some(Wanted {
                status,
                status_reason,
                lifecycle_reasons: verdict.reasons,
                grants: Vec::new(),
                ask_again: verdict.ask_again,
            });
            next.push((place, account));
        }
        let decided = round.slot(
            &self.roles,
            next,
            |policy, part| policy.decide(context, part),
            |before, decision, by| {
                let later = Wish::of(decision.roles, decision.ask_again, by);
                join(before, later, &context.catalogue)
            },
            |place, _, by| kept::wish(&subjects[place], by),
        );
        let mut next = Vec::with_capacity(decided.len());
        for (place, account, wish) in decided {
            let roles = wish.grants.iter().map(|one| one.proposal.clone()).collect();
            next.push((place, types::SeatRequest { account, roles }));
            want(&mut wanted[place], wish);
        }
        let decided = round.slot(
            &self.seats,
            next,
            |policy, part| policy.decide(context, part),
            |before, decision, by| {
                let later = Wish::of(decision.seats, decision.ask_again, by);
                join(before, later, &context.catalogue)
            },
            |place, _, by| kept::wish(&subjects[place], by),
        );
        for (place, _, wish) in decided {
            want(&mut wanted[place], wish);
        }
        let verdict = |(wanted, failed): (Option<Wanted>, Option<Failure>)| match failed {
            Some(failure) => Err(failure),
            None => wanted.ok_or(Failure::Skipped),
        };
        wanted.into_iter().zip(round.failed).map(verdict).collect()
    }
}

fn members<P>(
    slot: Slot,
    deciding: Deciding,
    fit: impl Fn(&Plugin) -> Option<P>,
) -> Result<Chained<P>, (Slot, PluginError)> {
    let chain = match deciding {
        Deciding::Chain(chain) => chain,
        Deciding::Paused(by) => return Ok(Chained::Paused(by)),
    };
    let member = |bound: Bound| match fit(&bound.plugin) {
        Some(policy) => Ok(Member {
            policy,
            bound: bound.bound,
            by: bound.by,
        }),
        None => Err((slot, PluginError::WrongKind { slot: slot.name() })),
    };
    let members: Result<Vec<_>, _> = chain.into_iter().map(member).collect();
    Ok(Chained::Chain(members?))
}

fn join(before: Option<Wish>, later: Wish, catalogue: &types::Catalogue) -> Wish {
    match before {
        Some(before) => before.join(later, catalogue),
        None => later,
    }
}

fn want(wanted: &mut Option<Wanted>, wish: Wish) {
    if let Some(wanted) = wanted {
        wanted.grants.extend(wish.grants);
        wanted.ask_again = earliest(wanted.ask_again, wish.ask_again);
    }
}

/// What is the host's own to say: whose users are all inactive is out, whatever a policy wants,
/// unless a presence signal says otherwise and the policies agree.
fn guard(
    any_user_active: bool,
    signals: &[types::PresenceSignal],
    wanted: &Verdict,
) -> (types::AccountStatus, String) {
    let is_present = any_user_active || signals.iter().any(|signal| signal.active);
    if wanted.status == types::AccountStatus::Active && !is_present {
        let reason = "the identity provider says that the user is not active".to_owned();
        return (types::AccountStatus::Deactivated, reason);
    }
    (wanted.status, wanted.reason.clone())
}

/// One pass through the chains of all slots.
struct Round<'a> {
    /// What is the same for all accounts.
    context: &'a types::Context,
    /// How many subjects did not fail last time: the first.
    trusted: usize,
    /// Why there is no decision, by the places of the subjects.
    failed: Vec<Option<Failure>>,
    losses: &'a mut Losses,
}

impl Round<'_> {
    /// Asks the chain of a slot; where it is paused, what was answered before is kept.
    fn slot<P, I: Serialize, T, W>(
        &mut self,
        slot: &Chained<P>,
        asked: Vec<(usize, I)>,
        call: impl Fn(&P, &[I]) -> Answer<T>,
        join: impl Fn(Option<W>, T, &Decider) -> W,
        keep: impl Fn(usize, &I, &Decider) -> W,
    ) -> Vec<(usize, I, W)> {
        match slot {
            Chained::Chain(chain) => self.chain(chain, asked, call, join),
            Chained::Paused(by) => asked
                .into_iter()
                .map(|(place, input)| {
                    let kept = keep(place, &input, by);
                    (place, input, kept)
                })
                .collect(),
        }
    }

    /// Asks one policy of a chain after the other, and joins what they want of each subject. Whoever
    /// fails is asked about no further: one policy without an answer is a chain without one.
    fn chain<P, I: Serialize, T, W>(
        &mut self,
        chain: &[Member<P>],
        asked: Vec<(usize, I)>,
        call: impl Fn(&P, &[I]) -> Answer<T>,
        join: impl Fn(Option<W>, T, &Decider) -> W,
    ) -> Vec<(usize, I, W)> {
        let (mut places, mut inputs): (Vec<usize>, Vec<I>) = asked.into_iter().unzip();
        let mut wanted: Vec<Option<W>> = places.iter().map(|_| None).collect();
        for Member { policy, bound, by } in chain {
            let trusted = places.partition_point(|place| *place < self.trusted);
            let asked = Asked {
                by,
                bound,
                context: self.context,
            };
            let verdicts = ask(asked, &inputs, trusted, self.losses, &|part| {
                call(policy, part)
            });
            let before = (places.into_iter().zip(inputs)).zip(wanted);
            (places, inputs, wanted) = Default::default();
            for (((place, input), before), verdict) in before.zip(verdicts) {
                match verdict {
                    Ok(decision) => {
                        places.push(place);
                        inputs.push(input);
                        wanted.push(Some(join(before, decision, by)));
                    }
                    Err(failure) => self.failed[place] = Some(failure),
                }
            }
        }
        let answered = places.into_iter().zip(inputs).zip(wanted);
        answered
            .filter_map(|((place, input), wanted)| Some((place, input, wanted?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
