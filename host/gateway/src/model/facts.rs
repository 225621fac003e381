//! Users, groups and memberships: what identity providers said.

use crate::clock::Timestamp;
use gatewright_scim::schema::IndexTerm;
use gatewright_store::{Index, OrganizationScope, json_table};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Where a user or group is: its directory, then its SCIM `id`. Ids sort by the time of creation,
/// so a listing has one order for ever.
pub type ResourceKey = (Uuid, Uuid);

/// A SCIM user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRecord {
    /// The canonical document, without `id`, `meta` and `groups`.
    pub document: Map<String, Value>,
    /// How indexes find it by attributes that its directory declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<IndexTerm>,
    /// The account it is linked to.
    pub account: Uuid,
    /// SCIM `meta.created`.
    pub created: Timestamp,
    /// SCIM `meta.lastModified`.
    pub modified: Timestamp,
    /// The revision of its last change.
    pub revision: u64,
}

/// A user that its provider deleted. It is kept for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeletedUserRecord {
    /// The user as it was.
    pub record: UserRecord,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// When it is to be erased.
    pub expires: Timestamp,
}

/// A SCIM group, without its members: those are rows of [`Members`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRecord {
    /// The canonical document, without `id`, `meta` and `members`.
    pub document: Map<String, Value>,
    /// How indexes find it by attributes that its directory declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<IndexTerm>,
    /// SCIM `meta.created`.
    pub created: Timestamp,
    /// SCIM `meta.lastModified`, which a change of members moves too.
    pub modified: Timestamp,
    /// The revision of its last change.
    pub revision: u64,
}

/// That a user is in a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Since when.
    pub since: Timestamp,
}

/// That a group is in another group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NestedRecord {
    /// Since when.
    pub since: Timestamp,
}

/// A group that a wide change is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConcernedRecord {
    /// Since when it had been in what the change is about, by way of the groups between.
    pub since: Timestamp,
}

/// A membership that ended and that no decision has seen yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndedRecord {
    /// Where the group is or was.
    pub directory: Uuid,
    /// The group's name when the membership ended.
    pub group_name: String,
    /// The group's `externalId` then.
    pub group_external_id: Option<String>,
    /// When the membership began.
    pub since: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// It was one by way of another group, and has only ended if no other way is left.
    #[serde(default)]
    pub inherited: bool,
}

/// What is counted for each directory, so that `totalResults` costs one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Users.
    Users,
    /// Groups.
    Groups,
}

impl Counted {
    /// The key of the counter in a directory.
    #[must_use]
    pub fn of(self, directory: Uuid) -> (Uuid, u8) {
        (directory, self as u8)
    }
}

json_table! {
    /// Users, by directory and id.
    pub struct Users = 110, "users", OrganizationScope, ResourceKey => UserRecord,
        indexes [
            &USERS_BY_NAME, &USERS_BY_EXTERNAL_ID, &USERS_BY_EMAIL, &USERS_BY_DISPLAY_NAME,
            &USERS_BY_TERM,
        ];
}
/// Directory and `userName` in lower case, for it is not case-exact (RFC 7643 section 4.1.1).
pub static USERS_BY_NAME: Index<Users, (Uuid, String)> =
    Index::unique(1, "userName", |key, user| {
        folded(key, &user.document, "userName")
    });
/// Directory and `externalId`, which is case-exact and which the provider may use twice.
pub static USERS_BY_EXTERNAL_ID: Index<Users, (Uuid, String)> =
    Index::multi(2, "externalId", |key, user| {
        exact(key, &user.document, "externalId")
    });
/// Directory and each email in lower case.
pub static USERS_BY_EMAIL: Index<Users, (Uuid, String)> =
    Index::multi(3, "emails.value", |key, user| {
        emails(&user.document)
            .into_iter()
            .map(|email| (key.0, email))
            .collect()
    });
/// Directory and `displayName` in lower case, which many may share.
pub static USERS_BY_DISPLAY_NAME: Index<Users, (Uuid, String)> =
    Index::multi(4, "displayName", |key, user| {
        folded(key, &user.document, "displayName")
    });
/// Directory, path and value of declared attributes that are indexed.
pub static USERS_BY_TERM: Index<Users, TermKey> =
    Index::multi(5, "declared attributes", |key, user| {
        terms(key, &user.terms)
    });

json_table! {
    /// Deleted users that are still kept, by directory and id.
    pub struct DeletedUsers = 115, "deleted users", OrganizationScope, ResourceKey => DeletedUserRecord,
        indexes [&DELETED_BY_EXTERNAL_ID, &DELETED_BY_EXPIRY];
}
/// Directory and `externalId`, by which a provider's new user is known for the old one.
pub static DELETED_BY_EXTERNAL_ID: Index<DeletedUsers, (Uuid, String)> =
    Index::multi(1, "externalId", |key, deleted| {
        exact(key, &deleted.record.document, "externalId")
    });
