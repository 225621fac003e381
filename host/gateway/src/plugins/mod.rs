//! Installed components, what they are bound to, and their loaded form.

pub mod bindings;
mod builtin;
pub mod folder;
pub mod install;
mod library;
pub mod shadows;
pub mod usage;
pub mod watch;

pub use library::{PluginError, Plugins};
