//! Tests of the sandbox against real components, which `cargo xtask setup` builds.

mod harness;
mod load;
mod misbehave;
mod policies;
mod provider;
