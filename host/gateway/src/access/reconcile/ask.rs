//! One policy asked about a batch of accounts.
//!
//! Batches are invisible: when one traps it is halved until the account that causes it is found,
//! and only that one goes stale.

use super::decide::Failure;
use crate::access::reports;
use crate::model::access::Decider;
use crate::model::plugins::{Bound, Slot};
use crate::model::reports::{Outcome, Recorded};
use crate::plugins::watch::{Call, Came, Who};
use gatewright_sandbox::{CallError, Called, FailureKind, LogLine, Rejection, types};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info};

/// How many calls may fail in one step. Enough to find one bad account among 16 in two slots; a
/// policy that fails for everybody costs no more than that. When they are used up, a policy that had
/// no part in it is still asked, until it fails for the first time: so those of whom the others had
/// an answer are decided.
const MAX_FAILED_CALLS: u32 = 10;

/// How many failures of one step are recorded to be replayed. Who fails in the same way as these
/// would tell nothing new.
const MAX_RECORDED: u32 = 4;

/// Bytes of a recorded call, as JSON: who has a catalogue or an account beyond it is told of the
/// failure, and has nothing to replay.
const MAX_RECORD: usize = 1 << 20;

/// What the calls of a step came to.
pub(super) struct Losses {
    /// How many failed.
    pub(super) calls: u32,
    /// The time that these took.
    pub(super) time: Duration,
    /// All of them, for those who watch the binding.
    pub(super) seen: Vec<(Slot, Call)>,
    /// How many failures were recorded.
    recorded: u32,
}

impl Losses {
    pub(super) fn none() -> Self {
        Self {
            calls: 0,
            time: Duration::ZERO,
            seen: Vec::new(),
            recorded: 0,
        }
    }

    /// The call of a policy about one account, as it can be made again; none where enough are.
    fn record<I: Serialize>(
        &mut self,
        asked: &Asked<'_>,
        input: &I,
        outcome: Outcome,
    ) -> Option<Arc<Recorded>> {
        if self.recorded >= MAX_RECORDED {
            return None;
        }
        let recorded = Recorded {
            by: asked.by.clone(),
            bound: Bound::clone(asked.bound),
            context: serde_json::to_value(asked.context).ok()?,
            input: serde_json::to_value(input).ok()?,
            outcome,
        };
        if serde_json::to_vec(&recorded).ok()?.len() > MAX_RECORD {
            return None;
        }
        self.recorded += 1;
        Some(Arc::new(recorded))
    }

    fn see(&mut self, asked: &Asked<'_>, items: usize, came: Came, cost: (Duration, u64)) {
        let (elapsed, memory) = cost;
        let call = Call {
            who: Who::from(asked.by),
            items: items as u64,
            came,
            elapsed,
            memory,
        };
        self.seen.push((asked.by.slot, call));
    }
}

/// Who is asked, and in which context.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What grants say of it.
    pub(super) by: &'a Decider,
    /// Plugin, settings, grants and limits.
    pub(super) bound: &'a Bound,
    /// What is the same for all accounts.
    pub(super) context: &'a types::Context,
}

/// What a call for a batch comes to.
pub(super) type Answer<T> = Result<Called<Vec<Result<T, Rejection>>>, CallError>;

/// The first `trusted` inputs in one call, the others in one each: else an account that fails
/// again and again would each time cost the calls that find it.
pub(super) fn ask<I: Serialize, T>(
    asked: Asked<'_>,
    inputs: &[I],
    trusted: usize,
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let (together, alone) = inputs.split_at(trusted);
    let limit = MAX_FAILED_CALLS.max(losses.calls + 1);
    let mut verdicts = halve(asked, together, limit, losses, call);
    for one in alone.chunks(1) {
        verdicts.extend(halve(asked, one, limit, losses, call));
    }
    verdicts
}

fn halve<I: Serialize, T>(
    asked: Asked<'_>,
    inputs: &[I],
    limit: u32,
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let slot = asked.by.slot;
    if inputs.is_empty() {
        return Vec::new();
    }
    let skipped = || inputs.iter().map(|_| Err(Failure::Skipped)).collect();
    if losses.calls >= limit {
        return skipped();
    }
    match call(inputs) {
        Ok(called) => {
            note(slot, &called.log);
            let rejected = called.value.iter().filter(|one| one.is_err()).count();
            let came = Came::Answered {
                rejected: rejected as u64,
                output: called.output,
            };
            losses.see(&asked, inputs.len(), came, (called.elapsed, called.memory));
            let answers = called.value.into_iter().zip(inputs);
            let verdict = |(answer, input): (Result<T, Rejection>, &I)| {
                answer.map_err(|why| {
                    let recorded = losses.record(&asked, input, Outcome::Rejected(why.clone()));
                    Failure::Rejected {
                        slot,
                        why: reports::rejection(asked.by, &why),
                        recorded,
                    }
                })
            };
            answers.map(verdict).collect()
        }
        Err(error) => {
            let came = Came::Failed(error.kind.clone());
            losses.see(&asked, inputs.len(), came, (error.elapsed, error.memory));
            if error.kind == FailureKind::Busy {
                return skipped();
            }
            losses.calls += 1;
            losses.time += error.elapsed;
            note(slot, &error.log);
            info!(slot = slot.name(), batch = inputs.len(), %error, "policy failed");
            if let [input] = inputs {
                let recorded = losses.record(&asked, input, Outcome::Failed(error.clone()));
                return vec![Err(Failure::Call {
                    slot,
                    error: Arc::new(error),
                    recorded,
                })];
            }
            let (left, right) = inputs.split_at(inputs.len() / 2);
            let mut verdicts = halve(asked, left, limit, losses, call);
            verdicts.extend(halve(asked, right, limit, losses, call));
            verdicts
        }
    }
}

fn note(slot: Slot, log: &[LogLine]) {
    for line in log {
        debug!(slot = slot.name(), level = ?line.level, "plugin: {}", line.text);
    }
}
