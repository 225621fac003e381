//! Decisions: what an account may have, and why. Pure functions of facts, catalogue, settings, the
//! present assignment and the time, made by policy plugins, checked and stored by the host.

pub mod accounts;
pub mod alerts;
pub mod assignment;
pub mod catalogue;
pub mod explain;
pub mod facts;
pub mod fresh;
pub mod gather;
pub mod guard;
pub mod history;
pub mod mapping;
pub mod pins;
pub mod plan;
pub mod reconcile;
pub mod seats;