/// When they are to be erased.
pub static DELETED_BY_EXPIRY: Index<DeletedUsers, u64> =
    Index::multi(2, "expires", |_, deleted| vec![deleted.expires.0]);

json_table! {
    /// Groups, by directory and id.
    pub struct Groups = 111, "groups", OrganizationScope, ResourceKey => GroupRecord,
        indexes [&GROUPS_BY_NAME, &GROUPS_BY_EXTERNAL_ID, &GROUPS_BY_TERM];
}
/// Directory and `displayName` in lower case.
pub static GROUPS_BY_NAME: Index<Groups, (Uuid, String)> =
    Index::multi(1, "displayName", |key, group| {
        folded(key, &group.document, "displayName")
    });
/// Directory and `externalId`.
pub static GROUPS_BY_EXTERNAL_ID: Index<Groups, (Uuid, String)> =
    Index::multi(2, "externalId", |key, group| {
        exact(key, &group.document, "externalId")
    });
/// Directory, path and value of declared attributes that are indexed.
pub static GROUPS_BY_TERM: Index<Groups, TermKey> =
    Index::multi(3, "declared attributes", |key, group| {
        terms(key, &group.terms)
    });

json_table! {
    /// Memberships, by group and user: one row each, so that adding one member costs the same in
    /// a group of 10 and of 100,000.
    pub struct Members = 112, "members", OrganizationScope, (Uuid, Uuid) => MemberRecord,
        indexes [&MEMBERS_BY_USER];
}
/// The user of a membership.
pub static MEMBERS_BY_USER: Index<Members, Uuid> = Index::multi(1, "user", |key, _| vec![key.1]);

json_table! {
    /// Groups in groups, by the group and the one that is in it.
    pub struct Nested = 135, "nested groups", OrganizationScope, (Uuid, Uuid) => NestedRecord,
        indexes [&NESTED_BY_MEMBER];
}
/// The group that is in the other.
pub static NESTED_BY_MEMBER: Index<Nested, Uuid> = Index::multi(1, "member", |key, _| vec![key.1]);

json_table! {
    /// The groups that a wide change is still to be expanded over, by its key.
    pub struct Concerned = 136, "groups of wide changes", OrganizationScope, (u64, u32, Uuid) => ConcernedRecord,
        indexes [&CONCERNED_BY_GROUP];
}
/// The group.
pub static CONCERNED_BY_GROUP: Index<Concerned, Uuid> =
    Index::multi(1, "group", |key, _| vec![key.2]);

json_table! {
    /// Memberships that ended, by account, user and group, until a decision has seen them.
    pub struct Ended = 113, "ended memberships", OrganizationScope, (Uuid, Uuid, Uuid) => EndedRecord;
}
json_table! {
    /// The revision at which a group was last renamed or removed.
    pub struct Renamed = 147, "renamed groups", OrganizationScope, () => u64;
}
json_table! {
    /// How many of what a directory has.
    pub struct Counters = 114, "counters", OrganizationScope, (Uuid, u8) => u64;
}

/// Directory, path of an attribute, value.
pub type TermKey = (Uuid, String, String);

fn terms(key: &ResourceKey, terms: &[IndexTerm]) -> Vec<TermKey> {
    let row = |term: &IndexTerm| (key.0, term.path.clone(), term.value.clone());
    terms.iter().map(row).collect()
}

fn folded(key: &ResourceKey, document: &Map<String, Value>, name: &str) -> Vec<(Uuid, String)> {
    text(document, name)
        .map(|text| (key.0, text.to_lowercase()))
        .into_iter()
        .collect()
}

fn exact(key: &ResourceKey, document: &Map<String, Value>, name: &str) -> Vec<(Uuid, String)> {
    text(document, name)
        .map(|text| (key.0, text.to_owned()))
        .into_iter()
        .collect()
}

/// A text attribute of a stored document.
#[must_use]
pub fn text<'a>(document: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    document.get(name)?.as_str()
}

/// The values of all emails of a stored user in lower case, each once.
#[must_use]
pub fn emails(document: &Map<String, Value>) -> Vec<String> {
    let mut emails: Vec<_> = document
        .get("emails")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|email| email.get("value")?.as_str())
        .map(str::to_lowercase)
        .collect();
    emails.sort();
    emails.dedup();
    emails
}

/// The primary email of a stored user, or else its first.
#[must_use]
pub fn primary_email(document: &Map<String, Value>) -> Option<&str> {
    let emails = document.get("emails")?.as_array()?;
    let primary = emails.iter().find(|email| email["primary"] == true);
    primary.or_else(|| emails.first())?.get("value")?.as_str()
}

/// Whether the provider lets the user in, as [`gatewright_scim::User::active`] has it.
#[must_use]
pub fn is_active(document: &Map<String, Value>) -> bool {
    document
        .get("active")
        .is_none_or(|active| active == &Value::Bool(true))
}
