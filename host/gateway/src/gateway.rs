//! The gateway put together: store, plugins, reconciler, and what a request needs of them.

use crate::access::plan::Planner;
use crate::access::reconcile::Reconciler;
use crate::clock::{Clock, Random, Sequence, Timestamp};
use crate::directory::Moment;
use crate::directory::credentials::{self, Secret};
use crate::directory::names::GroupNames;
use crate::directory::organizations;
use crate::directory::requests::{Journal, Keep};
use crate::directory::walk::Walks;
use crate::dns::Resolver;
use crate::model::migrations::MIGRATIONS;
use crate::plugins::folder::PluginFolder;
use crate::plugins::{PluginError, Plugins, bindings};
use crate::rate::{Rate, Rates};
use crate::telemetry::chain;
use crate::turns::Turns;
use gatewright_sandbox::Sandbox;
use gatewright_store::{
    EngineError, OpenError, OrganizationId, RedbEngine, RedbOptions, Store, StoreError, WriteError,
};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How a gateway is put together.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of its database and caches.
    pub data: PathBuf,
    /// The database's cache in bytes. A page of it takes a quarter more of memory than it holds.
    pub cache_bytes: usize,
    /// What requests may ask for.
    pub limits: RequestLimits,
    /// How often each credential may ask for something over SCIM.
    pub rate: Rate,
    /// For how long and how much of them is logged.
    pub requests: Keep,
    /// What a policy's call may use.
    pub policy_limits: gatewright_sandbox::Limits,
    /// What a provider plugin's call may use.
    pub provider_limits: gatewright_sandbox::Limits,
    /// Threads of the reconciler.
    pub reconcilers: usize,
    /// Requests that may be worked on at the same time; the others wait.
    pub workers: usize,
    /// Whom to ask about domains; none: the system's resolver.
    pub resolver: Option<SocketAddr>,
    /// The folder whose components are installed; none: no folder is watched.
    pub plugin_folder: Option<PathBuf>,
}

/// What a request may ask for.
#[derive(Clone, Debug)]
pub struct RequestLimits {
    /// Bytes of a body about groups.
    pub group_body: usize,
    /// Bytes of any other body.
    pub body: usize,
    /// Bytes of a bulk request.
    pub bulk_body: usize,
    /// Operations of a bulk request.
    pub bulk_operations: usize,
    /// Bytes of an uploaded component.
    pub component: usize,
    /// What the protocol bounds: depth of JSON and filters, operations of a patch.
    pub scim: gatewright_scim::Limits,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            group_body: 16 << 20,
            body: 1 << 20,
            bulk_body: 16 << 20,
            bulk_operations: 1_000,
            component: 64 << 20,
            scim: gatewright_scim::Limits::default(),
        }
    }
}

