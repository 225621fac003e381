//! Roles and seats that a person gives and takes, in the application or through the API. Roles only
//! of accounts that no directory manages; of the others seats that no group gives.

use super::assignment;
use super::catalogue;
use super::guard::{self, capacity};
use super::mapping;
use super::standing::{Phases, Standing};
use crate::clock::Timestamp;
use crate::directory::membership::Memberships;
use crate::ledger::{Change, Committed, change};
use crate::model::access::{
    AccountRecord, AccountStatus, Accounts, AssignmentRecord, Assignments, GrantKind, GrantOrigin,
    GrantRecord,
};
use crate::model::catalogue::Catalogue;
use crate::model::mapping::MappingEntry;
use crate::model::tenancy::Directories;
use gatewright_store::{Organization, Read, StoreError, WriteError};
use uuid::Uuid;

/// Why something was not given or taken by hand.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// There is no such account.
    #[error("account {0} does not exist")]
    NoAccount(Uuid),
    /// The account does not have it.
    #[error("account {account} does not have the {kind} \"{name}\"")]
    Missing {
        /// The account.
        account: Uuid,
        /// `role` or `seat`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no such role or seat.
    #[error("the catalogue has no {kind} \"{name}\"; it has: {known}")]
    Unknown {
        /// `role` or `seat`.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It would leave nobody who is owner.
    #[error("{0} is the last active owner: make somebody else owner first")]
    LastOwner(String),
    /// All seats are taken.
    #[error(
        "all seats \"{0}\" are taken: take one from somebody, or raise its capacity in the catalogue"
    )]
    Full(String),
    /// A group that the account is in gives it.
    #[error(
        "the seat \"{seat}\" comes from the group \"{group}\", which this person is in: remove \
         them from the group at the identity provider, or change the mapping"
    )]
    FromGroup {
        /// The seat.
        seat: String,
        /// The group's name.
        group: String,
    },
    /// A directory decides about the account's roles.
    #[error(
        "the directory \"{directory}\" manages the roles of {label}{given}: change the person's \
         groups at the identity provider, or the mapping, and it follows; to change roles by hand, \
         uninstall the directory",
        given = given(.from.as_ref())
    )]
    Managed {
        /// The directory's name.
        directory: String,
        /// What people call the account.
        label: String,
        /// The role that the account has, and the group that gives it.
        from: Option<(String, String)>,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

fn given(from: Option<&(String, String)>) -> String {
    from.map(|(role, group)| format!(", whose role \"{role}\" comes from the group \"{group}\""))
        .unwrap_or_default()
}

/// Gives a role. A base role takes the place of the one before.
///
/// # Errors
/// Where there is no such account or role, or a directory manages the account.
pub fn give_role(
    organization: &Organization,
    at: Timestamp,
    account: Uuid,
    role: &str,
) -> Result<Committed<()>, WriteError<HandError>> {
    let role = role.to_owned();
    change(organization, at, move |change| {
        let (record, mut assignment) = unmanaged(change, account)?;
        let kind = role_kind(&catalogue::load(change.tx)?, &role)?;
        let others = |grant: &GrantRecord| {
            kind == GrantKind::BaseRole && grant.kind == kind && grant.name != role
        };
        let before = assignment.grants.clone();
        assignment.grants.retain(|grant| !others(grant));
        give(
            change,
            (account, &record),
            &before,
            assignment,
            (kind, &role),
        )
    })
}

/// Takes a role away.
///
/// # Errors
/// Where the account does not have it, or a directory manages the account.
pub fn take_role(
    organization: &Organization,
    at: Timestamp,
    account: Uuid,
    role: &str,
) -> Result<Committed<()>, WriteError<HandError>> {
    let role = role.to_owned();
    change(organization, at, move |change| {
        let (record, mut assignment) = unmanaged(change, account)?;
        let is_it = |grant: &GrantRecord| grant.kind != GrantKind::Seat && grant.name == role;
        let place = assignment.grants.iter().position(is_it);
        let place = place.ok_or_else(|| HandError::Missing {
            account,
            kind: "role",
            name: role.clone(),
        })?;
        let grant = assignment.grants.remove(place);
        taken(change, account, &record, &assignment, grant)
    })
}

/// Gives a seat. One that the account has stays, and is kept as one that was given by hand.
///
/// # Errors
/// Where there is no such account or seat.
pub fn give_seat(
    organization: &Organization,
    at: Timestamp,
    account: Uuid,
    seat: &str,
) -> Result<Committed<()>, WriteError<HandError>> {
    let seat = seat.to_owned();
    change(organization, at, move |change| {
        let (record, assignment) = stored(change, account)?;
        let catalogue = catalogue::load(change.tx)?;
        if !catalogue::has(&catalogue, GrantKind::Seat, &seat) {
            return Err(HandError::Unknown {
                kind: "seat",
                name: seat.clone(),
                known: catalogue::names(&catalogue, GrantKind::Seat).join(", "),
            });
        }
        let before = assignment.grants.clone();
        give(
            change,
            (account, &record),
            &before,
            assignment,
            (GrantKind::Seat, &seat),
        )
    })
}

/// Takes a seat away. What a policy gives anew on the next decision comes back; a seat that is
/// only kept does not.
///
/// # Errors
/// Where the account does not have it, or has it from a group that it is in.
pub fn take_seat(
    organization: &Organization,
    at: Timestamp,
    account: Uuid,
    seat: &str,
) -> Result<Committed<()>, WriteError<HandError>> {
    let seat = seat.to_owned();
    change(organization, at, move |change| {
        let missing = || HandError::Missing {
            account,
            kind: "seat",
            name: seat.clone(),
        };
        let record = change.tx.get::<Accounts>(&account)?.ok_or_else(missing)?;
        let assignment = change.tx.get::<Assignments>(&account)?;
        let mut assignment = assignment.ok_or_else(missing)?;
        let is_it = |grant: &GrantRecord| grant.kind == GrantKind::Seat && grant.name == seat;
        let place = assignment.grants.iter().position(is_it);
        let place = place.ok_or_else(missing)?;
        if let Some(group) = giving_group(change, &record, GrantKind::Seat, &seat)? {
            return Err(HandError::FromGroup {
                seat: seat.clone(),
                group,
            });
        }
        let grant = assignment.grants.remove(place);
        taken(change, account, &record, &assignment, grant)
    })
}

fn stored(
    change: &Change<'_, '_>,
    account: Uuid,
) -> Result<(AccountRecord, AssignmentRecord), HandError> {
    let record = change.tx.get::<Accounts>(&account)?;
    let record = record.ok_or(HandError::NoAccount(account))?;
    let assignment = change.tx.get::<Assignments>(&account)?;
    let assignment = assignment.unwrap_or_else(|| AssignmentRecord::undecided(change.at()));
    Ok((record, assignment))
}

/// An account whose roles are open to people.
fn unmanaged(
    change: &Change<'_, '_>,
    account: Uuid,
) -> Result<(AccountRecord, AssignmentRecord), HandError> {
    let (record, assignment) = stored(change, account)?;
    let standing = Standing::of(&record, &Phases::read(change.tx)?);
    if standing == Standing::Free {
        return Ok((record, assignment));
    }
    let directory = match standing.manager() {
        Some(id) => change.tx.get::<Directories>(&id)?,
        None => None,
    };
    let role = assignment
        .grants
        .iter()
        .find(|grant| grant.kind == GrantKind::BaseRole);
    let from = match role {
        Some(role) => giving_group(change, &record, role.kind, &role.name)?
            .map(|group| (role.name.clone(), group)),
        None => None,
    };
    Err(HandError::Managed {
        directory: directory.map_or_else(|| "that had the user".to_owned(), |record| record.name),
        label: record.label,
        from,
    })
}

fn role_kind(catalogue: &Catalogue, role: &str) -> Result<GrantKind, HandError> {
    let kinds = [GrantKind::BaseRole, GrantKind::CustomRole];
    let found = kinds
        .into_iter()
        .find(|kind| catalogue::has(catalogue, *kind, role));
    found.ok_or_else(|| HandError::Unknown {
        kind: "role",
        name: role.to_owned(),
        known: kinds
            .iter()
            .flat_map(|kind| catalogue::names(catalogue, *kind))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn give(
    change: &mut Change<'_, '_>,
    (account, record): (Uuid, &AccountRecord),
    before: &[GrantRecord],
    mut assignment: AssignmentRecord,
    (kind, name): (GrantKind, &str),
) -> Result<(), HandError> {
    let same = |grant: &&mut GrantRecord| grant.kind == kind && grant.name == name;
    if let Some(known) = assignment.grants.iter_mut().find(same) {
        if known.origin == GrantOrigin::Manual {
            return Ok(());
        }
        known.origin = GrantOrigin::Manual;
        change.event(
            "grant.kept",
            serde_json::json!({
                "account": account, "label": record.label, "kind": kind, "name": name,
                "reason": "by hand",
            }),
        )?;
    } else {
        let grant = GrantRecord {
            kind,
            name: name.to_owned(),
            reason: "by hand".into(),
            mapping_entry: None,
            since: change.at(),
            origin: GrantOrigin::Manual,
            by: None,
            revision: change.revision(),
            request: None,
        };
        if kind == GrantKind::Seat && !capacity::has_room(change.tx, name)? {
            return Err(HandError::Full(name.to_owned()));
        }
        assignment.grants.push(grant);
        assignment.sort();
    }
    refuse_last_owner(change, account, record, before, &assignment.grants)?;
    let why = |_: &GrantRecord| "another was given by hand".to_owned();
    assignment::changed(
        change,
        (account, &record.label),
        before,
        &assignment.grants,
        &why,
    )?;
    change.tx.put::<Assignments>(&account, &assignment)?;
    if kind == GrantKind::BaseRole && record.status == AccountStatus::Active {
        guard::activated(change, account)?;
    }
    change.mark(account)?;
    Ok(())
}

/// The last active owner stays one, whoever would have it otherwise.
fn refuse_last_owner(
    change: &Change<'_, '_>,
    account: Uuid,
    record: &AccountRecord,
    before: &[GrantRecord],
    after: &[GrantRecord],
) -> Result<(), HandError> {
    if guard::is_last(change.tx, account, before, after)? {
        return Err(HandError::LastOwner(record.label.clone()));
    }
    Ok(())
}

fn taken(
    change: &mut Change<'_, '_>,
    account: Uuid,
    record: &AccountRecord,
    assignment: &AssignmentRecord,
    grant: GrantRecord,
) -> Result<(), HandError> {
    change.tx.put::<Assignments>(&account, assignment)?;
    let mut before = assignment.grants.clone();
    before.push(grant);
    refuse_last_owner(change, account, record, &before, &assignment.grants)?;
    let why = |_: &GrantRecord| "by hand".to_owned();
    let who = (account, record.label.as_str());
    assignment::changed(change, who, &before, &assignment.grants, &why)?;
    change.mark(account)?;
    Ok(())
}

/// A group of a directory in force that the account is in, also through another one, and that the
/// mapping lets give this.
fn giving_group(
    change: &Change<'_, '_>,
    account: &AccountRecord,
    kind: GrantKind,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let phases = Phases::read(change.tx)?;
    let entries = mapping::resolved(change.tx)?;
    let gives = |entry: &&MappingEntry| entry.kind == kind && entry.target == name;
    let matcher = mapping::Matcher::new(entries.iter().filter(gives));
    let mut memberships = Memberships::new(change.tx);
    let users = account.users.iter();
    for user in users.filter(|(directory, _)| phases.in_force(*directory)) {
        for group in memberships.all(*user)? {
            let external_id = group.external_id.as_deref();
            let mut gives = matcher.places(group.id, &group.name, external_id);
            if gives.next().is_some() {
                return Ok(Some(group.name.clone()));
            }
        }
    }
    Ok(None)
}
