//! The library: components in the store, plugins in memory.

use super::builtin::BUILT_IN;
use super::usage::{Usage, listed};
use super::watch::Watch;
use crate::clock::Clock;
use crate::directory::credentials::{hex, unhex};
use crate::model::plugins::{
    BoundLimits, Chain, ComponentBytes, ComponentRecord, Components, PluginRef,
};
use gatewright_sandbox::{Grants, Limits, LoadError, Plugin, PluginKind, Sandbox};
use gatewright_store::{EngineError, Range, Read, Store, StoreError, WriteError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Why a plugin was not installed, found or loaded.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The component or its settings were refused.
    #[error("the plugin was refused")]
    Load(#[from] LoadError),
    /// No component has this digest or name.
    #[error("no plugin \"{wanted}\" is installed; there are: {known}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// The plugin is of a kind that does not fit the slot.
    #[error("the plugin is of another kind than slot \"{slot}\" takes")]
    WrongKind {
        /// The slot.
        slot: &'static str,
    },
    /// One plugin of a chain cannot be bound.
    #[error("chain[{place}] cannot be bound")]
    InChain {
        /// Its place, from 0.
        place: usize,
        /// Why.
        #[source]
        error: Box<PluginError>,
    },
    /// A chain has no plugin, or too many.
    #[error("chain: {0} plugins cannot be bound to a slot: give 1 to {max}", max = Chain::MAX)]
    ChainLength(usize),
    /// What is to be bound is neither one plugin nor a chain.
    #[error(
        "give \"plugin\", with \"settings\" and \"grants\" as you like, or \"chain\" alone, a list \
         of such objects"
    )]
    OneOrChain,
    /// Several components have a name by which one is to be removed.
    #[error(
        "several plugins are called \"{name}\": name the one by its digest (`gatewright plugin list`)"
    )]
    Several {
        /// The name.
        name: String,
    },
    /// A plugin that came with the gateway cannot be removed.
    #[error("{name} {version} came with the gateway and cannot be removed")]
    BuiltIn {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A plugin that is in use cannot be removed.
    #[error("the plugin is in use and stays: {}", listed(.0))]
    InUse(Vec<Usage>),
    /// A version of a binding needs a plugin that was removed.
    #[error(
        "a plugin of that version was removed (digest {0}): install it again, or bind another one"
    )]
    Removed(String),
    /// Nothing is bound.
    #[error("nothing is bound to slot \"{slot}\"")]
    Unbound {
        /// The slot.
        slot: &'static str,
    },
    /// A version of a binding is not there.
    #[error(
        "to: slot \"{slot}\" has no version {version}: `gatewright bindings versions {slot}` lists \
         those that it has"
    )]
    NoVersion {
        /// The slot.
        slot: &'static str,
        /// What was asked for.
        version: u64,
    },
    /// What is said of a change is too long.
    #[error("{field}: has {length} bytes, and may have {most}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Bytes that it may have.
        most: usize,
        /// Bytes that it has.
        length: usize,
    },
    /// A limit of a binding is none.
    #[error("limits.{field}: must be from 1 to {most}, which is what the gateway allows")]
    Limit {
        /// The field.
        field: &'static str,
        /// The most that is allowed.
        most: u64,
    },
    /// No chain runs in shadow.
    #[error(
        "slot \"{slot}\" has no chain in shadow: start one (`gatewright bindings shadow start {slot}`)"
    )]
    NoShadow {
        /// The slot.
        slot: &'static str,
    },
    /// There is nothing to roll back to.
    #[error("slot \"{slot}\" has no earlier binding to return to")]
    NothingBefore {
        /// The slot.
        slot: &'static str,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error("the change could not be stored")]
    Engine(#[from] EngineError),
}

impl From<WriteError<PluginError>> for PluginError {
    fn from(error: WriteError<PluginError>) -> Self {
        match error {
            WriteError::Aborted(error) => error,
            WriteError::Engine(error) => Self::Engine(error),
        }
    }
}

/// A plugin that is loaded, with the settings and grants that it was loaded for.
struct LoadedPlugin {
    settings: Value,
    grants: Grants,
    limits: BoundLimits,
    plugin: Arc<Plugin>,
}

/// All plugins of the gateway.
pub struct Plugins {
    pub(super) store: Store,
    pub(super) sandbox: Sandbox,
    pub(super) clock: Clock,
    limits: Limits,
    provider_limits: Limits,
    /// By the component's digest: looked up with each request, so without a copy of the key.
    loaded: Mutex<HashMap<String, Vec<LoadedPlugin>>>,
    names: Mutex<HashMap<String, String>>,
    /// What calls of them come to.
    pub watch: Watch,
}

impl Plugins {
    /// Opens the library, and installs the built-in plugins that it does not have yet.
    ///
    /// # Errors
    /// What the store says, or the sandbox of a built-in plugin.
    pub fn open(
        store: Store,
        sandbox: Sandbox,
        clock: Clock,
        limits: Limits,
        provider_limits: Limits,
    ) -> Result<Self, PluginError> {
        let plugins = Self {
            store,
            sandbox,
            clock,
            limits,
            provider_limits,
            loaded: Mutex::default(),
            names: Mutex::default(),
            watch: Watch::default(),
        };
        plugins.install_built_in()?;
        Ok(plugins)
    }

    /// Compiling is most of a first start, so it uses all processors.
    fn install_built_in(&self) -> Result<(), PluginError> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = BUILT_IN.len().div_ceil(threads).max(1);
        thread::scope(|scope| {
            let install = |share: &[(&str, &[u8])]| -> Result<(), PluginError> {
                for (_, wasm) in share {
                    self.install_built_in_one(wasm)?;
                }
                Ok(())
            };
            let running: Vec<_> = BUILT_IN
                .chunks(share)
                .map(|share| scope.spawn(move || install(share)))
                .collect();
            running.into_iter().try_for_each(|thread| {
                let done = thread.join();
                done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// All installed components with their digests, the oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn installed(&self) -> Result<Vec<(String, ComponentRecord)>, PluginError> {
        let reader = self.store.system().read()?;
        let mut all = Vec::new();
        for row in reader.scan::<Components>(Range::all())? {
            let (digest, record) = row?;
            all.push((hex(&digest), record));
        }
        all.sort_by(|(_, a), (_, b)| (a.installed, &a.name).cmp(&(b.installed, &b.name)));
        Ok(all)
    }

    /// Finds a component by digest, or by name: then the one that was installed last.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find(&self, wanted: &str) -> Result<(String, ComponentRecord), PluginError> {
        let all = self.installed()?;
        let by_digest = all.iter().position(|(digest, _)| digest == wanted);
        let by_name = || all.iter().rposition(|(_, record)| record.name == wanted);
        match by_digest.or_else(by_name) {
            Some(place) => Ok(all[place].clone()),
            None => {
                let mut known: Vec<_> = all.into_iter().map(|(_, record)| record.name).collect();
                known.sort();
                known.dedup();
                Err(PluginError::Unknown {
                    wanted: wanted.to_owned(),
                    known: known.join(", "),
                })
            }
        }
    }

    /// A built-in plugin with empty settings.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn built_in(&self, name: &str) -> Result<PluginRef, PluginError> {
        let (digest, _) = self.find(name)?;
        Ok(PluginRef {
            digest,
            settings: json!({}),
        })
    }

    /// Whether the plugins of a chain that was bound before are all installed still.
    ///
    /// # Errors
    /// For the first that was removed.
    pub fn are_there(&self, chain: &Chain) -> Result<(), PluginError> {
        let reader = self.store.system().read()?;
        for one in chain.members() {
            let digest = unhex(&one.plugin.digest).unwrap_or_default();
            if !reader.contains::<Components>(&digest)? {
                return Err(PluginError::Removed(one.plugin.digest.clone()));
            }
        }
        Ok(())
    }

    /// The name of a plugin, as the contract tells it to policies; its digest where it is not
    /// installed.
    #[must_use]
    pub fn name(&self, plugin: &PluginRef) -> String {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(&plugin.digest) {
            return known.clone();
        }
        let name = self
            .find(&plugin.digest)
            .map_or(plugin.digest.clone(), |(_, record)| record.name);
        names.insert(plugin.digest.clone(), name.clone());
        name
    }

    /// The loaded, configured and proven plugin. Loading takes a fraction of a second the first
    /// time, and a look into a table after that. Who holds the answer goes on with it though it be
    /// replaced meanwhile.
    ///
    /// # Errors
    /// Where it is not installed, or its settings are refused.
    pub fn load(
        &self,
        plugin: &PluginRef,
        grants: &Grants,
        bound: BoundLimits,
    ) -> Result<Arc<Plugin>, PluginError> {
        let loaded = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &&LoadedPlugin| {
            known.settings == plugin.settings && known.grants == *grants && known.limits == bound
        };
        if let Some(known) = loaded()
            .get(&plugin.digest)
            .and_then(|same| same.iter().find(fits))
        {
            return Ok(Arc::clone(&known.plugin));
        }
        let (_, record) = self.find(&plugin.digest)?;
        let digest = unhex(&plugin.digest).unwrap_or_default();
        let wasm = self
            .store
            .system()
            .read()?
            .get::<ComponentBytes>(&digest)?
            .unwrap_or_default();
        let limits = lowered(self.allowed(record.kind), bound);
        let sandbox = &self.sandbox;
        let made = Arc::new(sandbox.load(&wasm, &plugin.settings, limits, grants.clone())?);
        loaded()
            .entry(plugin.digest.clone())
            .or_default()
            .push(LoadedPlugin {
                settings: plugin.settings.clone(),
                grants: grants.clone(),
                limits: bound,
                plugin: Arc::clone(&made),
            });
        Ok(made)
    }

    /// Forgets the loaded forms of a component that was removed. Who holds one goes on with it.
    pub(super) fn unload(&self, digest: &str) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.remove(digest);
    }

    /// What the gateway allows a plugin of that kind.
    fn allowed(&self, kind: PluginKind) -> &Limits {
        match kind {
            PluginKind::Provider => &self.provider_limits,
            PluginKind::Lifecycle | PluginKind::Role | PluginKind::Seat => &self.limits,
        }
    }

    /// Checks that a plugin with these settings and limits works, and says what it is.
    ///
    /// # Errors
    /// Where it is not installed, a limit is more than the gateway allows, or its settings are refused.
    pub fn prove(
        &self,
        wanted: &str,
        settings: Value,
        grants: &Grants,
        limits: BoundLimits,
    ) -> Result<(PluginRef, ComponentRecord), PluginError> {
        let (digest, record) = self.find(wanted)?;
        check(self.allowed(record.kind), limits)?;
        let plugin = PluginRef { digest, settings };
        self.load(&plugin, grants, limits)?;
        Ok((plugin, record))
    }
}

/// A binding's limit beside the one that the gateway allows, in the binding's unit.
type Beside = (&'static str, Option<u32>, u64);

fn beside(allowed: &Limits, bound: BoundLimits) -> [Beside; 3] {
    let time = u64::try_from(allowed.time.as_millis()).unwrap_or(u64::MAX);
    [
        ("time_ms", bound.time_ms, time),
        ("memory_mib", bound.memory_mib, allowed.memory >> 20),
        ("output_kib", bound.output_kib, allowed.output >> 10),
    ]
}

fn check(allowed: &Limits, bound: BoundLimits) -> Result<(), PluginError> {
    for (field, wanted, most) in beside(allowed, bound) {
        if wanted.is_some_and(|wanted| !(1..=most).contains(&u64::from(wanted))) {
            return Err(PluginError::Limit { field, most });
        }
    }
    Ok(())
}

/// The gateway's limits, and where a binding has less, its own. A gateway that allows less than when
/// it was bound goes on with that: its decisions must not end by a change of the configuration.
fn lowered(allowed: &Limits, bound: BoundLimits) -> Limits {
    let [time, memory, output] = beside(allowed, bound).map(|(_, wanted, most)| {
        let wanted = wanted.map(u64::from);
        wanted.filter(|wanted| *wanted < most)
    });
    Limits {
        time: time.map_or(allowed.time, Duration::from_millis),
        memory: memory.map_or(allowed.memory, |mib| mib << 20),
        output: output.map_or(allowed.output, |kib| kib << 10),
        ..allowed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_lowers_what_the_gateway_allows_and_never_raises_it() {
        let allowed = Limits {
            time: Duration::from_millis(50),
            memory: 64 << 20,
            output: 1 << 20,
            ..Limits::default()
        };
        let bound = BoundLimits {
            time_ms: Some(20),
            memory_mib: Some(65),
            output_kib: None,
        };
        let lowered = lowered(&allowed, bound);
        assert_eq!(lowered.time, Duration::from_millis(20));
        assert_eq!((lowered.memory, lowered.output), (64 << 20, 1 << 20));
        let refused = check(&allowed, bound).unwrap_err().to_string();
        assert!(
            refused.starts_with("limits.memory_mib: must be from 1 to 64"),
            "{refused}"
        );
    }
}
