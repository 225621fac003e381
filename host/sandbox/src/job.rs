//! What the compiler's process is asked, and what it answers.
//!
//! It gets one line of JSON and then the component on its standard input, and writes one JSON
//! document to its standard output. Both sides are the same binary, so this is no contract.

use crate::Digest;
use crate::engine::Layout;
use crate::limits::Budget;
use crate::report::{ComponentError, Inspection};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One run of the compiler.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Address space of the process, in bytes.
    pub(crate) memory_bytes: u64,
    /// Processor time of the process, in seconds.
    pub(crate) seconds: u64,
    /// For the calls of the guest.
    pub(crate) budget: Budget,
    pub(crate) task: Task,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Say what the component is.
    Inspect,
    /// Configure it, and write machine code of the result to `output`.
    Prepare {
        settings: serde_json::Value,
        layout: Layout,
        output: PathBuf,
    },
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Inspected(Inspection),
    Prepared(Prepared),
    Refused(ComponentError),
    /// The process could not do its work, through no fault of the component.
    Failed(String),
}

/// Machine code was written. Kept beside it in the cache.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prepared {
    pub(crate) inspection: Inspection,
    pub(crate) setup: Setup,
    /// Of the machine code.
    pub(crate) code: Digest,
}

/// How the instances of a plugin get their settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setup {
    /// They were frozen into the component once.
    Snapshot,
    /// Each instance is configured before its call, which costs time in every call.
    EachCall {
        /// Why there is no snapshot.
        why: String,
    },
}
