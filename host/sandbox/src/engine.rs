//! The engines: how WebAssembly becomes machine code and gets its memory.

use crate::limits::{MAX_MEMORY, MAX_TABLE_ELEMENTS};
use crate::meter::{CORE_INSTANCES, MEMORIES, TABLES};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use std::{fmt, io, thread};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result,
};

/// How often the epoch moves on, which is how often a running call is looked at: its deadline is
/// kept to one tick, and a tick costs it less than a microsecond.
const TICK: Duration = Duration::from_millis(1);

/// Memories that the pool has for each call. Nearly all components have one; one with more takes
/// a neighbour's.
const MEMORIES_PER_SLOT: u32 = 2;

/// How instances get their memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allocation {
    /// From slots that were reserved at start: calls on several threads do not wait for each other.
    Pooled {
        /// Calls that may run at the same time.
        slots: u32,
    },
    /// From the operating system, call by call: it works, at about half the speed.
    OnDemand {
        /// Why there is no pool.
        reason: String,
    },
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pooled { slots } => write!(f, "a pool of {slots} slots"),
            Self::OnDemand { reason } => write!(f, "on demand, because {reason}"),
        }
    }
}

/// What machine code is made for. Both sides, the compiler and the one that runs its code, have to
/// agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) space: Space,
    /// Whether it counts what it runs.
    pub(crate) counts_fuel: bool,
}

/// How machine code finds its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Space {
    /// 4 GiB of address space for each memory: no bounds checks, memories never move.
    Spacious,
    /// Address space only as far as it is used, for a process that has little of it.
    Tight,
}

/// The engine that calls plugins, with its ticker, and how it allocates.
pub(crate) fn start(slots: u32, counts_fuel: bool) -> Result<(Engine, Layout, Allocation)> {
    let layout = |space| Layout { space, counts_fuel };
    let mut config = config(layout(Space::Spacious));
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
    let (engine, layout, allocation) = match Engine::new(&config) {
        Ok(engine) => (
            engine,
            layout(Space::Spacious),
            Allocation::Pooled { slots },
        ),
        // Little address space: `ulimit -v`, a small container, too many slots.
        Err(error) => {
            let reason = error.root_cause().to_string();
            (
                Engine::new(&self::config(layout(Space::Tight)))?,
                layout(Space::Tight),
                Allocation::OnDemand { reason },
            )
        }
    };
    start_ticker(&engine)?;
    Ok((engine, layout, allocation))
}

/// An engine that only compiles: machine code for the engine of [`start`] with that layout. Without
/// a pool, which would not fit into the compiler's address space.
pub(crate) fn compiling_for(layout: Layout) -> Result<Engine> {
    Engine::new(&config(layout))
}

/// The engine on which the compiler's process itself runs a guest, with its ticker.
pub(crate) fn confined() -> Result<Engine> {
    let engine = Engine::new(&config(Layout {
        space: Space::Tight,
        counts_fuel: false,
    }))?;
    start_ticker(&engine)?;
    Ok(engine)
}

fn config(layout: Layout) -> Config {
    let mut config = Config::new();
    config
        // Ends endless loops, for 13 to 20 % of speed.
        .epoch_interruption(true)
        // Nothing a guest can call waits, so neither this nor fibers are needed, and a guest
        // reaches less code.
        .concurrency_support(false)
        // Part of the calling thread's stack, which has to have more than this. An endless
        // recursion ends here as a trap.
        .max_wasm_stack(512 << 10)
        .wasm_memory64(false)
        .consume_fuel(layout.counts_fuel);
    if layout.space == Space::Tight {
        config
            .memory_reservation(0)
            .memory_reservation_for_growth(1 << 20)
            .memory_guard_size(64 << 10);
    }
    config
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(slots.saturating_mul(MEMORIES_PER_SLOT))
        .max_memories_per_component(MEMORIES)
        .total_tables(slots.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .max_memory_size(usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX))
        .table_elements(MAX_TABLE_ELEMENTS as usize)
        // These three make a second thread worth having. Without them each call gives its pages
        // back to the kernel, and for that, and for the page faults after it, threads wait for each
        // other. Pages that are kept are overwritten instead. 2 MiB, because rustc puts 1 MiB of
        // stack before a guest's data.
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(64 << 10)
        // Asks the kernel which pages were written. Not `Yes`, which fails before Linux 6.7.
        .pagemap_scan(Enabled::Auto);
    pool
}

/// A thread of its own, not a timer of an asynchronous runtime, where one busy worker holds back
/// the very tick that is to interrupt it. Ticks that were missed are skipped: a machine that wakes
/// from sleep must not end all calls at once with a burst of them.
fn start_ticker(engine: &Engine) -> io::Result<()> {
    // Weak, and upgraded for one line only, so that the thread ends with the engine.
    let engine = engine.weak();
    thread::Builder::new()
        .name("epoch-ticker".into())
        .spawn(move || {
            loop {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else {
                    break;
                };
                engine.increment_epoch();
            }
        })
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    fn hash(engine: &Engine) -> u64 {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_compiler_makes_code_for_the_engine_that_runs_it() {
        for counts_fuel in [false, true] {
            let (pooled, layout, _) = start(4, counts_fuel).unwrap();
            assert_eq!(layout.space, Space::Spacious);
            assert_eq!(hash(&pooled), hash(&compiling_for(layout).unwrap()));
        }
    }

    #[test]
    fn without_address_space_for_the_pool_memory_comes_on_demand() {
        // 200,000 slots want more than the 128 TiB that a process has.
        let (engine, layout, allocation) = start(200_000, false).unwrap();
        assert_eq!(layout.space, Space::Tight);
        assert!(matches!(allocation, Allocation::OnDemand { .. }));
        assert_eq!(hash(&engine), hash(&compiling_for(layout).unwrap()));
        assert_ne!(
            hash(&engine),
            hash(
                &compiling_for(Layout {
                    space: Space::Spacious,
                    counts_fuel: false,
                })
                .unwrap()
            )
        );
    }
}
