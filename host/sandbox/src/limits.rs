//! What one call may use.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// No memory of a guest grows beyond this, whatever [`Limits`] say: it is the size of a slot of
/// the pool. Chosen for a group with 100,000 members through a provider plugin: a
/// body of 9 MiB that is parsed and written anew takes about 110 MiB there.
pub const MAX_MEMORY: u64 = 256 * MIB;

/// The elements that all tables of one guest together may have, at the most.
pub const MAX_TABLE_ELEMENTS: u32 = 20_000;

/// How many single answers' worth of output a batch may have. A guest can point to one text a
/// thousand times, so without this bound its batch would cost the host a thousand times the text.
/// A batch that goes over it fails, and its halves, down to the single account, get room again.
const BATCH_OUTPUT: u64 = 16;

/// The limits of every call of one plugin. None of them can be switched off.
///
/// The default is that of a policy, [`Limits::for_provider`] that of a provider plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The processor's time of a call with one account or request, kept to about a millisecond.
    /// 50 ms.
    pub time: Duration,
    /// Added for each further account of a batch. 5 ms.
    pub time_per_extra_item: Duration,
    /// Added for each MiB of the bodies that a provider plugin receives, in proportion.
    /// Policies: nothing; providers: 250 ms.
    pub time_per_mebibyte: Duration,
    /// Bytes of all linear memories of an instance together, never above [`MAX_MEMORY`]. 64 MiB.
    pub memory: u64,
    /// Added to `memory` for each byte of the bodies. Policies: 0; providers: 16.
    pub memory_per_body_byte: u32,
    /// Bytes that a guest may return for one account or request, counted as the host keeps them:
    /// the length of each text and the size of each list's elements. 1 MiB. A batch may return as
    /// much for each account, but 16 times it together.
    pub output: u64,
    /// Added to `output` for each byte of the bodies. Policies: 0; providers: 2.
    pub output_per_body_byte: u32,
    /// Bytes of log lines and printed text that are kept of one call; the rest is dropped, and the
    /// log says so. 64 KiB.
    pub log: u64,
    /// Elements of all tables of an instance together, never above [`MAX_TABLE_ELEMENTS`]. 10,000.
    pub table_elements: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(50),
            time_per_extra_item: Duration::from_millis(5),
            time_per_mebibyte: Duration::ZERO,
            memory: 64 * MIB,
            memory_per_body_byte: 0,
            output: MIB,
            output_per_body_byte: 0,
            log: 64 * KIB,
            table_elements: 10_000,
        }
    }
}

impl Limits {
    /// The default of provider plugins: time, memory and output grow with the bodies that they
    /// are handed, so that a large group passes and a small request is held to the small limits.
    #[must_use]
    pub fn for_provider() -> Self {
        Self {
            time_per_mebibyte: Duration::from_millis(250),
            memory_per_body_byte: 16,
            output_per_body_byte: 2,
            ..Self::default()
        }
    }

    /// For a call with so many accounts.
    pub(crate) fn for_batch(&self, items: usize) -> Budget {
        let extra = u32::try_from(items.saturating_sub(1)).unwrap_or(u32::MAX);
        let outputs = (items as u64).clamp(1, BATCH_OUTPUT);
        Budget {
            time: self.time + self.time_per_extra_item.saturating_mul(extra),
            output: self.output.saturating_mul(outputs),
            ..self.base()
        }
    }

    /// For a call with bodies of so many bytes.
    pub(crate) fn for_bodies(&self, bytes: usize) -> Budget {
        let bytes = bytes as u64;
        let grown =
            |limit: u64, factor: u32| limit.saturating_add(bytes.saturating_mul(u64::from(factor)));
        let share = bytes as f64 / MIB as f64;
        Budget {
            time: self.time + self.time_per_mebibyte.mul_f64(share),
            memory: grown(self.memory, self.memory_per_body_byte).min(MAX_MEMORY),
            output: grown(self.output, self.output_per_body_byte),
            ..self.base()
        }
    }

    /// For `describe` and `configure` while the plugin is loaded: nobody waits for these but the
    /// one who loads it, so they get the time that a large settings object wants.
    pub(crate) fn for_preparation(&self) -> Budget {
        Budget {
            time: Duration::from_secs(5),
            output: self.output.max(MIB),
            ..self.base()
        }
    }

    fn base(&self) -> Budget {
        Budget {
            time: self.time,
            memory: self.memory.min(MAX_MEMORY),
            output: self.output,
            log: self.log,
            table_elements: self.table_elements.min(MAX_TABLE_ELEMENTS),
        }
    }
}

/// The limits of one certain call. Also part of the compiler's job, hence serializable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) time: Duration,
    pub(crate) memory: u64,
    pub(crate) output: u64,
    pub(crate) log: u64,
    pub(crate) table_elements: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gets_time_in_proportion_and_bounded_output() {
        let limits = Limits::default();
        assert_eq!(limits.for_batch(0), limits.for_batch(1));
        assert_eq!(limits.for_batch(1).time, Duration::from_millis(50));
        assert_eq!(limits.for_batch(101).time, Duration::from_millis(550));
        assert_eq!(limits.for_batch(10).output, 10 * MIB);
        assert_eq!(limits.for_batch(1000).output, 16 * MIB);
    }

    #[test]
    fn a_large_body_gets_room_up_to_the_slot() {
        let limits = Limits::for_provider();
        let budget = limits.for_bodies(4 << 20);
        assert_eq!(budget.time, Duration::from_millis(1050));
        assert_eq!(budget.memory, 128 * MIB);
        assert_eq!(budget.output, 9 * MIB);
        assert_eq!(limits.for_bodies(1 << 30).memory, MAX_MEMORY);
    }
}
