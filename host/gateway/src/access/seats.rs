//! Seats taken away by hand.

use crate::access::{assignment, mapping};
use crate::clock::Timestamp;
use crate::directory::membership::Memberships;
use crate::ledger::Change;
use crate::ledger::{Committed, change};
use crate::model::access::Accounts;
use crate::model::access::{Assignments, GrantKind, GrantRecord, MappingEntry};
use gatewright_store::{Organization, Read, StoreError, WriteError};
use uuid::Uuid;

/// Why a seat was not taken away.
#[derive(Debug, thiserror::Error)]
pub enum SeatError {
    /// The account does not have it.
    #[error("account {account} does not have the seat \"{seat}\"")]
    Missing {
        /// The account.
        account: Uuid,
        /// The seat.
        seat: String,
    },
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
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Takes a seat away. What a policy gives anew on the next decision comes back; a seat that is
/// only kept does not.
///
/// # Errors
/// Where the account does not have it, or has it from a group that it is in.
pub fn revoke(
    organization: &Organization,
    at: Timestamp,
    account: Uuid,
    seat: &str,
) -> Result<Committed<()>, WriteError<SeatError>> {
    let seat = seat.to_owned();
    change(organization, at, move |change| {
        let missing = || SeatError::Missing {
            account,
            seat: seat.clone(),
        };
        let mut assignment = change
            .tx
            .get::<Assignments>(&account)?
            .ok_or_else(missing)?;
        let place = assignment
            .grants
            .iter()
            .position(|grant| grant.kind == GrantKind::Seat && grant.name == seat)
            .ok_or_else(missing)?;
        if let Some(group) = giving_group(change, account, &seat)? {
            return Err(SeatError::FromGroup {
                seat: seat.clone(),
                group,
            });
        }
        let before = assignment.grants.clone();
        assignment.grants.remove(place);
        let record = change.tx.get::<Accounts>(&account)?;
        let label = record.map_or_else(String::new, |record| record.label);
        let why = |_: &GrantRecord| "by hand".to_owned();
        assignment::changed(change, (account, &label), &before, &assignment.grants, &why)?;
        change.tx.put::<Assignments>(&account, &assignment)?;
        change.mark(account)?;
        Ok(())
    })
}

/// A group that the account is in, also through another one, and that the mapping lets give the seat.
fn giving_group(
    change: &Change<'_, '_>,
    account: Uuid,
    seat: &str,
) -> Result<Option<String>, StoreError> {
    let Some(record) = change.tx.get::<Accounts>(&account)? else {
        return Ok(None);
    };
    let entries = mapping::resolved(change.tx)?;
    let gives = |entry: &&MappingEntry| entry.kind == GrantKind::Seat && entry.target == seat;
    let matcher = mapping::Matcher::new(entries.iter().filter(gives));
    let mut memberships = Memberships::new(change.tx);
    for user in record.users {
        for group in memberships.all(user)? {
            let external_id = group.external_id.as_deref();
            let mut gives = matcher.places(group.id, &group.name, external_id);
            if gives.next().is_some() {
                return Ok(Some(group.name.clone()));
            }
        }
    }
    Ok(None)
}
