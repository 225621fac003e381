//! What a plugin may return. A plugin proposes; what is beyond its binding's grants, not in the
//! catalogue, or refers to what the account does not have, is refused here, whole.

use crate::printable::printable;
use crate::types::{Account, Basis, Catalogue, Grant, GrantKind, NamedValue, Proposal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};

/// Which grants a binding lets its plugin give. By default all of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Base roles by name.
    pub base_roles: Allowed,
    /// Custom roles by name.
    pub custom_roles: Allowed,
    /// Seat types by name.
    pub seats: Allowed,
}

/// A set of names. As JSON `"all"` or `{"only": ["Editor"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowed {
    /// Whatever the catalogue has, now and later.
    #[default]
    All,
    /// These, as far as the catalogue has them.
    Only(BTreeSet<String>),
}

impl Allowed {
    /// Whether `name` is one of them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// Why one account of a batch has no decision, though the call succeeded. The account keeps its
/// last assignment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// The plugin refused in its own words. Not a fault.
    #[error("the plugin refused: {}", printable(.message))]
    Refused {
        /// A sentence for the administrator; a stranger's text.
        message: String,
    },
    /// It named a grant that the catalogue does not have or the binding does not allow.
    #[error("the plugin may not grant the {} {}", kind_name(*.kind), printable(.name))]
    Ungranted {
        /// The kind of grant.
        kind: GrantKind,
        /// The name it gave.
        name: String,
    },
    /// Its decision contradicts the contract or itself.
    #[error("the decision is invalid: {why}")]
    Invalid {
        /// What is wrong with it.
        why: String,
    },
}

/// The bounds of the decisions of one call: what is both in the catalogue and granted.
pub(crate) struct Bounds<'a> {
    base_roles: HashSet<&'a str>,
    custom_roles: HashSet<&'a str>,
    seats: HashSet<&'a str>,
    /// Of one decision, in the sense of `Limits::output`.
    output: u64,
}

impl<'a> Bounds<'a> {
    pub(crate) fn new(grants: &Grants, catalogue: &'a Catalogue, output: u64) -> Self {
        fn both<'a>(names: impl Iterator<Item = &'a str>, allowed: &Allowed) -> HashSet<&'a str> {
            names.filter(|name| allowed.contains(name)).collect()
        }
        let base_roles = catalogue.base_roles.iter().map(|role| role.name.as_str());
        let custom_roles = catalogue.custom_roles.iter().map(|role| role.name.as_str());
        let seats = catalogue.seat_types.iter().map(|seat| seat.name.as_str());
        Self {
            base_roles: both(base_roles, &grants.base_roles),
            custom_roles: both(custom_roles, &grants.custom_roles),
            seats: both(seats, &grants.seats),
            output,
        }
    }

    /// A role policy's decision: base and custom roles, at most one base role.
    pub(crate) fn roles(&self, account: &Account, proposals: &[Proposal]) -> Result<(), Rejection> {
        if let Some(seat) = proposals.iter().find(|p| p.kind == GrantKind::Seat) {
            return Err(invalid(format!(
                "a role policy gives no seats, such as {:?}",
                seat.name
            )));
        }
        let base_roles = proposals.iter().filter(|p| p.kind == GrantKind::BaseRole);
        if base_roles.count() > 1 {
            return Err(invalid("it has more than one base role".to_owned()));
        }
        self.granted_once(account, proposals)
    }

    /// A seat policy's decision: seats and nothing else.
    pub(crate) fn seats(&self, account: &Account, proposals: &[Proposal]) -> Result<(), Rejection> {
        if let Some(role) = proposals.iter().find(|p| p.kind != GrantKind::Seat) {
            return Err(invalid(format!(
                "a seat policy gives no roles, such as {:?}",
                role.name
            )));
        }
        self.granted_once(account, proposals)
    }

    /// In a batch each decision has to keep to the limit of a single one, so that it does not
    /// matter who else was in it.
    pub(crate) fn size(&self, bytes: usize) -> Result<(), Rejection> {
        if bytes as u64 > self.output {
            return Err(invalid(format!(
                "it has {bytes} bytes, and {} are allowed",
                self.output
            )));
        }
        Ok(())
    }

    fn granted_once(&self, account: &Account, proposals: &[Proposal]) -> Result<(), Rejection> {
        let mut seen = HashSet::new();
        for proposal in proposals {
            let (granted, kind) = match proposal.kind {
                GrantKind::BaseRole => (&self.base_roles, 0),
                GrantKind::CustomRole => (&self.custom_roles, 1),
                GrantKind::Seat => (&self.seats, 2),
            };
            let name = proposal.name.as_str();
            if !granted.contains(name) {
                return Err(Rejection::Ungranted {
                    kind: proposal.kind,
                    name: name.to_owned(),
                });
            }
            if !seen.insert((kind, name)) {
                return Err(invalid(format!("it has {name:?} twice")));
            }
            founded(account, proposal)?;
        }
        Ok(())
    }
}

