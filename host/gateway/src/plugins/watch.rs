//! What the calls of plugins come to and what they cost: counted in memory, for those who operate
//! the gateway. It begins anew with the gateway and with each change of a binding.

use crate::clock::Timestamp;
use crate::model::access::Decider;
use crate::model::plugins::Slot;
use gatewright_sandbox::FailureKind;
use gatewright_store::OrganizationId;
use hdrhistogram::Histogram;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Significant digits of a histogram. One keeps it at a kilobyte and a half, where an organization
/// has a handful of plugins and a gateway a thousand organizations.
const DIGITS: u8 = 1;

/// The longest time that a histogram tells from a longer one, in microseconds: two minutes, where a
/// call may take seconds.
const LONGEST: u64 = 120_000_000;

/// What is watched: plugins that are bound together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// The chain that decides in a slot.
    Slot(Slot),
    /// The chain that runs beside it.
    Shadow(Slot),
    /// The provider plugin of a directory.
    Provider(Uuid),
}

/// Which plugin was called. Another version of the binding is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its place in the chain, from 0.
    pub place: u32,
    /// Its name.
    pub plugin: String,
    /// Its own version.
    pub version: String,
    /// The version of the binding; 0 for a provider plugin.
    pub binding: u64,
}

impl From<&Decider> for Who {
    fn from(by: &Decider) -> Self {
        Self {
            place: by.place,
            plugin: by.plugin.clone(),
            version: by.version.clone(),
            binding: by.binding,
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who was called.
    pub who: Who,
    /// About how many accounts or requests.
    pub items: u64,
    /// What came of it.
    pub came: Came,
    /// How long it took, the making of the instance included.
    pub elapsed: Duration,
    /// The most bytes of linear memory that it had.
    pub memory: u64,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Came {
    /// There was an answer.
    Answered {
        /// How many of its items were refused, by the plugin or by the host for what it wants.
        rejected: u64,
        /// Bytes of the answer, as the limit of output counts them.
        output: u64,
    },
    /// There was none.
    Failed(FailureKind),
}

/// What is known of one plugin.
#[derive(Clone, Debug)]
pub struct Health {
    /// Which.
    pub who: Who,
    /// Since when it is counted.
    pub since: Timestamp,
    /// Calls, those that failed included.
    pub calls: u64,
    /// Accounts or requests in them.
    pub items: u64,
    /// Those that were refused, by the plugin or by the host for what it wants.
    pub rejected: u64,
    /// Calls without an answer, by the kind of failure.
    pub failed: BTreeMap<&'static str, u64>,
    /// The most bytes of linear memory that a call had.
    pub memory_peak: u64,
    /// The most bytes of an answer.
    pub output_peak: u64,
    /// How long calls took, in microseconds.
    micros: Histogram<u32>,
}

impl Health {
    fn new(who: Who, since: Timestamp) -> Option<Self> {
        Some(Self {
            who,
            since,
            calls: 0,
            items: 0,
            rejected: 0,
            failed: BTreeMap::new(),
            memory_peak: 0,
            output_peak: 0,
            micros: Histogram::new_with_bounds(1, LONGEST, DIGITS).ok()?,
        })
    }

    fn note(&mut self, call: &Call) {
        self.calls += 1;
        self.items += call.items;
        self.memory_peak = self.memory_peak.max(call.memory);
        let micros = u64::try_from(call.elapsed.as_micros()).unwrap_or(u64::MAX);
        self.micros.saturating_record(micros);
        match &call.came {
            Came::Answered { rejected, output } => {
                self.rejected += rejected;
                self.output_peak = self.output_peak.max(*output);
            }
            Came::Failed(kind) => *self.failed.entry(name(kind)).or_default() += 1,
        }
    }

    /// The time within which this part of all calls was done, in microseconds, 6 % too long at most.
    #[must_use]
    pub fn micros_at(&self, part: f64) -> u64 {
        self.micros.value_at_quantile(part)
    }
}

/// The name of a kind of failure, as reports have it.
fn name(kind: &FailureKind) -> &'static str {
    match kind {
        FailureKind::Timeout => "timeout",
        FailureKind::Memory => "memory",
        FailureKind::Output(_) => "output",
        FailureKind::Stack => "stack",
        FailureKind::Denied(_) => "denied",
        FailureKind::Trap(_) => "trap",
        FailureKind::Busy => "busy",
        FailureKind::Garbage(_) => "garbage",
        FailureKind::Other(_) => "other",
    }
}

/// What is known of all plugins.
#[derive(Default)]
pub struct Watch {
    seen: Mutex<HashMap<(OrganizationId, Bound), BTreeMap<u32, Health>>>,
}

impl Watch {
    /// Counts calls. What was known of another plugin at the same place is forgotten.
    pub fn note(
        &self,
        organization: OrganizationId,
        bound: Bound,
        now: Timestamp,
        calls: impl IntoIterator<Item = Call>,
    ) {
        let mut calls = calls.into_iter().peekable();
        if calls.peek().is_none() {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = seen.entry((organization, bound)).or_default();
        for call in calls {
            // A chain is bound as a whole: of another version nothing is in force any more. A step
            // that began before the change may come last; what it says of the old one is dropped.
            let newest = chain.values().map(|one| one.who.binding).max();
            match newest {
                Some(newest) if newest > call.who.binding => continue,
                Some(newest) if newest < call.who.binding => chain.clear(),
                _ => {}
            }
            let known = chain.get_mut(&call.who.place);
            if let Some(known) = known.filter(|known| known.who == call.who) {
                known.note(&call);
            } else if let Some(mut health) = Health::new(call.who.clone(), now) {
                health.note(&call);
                chain.insert(call.who.place, health);
            }
        }
    }

    /// What is known of plugins that are bound together, in the order of their chain. Nothing, where
    /// none was called since the gateway began or the binding changed.
    #[must_use]
    pub fn of(&self, organization: OrganizationId, bound: Bound) -> Vec<Health> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = seen.get(&(organization, bound));
        chain.map_or_else(Vec::new, |chain| chain.values().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Call, Came, Watch, Who};
    use crate::clock::Timestamp;
    use crate::model::plugins::Slot;
    use gatewright_sandbox::FailureKind;
    use gatewright_store::OrganizationId;
    use std::time::Duration;
    use uuid::Uuid;

    fn call(place: u32, binding: u64, micros: u64, came: Came) -> Call {
        Call {
            who: Who {
                place,
                plugin: "any".to_owned(),
                version: "1.0.0".to_owned(),
                binding,
            },
            items: 16,
            came,
            elapsed: Duration::from_micros(micros),
            memory: micros,
        }
    }

    fn answered(rejected: u64, output: u64) -> Came {
        Came::Answered { rejected, output }
    }

    #[test]
    fn calls_are_counted_and_another_binding_begins_anew() {
        let watch = Watch::default();
        let organization = OrganizationId::from(Uuid::from_u128(1));
        let roles = Bound::Slot(Slot::Roles);
        let first = (1..=99).map(|n| call(0, 3, n, answered(1, n)));
        let late = call(0, 3, 50_000, Came::Failed(FailureKind::Timeout));
        watch.note(organization, roles, Timestamp(7), first.chain([late]));
        watch.note(
            organization,
            roles,
            Timestamp(8),
            [call(1, 3, 5, answered(0, 0))],
        );
        let seen = watch.of(organization, roles);
        assert_eq!(seen.len(), 2);
        let health = &seen[0];
        assert_eq!((health.calls, health.items), (100, 1_600));
        assert_eq!((health.rejected, health.output_peak), (99, 99));
        assert_eq!((health.memory_peak, health.since), (50_000, Timestamp(7)));
        assert_eq!(health.failed.iter().collect::<Vec<_>>(), [(&"timeout", &1)]);
        let near = |part: f64, micros: f64| {
            let found = health.micros_at(part) as f64;
            assert!(found >= micros && found <= micros * 1.07, "{found}");
        };
        near(0.5, 50.0);
        near(0.99, 99.0);
        near(1.0, 50_000.0);

        watch.note(
            organization,
            roles,
            Timestamp(9),
            [call(0, 4, 5, answered(0, 0)), call(0, 3, 5, answered(0, 0))],
        );
        let seen = watch.of(organization, roles);
        assert_eq!((seen.len(), seen[0].calls), (1, 1));
        assert_eq!(seen[0].who.binding, 4);
        assert!(
            watch
                .of(organization, Bound::Shadow(Slot::Roles))
                .is_empty()
        );
    }
}
