//! What a plan changes for one account: before and after, beside each other.

use crate::access::reconcile::trial::Tried;
use crate::model::access::{AccountStatus, GrantKind};
use crate::model::catalogue::Catalogue;
use crate::model::plans::{ChangeKind, Holding, PlannedGrant, PlannedRecord};

/// The base roles by rank, the highest first: as they are, and as the plan would have them.
pub(super) struct Ranks {
    before: Vec<String>,
    after: Vec<String>,
}

impl Ranks {
    pub(super) fn of(before: &Catalogue, after: &Catalogue) -> Self {
        let names = |catalogue: &Catalogue| {
            let roles = catalogue.base_roles.iter();
            roles.map(|role| role.name.clone()).collect()
        };
        Self {
            before: names(before),
            after: names(after),
        }
    }

    /// Whether who has this is an active owner after the plan.
    pub(super) fn is_owner(&self, holding: &Holding) -> bool {
        let owner = self.after.first().map(String::as_str);
        holding.status == AccountStatus::Active && owner.is_some() && base_role(holding) == owner
    }

    /// In which way one base role became another, if it did. Where no catalogue has both, as a loss.
    fn moved(&self, before: Option<&str>, after: Option<&str>) -> Option<ChangeKind> {
        let (from, to) = match (before, after) {
            (None, None) => return None,
            (None, Some(_)) => return Some(ChangeKind::RoleUp),
            (Some(_), None) => return Some(ChangeKind::RoleDown),
            (Some(from), Some(to)) => (from, to),
        };
        if from == to {
            return None;
        }
        let up = [&self.after, &self.before].into_iter().find_map(|roles| {
            let rank = |role: &str| roles.iter().position(|known| known == role);
            Some(rank(to)? < rank(from)?)
        });
        Some(match up {
            Some(true) => ChangeKind::RoleUp,
            Some(false) | None => ChangeKind::RoleDown,
        })
    }
}

/// What the trial changes for the account; none where nothing does.
pub(super) fn planned(tried: &Tried, ranks: &Ranks) -> Option<PlannedRecord> {
    let before = tried.before.clone();
    let (after, failure) = match &tried.after {
        Ok(after) => (after.clone(), None),
        Err(why) => (before.clone(), Some(why.clone())),
    };
    let lost = lacking(&before, &after);
    let gained = lacking(&after, &before);
    let mut kinds = Vec::new();
    if gained > 0 {
        kinds.push(ChangeKind::Gains);
    }
    if lost > 0 {
        kinds.push(ChangeKind::Loses);
    }
    kinds.extend(ranks.moved(base_role(&before), base_role(&after)));
    if before.status != after.status {
        kinds.push(match after.status {
            AccountStatus::Active => ChangeKind::Activated,
            AccountStatus::Deactivated => ChangeKind::Deactivated,
            AccountStatus::Deleted => ChangeKind::Deleted,
        });
    }
    if failure.is_some() {
        kinds.push(ChangeKind::Failed);
    }
    if kinds.is_empty() {
        return None;
    }
    // A base role for a higher one is no loss to anybody.
    let risen = base_role(&before).is_some() && kinds.contains(&ChangeKind::RoleUp);
    let shut_out = before.status == AccountStatus::Active && after.status != AccountStatus::Active;
    Some(PlannedRecord {
        label: tried.label.clone(),
        before,
        after,
        kinds,
        losses: lost - u32::from(risen) + u32::from(shut_out),
        failure,
        link: None,
    })
}

/// Whether an account would have what a plan shows, whatever it has now and whatever the reasons are;
/// of one that the plan does not show, that nothing would change.
pub(super) fn agree(planned: Option<&PlannedRecord>, tried: &Tried, ranks: &Ranks) -> bool {
    match (planned, &tried.after) {
        (None, _) => self::planned(tried, ranks).is_none(),
        (Some(planned), Ok(after)) => planned.failure.is_none() && same(&planned.after, after),
        (Some(planned), Err(_)) => planned.failure.is_some(),
    }
}

fn same(one: &Holding, other: &Holding) -> bool {
    let things = |holding: &Holding| -> Vec<(GrantKind, String)> {
        let grants = holding.grants.iter();
        grants
            .map(|grant| (grant.kind, grant.name.clone()))
            .collect()
    };
    one.status == other.status && things(one) == things(other)
}

/// How many things of the first the second lacks.
fn lacking(one: &Holding, other: &Holding) -> u32 {
    let has = |wanted: &PlannedGrant| {
        let mut grants = other.grants.iter();
        grants.any(|grant| (grant.kind, &grant.name) == (wanted.kind, &wanted.name))
    };
    let lacking = one.grants.iter().filter(|grant| !has(grant)).count();
    u32::try_from(lacking).unwrap_or(u32::MAX)
}

