//! The one integration binary: one file for each subject.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

mod activation;
mod author;
mod broken;
mod bulk;
mod catalogue;
mod chains;
mod cli;
mod config;
mod crash;
mod decisions;
mod errors;
mod failures;
mod filters;
mod fold;
mod groups;
mod guards;
mod hostile;
mod install;
mod isolation;
mod limits;
mod managers;
mod nested;
mod operations;
mod paging;
mod people;
mod pins;
mod plans;
mod policies;
mod process;
mod providers;
mod requests;
mod returning;
mod rules;
mod schemas;
mod shared;
mod strict;
mod tokens;
mod unknown;
mod versions;
