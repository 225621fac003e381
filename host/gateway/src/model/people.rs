//! What is known of people beside their users and accounts: links that wait for a person, domains
//! that are shown to be the organization's, and what other sources say of who is there.

use crate::clock::Timestamp;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a user waits for a person to say which account is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// More than one account matches.
    SeveralAccounts,
    /// More than one user of the directory matches the account.
    SeveralUsers,
    /// Another user of the directory has the account.
    Claimed,
    /// A directory had a user of the account before, and deleted that one.
    Left,
    /// The domain of the email is not verified.
    Unverified,
}

/// A user of a directory in force that has no account yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// The user's directory.
    pub directory: Uuid,
    /// Why it waits.
    pub why: Waiting,
    /// The accounts that match, some of them where they are very many.
    pub candidates: Vec<Uuid>,
    /// Since when it waits.
    pub since: Timestamp,
}

/// What says that a domain is the organization's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifiedBy {
    /// A TXT record.
    Dns,
    /// The operator.
    Operator,
}

/// A domain that an organization says is its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRecord {
    /// What the TXT record has to say. It is no secret.
    pub token: String,
    /// When it was named.
    pub created: Timestamp,
    /// When it was verified, and by what.
    pub verified: Option<(Timestamp, VerifiedBy)>,
}

/// What another source, such as a chat workspace, says of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// Whether the person is active there.
    pub active: bool,
    /// When the source found that.
    pub at: Timestamp,
}

json_table! {
    /// Users that wait for a person, by their ids.
    pub struct Links = 150, "waiting links", OrganizationScope, Uuid => LinkRecord;
}
json_table! {
    /// Uninstalled directories whose facts are to be erased, by the time of that.
    pub struct Erasures = 151, "facts to erase", OrganizationScope, (u64, Uuid) => ();
}
json_table! {
    /// Signals, by account and source.
    pub struct Signals = 152, "presence signals", OrganizationScope, (Uuid, String) => SignalRecord;
}
json_table! {
    /// Domains, in lower case.
    pub struct Domains = 153, "domains", OrganizationScope, String => DomainRecord,
        indexes [&DOMAINS_VERIFIED];
}
/// Verified domains.
pub static DOMAINS_VERIFIED: Index<Domains, String> =
    Index::multi(1, "verified", |domain, record| {
        record
            .verified
            .map(|_| domain.clone())
            .into_iter()
            .collect()
    });
