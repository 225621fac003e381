//! Gatewright: identity providers push users and groups over SCIM 2.0; sandboxed WebAssembly
//! policies decide who gets which role and seat; the application reads it and is told.
//!
//! Three steps, each a transaction: **facts** (`directory`), **decisions** (`access`), **effects**
//! (`delivery`). ARCHITECTURE.md has the picture, and what holds whatever the code looks like.
#![forbid(unsafe_code)]

pub mod access;
pub mod author;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod directory;
pub mod dns;
pub mod gateway;
pub mod http;
pub mod ledger;
pub mod model;
pub mod plugins;
pub mod rate;
pub mod telemetry;
pub mod turns;
