//! Reports of calls of policies that came to no decision, with all that it takes to make them again.

use super::access::Decider;
use super::plugins::Bound;
use crate::clock::Timestamp;
use gatewright_sandbox::{CallError, Rejection};
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What an organization's report is called: the revision at which it was stored, and its place
/// among those of that revision. As text `1234-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportId(pub u64, pub u32);

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for ReportId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (revision, number) = text.split_once('-').ok_or(())?;
        let id = Self(
            revision.parse().map_err(|_| ())?,
            number.parse().map_err(|_| ())?,
        );
        // Else `01-0` would be another name of `1-0`.
        (id.to_string() == text).then_some(id).ok_or(())
    }
}

/// What came of a call about one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There was no answer.
    Failed(CallError),
    /// It was refused by the policy, or by the host for what it wants.
    Rejected(Rejection),
    /// A decision, as the contract has it.
    Decided(Value),
}

/// A call of a policy about one account, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Who was asked.
    pub by: Decider,
    /// Component, settings, grants and limits.
    pub bound: Bound,
    /// What the policy was told beside the account: the time, the catalogue, the organization.
    pub context: Value,
    /// The account, or a seat policy's request, in the form of the contract.
    pub input: Value,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is known of a call that came to no decision, without the call itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReportRecord {
    /// What it is called.
    pub id: ReportId,
    /// What the account was called.
    pub label: String,
    /// Who was asked.
    pub by: Decider,
    /// What came of it, in a sentence.
    pub message: String,
    /// When it happened first; the call is of then.
    pub since: Timestamp,
    /// When it last happened in the same way.
    pub last: Timestamp,
    /// How often it happened in the same way.
    pub count: u64,
}

/// Where a report is: the slot's name, the policy's place in its chain, and the account.
pub type ReportKey = (String, u32, Uuid);

json_table! {
    /// Reports: the newest of each policy and account.
    pub struct Reports = 180, "reports", OrganizationScope, ReportKey => ReportRecord,
        indexes [&REPORTS_BY_TIME];
}
/// The time at which it was made.
pub static REPORTS_BY_TIME: Index<Reports, u64> =
    Index::multi(1, "since", |_, report| vec![report.since.0]);
json_table! {
    /// The calls that the reports are about.
    pub struct ReportedCalls = 181, "reported calls", OrganizationScope, ReportKey => Recorded;
}

#[cfg(test)]
mod tests {
    use super::ReportId;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("1234-0".parse(), Ok(ReportId(1234, 0)));
        assert_eq!(ReportId(7, 31).to_string(), "7-31");
        for text in ["", "7", "7-", "-0", "07-0", "7-00", "+7-0", "7-0-0", "a-b"] {
            assert!(text.parse::<ReportId>().is_err(), "{text}");
        }
    }
}
