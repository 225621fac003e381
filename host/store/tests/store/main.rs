//! The store as its users meet it: tables against a plain model, transactions of many threads, a
//! disk that crashes, files that cannot be opened.
#![expect(
    clippy::unwrap_used,
    reason = "in a test an unexpected error ends the test"
)]

mod crash;
mod disk;
mod model;
mod opening;
mod rehearsal;
mod tables;
mod transactions;