impl Options {
    /// The defaults, with the data in this folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            // What falls out of it is mostly in the system's own cache of the file, which costs a
            // call; so more of it costs more memory than it saves time.
            cache_bytes: 128 << 20,
            limits: RequestLimits::default(),
            // Entra asks for 25 in a second.
            rate: Rate {
                per_second: 50,
                burst: 200,
            },
            requests: Keep::default(),
            policy_limits: gatewright_sandbox::Limits::default(),
            provider_limits: gatewright_sandbox::Limits::for_provider(),
            reconcilers: 4,
            workers: 64,
            resolver: None,
            plugin_folder: None,
        }
    }
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("the data folder {} cannot be used", .path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database could not be opened.
    #[error("the database could not be opened")]
    Database(#[from] EngineError),
    /// The database is not one of ours, or not of this version.
    #[error("the database could not be used")]
    Open(#[from] OpenError),
    /// The plugin runtime did not start.
    #[error("the plugin runtime did not start")]
    Sandbox(#[from] gatewright_sandbox::StartError),
    /// A built-in plugin could not be installed.
    #[error("the built-in plugins could not be installed")]
    Plugins(#[from] PluginError),
    /// The organizations could not be read.
    #[error("the organizations could not be read")]
    Store(#[from] StoreError),
    /// The program's own path, by which plugins are compiled, or a thread was not to be had.
    #[error("the operating system refused")]
    System(#[source] std::io::Error),
}

/// A running gateway, without its sockets.
pub struct Gateway {
    /// What is stored.
    pub store: Store,
    /// The plugins.
    pub plugins: Arc<Plugins>,
    /// The folder that is watched for more of them.
    pub plugin_folder: Option<PluginFolder>,
    /// Computes plans in the background.
    pub planner: Planner,
    /// Decides in the background.
    pub reconciler: Arc<Reconciler>,
    /// The time.
    pub clock: Clock,
    /// Random bytes.
    pub random: Random,
    /// Ids of requests.
    pub request_ids: Sequence,
    /// What a request may ask for.
    pub limits: RequestLimits,
    /// The log of requests.
    pub requests: Journal,
    /// How often each credential has asked.
    pub rates: Rates,
    /// Which directories are in their provider plugins.
    pub turns: Turns,
    /// What groups are called.
    pub names: Arc<GroupNames>,
    /// Where walks through listings are.
    pub walks: Walks,
    /// Asks DNS.
    pub resolver: Resolver,
    workers: Arc<Semaphore>,
}

impl Gateway {
    /// Opens or creates a gateway and starts its reconciler.
    ///
    /// # Errors
    /// Where the data folder, the database or the plugin runtime cannot be used.
    pub fn start(options: Options, clock: Clock, random: Random) -> Result<Self, StartError> {
        let data = &options.data;
        // It holds data of people, so nobody else on the machine may look into it.
        let mut folder = std::fs::DirBuilder::new();
        folder
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(|source| StartError::Data {
                path: data.clone(),
                source,
            })?;
        let engine = RedbEngine::open(
            &data.join("gatewright.redb"),
            RedbOptions {
                cache_bytes: options.cache_bytes,
            },
        )?;
        let store = Store::open_with(Arc::new(engine), MIGRATIONS)?;
        let program = std::env::current_exe().map_err(StartError::System)?;
        let sandbox = Sandbox::start(gatewright_sandbox::Config {
            slots: slots(&options),
            ..gatewright_sandbox::Config::new(
                data.join("plugin-cache"),
                gatewright_sandbox::Compiler::new(program, ["compile-plugin"]),
            )
        })?;
        tracing::info!(allocation = %sandbox.allocation(), "plugin runtime started");
        let plugins = Arc::new(Plugins::open(
            store.clone(),
            sandbox,
            clock.clone(),
            options.policy_limits,
            options.provider_limits,
        )?);
        let reconciler = Reconciler::start(
            store.clone(),
            Arc::clone(&plugins),
            clock.clone(),
            options.reconcilers,
        )
        .map_err(StartError::System)?;
        let reconciler = Arc::new(reconciler);
        let planner = Planner::start(
            store.clone(),
            Arc::clone(&plugins),
            Arc::clone(&reconciler),
            clock.clone(),
        )
        .map_err(StartError::System)?;
        let requests = Journal::start(
            store.clone(),
            clock.clone(),
            random.clone(),
            options.requests,
        )
        .map_err(StartError::System)?;
        for (id, _) in organizations::all(&store)? {
            reconciler.wake(OrganizationId::from(id));
            planner.wake(OrganizationId::from(id));
        }
        warm_up(Arc::clone(&plugins), clock.now()).map_err(StartError::System)?;
        let watch = |path| {
            let most = options.limits.component;
            PluginFolder::watch(path, most, Arc::clone(&plugins), clock.clone())
        };
        let plugin_folder = options.plugin_folder.map(watch).transpose();
        let plugin_folder = plugin_folder.map_err(StartError::System)?;
        Ok(Self {
            store,
            plugins,
            plugin_folder,
            planner,
            reconciler,
            resolver: Resolver::new(options.resolver, random.clone()),
            clock,
            random,
            request_ids: Sequence::default(),
            limits: options.limits,
            requests,
            rates: Rates::new(options.rate),
            turns: Turns::new(options.workers),
            names: Arc::default(),
            walks: Walks::default(),
            workers: Arc::new(Semaphore::new(options.workers)),
        })
    }

    /// The time and the randomness of one request.
    #[must_use]
    pub fn moment(&self, request: Option<Uuid>) -> Moment {
        Moment {
            now: self.clock.now(),
            random: self.random.clone(),
            request,
        }
    }

    /// Makes this the operator's key, and the one before it invalid.
    ///
    /// # Errors
    /// What the store says.
    pub fn admit_operator(
        &self,
        secret: &Secret,
        organization: Option<Uuid>,
    ) -> Result<(), WriteError<StoreError>> {
        let now = self.clock.now();
        let id = self.random.id(now);
        let secret = secret.clone();
        self.store
            .system()
            .write(move |tx| credentials::admit_operator(tx, id, &secret, organization, now))
    }

    /// Runs something that may block, such as reading the store or waiting for a commit, beside
    /// the async runtime. No more than [`Options::workers`] at the same time; the others wait.
    ///
    /// # Errors
    /// [`Lost`] where it panicked, which is logged by the runtime.
    pub async fn run<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> R + Send + 'static,
    ) -> Result<R, Lost> {
        let permit = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| Lost)?;
        let gateway = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let result = work(&gateway);
            drop(permit);
            result
        })
        .await
        .map_err(|_| Lost)
    }
}

/// Calls of plugins that may run at the same time: one for whoever can make one, and some for
/// plugins that are being tried while they are loaded. So no call is refused for want of a slot.
fn slots(options: &Options) -> u32 {
    const LOADING: usize = 6;
    const PLANNERS: usize = 1;
    u32::try_from(options.workers + options.reconcilers + PLANNERS + LOADING).unwrap_or(u32::MAX)
}

/// Loads the shipped policies beside the start, so that the first decision of a new organization
/// does not wait for their compilation.
fn warm_up(plugins: Arc<Plugins>, now: Timestamp) -> std::io::Result<()> {
    let load = move || {
        for (slot, binding) in bindings::shipped(&plugins, now).unwrap_or_default() {
            // Who needs it next meets the same error, with somebody to tell.
            let bound = &binding.chain.first;
            if let Err(error) = plugins.load(&bound.plugin, &bound.grants, bound.limits) {
                let error = chain(&error);
                tracing::warn!(slot = slot.name(), error, "shipped policy not loaded");
            }
        }
    };
    thread::Builder::new().name("warm-up".into()).spawn(load)?;
    Ok(())
}

/// Some work ended without a result: it panicked, or the gateway is stopping.
#[derive(Debug, thiserror::Error)]
#[error("the work ended without a result")]
pub struct Lost;
