//! Why a sandbox does not start or a plugin is not loaded.

use crate::cache::CacheError;
use crate::compiler::CompilerError;
use crate::report::ComponentError;

/// The sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The cache directory is not usable.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// wasmtime does not run on this machine.
    #[error("the WebAssembly engine does not start")]
    Engine(#[source] wasmtime::Error),
}

/// A component could not be inspected or loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Something is wrong with the component or its settings.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The compiler's process gave no answer.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// The cache directory is not usable.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The machine code that was made does not fit this host: a pool that is too small for the
    /// component, or a compiler of another build.
    #[error("the compiled plugin cannot be taken into use")]
    Code(#[source] wasmtime::Error),
}
