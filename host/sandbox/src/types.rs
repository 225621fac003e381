//! The Rust types of the plugin contract, version 0.1.
//!
//! They are generated from the folder `wit/v0.1`, are the same for all four worlds, and are the
//! internal model of that version: whatever reads or makes the input of a policy, or keeps its
//! answer, uses them as they are. Their documentation is that of the contract.
//!
//! They can be serialized, so that a call can be recorded and replayed. That form follows the
//! contract's names in Rust spelling and is frozen with the version of the contract.

pub use crate::bindings::base::exports::gatewright::plugin::plugin::{Description, Problem};
pub use crate::bindings::base::gatewright::plugin::types::{
    Account, AccountStatus, Attribute, AttributeValue, BaseRole, Basis, Catalogue, Context,
    CustomRole, Grant, GrantKind, MappingEntry, MappingOption, Membership, NamedValue,
    PresenceSignal, Proposal, Refusal, SeatType, Timestamp, User,
};
pub use crate::bindings::lifecycle::exports::gatewright::plugin::lifecycle_policy::LifecycleDecision;
pub use crate::bindings::provider::exports::gatewright::plugin::provider::{
    Answer, Interest, Normalized, Parameter, Repair, Request,
};
pub use crate::bindings::role::exports::gatewright::plugin::role_policy::RoleDecision;
pub use crate::bindings::seat::exports::gatewright::plugin::seat_policy::{
    SeatDecision, SeatRequest,
};
