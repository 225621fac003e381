//! What becomes of a directory's people when it is confirmed. It is confirmed in a rehearsal of the
//! store, by the code that does it in earnest, and some of its users get their accounts there.
//!
//! Whose account a user's is depends on that user, on the accounts that match and on who else matches
//! those: what moves concerns these few, and nobody has to look at all.

use crate::access::links;
use crate::access::reconcile::step::StepError;
use crate::access::standing::Phases;
use crate::clock::Timestamp;
use crate::directory::phases::{self, Confirmation, PhaseError};
use crate::ledger::change;
use crate::model::access::Accounts;
use crate::model::facts::{Users, text};
use crate::model::people::Links;
use crate::model::plans::{LinkKind, PLANNED_LINKS_BY_ACCOUNT, PlannedLinkRecord, PlannedLinks};
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, WriteError,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Users that are looked at for one account.
const MOST_SUITORS: usize = 20;

/// Users and accounts that belong together: each of the users is looked at, and the accounts are
/// decided about, with those that the users get.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Concerned {
    pub(super) users: BTreeSet<Uuid>,
    pub(super) accounts: BTreeSet<Uuid>,
}

/// Finds out who is concerned by what happened to an account, or to a user that has none yet.
///
/// # Errors
/// What the store says.
pub(super) fn concerned(
    reader: &impl Read<OrganizationScope>,
    plan: Uuid,
    directory: Uuid,
    moved: Uuid,
) -> Result<Concerned, StoreError> {
    let phases = Phases::read(reader)?;
    let link_by = links::link_by(reader, directory)?;
    let mut concerned = Concerned::default();
    let shown = reader.get::<PlannedLinks>(&(plan, moved))?;
    let record = reader.get::<Users>(&(directory, moved))?;
    if shown.is_some() || record.is_some() {
        concerned.users.insert(moved);
    }
    if reader.contains::<Accounts>(&moved)? {
        concerned.accounts.insert(moved);
    }
    if let Some(shown) = &shown {
        concerned.accounts.extend(shown.accounts());
    }
    if let Some(record) = &record {
        let key = (directory, moved);
        let possible = links::possible(reader, &phases, link_by, key, record)?;
        concerned.accounts.extend(possible);
    }
    for account in &concerned.accounts {
        let range = Range::prefix(&(plan, *account));
        for row in reader
            .index_scan(&PLANNED_LINKS_BY_ACCOUNT, range)?
            .take(MOST_SUITORS)
        {
            let (_, (_, user)) = row?;
            concerned.users.insert(user);
        }
        let Some(record) = reader.get::<Accounts>(account)? else {
            continue;
        };
        let suitors = links::suitors(reader, &phases, link_by, directory, &record)?;
        concerned.users.extend(suitors);
        if reader.contains::<Users>(&(directory, *account))? {
            concerned.users.insert(*account);
        }
    }
    Ok(concerned)
}

/// The organization after the confirmation, as far as some users go.
pub(super) struct Rehearsed {
    /// As it would be.
    pub(super) after: Reader<OrganizationScope>,
    /// What became of each of the users; none of one that is gone.
    pub(super) links: Vec<(Uuid, Option<PlannedLinkRecord>)>,
}

/// Confirms the directory, in an organization that is a rehearsal, and gives these users their
/// accounts. `before` is that organization as it was.
///
/// # Errors
/// What the store says.
pub(super) fn rehearse(
    rehearsal: &Organization,
    before: &Reader<OrganizationScope>,
    now: Timestamp,
    directory: Uuid,
    users: Vec<Uuid>,
) -> Result<Rehearsed, StepError> {
    let settled = users.clone();
    let confirmed = change(rehearsal, now, move |change| {
        let nobody = Confirmation {
            acting: None,
            accepts_lockout: true,
        };
        phases::put_into_force(change, directory, &nobody, None)?;
        let phases = Phases::read(change.tx)?;
        let link_by = links::link_by(change.tx, directory)?;
        for user in &settled {
            links::settle(change, &phases, link_by, (directory, *user))?;
        }
        Ok(())
    });
    match confirmed {
        // The plan is out of date where it cannot be confirmed, which is seen before.
        Ok(_) | Err(WriteError::Aborted(PhaseError::Wrong { .. })) => {}
        Err(WriteError::Aborted(PhaseError::Store(error))) => return Err(error.into()),
        Err(WriteError::Aborted(_)) => {}
        Err(WriteError::Engine(error)) => return Err(StoreError::Engine(error).into()),
    }
    let after = rehearsal.read()?;
    let mut links = Vec::with_capacity(users.len());
    for user in users {
        links.push((user, link(before, &after, directory, user)?));
    }
    Ok(Rehearsed { after, links })
}

fn link(
    before: &Reader<OrganizationScope>,
    after: &Reader<OrganizationScope>,
    directory: Uuid,
    user: Uuid,
) -> Result<Option<PlannedLinkRecord>, StoreError> {
    let Some(record) = after.get::<Users>(&(directory, user))? else {
        return Ok(None);
    };
    let waits = after.get::<Links>(&user)?;
    let kind = match &waits {
        Some(_) => LinkKind::Waiting,
        None if before.contains::<Accounts>(&record.account)? => LinkKind::Linked,
        None => LinkKind::New,
    };
    Ok(Some(PlannedLinkRecord {
        label: text(&record.document, "userName")
            .unwrap_or_default()
            .to_owned(),
        kind,
        account: record.account,
        why: waits.as_ref().map(|waits| waits.why),
        candidates: waits.map_or_else(Vec::new, |waits| waits.candidates),
    }))
}
