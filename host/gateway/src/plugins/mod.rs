//! Installed components, what they are bound to, and their loaded form.

pub mod bindings;
mod builtin;
mod library;
pub mod shadows;

pub use library::{PluginError, Plugins};
