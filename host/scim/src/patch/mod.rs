//! PATCH (RFC 7644 section 3.5.2).

mod change;
mod elements;
mod group;
mod operation;
mod target;
#[cfg(test)]
mod tests;
mod user;

pub(crate) use change::{Action, Change};
pub use group::{AttributeChanges, GroupOperation, GroupPatch};
pub(crate) use target::{Target, resolve_object};
pub use user::UserPatch;

/// What a PATCH made of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched<T> {
    /// The resource as it is now.
    pub resource: T,
    /// Whether it differs from what it was.
    pub changed: bool,
    /// The paths of what was left out, as in [`Parsed::ignored`](crate::Parsed::ignored).
    pub ignored: Vec<String>,
}
