//! Whose account a user's is, by the facts alone.

use crate::access::domains;
use crate::access::standing::Phases;
use crate::model::access::{ACCOUNTS_BY_EMAIL, ACCOUNTS_BY_EXTERNAL_ID, AccountRecord, Accounts};
use crate::model::facts::{
    ResourceKey, USERS_BY_EMAIL, USERS_BY_EXTERNAL_ID, USERS_BY_NAME, UserRecord, Users, emails,
    primary_email, text,
};
use crate::model::people::Waiting;
use crate::model::tenancy::LinkBy;
use gatewright_store::{Index, OrganizationScope, Range, Read, StoreError};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Accounts that are looked at for one user, and listed.
const MOST_CANDIDATES: usize = 10;

/// Whose account a user's is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Nobody's: it gets a new one.
    New,
    /// This one.
    Account(Uuid),
    /// For a person to say.
    Waits(Waiting, Vec<Uuid>),
}

/// Finds the account of a user that has none. Who of a directory's users is looked at first makes no
/// difference: two that match one account both wait.
///
/// # Errors
/// What the store says.
pub fn find(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
    record: &UserRecord,
) -> Result<Match, StoreError> {
    // An account that its directory was shown, and that the provider wrote to by its id.
    if let Some(account) = reader.get::<Accounts>(&record.account)? {
        let verified = is_verified(reader, None, &account)?;
        let why = match () {
            () if claimed(&account, user.0) => Some(Waiting::Claimed),
            () if !verified => Some(Waiting::Unverified),
            () => None,
        };
        return Ok(match why {
            Some(why) => Match::Waits(why, vec![record.account]),
            None => Match::Account(record.account),
        });
    }
    let Some(value) = link_by.value(&record.document) else {
        return Ok(Match::New);
    };
    let candidates = candidates(reader, phases, link_by, user, &value)?;
    let [candidate] = candidates[..] else {
        return Ok(match candidates.is_empty() {
            true => Match::New,
            false => Match::Waits(Waiting::SeveralAccounts, candidates),
        });
    };
    let Some(account) = reader.get::<Accounts>(&candidate)? else {
        return Ok(Match::New);
    };
    let why = if claimed(&account, user.0) || is_meant(reader, user, candidate)? {
        Waiting::Claimed
    } else if has_rival(reader, phases, link_by, user, &account)? {
        Waiting::SeveralUsers
    } else if account.users.is_empty() && account.left.is_some_and(|left| phases.in_force(left)) {
        Waiting::Left
    } else if !is_verified(reader, link_by.email(&value), &account)? {
        Waiting::Unverified
    } else {
        return Ok(Match::Account(candidate));
    };
    Ok(Match::Waits(why, candidates))
}

/// Whether the email that links, or else the account's own, is of a verified domain.
fn is_verified(
    reader: &impl Read<OrganizationScope>,
    email: Option<&str>,
    account: &AccountRecord,
) -> Result<bool, StoreError> {
    match email.or(account.email.as_deref()) {
        Some(email) => domains::is_verified(reader, email),
        None => Ok(false),
    }
}

fn claimed(account: &AccountRecord, directory: Uuid) -> bool {
    account.users.iter().any(|(other, _)| *other == directory)
}

/// The accounts that have this value, each once: their own, or by a user of another directory.
fn candidates(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
    value: &str,
) -> Result<Vec<Uuid>, StoreError> {
    let mut found = Vec::new();
    let Some(email) = link_by.email(value) else {
        let account = reader.find(&ACCOUNTS_BY_EXTERNAL_ID, &value.to_owned())?;
        return Ok(account.into_iter().collect());
    };
    for row in reader
        .index_scan(&ACCOUNTS_BY_EMAIL, Range::prefix(&email.to_owned()))?
        .take(MOST_CANDIDATES)
    {
        found.push(row?.1);
    }
    for directory in phases.all_in_force().filter(|other| *other != user.0) {
        for account in accounts_of(reader, &USERS_BY_EMAIL, &(directory, email.to_owned()))? {
            if !found.contains(&account) && found.len() < MOST_CANDIDATES {
                found.push(account);
            }
        }
    }
    Ok(found)
}

