//! Why a fact was not stored or found.

use super::nesting::{MAX_DEPTH, MAX_FAMILY, MAX_STEPS};
use gatewright_scim::{MemberKind, ResourceType};
use gatewright_store::{StoreError, WriteError};
use uuid::Uuid;

/// Why a request about facts has no result.
#[derive(Debug, thiserror::Error)]
pub enum FactError {
    /// There is no such resource in this directory.
    #[error("{} \"{id}\" does not exist in this directory", .resource.name())]
    NotFound {
        /// Its type.
        resource: ResourceType,
        /// The id that was asked for.
        id: String,
    },
    /// Another user has the user name.
    #[error("another user has the userName \"{0}\": look it up by a filter, then update it")]
    UserNameTaken(String),
    /// Another user has what identifies users in this directory.
    #[error(
        "another user has the {attribute} \"{value}\", which identifies users in this directory: \
         look it up by a filter, then update it"
    )]
    IdentifierTaken {
        /// The attribute.
        attribute: &'static str,
        /// Its value, in lower case where case does not matter.
        value: String,
    },
    /// Another resource has the value of a declared attribute that is unique.
    #[error(
        "another resource has the {attribute} \"{value}\", which no two may have: look it up by a filter, then change one of them"
    )]
    ValueTaken {
        /// The attribute, with the URN of its schema.
        attribute: String,
        /// Its value, in lower case where case does not matter.
        value: String,
    },
    /// Another group has the name, and nothing says that it is a different one.
    #[error(
        "another group has the displayName \"{0}\": look it up by a filter, then update it, or \
         give both an externalId of their own"
    )]
    GroupNameTaken(String),
    /// A member is no user or group of this directory.
    #[error(
        "members: \"{0}\" is not the id of a user or group of this directory; nothing was changed"
    )]
    UnknownMember(String),
    /// A member is not what it is said to be.
    #[error(
        "members: \"{id}\" is the id of a {is}, but its `type` says {said}; nothing was changed. \
         Send the right `type`, or none",
        is = .is.as_str(), said = .said.as_str()
    )]
    MemberType {
        /// The id.
        id: Uuid,
        /// What it is.
        is: MemberKind,
        /// What the client says.
        said: MemberKind,
    },
    /// Too many groups would stand below each other.
    #[error(
        "members: through \"{name}\" groups would be in groups more than {MAX_DEPTH} levels deep; \
         nothing was changed. Put some of them directly into one further up"
    )]
    NestedTooDeep {
        /// The name of the group that was to get a member.
        name: String,
    },
    /// Too many groups would hang together.
    #[error(
        "members: with \"{name}\" more than {MAX_FAMILY} groups, with {MAX_STEPS} steps from one to \
         another, would hang together by being in each other; nothing was changed. Put users into groups instead of groups"
    )]
    NestedTooWide {
        /// The name of the group that was to get a member.
        name: String,
    },
    /// The request is about a version that the resource does not have.
    #[error(
        "the resource has the version {version}, which If-Match or If-None-Match excludes: read \
         it again, then repeat the change"
    )]
    Changed {
        /// The version that it has.
        version: String,
    },
    /// The document, the patch or the filter is wrong.
    #[error(transparent)]
    Scim(#[from] gatewright_scim::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The engine failed.
    #[error("the change could not be stored")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for FactError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<WriteError<FactError>> for FactError {
    fn from(error: WriteError<FactError>) -> Self {
        match error {
            WriteError::Aborted(error) => error,
            WriteError::Engine(error) => Self::Engine(Box::new(error)),
        }
    }
}
