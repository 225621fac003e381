//! Decisions: what an account may have, and why. Pure functions of facts, catalogue, settings, the
//! present assignment and the time, made by policy plugins, checked and stored by the host.

pub mod accounts;
pub mod alerts;
pub mod catalogue;
pub mod domains;
pub mod fresh;
pub mod gather;
pub mod hand;
pub mod import;
pub mod links;
pub mod mapping;
pub mod reconcile;
pub mod signals;
pub mod standing;