/// The accounts of the users that an index finds and that are linked to one.
///
/// # Errors
/// What the store says.
pub fn accounts_of(
    reader: &impl Read<OrganizationScope>,
    index: &'static Index<Users, (Uuid, String)>,
    wanted: &(Uuid, String),
) -> Result<Vec<Uuid>, StoreError> {
    let mut found = Vec::new();
    for row in reader
        .index_scan(index, Range::prefix(wanted))?
        .take(MOST_CANDIDATES)
    {
        let (_, user) = row?;
        let Some(record) = reader.get::<Users>(&user)? else {
            continue;
        };
        let account = reader.get::<Accounts>(&record.account)?;
        if account.is_some_and(|account| account.users.contains(&user)) {
            found.push(record.account);
        }
    }
    Ok(found)
}

/// The accounts that a user may turn out to have, whether it links to one of them or waits.
///
/// # Errors
/// What the store says.
pub fn possible(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
    record: &UserRecord,
) -> Result<Vec<Uuid>, StoreError> {
    let mut found = match link_by.value(&record.document) {
        Some(value) => candidates(reader, phases, link_by, user, &value)?,
        None => Vec::new(),
    };
    if reader.contains::<Accounts>(&record.account)? {
        found.push(record.account);
    }
    Ok(found)
}

/// Whether the provider wrote to the account by its id, so that it means it by another user.
fn is_meant(
    reader: &impl Read<OrganizationScope>,
    user: ResourceKey,
    account: Uuid,
) -> Result<bool, StoreError> {
    let other = reader.get::<Users>(&(user.0, account))?;
    Ok(user.1 != account && other.is_some_and(|other| other.account == account))
}

/// Whether another user of the directory matches the account, too.
fn has_rival(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    user: ResourceKey,
    account: &AccountRecord,
) -> Result<bool, StoreError> {
    let suitors = suitors(reader, phases, link_by, user.0, account)?;
    Ok(suitors.iter().any(|other| *other != user.1))
}

/// The users of a directory that match an account by what they link by, some of them where they are
/// very many.
///
/// # Errors
/// What the store says.
pub fn suitors(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    directory: Uuid,
    account: &AccountRecord,
) -> Result<Vec<Uuid>, StoreError> {
    let mut found = Vec::new();
    for value in values(reader, phases, link_by, directory, account)? {
        let wanted = (directory, value);
        for row in reader
            .index_scan(link_by.index(), Range::prefix(&wanted))?
            .take(MOST_CANDIDATES)
        {
            let (_, key) = row?;
            let record = reader.get::<Users>(&key)?;
            let value = record.and_then(|record| link_by.value(&record.document));
            if value.as_ref() == Some(&wanted.1) && !found.contains(&key.1) {
                found.push(key.1);
            }
        }
    }
    Ok(found)
}

/// By what a user of the directory matches the account: what [`candidates`] looks for.
fn values(
    reader: &impl Read<OrganizationScope>,
    phases: &Phases,
    link_by: LinkBy,
    directory: Uuid,
    account: &AccountRecord,
) -> Result<Vec<String>, StoreError> {
    if link_by == LinkBy::ExternalId {
        return Ok(account.external_id.clone().into_iter().collect());
    }
    let mut found: Vec<String> = account.email.clone().into_iter().collect();
    let others = account.users.iter();
    for user in others.filter(|user| user.0 != directory && phases.in_force(user.0)) {
        if let Some(record) = reader.get::<Users>(user)? {
            for email in emails(&record.document) {
                if !found.contains(&email) {
                    found.push(email);
                }
            }
        }
    }
    Ok(found)
}

impl LinkBy {
    /// What a user links by, as the indexes have it.
    #[must_use]
    pub fn value(self, document: &Map<String, Value>) -> Option<String> {
        match self {
            Self::Email => primary_email(document).map(str::to_lowercase),
            Self::UserName => text(document, "userName").map(str::to_lowercase),
            Self::ExternalId => text(document, "externalId").map(str::to_owned),
        }
    }

    /// The email that a value is, if it is to be one.
    #[must_use]
    pub fn email(self, value: &str) -> Option<&str> {
        match self {
            Self::Email | Self::UserName => Some(value),
            Self::ExternalId => None,
        }
    }

    fn index(self) -> &'static Index<Users, (Uuid, String)> {
        match self {
            Self::Email => &USERS_BY_EMAIL,
            Self::UserName => &USERS_BY_NAME,
            Self::ExternalId => &USERS_BY_EXTERNAL_ID,
        }
    }
}
