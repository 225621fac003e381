//! Counts the memory of one call over all its memories and tables. wasmtime's ready-made limiter
//! looks at each memory alone, so a component of forty modules may take forty times its limit.

use crate::limits::Budget;
use wasmtime::{Error, ResourceLimiter, Result};

/// Core instances of one component. A Rust guest has 4, one of QuickJS 9, one of Python 39; a
/// snapshot takes one more while it is made.
pub(crate) const CORE_INSTANCES: u32 = 64;
/// Linear memories of one component.
pub(crate) const MEMORIES: u32 = 4;
/// Tables of one component.
pub(crate) const TABLES: u32 = 8;

/// What ends a call that wants too much. Found again by its type when the call has failed.
#[derive(Debug, thiserror::Error)]
#[error("wanted {wanted} {unit}, may have {limit}")]
pub(crate) struct TooMuch {
    unit: &'static str,
    wanted: u64,
    limit: u64,
}

/// The meter of one store, which lives for one call: nothing is ever given back.
pub(crate) struct Meter {
    memory: Count,
    table_elements: Count,
}

struct Count {
    unit: &'static str,
    used: u64,
    limit: u64,
}

impl Meter {
    /// Bytes of all memories together. None is ever given back, so it is the peak as well.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.used
    }

    pub(crate) fn new(budget: &Budget) -> Self {
        let count = |unit, limit| Count {
            unit,
            used: 0,
            limit,
        };
        Self {
            memory: count("bytes of memory", budget.memory),
            table_elements: count("elements of tables", budget.table_elements.into()),
        }
    }
}

impl Count {
    /// An error ends the call here. `Ok(false)` would let the guest's allocator see -1 and abort
    /// with a bare `unreachable`, which looks like any other bug.
    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let wanted = self
            .used
            .saturating_add(desired.saturating_sub(current) as u64);
        if wanted > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            return Err(self.exceeded(wanted).into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn exceeded(&self, wanted: u64) -> TooMuch {
        TooMuch {
            unit: self.unit,
            wanted,
            limit: self.limit,
        }
    }
}

impl ResourceLimiter for Meter {
    /// Called for the first size of every memory too (with `current` 0): nothing escapes it.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.memory.grow(current, desired, maximum)
    }

    /// We agreed, but the pool's slot or the operating system did not: the same to the guest. The
    /// count is too high from here on, which no longer matters.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        Err(error.context(self.memory.exceeded(self.memory.used)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.table_elements.grow(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        Err(error.context(self.table_elements.exceeded(self.table_elements.used)))
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn several_memories_share_one_limit() {
        let mut meter = Meter::new(&Limits::default().for_batch(1));
        assert!(meter.memory_growing(0, 40 << 20, None).unwrap());
        assert!(meter.memory_growing(0, 24 << 20, None).unwrap());
        let error = meter.memory_growing(0, 1, None).unwrap_err();
        assert!(error.is::<TooMuch>());
    }

    #[test]
    fn several_tables_share_one_limit() {
        let mut meter = Meter::new(&Limits::default().for_batch(1));
        assert!(meter.table_growing(0, 10_000, None).unwrap());
        assert!(meter.table_growing(0, 1, None).unwrap_err().is::<TooMuch>());
    }
}
