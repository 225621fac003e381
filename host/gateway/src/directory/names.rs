//! What groups are called, kept between requests: whoever shows a user shows the names of its groups,
//! and many users are in the same ones.

use super::membership::GroupOf;
use crate::ledger::Change;
use crate::model::facts::Renamed;
use gatewright_store::{OrganizationId, OrganizationScope, Read, StoreError};
use quick_cache::sync::Cache;
use uuid::Uuid;

/// How many groups are kept, of all organizations: some 10 MiB at most.
const KEPT: usize = 10_000;

/// Bytes of a name and an external id. What is longer is read each time: a name may be as long as a
/// request.
const LONGEST: usize = 1_000;

/// Names of groups, by the revision at which one of the organization's groups was last renamed or
/// removed. What was kept at another revision than a snapshot's is not the snapshot's.
pub struct GroupNames(Cache<(OrganizationId, Uuid), (u64, GroupOf)>);

impl Default for GroupNames {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl std::fmt::Debug for GroupNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GroupNames").field(&self.0.len()).finish()
    }
}

impl GroupNames {
    /// A group as it is called at that revision of the names.
    pub(super) fn get(
        &self,
        organization: OrganizationId,
        group: Uuid,
        revision: u64,
    ) -> Option<GroupOf> {
        let (known, name) = self.0.get(&(organization, group))?;
        (known == revision).then_some(name)
    }

    /// Keeps it, where it is not too long.
    pub(super) fn keep(&self, organization: OrganizationId, revision: u64, group: &GroupOf) {
        let external_id = group.external_id.as_ref().map_or(0, String::len);
        if group.name.len() + external_id > LONGEST {
            return;
        }
        let known = (revision, group.clone());
        self.0.insert((organization, group.id), known);
    }
}

/// The revision of the names that a reader sees.
pub(super) fn revision(reader: &impl Read<OrganizationScope>) -> Result<u64, StoreError> {
    Ok(reader.get::<Renamed>(&())?.unwrap_or(0))
}

/// Says that a group that there was is called otherwise, or is gone.
pub(super) fn moved(change: &mut Change<'_, '_>) -> Result<(), StoreError> {
    let revision = change.revision();
    change.tx.put::<Renamed>(&(), &revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_its_revision_and_organization_only() {
        let [one, other] = [1, 2].map(|n| OrganizationId::from(Uuid::from_u128(n)));
        let group = |name: &str| GroupOf {
            id: Uuid::from_u128(9),
            name: name.to_owned(),
            external_id: None,
            indirect: false,
        };
        let names = GroupNames::default();
        let find = |organization, revision| {
            let found = names.get(organization, Uuid::from_u128(9), revision);
            found.map(|group| group.name)
        };
        names.keep(one, 5, &group("old"));
        assert_eq!(find(one, 5).as_deref(), Some("old"));
        assert_eq!(
            (find(one, 4), find(one, 6), find(other, 5)),
            (None, None, None)
        );
        names.keep(one, 6, &group(&"long".repeat(LONGEST)));
        assert_eq!(find(one, 6), None, "too long to be kept");
        names.keep(one, 6, &group("new"));
        assert_eq!((find(one, 6).as_deref(), find(one, 5)), (Some("new"), None));
    }
}
