//! Which accounts are being decided: no two steps that run at the same time decide about the same
//! one. That they did would do no harm, since what is stored is checked against the mark; it would
//! be work for nothing.

use gatewright_store::OrganizationId;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

type Claimed = HashMap<OrganizationId, HashSet<Uuid>>;

/// All claims.
#[derive(Default)]
pub(super) struct Claims(Mutex<Claimed>);

/// The accounts of one step. Dropping it gives them back.
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    organization: OrganizationId,
    accounts: Vec<Uuid>,
    /// Whether others had claims when this one was made: what it did not find may be theirs.
    pub(super) others: bool,
}

impl Claims {
    /// Claims what `choose` takes of those that are not claimed yet, which it is told by a function.
    /// It runs alone: who claims next has a snapshot with everything of those whose claims are given
    /// back.
    pub(super) fn claim<E, T>(
        &self,
        organization: OrganizationId,
        choose: impl FnOnce(&HashSet<Uuid>) -> Result<(T, Vec<Uuid>), E>,
    ) -> Result<(T, Claim<'_>), E> {
        let mut all = self.all();
        let claimed = all.entry(organization).or_default();
        let others = !claimed.is_empty();
        let chosen = choose(claimed);
        if let Ok((_, accounts)) = &chosen {
            claimed.extend(accounts);
        }
        if claimed.is_empty() {
            all.remove(&organization);
        }
        drop(all);
        let (value, accounts) = chosen?;
        let claim = Claim {
            claims: self,
            organization,
            accounts,
            others,
        };
        Ok((value, claim))
    }

    fn all(&self) -> MutexGuard<'_, Claimed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    /// The accounts.
    pub(super) fn accounts(&self) -> &[Uuid] {
        &self.accounts
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut all = self.claims.all();
        let Some(claimed) = all.get_mut(&self.organization) else {
            return;
        };
        for account in &self.accounts {
            claimed.remove(account);
        }
        if claimed.is_empty() {
            all.remove(&self.organization);
        }
    }
}
