//! SCIM 2.0 (RFC 7643, RFC 7644) as pure code: no input or output, no clock, no randomness.
//!
//! Whatever comes from a client is *read* once, leniently, into canonical values: attribute names
//! in the spelling of their schema, values of the type that the schema declares. Everything after
//! that (PATCH, filters, responses) works on canonical values only and has no case for what a
//! provider might have sent. What was left out while reading is reported by its path, never
//! dropped without a trace.
//!
//! | To | use |
//! |---|---|
//! | read a body | [`parse_json`], [`User::parse`], [`Group::parse`] |
//! | change a resource | [`UserPatch`], [`GroupPatch`] |
//! | find resources | [`ListQuery`], [`Filter`], [`Projection`], [`Sort`] |
//! | answer | [`User::to_response`], [`Group::to_response`], [`list_frame`], [`Error::to_json`] |
//! | change only what the client has seen | [`Preconditions`] |
//! | do many things at once | [`BulkRequest`] |
//! | say what is supported, declare schemas | [`schema`] |
//! | say how a directory reads | [`Profile`] |
//! | inform a policy | [`User::flatten`] |
#![doc = include_str!("../TOLERANCE.md")]
#![forbid(unsafe_code)]

mod bulk;
mod error;
mod filter;
mod flatten;
mod group;
mod json;
mod keep;
mod limits;
mod patch;
mod path;
mod projection;
mod query;
mod reading;
mod response;
mod rules;
pub mod schema;
mod shape;
mod user;
mod version;

pub use bulk::{
    BulkMethod, BulkOperation, BulkRequest, BulkStep, BulkTarget, BulkTask, bulk_response,
};
pub use error::{Error, ScimType};
pub use filter::{Filter, Sort};
pub use flatten::Scalar;
pub use group::{Group, GroupBody, MemberKind, MemberRef};
pub use json::{check_json, parse_json};
pub use limits::Limits;
pub use patch::{AttributeChanges, GroupOperation, GroupPatch, Patched, UserPatch};
pub use projection::Projection;
pub use query::{ListQuery, cursor_frame, list_frame};
pub use response::{GroupRef, ManagerRef, MemberOut, Meta};
pub use schema::ResourceType;
pub use shape::{Profile, Shape, Unknown};
pub use user::{Parsed, User, manager_id};
pub use version::Preconditions;