fn base_role(holding: &Holding) -> Option<&str> {
    let mut roles = holding.grants.iter();
    let role = roles.find(|grant| grant.kind == GrantKind::BaseRole);
    role.map(|grant| grant.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::BaseRole;
    use uuid::Uuid;

    fn catalogue(roles: &[&str]) -> Catalogue {
        let base = |name: &&str| BaseRole {
            name: (*name).to_owned(),
            default: false,
        };
        Catalogue {
            base_roles: roles.iter().map(base).collect(),
            custom_roles: Vec::new(),
            seat_types: Vec::new(),
        }
    }

    fn holding(status: AccountStatus, grants: &[(GrantKind, &str)]) -> Holding {
        let grant = |(kind, name): &(GrantKind, &str)| PlannedGrant {
            kind: *kind,
            name: (*name).to_owned(),
            reason: String::new(),
        };
        Holding {
            status,
            status_reason: String::new(),
            grants: grants.iter().map(grant).collect(),
        }
    }

    fn tried(before: Holding, after: Result<Holding, String>) -> Tried {
        Tried {
            account: Uuid::nil(),
            label: String::new(),
            unlinked: false,
            before,
            after,
            ask_again: None,
        }
    }

    #[test]
    fn each_way_in_which_an_account_changes_is_named() {
        use AccountStatus::{Active, Deactivated, Deleted};
        use ChangeKind as Kind;
        use GrantKind::{BaseRole, Seat};
        let roles = catalogue(&["Owner", "Admin", "Viewer"]);
        let ranks = Ranks::of(&roles, &roles);
        let kinds = |before: Holding, after: Holding| {
            planned(&tried(before, Ok(after)), &ranks).map(|record| (record.kinds, record.losses))
        };
        let admin = || holding(Active, &[(BaseRole, "Admin")]);
        assert_eq!(kinds(admin(), admin()), None);
        assert_eq!(
            kinds(admin(), holding(Active, &[(BaseRole, "Owner")])),
            Some((vec![Kind::Gains, Kind::Loses, Kind::RoleUp], 0))
        );
        assert_eq!(
            kinds(
                admin(),
                holding(Active, &[(BaseRole, "Viewer"), (Seat, "full")])
            ),
            Some((vec![Kind::Gains, Kind::Loses, Kind::RoleDown], 1))
        );
        assert_eq!(
            kinds(admin(), holding(Deactivated, &[])),
            Some((vec![Kind::Loses, Kind::RoleDown, Kind::Deactivated], 2))
        );
        assert_eq!(
            kinds(admin(), holding(Deleted, &[(BaseRole, "Admin")])),
            Some((vec![Kind::Deleted], 1))
        );
        assert_eq!(
            kinds(holding(Deactivated, &[]), admin()),
            Some((vec![Kind::Gains, Kind::RoleUp, Kind::Activated], 0))
        );
        let failed = planned(&tried(admin(), Err("no".into())), &ranks).unwrap();
        assert_eq!((failed.kinds, failed.losses), (vec![Kind::Failed], 0));
        assert_eq!(failed.after, admin());
    }

    #[test]
    fn ranks_are_those_of_a_catalogue_that_has_both_roles() {
        let ranks = Ranks::of(
            &catalogue(&["Owner", "Admin", "Standard"]),
            &catalogue(&["Owner", "Standard", "Guest"]),
        );
        let moved = |from, to| ranks.moved(Some(from), Some(to));
        assert_eq!(moved("Standard", "Guest"), Some(ChangeKind::RoleDown));
        assert_eq!(moved("Admin", "Standard"), Some(ChangeKind::RoleDown));
        assert_eq!(moved("Admin", "Owner"), Some(ChangeKind::RoleUp));
        assert_eq!(moved("Admin", "Guest"), Some(ChangeKind::RoleDown));
    }

    #[test]
    fn a_plan_holds_where_its_end_is_the_same() {
        let roles = catalogue(&["Owner", "Admin"]);
        let ranks = Ranks::of(&roles, &roles);
        let owner = || holding(AccountStatus::Active, &[(GrantKind::BaseRole, "Owner")]);
        let admin = || holding(AccountStatus::Active, &[(GrantKind::BaseRole, "Admin")]);
        let mut record = planned(&tried(owner(), Ok(admin())), &ranks).unwrap();
        record.after.grants[0].reason = "another".into();
        let agrees = |before, after| agree(Some(&record), &tried(before, after), &ranks);
        assert!(agrees(owner(), Ok(admin())));
        assert!(agrees(admin(), Ok(admin())), "it has it already");
        assert!(!agrees(admin(), Ok(owner())) && !agrees(owner(), Ok(owner())));
        assert!(!agrees(owner(), Err("no".into())));
        assert!(agree(None, &tried(owner(), Ok(owner())), &ranks));
        assert!(!agree(None, &tried(owner(), Ok(admin())), &ranks));
        assert!(!agree(None, &tried(owner(), Err("no".into())), &ranks));
    }
}
