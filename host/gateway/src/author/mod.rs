//! What plugin authors work with: projects, templates, fixtures, and a sandbox to try components in.
//! Nothing of it needs a running gateway.
//!
//! The form of projects and fixtures is in `plugins/templates/README.md`.

pub mod check;
pub mod contract;
mod embedded;
pub mod fixture;
pub mod project;
pub mod template;
pub mod workbench;
