//! The harness: starts the real `gatewright` binary in a temporary folder on a free port, and
//! speaks to it over HTTP as a provider, an application or an administrator would.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test harness: what fails here fails the test"
)]

pub mod dialogue;
mod http;
pub mod isolation;
mod organization;
mod server;
mod subset;

pub use http::{Client, Reply};
pub use organization::Organization;
pub use server::{Server, Start, binary, plugin};
pub use subset::contains;
