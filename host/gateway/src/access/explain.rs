//! Why an account has not what it has not: from the mapping, the catalogue, and what the guards did.

use super::guard::capacity;
use super::{catalogue, mapping};
use crate::directory::membership::Memberships;
use crate::model::access::{AccountRecord, AssignmentRecord, GrantKind};
use crate::model::mapping::{GroupSelector, MappingEntry};
use gatewright_store::{OrganizationScope, Read, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// How many groups are named in a sentence.
const NAMED: usize = 5;

/// Something in the catalogue that the account does not have.
pub struct Missing {
    /// What it is.
    pub kind: GrantKind,
    /// Its name.
    pub name: String,
    /// A sentence: why not.
    pub why: String,
}

/// The row of the mapping that a grant follows from.
pub struct Source {
    /// Its place in the mapping, from 0.
    pub position: usize,
    /// What it says of the group.
    pub group: String,
    /// The group's name, where the account is in it.
    pub member_of: Option<String>,
}

/// What is known of an account beside its record.
pub struct Explained {
    /// The rows of the mapping that its grants follow from.
    pub sources: HashMap<Uuid, Source>,
    /// What it does not have.
    pub missing: Vec<Missing>,
}

/// Explains one account. Costs a step for each row of the mapping and each membership.
///
/// # Errors
/// What the store says.
pub fn explain(
    reader: &impl Read<OrganizationScope>,
    account: &AccountRecord,
    assignment: Option<&AssignmentRecord>,
) -> Result<Explained, StoreError> {
    let mapping = mapping::load(reader)?;
    let resolved = mapping::resolved(reader)?;
    let matcher = mapping::Matcher::new(&resolved);
    let mut matched: HashMap<usize, String> = HashMap::new();
    let mut memberships = Memberships::new(reader);
    for user in &account.users {
        for group in memberships.all(*user)? {
            let external_id = group.external_id.as_deref();
            for place in matcher.places(group.id, &group.name, external_id) {
                matched.entry(place).or_insert_with(|| group.name.clone());
            }
        }
    }
    let grants = assignment.map_or(&[][..], |stored| &stored.grants);
    let sources = mapping.entries.iter().enumerate();
    let sources = sources
        .filter(|(_, entry)| {
            grants
                .iter()
                .any(|grant| grant.mapping_entry == Some(entry.id))
        })
        .map(|(position, entry)| {
            let source = Source {
                position,
                group: selector(&entry.group),
                member_of: matched.get(&position).cloned(),
            };
            (entry.id, source)
        })
        .collect();
    let catalogue = catalogue::load(reader)?;
    let role = grants
        .iter()
        .find(|grant| grant.kind == GrantKind::BaseRole);
    let rank = |name: &str| {
        catalogue
            .base_roles
            .iter()
            .position(|role| role.name == name)
    };
    let mut missing = Vec::new();
    for kind in [GrantKind::BaseRole, GrantKind::CustomRole, GrantKind::Seat] {
        for name in catalogue::names(&catalogue, kind) {
            if grants
                .iter()
                .any(|grant| grant.kind == kind && grant.name == name)
            {
                continue;
            }
            let rows = Rows::of(&mapping.entries, &matched, kind, &name);
            let outranked =
                role.filter(|role| kind == GrantKind::BaseRole && rank(&role.name) < rank(&name));
            let denied = assignment.is_some_and(|stored| stored.denied.contains(&name));
            let why = if kind == GrantKind::Seat && denied {
                let seat = catalogue.seat_types.iter().find(|seat| seat.name == name);
                let seat =
                    seat.map(|seat| (seat.capacity.unwrap_or(0), capacity::free(reader, seat)));
                match seat {
                    Some((capacity, Ok(_))) => {
                        format!("it is to have one, but all {capacity} are taken")
                    }
                    Some((_, Err(error))) => return Err(error),
                    None => "it is to have one, but there is none".to_owned(),
                }
            } else if let Some(role) = outranked {
                format!(
                    "{}; \"{}\", which it has, ranks higher",
                    rows.sentence(),
                    role.name
                )
            } else if assignment.is_none() {
                format!("{}; nothing is decided about it yet", rows.sentence())
            } else {
                rows.sentence()
            };
            missing.push(Missing { kind, name, why });
        }
    }
    Ok(Explained { sources, missing })
}

/// The rows of the mapping that give something.
struct Rows {
    /// Groups that the account is in.
    member: Vec<String>,
    /// Others.
    others: Vec<String>,
}

impl Rows {
    fn of(
        entries: &[MappingEntry],
        matched: &HashMap<usize, String>,
        kind: GrantKind,
        name: &str,
    ) -> Self {
        let mut rows = Self {
            member: Vec::new(),
            others: Vec::new(),
        };
        for (place, entry) in entries.iter().enumerate() {
            if entry.kind == kind && entry.target == name {
                match matched.get(&place) {
                    Some(group) => rows.member.push(group.clone()),
                    None => rows.others.push(selector(&entry.group)),
                }
            }
        }
        rows
    }

    fn sentence(&self) -> String {
        if !self.member.is_empty() {
            return format!(
                "the mapping gives it to members of {}, and the account is one; its policy did \
                 not grant it",
                listed(&self.member)
            );
        }
        if self.others.is_empty() {
            return "no row of the mapping gives it".to_owned();
        }
        format!(
            "the mapping gives it to members of {}, and the account is none of them",
            listed(&self.others)
        )
    }
}

fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let rest = names.len() - shown.len();
    let shown = shown.join(", ");
    if rest == 0 {
        shown
    } else {
        format!("{shown} and {rest} more groups")
    }
}

fn selector(group: &GroupSelector) -> String {
    match group {
        GroupSelector::Id(id) => format!("the group with the id {id}"),
        GroupSelector::Name(name) => format!("\"{name}\""),
        GroupSelector::ExternalId(id) => format!("the group with the external id \"{id}\""),
    }
}