/// Whether the account has what the proposal says that it follows from.
fn founded(account: &Account, proposal: &Proposal) -> Result<(), Rejection> {
    let Proposal { kind, name, .. } = proposal;
    match proposal.basis {
        Basis::Rule => Ok(()),
        Basis::MappingEntry(place) if (place as usize) < account.mapping.len() => Ok(()),
        Basis::MappingEntry(place) => Err(invalid(format!(
            "its {} {name:?} names place {place} of the account's mapping, which has {} (places \
             count from 0)",
            kind_name(*kind),
            counted(account.mapping.len())
        ))),
        Basis::Kept => {
            let same = |grant: &Grant| grant.kind == *kind && grant.name == *name;
            if account.grants.iter().any(same) {
                return Ok(());
            }
            Err(invalid(format!(
                "its {} {name:?} says that it is kept, and the account does not have it",
                kind_name(*kind)
            )))
        }
    }
}

fn counted(entries: usize) -> String {
    match entries {
        0 => "no entries".to_owned(),
        1 => "1 entry".to_owned(),
        more => format!("{more} entries"),
    }
}

fn invalid(why: String) -> Rejection {
    Rejection::Invalid { why }
}

fn kind_name(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::BaseRole => "base role",
        GrantKind::CustomRole => "custom role",
        GrantKind::Seat => "seat",
    }
}

/// Bytes of the proposals as the output limit counts them.
pub(crate) fn size_of_proposals(proposals: &[Proposal]) -> usize {
    let one = |p: &Proposal| size_of::<Proposal>() + p.name.len() + p.reason.len();
    proposals.iter().map(one).sum()
}

