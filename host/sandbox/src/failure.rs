//! Why a call has no answer.

use crate::call::Called;
use crate::log::LogLine;
use crate::meter::TooMuch;
use crate::shim::{Denied, State};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;
use std::time::Duration;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};

/// A call failed. It says who failed, in what, how, and what it said before; the instance is gone,
/// and the next call is not affected. Its text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error(transparent)]
pub struct CallError(Box<CallFailure>);

/// What a [`CallError`] knows. Boxed, so that results stay small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("plugin {plugin} failed in {export}: {kind}{}", quoted(.panic.as_deref()))]
pub struct CallFailure {
    /// The plugin's name and version, as in `okta@0.1.0`.
    pub plugin: String,
    /// The interface and function, as in `role-policy.decide`.
    pub export: Cow<'static, str>,
    /// What went wrong.
    pub kind: FailureKind,
    /// The message of the guest's panic and its place in the source, where it had one.
    pub panic: Option<String>,
    /// The guest's functions, the innermost first, at most 24.
    pub frames: Vec<String>,
    /// What the plugin logged and printed before.
    pub log: Vec<LogLine>,
    /// How long the call ran.
    pub elapsed: Duration,
    /// The most bytes of linear memory that it had at a time.
    pub memory: u64,
}

impl Deref for CallError {
    type Target = CallFailure;

    fn deref(&self) -> &CallFailure {
        &self.0
    }
}

/// How a call failed. Each kind asks something else of the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "detail")]
pub enum FailureKind {
    /// It was not done at its deadline.
    #[error("it was not done at its deadline")]
    Timeout,
    /// It wanted more memory, or more table elements, than it may have.
    #[error("it wanted more memory than it may have")]
    Memory,
    /// What it returned, or handed to the host in one go, is larger than the bytes that are said here.
    #[error("its output is larger than it may be; in bytes, {0} are allowed")]
    Output(u64),
    /// Its stack is exhausted, mostly by a recursion without end.
    #[error("its stack is exhausted")]
    Stack,
    /// It called a function that the host does not grant, named here with interface and version.
    #[error("it called {0}, which this host does not grant")]
    Denied(String),
    /// It trapped: a panic, an access out of bounds, a division by zero.
    #[error("it trapped ({0})")]
    Trap(String),
    /// Not the plugin's fault: all slots of the pool are in use. The same call may be tried again.
    #[error("all instances that may run at the same time are in use")]
    Busy,
    /// Its answer breaks the contract, in the way that is said here.
    #[error("its answer breaks the contract: {0}")]
    Garbage(String),
    /// It could not be started, for the reason that is said here.
    #[error("it could not be started: {0}")]
    Other(String),
}

/// Frames beyond this many tell nothing new; a recursion has thousands.
const MAX_FRAMES: usize = 24;

/// How far a call had come when wasmtime reported an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Calling,
}

/// Tells apart the errors of wasmtime, here and nowhere else. `output` is the most bytes of output that
/// the call might have.
pub(crate) fn classify(error: &Error, stage: Stage, output: u64) -> FailureKind {
    // `downcast_ref` looks through all contexts, of which the backtrace is one.
    if let Some(Denied(function)) = error.downcast_ref() {
        return FailureKind::Denied(function.clone());
    }
    if error.is::<TooMuch>() {
        return FailureKind::Memory;
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return FailureKind::Busy;
    }
    match error.downcast_ref() {
        Some(Trap::Interrupt) => return FailureKind::Timeout,
        Some(Trap::StackOverflow) => return FailureKind::Stack,
        Some(trap) => return FailureKind::Trap(trap.to_string()),
        None => {}
    }
    let text = error.root_cause().to_string();
    // The type of this one is private to wasmtime 48. The tests of the output limit watch it.
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return FailureKind::Output(output);
    }
    match stage {
        Stage::Starting => FailureKind::Other(text),
        // Texts that are not UTF-8, cases and handles that do not exist: the guest's doing.
        Stage::Calling => FailureKind::Garbage(text),
    }
}

/// The names of the guest's functions at the point of the error.
pub(crate) fn frames(error: &Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    backtrace
        .frames()
        .iter()
        .take(MAX_FRAMES)
        .map(|frame| match frame.func_name() {
            // Without the hash that the compiler puts behind the name.
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

impl CallError {
    /// From what is left of the call.
    pub(crate) fn new(
        plugin: &str,
        export: &'static str,
        (kind, frames): (FailureKind, Vec<String>),
        state: State,
        elapsed: Duration,
    ) -> Self {
        let memory = state.meter.memory();
        let (log, panic) = state.log.finish();
        // A text of a panic that was caught, or printed in jest, does not explain a timeout.
        let panic = panic.filter(|_| matches!(kind, FailureKind::Trap(_)));
        Self(Box::new(CallFailure {
            plugin: plugin.to_owned(),
            export: Cow::Borrowed(export),
            kind,
            panic,
            frames,
            log,
            elapsed,
            memory,
        }))
    }

    /// For an answer that arrived and breaks the contract.
    pub(crate) fn garbage(
        plugin: &str,
        export: &'static str,
        why: String,
        called: Called<()>,
    ) -> Self {
        Self(Box::new(CallFailure {
            plugin: plugin.to_owned(),
            export: Cow::Borrowed(export),
            kind: FailureKind::Garbage(why),
            panic: None,
            frames: Vec::new(),
            log: called.log,
            elapsed: called.elapsed,
            memory: called.memory,
        }))
    }
}

/// A stranger's text inside of a sentence: on one line, its control characters escaped.
fn quoted(text: Option<&str>) -> String {
    text.map(|text| format!(": {}", text.escape_debug()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_one_sentence_on_one_line() {
        let error = CallError(Box::new(CallFailure {
            plugin: "x@1.0.0".into(),
            export: "role-policy.decide".into(),
            kind: FailureKind::Trap("unreachable".into()),
            panic: Some("no\nrule\u{1b}[2J (src/lib.rs:3:5)".into()),
            frames: vec![],
            log: vec![],
            elapsed: Duration::ZERO,
            memory: 0,
        }));
        assert_eq!(
            error.to_string(),
            "plugin x@1.0.0 failed in role-policy.decide: it trapped (unreachable): \
             no\\nrule\\u{1b}[2J (src/lib.rs:3:5)"
        );
    }

    #[test]
    fn failures_are_stable_json() {
        let json = |kind: FailureKind| serde_json::to_string(&kind).unwrap();
        assert_eq!(json(FailureKind::Timeout), r#"{"kind":"timeout"}"#);
        assert_eq!(
            json(FailureKind::Denied("wasi:x/y#z".into())),
            r#"{"kind":"denied","detail":"wasi:x/y#z"}"#
        );
    }
}
