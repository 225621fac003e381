//! Runs the plugins of Gatewright, which are WebAssembly components, without trusting them.
//!
//! ```text
//! component + settings
//!        |  Sandbox::load
//!        v
//! [ compiler's process: limited by the operating system ]      [ cache on disk ]
//! [ compile -> look -> describe -> check settings ->    ] ---> [ machine code   ]
//! [ configure -> snapshot -> compile                    ]              |
//!                                                                      v
//!                               fresh instance for each call <--- Plugin, after one trial call
//! ```
//!
//! What holds, whatever a plugin does:
//!
//! - Every call has a fresh instance; nothing is carried from one to the next.
//! - Every call has a deadline and limits on memory, stack, output and log, which cannot be
//!   switched off, and no function that it can call waits.
//! - A plugin has no files, network, environment, clock or randomness. What it prints is its log.
//! - A decision names nothing but what is in the catalogue and what its binding grants.
//! - No component is compiled in this process, and no machine code is loaded but our own.
//!
//! This crate knows no store and no SCIM; its types are those of the contract, in [`types`].

mod bindings;
mod bounds;
mod cache;
mod call;
mod child;
mod compiler;
mod deadline;
mod digest;
mod engine;
mod error;
mod failure;
mod job;
mod limits;
mod log;
mod meter;
mod plugin;
mod policies;
mod printable;
mod provider;
mod report;
mod sandbox;
mod settings;
mod shape;
mod shim;
mod snapshot;
pub mod types;

pub use bounds::{Allowed, Grants, Rejection};
pub use cache::CacheError;
pub use call::Called;
pub use child::compile_child;
pub use compiler::{Compiler, CompilerError};
pub use digest::{Digest, NotADigest};
pub use engine::Allocation;
pub use error::{LoadError, StartError};
pub use failure::{CallError, CallFailure, FailureKind};
pub use job::Setup;
pub use limits::{Limits, MAX_MEMORY, MAX_TABLE_ELEMENTS};
pub use log::{Level, LogLine};
pub use plugin::{Loaded, Plugin};
pub use policies::{Decisions, LifecyclePolicy, RolePolicy, SeatPolicy};
pub use provider::{Provider, Wants};
pub use report::{About, Access, ComponentError, ImportedCall, Inspection, PluginKind};
pub use sandbox::{Config, Sandbox};