/// Bytes of the extra values as the output limit counts them.
pub(crate) fn size_of_extra(extra: &[NamedValue]) -> usize {
    let one = |e: &NamedValue| size_of::<NamedValue>() + e.name.len() + e.value.len();
    extra.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AccountStatus, BaseRole, CustomRole, MappingEntry, SeatType};

    fn catalogue() -> Catalogue {
        let base = |name: &str, rank| BaseRole {
            name: name.to_owned(),
            rank,
            is_default: false,
        };
        Catalogue {
            base_roles: vec![base("Owner", 1), base("Editor", 2)],
            custom_roles: vec![CustomRole {
                name: "Editor".to_owned(),
                permissions: vec![],
            }],
            seat_types: vec![SeatType {
                name: "Full".to_owned(),
                capacity: None,
                is_default: true,
            }],
        }
    }

    /// With one entry of the mapping, and the base role Owner.
    fn account() -> Account {
        Account {
            id: String::new(),
            status: AccountStatus::Active,
            users: vec![],
            memberships: vec![],
            grants: vec![Grant {
                kind: GrantKind::BaseRole,
                name: "Owner".to_owned(),
                origin: "policy".to_owned(),
                is_mapped: false,
                mapping_entry: None,
                reason: String::new(),
                since: 0,
                extra: vec![],
            }],
            signals: vec![],
            mapping: vec![MappingEntry {
                membership: 0,
                kind: GrantKind::BaseRole,
                target: 1,
                position: 0,
            }],
            mapping_options: vec![],
            decided: None,
            created: 0,
            extra: vec![],
        }
    }

    fn proposal(kind: GrantKind, name: &str) -> Proposal {
        Proposal {
            kind,
            name: name.to_owned(),
            reason: String::new(),
            basis: Basis::Rule,
        }
    }

    fn no_owner() -> Grants {
        Grants {
            base_roles: Allowed::Only(["Editor", "Gone"].map(str::to_owned).into()),
            ..Grants::default()
        }
    }

    #[test]
    fn a_role_decision_stays_within_grants_and_catalogue() {
        use GrantKind::{BaseRole, CustomRole, Seat};
        let catalogue = catalogue();
        let bounds = Bounds::new(&no_owner(), &catalogue, 1000);
        let check = |list: &[(GrantKind, &str)]| {
            let proposals: Vec<_> = list.iter().map(|(k, n)| proposal(*k, n)).collect();
            bounds.roles(&account(), &proposals)
        };
        // The same name as two kinds is two grants.
        assert_eq!(
            check(&[(BaseRole, "Editor"), (CustomRole, "Editor")]),
            Ok(())
        );
        assert_eq!(check(&[]), Ok(()));
        for name in ["Owner", "Gone", "editor"] {
            assert_eq!(
                check(&[(BaseRole, name)]),
                Err(Rejection::Ungranted {
                    kind: BaseRole,
                    name: name.to_owned()
                })
            );
        }
        for list in [
            &[(Seat, "Full")][..],
            &[(CustomRole, "Editor"), (CustomRole, "Editor")],
            &[(BaseRole, "Editor"), (BaseRole, "Editor")],
        ] {
            assert!(matches!(check(list), Err(Rejection::Invalid { .. })));
        }
    }

    #[test]
    fn a_seat_decision_has_seats_only() {
        let catalogue = catalogue();
        let bounds = Bounds::new(&Grants::default(), &catalogue, 1000);
        let check = |proposal| bounds.seats(&account(), &[proposal]);
        assert_eq!(check(proposal(GrantKind::Seat, "Full")), Ok(()));
        assert!(matches!(
            check(proposal(GrantKind::BaseRole, "Editor")),
            Err(Rejection::Invalid { .. })
        ));
    }

    #[test]
    fn a_basis_is_what_the_account_has() {
        let catalogue = catalogue();
        let bounds = Bounds::new(&Grants::default(), &catalogue, 1000);
        let check = |name: &str, basis| {
            let proposal = Proposal {
                basis,
                ..proposal(GrantKind::BaseRole, name)
            };
            match bounds.roles(&account(), &[proposal]) {
                Ok(()) => String::new(),
                Err(why) => why.to_string(),
            }
        };
        assert_eq!(check("Editor", Basis::MappingEntry(0)), "");
        assert_eq!(
            check("Editor", Basis::MappingEntry(1)),
            "the decision is invalid: its base role \"Editor\" names place 1 of the account's \
             mapping, which has 1 entry (places count from 0)"
        );
        assert_eq!(check("Owner", Basis::Kept), "");
        assert_eq!(
            check("Editor", Basis::Kept),
            "the decision is invalid: its base role \"Editor\" says that it is kept, and the \
             account does not have it"
        );
    }

    #[test]
    fn grants_are_readable_json() {
        let json =
            r#"{"base_roles":{"only":["Editor","Gone"]},"custom_roles":"all","seats":"all"}"#;
        assert_eq!(serde_json::to_string(&no_owner()).unwrap(), json);
        assert_eq!(serde_json::from_str::<Grants>(json).unwrap(), no_owner());
        assert_eq!(
            serde_json::from_str::<Grants>("{}").unwrap(),
            Grants::default()
        );
    }
}
