//! The one integration binary: one file for each subject.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

mod cli;
mod config;
mod crash;
mod decisions;
mod errors;
mod failures;
mod groups;
mod hostile;
mod isolation;
mod limits;
mod process;
mod providers;
mod shared;
mod tokens;
