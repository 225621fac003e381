//! What is stored: one file for each subject, each with its records and tables. Records are the
//! disk's types and nothing else: what is shown to a client is built from them in `http`.
//!
//! A table's number is for ever. Numbers below 100 belong to the system scope, the others to
//! organizations.

pub mod access;
pub mod catalogue;
pub mod events;
pub mod facts;
pub mod guard;
pub mod migrations;
pub mod people;
pub mod plans;
pub mod plugins;
pub mod requests;
pub mod schemas;
pub mod tenancy;
