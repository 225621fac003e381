//! One policy asked about a batch of accounts.
//!
//! Batches are invisible: when one traps it is halved until the account that causes it is found,
//! and only that one goes stale.

use super::decide::Failure;
use crate::model::access::Decider;
use crate::model::plugins::Slot;
use gatewright_sandbox::{CallError, Called, FailureKind, LogLine, Rejection};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info};

/// How many calls may fail in one step. Enough to find one bad account among 16 in two slots; a
/// policy that fails for everybody costs no more than that. When they are used up, a policy that had
/// no part in it is still asked, until it fails for the first time: so those of whom the others had
/// an answer are decided.
const MAX_FAILED_CALLS: u32 = 10;

/// What failing calls have cost a step.
pub(super) struct Losses {
    /// How many there were.
    pub(super) calls: u32,
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

/// What a call for a batch comes to.
pub(super) type Answer<T> = Result<Called<Vec<Result<T, Rejection>>>, CallError>;

/// The first `trusted` inputs in one call, the others in one each: else an account that fails
/// again and again would each time cost the calls that find it.
pub(super) fn ask<I, T>(
    by: &Decider,
    inputs: &[I],
    trusted: usize,
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let (together, alone) = inputs.split_at(trusted);
    let limit = MAX_FAILED_CALLS.max(losses.calls + 1);
    let mut verdicts = halve(by, together, limit, losses, call);
    for one in alone.chunks(1) {
        verdicts.extend(halve(by, one, limit, losses, call));
    }
    verdicts
}

fn halve<I, T>(
    by: &Decider,
    inputs: &[I],
    limit: u32,
    losses: &mut Losses,
    call: &dyn Fn(&[I]) -> Answer<T>,
) -> Vec<Result<T, Failure>> {
    let slot = by.slot;
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
            called
                .value
                .into_iter()
                .map(|one| {
                    one.map_err(|why| Failure::Rejected {
                        slot,
                        why: rejected(by, &why),
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
            let mut verdicts = halve(by, left, limit, losses, call);
            verdicts.extend(halve(by, right, limit, losses, call));
            verdicts
        }
    }
}

/// One sentence that names the plugin and its export, as those of failed calls do.
fn rejected(by: &Decider, why: &Rejection) -> String {
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

fn note(slot: Slot, log: &[LogLine]) {
    for line in log {
        debug!(slot = slot.name(), level = ?line.level, "plugin: {}", line.text);
    }
}
