//! The door of this crate: takes components in, hands plugins out.

use crate::bounds::Grants;
use crate::cache::{Cache, Entry};
use crate::call::Guest;
use crate::compiler::{Compiler, CompilerError};
use crate::engine::{self, Allocation, Layout};
use crate::error::{LoadError, StartError};
use crate::job::{Job, Prepared, Reply, Setup, Task};
use crate::limits::Limits;
use crate::plugin::{Frozen, Loaded, Plugin};
use crate::report::{ComponentError, Inspection};
use crate::{Digest, shape};
use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use wasmtime::Engine;
use wasmtime::component::Component;

/// How a [`Sandbox`] is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where machine code is kept between runs. Made with mode 0700; nobody else may write there,
    /// because what lies there is run.
    pub cache_dir: PathBuf,
    /// The process that compiles.
    pub compiler: Compiler,
    /// Calls that may run at the same time; one more fails as `Busy`. Each slot reserves 8 GiB of
    /// address space, which costs no memory, and keeps up to 2 MiB of memory for its next call.
    pub slots: u32,
    /// Whether calls say how much they ran: see [`Called::fuel`](crate::Called::fuel). It makes them
    /// slower, so it is for those who measure a plugin, not for those who run it.
    pub counts_fuel: bool,
}

impl Config {
    /// With 64 slots, and not counting fuel.
    #[must_use]
    pub fn new(cache_dir: PathBuf, compiler: Compiler) -> Self {
        Self {
            cache_dir,
            compiler,
            slots: 64,
            counts_fuel: false,
        }
    }
}

/// The runtime of all plugins of a process: one engine, one pool, one cache. Cheap to clone.
///
/// Threads that call plugins need 1 MiB of stack or more, of which a guest may use 512 KiB.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    layout: Layout,
    allocation: Allocation,
    compiler: Compiler,
    cache: Cache,
    /// What is in use, so that bindings with the same component and settings share it.
    in_use: Mutex<HashMap<Digest, Weak<Frozen>>>,
    /// One compiler at a time: its memory is bounded for one, and two loads of the same plugin do
    /// the work once.
    compiling: Mutex<()>,
}

impl Sandbox {
    /// Reserves the pool and opens the cache. Says in the log how instances are allocated.
    ///
    /// # Errors
    ///
    /// [`StartError`] where the cache directory is not usable or the engine does not start. Too
    /// little address space is no error: see [`Sandbox::allocation`].
    pub fn start(config: Config) -> Result<Self, StartError> {
        let cache = Cache::open(&config.cache_dir)?;
        let (engine, layout, allocation) =
            engine::start(config.slots, config.counts_fuel).map_err(StartError::Engine)?;
        match &allocation {
            Allocation::Pooled { .. } => tracing::info!("plugins run in {allocation}"),
            Allocation::OnDemand { .. } => tracing::warn!(
                "plugins get their memory {allocation}; give the process more address space, or \
                 fewer slots, to have them twice as fast"
            ),
        }
        Ok(Self(Arc::new(Inner {
            engine,
            layout,
            allocation,
            compiler: config.compiler,
            cache,
            in_use: Mutex::default(),
            compiling: Mutex::default(),
        })))
    }

    /// How instances get their memory.
    #[must_use]
    pub fn allocation(&self) -> &Allocation {
        &self.0.allocation
    }

    /// Finds out what a component is, without configuring it or taking it into use. Blocks for
    /// as long as compiling takes, which is at most the compiler's time.
    ///
    /// # Errors
    ///
    /// [`LoadError`], which names what to mend where the component is at fault.
    pub fn inspect(&self, wasm: &[u8]) -> Result<Inspection, LoadError> {
        shape::check_file(wasm)?;
        let _turn = lock(&self.0.compiling);
        match self.0.compile(wasm, &Limits::default(), Task::Inspect)? {
            Reply::Inspected(inspection) => Ok(inspection),
            _ => Err(unexpected()),
        }
    }

