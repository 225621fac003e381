//! What the author of a Gatewright plugin uses: a trait to implement, one macro that exports it, and
//! settings as an ordinary struct.
//!
//! A plugin is a crate of type `["cdylib", "lib"]` that implements one of [`Provider`],
//! [`LifecyclePolicy`], [`RolePolicy`] and [`SeatPolicy`] and names it to [`export!`]:
//!
//! ```
//! use gatewright_sdk::{Account, Context, Problem, Proposal, Refusal, RoleDecision, RolePolicy};
//!
//! /// Where the cleaners go.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Settings {
//!     /// The base role that everybody gets.
//!     role: String,
//! }
//!
//! struct Everybody(Settings);
//!
//! impl RolePolicy for Everybody {
//!     type Settings = Settings;
//!
//!     fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
//!         Ok(Self(settings))
//!     }
//!
//!     fn decide(&self, _: &Context, _: &Account) -> Result<RoleDecision, Refusal> {
//!         Ok(RoleDecision::of(vec![Proposal::base_role(&self.0.role, "everybody has it")]))
//!     }
//! }
//!
//! gatewright_sdk::export!(Everybody: role_policy);
//! # fn main() {}
//! ```
//!
//! Name, version and summary of the plugin come from its `Cargo.toml`, the schema of its settings
//! from the struct. The crate compiles natively too, so its decisions are tested by plain unit tests;
//! [`testing`] makes accounts to decide about. `cargo build --release --target wasm32-wasip2` makes
//! the component.
//!
//! A plugin has no files, no network, no environment, no clock but [`Context::now`] and no
//! randomness. Each call starts from a copy of the instance as `configure` left it, so nothing that a
//! call keeps is seen by the next. Say things with [`log`]; what a plugin prints reaches the same log,
//! but one that prints during `configure` cannot be loaded.
//!
//! The shared types are those of the contract (`wit/v0.1` in the repository, where each field is
//! explained), with constructors and look-ups added here.

#![forbid(unsafe_code)]

mod account;
#[doc(hidden)]
pub mod bindings;
mod catalogue;
mod decision;
mod export;
pub mod filter;
#[doc(hidden)]
pub mod glue;
mod left;
mod local;
pub mod log;
mod mapped;
mod policy;
mod provider;
pub mod shallow;
pub mod testing;
pub mod time;

pub use bindings::base::exports::gatewright::plugin::plugin::{Description, Problem};
pub use bindings::base::gatewright::plugin::types::{
    Account, AccountStatus, Attribute, AttributeValue, BaseRole, Basis, Catalogue, Context,
    CustomRole, Grant, GrantKind, MappingEntry, MappingOption, Membership, NamedValue,
    PresenceSignal, Proposal, Refusal, SeatType, Timestamp, User,
};
pub use bindings::lifecycle_policy::exports::gatewright::plugin::lifecycle_policy::LifecycleDecision;
pub use bindings::provider::exports::gatewright::plugin::provider::{
    Answer, Interest, Normalized, Parameter, Repair, Request,
};
pub use bindings::role_policy::exports::gatewright::plugin::role_policy::RoleDecision;
pub use bindings::seat_policy::exports::gatewright::plugin::seat_policy::{
    SeatDecision, SeatRequest,
};
pub use left::Left;
pub use mapped::Mapped;
pub use policy::{LifecyclePolicy, RolePolicy, SeatPolicy};
pub use provider::{Provider, Repairs};
pub use time::Period;

/// The tutorial, so that its policy compiles for as long as it is there.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Tutorial;
