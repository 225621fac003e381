//! Decisions: what an account may have, and why. Pure functions of facts, catalogue, settings, the
//! present assignment and the time, made by policy plugins, checked and stored by the host.

pub mod accounts;
pub mod alerts;
pub mod assignment;
pub mod catalogue;
pub mod domains;
pub mod explain;
pub mod facts;
pub mod fresh;
pub mod gather;
pub mod guard;
pub mod hand;
pub mod history;
pub mod import;
pub mod links;
pub mod mapping;
pub mod pins;
pub mod plan;
pub mod reconcile;
pub mod reports;
pub mod signals;
pub mod standing;
