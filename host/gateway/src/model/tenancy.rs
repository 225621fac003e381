//! Organizations, their directories, and the credentials that lead to them.

use super::plugins::PluginRef;
use crate::clock::Timestamp;
use gatewright_scim::Unknown;
use gatewright_store::{OrganizationScope, SystemScope, json_table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The tenant: one customer company.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrganizationRecord {
    /// What people call it.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
}

/// What a credential may do. Resolved once for each request, and the only way from the outside to
/// an organization's handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum Purpose {
    /// An identity provider's access to one directory, over SCIM.
    Directory {
        /// The organization of the directory.
        organization: Uuid,
        /// The directory.
        directory: Uuid,
    },
    /// The application's access to one organization. It reads what was decided, brings its accounts,
    /// gives and takes by hand what no directory does, and reports signals.
    Application {
        /// The organization.
        organization: Uuid,
    },
    /// The operator's access to everything. The organization, if there is one, is what paths that
    /// name none are about.
    Operator {
        /// The organization that paths without one mean.
        organization: Option<Uuid>,
    },
}

/// A credential, found by the digest of its secret. The secret itself is kept nowhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// The id that people name it by.
    pub id: Uuid,
    /// What it may do.
    pub purpose: Purpose,
    /// When it was created.
    pub created: Timestamp,
}

/// What an organization keeps of one of its tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it may do.
    pub purpose: Purpose,
    /// The last four characters of the secret, by which people tell tokens apart.
    pub hint: String,
    /// SHA-256 of the secret, in hexadecimal: the key of its [`CredentialRecord`].
    pub digest: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it was revoked. Its credential is gone since then.
    pub revoked: Option<Timestamp>,
}

/// What happens when a group names a member that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownMember {
    /// 400 that names the id, and nothing is applied.
    #[default]
    Refuse,
    /// The member is left out and the log says so.
    Skip,
}

/// What identifies a user of a directory to its provider, beside the SCIM `id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UniqueIdentifier {
    /// `userName`, as the RFC has it.
    #[default]
    #[serde(rename = "userName")]
    UserName,
    /// `externalId`.
    #[serde(rename = "externalId")]
    ExternalId,
    /// The value of any of the emails.
    #[serde(rename = "emails.value")]
    Email,
}

impl UniqueIdentifier {
    /// The attribute's path.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
            Self::Email => "emails.value",
        }
    }
}

/// What links a directory's users to accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkBy {
    /// The primary email, which is the account's.
    #[default]
    #[serde(rename = "email")]
    Email,
    /// `userName`, which is the account's email.
    #[serde(rename = "userName")]
    UserName,
    /// `externalId`, which is the application's own id of the account.
    #[serde(rename = "externalId")]
    ExternalId,
}

/// How far a directory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It was created.
    Draft,
    /// Its provider called.
    Connected,
    /// Users or groups arrived. Nothing is decided about them yet.
    Receiving,
    /// It was confirmed: what it says counts.
    #[default]
    Enforcing,
    /// What it says is stored, and the decisions about its people are frozen.
    Paused,
    /// It is over.
    Uninstalled,
}

impl Phase {
    /// Whether what the directory says counts in decisions.
    #[must_use]
    pub fn in_force(self) -> bool {
        match self {
            Self::Enforcing | Self::Paused => true,
            Self::Draft | Self::Connected | Self::Receiving | Self::Uninstalled => false,
        }
    }

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Connected => "connected",
            Self::Receiving => "receiving",
            Self::Enforcing => "enforcing",
            Self::Paused => "paused",
            Self::Uninstalled => "uninstalled",
        }
    }
}

/// How a directory treats what its provider sends. The API's field names are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What happens to members that do not exist.
    pub unknown_member: UnknownMember,
    /// What identifies its users.
    pub unique_identifier: UniqueIdentifier,
    /// For how many days a deleted user is kept; 0: not at all.
    pub keep_deleted_days: u32,
    /// Whether the log of requests masks personal values.
    pub mask_personal_values: bool,
    /// What becomes of attributes that no schema has.
    pub unknown_attributes: Unknown,
    /// Whether only what the RFCs allow is read.
    pub strict: bool,
    /// What links its users to accounts.
    pub link_by: LinkBy,
    /// Whether it shows accounts that no user claims as users, so that its provider's import finds
    /// them.
    pub expose_unlinked: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            unknown_member: UnknownMember::default(),
            unique_identifier: UniqueIdentifier::default(),
            // As long as Entra ID keeps a user that was deleted softly.
            keep_deleted_days: 30,
            mask_personal_values: false,
            unknown_attributes: Unknown::default(),
            strict: false,
            link_by: LinkBy::default(),
            expose_unlinked: false,
        }
    }
}

/// One connection of an organization to an identity provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectoryRecord {
    /// What people call it.
    pub name: String,
    /// The provider plugin that it goes through.
    pub provider: PluginRef,
    /// The one before it, used where the present one fails.
    pub previous_provider: Option<PluginRef>,
    /// How it treats what the provider sends.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Whether it ever declared a schema: if not, nothing needs to be read to know that.
    #[serde(default)]
    pub has_schemas: bool,
    /// How far it is. Those from before there were phases are in force.
    #[serde(default)]
    pub phase: Phase,
    /// When it was created.
    pub created: Timestamp,
}

json_table! {
    /// All organizations, by id.
    pub struct Organizations = 1, "organizations", SystemScope, Uuid => OrganizationRecord;
}
json_table! {
    /// Credentials, by the SHA-256 digest of their secret.
    pub struct Credentials = 2, "credentials", SystemScope, [u8; 32] => CredentialRecord;
}
json_table! {
    /// An organization's directories, by id.
    pub struct Directories = 101, "directories", OrganizationScope, Uuid => DirectoryRecord;
}
json_table! {
    /// An organization's tokens, by id.
    pub struct Tokens = 102, "tokens", OrganizationScope, Uuid => TokenRecord;
}
