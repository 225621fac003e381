//! Whose rows a handle reaches: the installation's or one organization's.
//!
//! A scope's value stands at the front of every physical key. It can only be had through a handle,
//! so no code can name a row of an organization that it was not given.

use crate::{OrganizationId, key::Key, table::Table};

/// Either [`SystemScope`] or [`OrganizationScope`].
pub trait ScopeKind: sealed::Scope {}

/// Rows of the installation as a whole.
#[derive(Clone, Copy, Debug)]
pub struct SystemScope(pub(crate) ());

/// Rows of one organization.
#[derive(Clone, Copy, Debug)]
pub struct OrganizationScope(pub(crate) OrganizationId);

impl ScopeKind for SystemScope {}
impl ScopeKind for OrganizationScope {}

pub(crate) mod sealed {
    use crate::OrganizationId;

    pub trait Scope: Copy + Send + Sync + 'static {
        /// Appends the beginning of the scope's physical keys.
        fn encode(self, out: &mut Vec<u8>);

        /// The organization whose transactions these are.
        fn organization(self) -> Option<OrganizationId>;
    }
}

impl sealed::Scope for SystemScope {
    fn encode(self, out: &mut Vec<u8>) {
        out.push(0);
    }

    fn organization(self) -> Option<OrganizationId> {
        None
    }
}

impl sealed::Scope for OrganizationScope {
    fn encode(self, out: &mut Vec<u8>) {
        out.push(1);
        self.0.encode(out);
    }

    fn organization(self) -> Option<OrganizationId> {
        Some(self.0)
    }
}

/// What the physical keys of a table (`index` 0) or of one of its indexes begin with.
pub(crate) fn base<T: Table>(scope: T::Scope, index: u16) -> Vec<u8> {
    // Room for the longest scope, the two ids and a usual key.
    let mut out = Vec::with_capacity(64);
    sealed::Scope::encode(scope, &mut out);
    T::ID.encode(&mut out);
    index.encode(&mut out);
    out
}

/// The physical key of a row (`index` 0) or of a key in one of its indexes.
pub(crate) fn physical<T: Table>(scope: T::Scope, index: u16, key: &impl Key) -> Vec<u8> {
    let mut out = base::<T>(scope, index);
    key.encode(&mut out);
    out
}