    /// Loads a component with its settings: checks both, configures it, freezes it, and proves it
    /// with a trial call under the given limits. Blocks: at most for the compiler's time, and
    /// microseconds where the same component was loaded with the same settings before.
    ///
    /// # Errors
    ///
    /// [`LoadError`], which names what to mend where component or settings are at fault. Nothing
    /// that is in use is touched then.
    pub fn load(
        &self,
        wasm: &[u8],
        settings: &serde_json::Value,
        limits: Limits,
        grants: Grants,
    ) -> Result<Plugin, LoadError> {
        shape::check_file(wasm)?;
        let frozen = self.0.frozen(wasm, settings, &limits)?;
        let loaded = Loaded {
            frozen,
            limits,
            grants,
        };
        Ok(Plugin::try_out(loaded)?)
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("allocation", &self.0.allocation)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// From memory, from the cache, or from the compiler.
    fn frozen(
        &self,
        wasm: &[u8],
        settings: &serde_json::Value,
        limits: &Limits,
    ) -> Result<Arc<Frozen>, LoadError> {
        let key = self.key(wasm, settings);
        if let Some(frozen) = self.find(&key) {
            return Ok(frozen);
        }
        if let Some(frozen) = self.cached(&key, settings) {
            return Ok(self.share(key, frozen));
        }
        let _turn = lock(&self.compiling);
        // Another load may have done the work in the meantime.
        if let Some(frozen) = self.find(&key) {
            return Ok(frozen);
        }
        let scratch = self.cache.scratch(&key);
        let task = Task::Prepare {
            settings: settings.clone(),
            layout: self.layout,
            output: scratch.clone(),
        };
        let entry = self
            .compile(wasm, limits, task)
            .and_then(|reply| match reply {
                Reply::Prepared(prepared) => Ok(self.cache.put(&key, &scratch, prepared)?),
                _ => Err(unexpected()),
            });
        if entry.is_err() {
            // What the compiler may have left of its output.
            let _ = fs::remove_file(&scratch);
        }
        Ok(self.share(key, self.take_into_use(entry?, settings)?))
    }

    /// Everything that machine code depends on. The order of the settings' keys counts too, which
    /// costs at most a second entry.
    fn key(&self, wasm: &[u8], settings: &serde_json::Value) -> Digest {
        let mut engine = DefaultHasher::new();
        self.engine
            .precompile_compatibility_hash()
            .hash(&mut engine);
        Digest::of_parts(&[
            wasm,
            settings.to_string().as_bytes(),
            &engine.finish().to_le_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
        ])
    }

    fn find(&self, key: &Digest) -> Option<Arc<Frozen>> {
        lock(&self.in_use).get(key)?.upgrade()
    }

    /// Where two threads loaded the same, the first one's is used by both.
    fn share(&self, key: Digest, frozen: Frozen) -> Arc<Frozen> {
        let mut in_use = lock(&self.in_use);
        if let Some(frozen) = in_use.get(&key).and_then(Weak::upgrade) {
            return frozen;
        }
        in_use.retain(|_, frozen| frozen.strong_count() > 0);
        let frozen = Arc::new(frozen);
        in_use.insert(key, Arc::downgrade(&frozen));
        frozen
    }

    /// An entry that cannot be used is as good as none.
    fn cached(&self, key: &Digest, settings: &serde_json::Value) -> Option<Frozen> {
        let entry = self.cache.get(key)?;
        match self.take_into_use(entry, settings) {
            Ok(frozen) => Some(frozen),
            Err(error) => {
                tracing::warn!(%key, %error, "compiled plugin is unusable and is made again");
                None
            }
        }
    }

    fn compile(&self, wasm: &[u8], limits: &Limits, task: Task) -> Result<Reply, LoadError> {
        let job = Job {
            memory_bytes: self.compiler.memory_bytes,
            seconds: self.compiler.seconds(),
            budget: limits.for_preparation(),
            task,
        };
        match self.compiler.run(&job, wasm)? {
            Reply::Refused(error) => Err(error.into()),
            reply => Ok(reply),
        }
    }

    fn take_into_use(
        &self,
        entry: Entry,
        settings: &serde_json::Value,
    ) -> Result<Frozen, LoadError> {
        let Entry { prepared, code } = entry;
        let component = deserialize(&self.engine, &code).map_err(LoadError::Code)?;
        let Prepared {
            inspection, setup, ..
        } = prepared;
        let about = &inspection.about;
        let mut guest = Guest::new(&component)
            .map_err(|error| ComponentError::mismatch(&error))?
            .named(&about.name, &about.version)
            .counting_fuel(self.layout.counts_fuel);
        if let Setup::EachCall { .. } = setup {
            guest = guest.configured_each_time(settings.to_string());
        }
        Ok(Frozen {
            inspection,
            setup,
            guest,
        })
    }
}

#[expect(
    unsafe_code,
    reason = "machine code that our own compiler wrote can be loaded in no other way"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what `precompile_component` returned in our compiler's process. It comes
    // from a directory that nobody else may write to, its SHA-256 is the one recorded beside it,
    // and these bytes, not the file, are what is loaded. That the engine's version and settings
    // agree is checked by `deserialize` itself.
    unsafe { Component::deserialize(engine, code) }
}

fn unexpected() -> LoadError {
    CompilerError::Failed("it answered another question".to_owned()).into()
}

/// None of the critical sections leaves anything half done, so a panic in one does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
