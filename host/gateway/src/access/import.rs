//! Accounts that the application brings: those from before a directory was connected, and those born
//! later outside SCIM. The same may be brought again and again; what directories decide about is not
//! changed by it.

mod item;

use super::catalogue;
use super::standing::Phases;
use crate::clock::{Random, Timestamp};
use crate::ledger::{Committed, change};
use crate::model::access::AccountStatus;
use gatewright_store::{Organization, StoreError, WriteError};
use item::Import;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Accounts that one request may bring.
pub const MOST_ACCOUNTS: usize = 1_000;

/// Accounts that are stored in one transaction.
const PART: usize = 100;

/// An account as the application has it. What is left out stays as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The application's own id of it.
    pub external_id: String,
    /// Its email.
    pub email: String,
    /// What people call it; the email if not known.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it may use the application; a new one may.
    #[serde(default)]
    pub status: Option<NewStatus>,
    /// Its base role.
    #[serde(default)]
    pub role: Option<String>,
    /// Its custom roles: all of them.
    #[serde(default)]
    pub custom_roles: Option<Vec<String>>,
    /// Its seats: all of them.
    #[serde(default)]
    pub seats: Option<Vec<String>>,
}

/// What the application may say of an account's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewStatus {
    /// It may be used.
    Active,
    /// It may not.
    Deactivated,
}

impl From<NewStatus> for AccountStatus {
    fn from(status: NewStatus) -> Self {
        match status {
            NewStatus::Active => Self::Active,
            NewStatus::Deactivated => Self::Deactivated,
        }
    }
}

/// What became of an account that was brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The account.
    pub account: Uuid,
    /// What happened.
    pub result: Outcome,
    /// The directory that decides about it, so that status, roles and seats were not looked at.
    pub managed_by: Option<Uuid>,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// The gateway had opened it for a user, and knows the application's id of it now.
    Adopted,
    /// It was known, and something changed.
    Changed,
    /// It was known so.
    Unchanged,
}

/// Why one account was not taken; the others were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub field: String,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl Problem {
    fn of(field: impl Into<String>, problem: impl Into<String>) -> ItemError {
        ItemError::Problem(Self {
            field: field.into(),
            problem: problem.into(),
        })
    }
}

enum ItemError {
    Problem(Problem),
    Store(StoreError),
}

impl From<StoreError> for ItemError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Too many at once.
    #[error("accounts: {0} are too many; at most {MOST_ACCOUNTS} in one request")]
    TooMany(usize),
    /// The store failed.
    #[error("the accounts could not be stored")]
    Store(#[from] StoreError),
}

/// Takes accounts, 100 in a transaction. Answers what became of each.
///
/// # Errors
/// Where they are too many; nothing is stored then.
pub fn import(
    organization: &Organization,
    at: Timestamp,
    random: &Random,
    accounts: Vec<NewAccount>,
) -> Result<Committed<Vec<Result<Imported, Problem>>>, WriteError<ImportError>> {
    if accounts.len() > MOST_ACCOUNTS {
        let error = ImportError::TooMany(accounts.len());
        return Err(WriteError::Aborted(error));
    }
    let mut seen = HashSet::new();
    let again: Vec<bool> = (accounts.iter())
        .map(|account| !seen.insert(account.external_id.clone()))
        .collect();
    let accounts: Arc<[_]> = accounts.into_iter().zip(again).collect();
    let mut all = Committed {
        value: Vec::with_capacity(accounts.len()),
        revision: 0,
    };
    for begin in (0..accounts.len().max(1)).step_by(PART) {
        let (accounts, random) = (Arc::clone(&accounts), random.clone());
        let part = change(organization, at, move |change| {
            let import = Import {
                catalogue: catalogue::load(change.tx)?,
                phases: Phases::read(change.tx)?,
                random: &random,
            };
            let part = accounts.iter().skip(begin).take(PART);
            part.map(
                |(account, again)| match import.one(change, account, *again) {
                    Ok(imported) => Ok(Ok(imported)),
                    Err(ItemError::Problem(problem)) => Ok(Err(problem)),
                    Err(ItemError::Store(error)) => Err(ImportError::Store(error)),
                },
            )
            .collect::<Result<Vec<_>, _>>()
        })?;
        all.value.extend(part.value);
        all.revision = part.revision;
    }
    Ok(all)
}
