//! Accounts and contexts to test a policy with, natively and without a host.
//!
//! ```
//! use gatewright_sdk::{GrantKind, testing};
//!
//! let account = testing::account("ada@example.com")
//!     .in_group("Engineering")
//!     .maps("Engineering", GrantKind::BaseRole, "Editor")
//!     .build();
//! assert_eq!(account.entries().count(), 1);
//! ```

use crate::{
    Account, AccountStatus, Attribute, BaseRole, Catalogue, Context, CustomRole, Grant, GrantKind,
    MappingEntry, Membership, Problem, SeatType, Timestamp, User, glue,
};
use serde::de::DeserializeOwned;

/// The time in every [`context`]: 2026-01-01T00:00:00Z.
pub const NOW: Timestamp = 1_767_225_600_000;

/// An application with base roles Owner, Admin, Editor and Viewer (the default), custom roles
/// Auditor and Billing, and seats Full (100 of them) and Light (the default, as many as like).
#[must_use]
pub fn context() -> Context {
    let base_role = |(rank, name): (u32, &str)| BaseRole {
        name: name.to_owned(),
        rank,
        is_default: name == "Viewer",
    };
    let custom_role = |(name, permission): (&str, &str)| CustomRole {
        name: name.to_owned(),
        permissions: vec![permission.to_owned()],
    };
    let seat_type = |(name, capacity): (&str, Option<u32>)| SeatType {
        name: name.to_owned(),
        capacity,
        is_default: name == "Light",
    };
    Context {
        now: NOW,
        catalogue: Catalogue {
            base_roles: [(1, "Owner"), (2, "Admin"), (3, "Editor"), (4, "Viewer")]
                .map(base_role)
                .into(),
            custom_roles: [("Auditor", "audit.read"), ("Billing", "invoice.write")]
                .map(custom_role)
                .into(),
            seat_types: [("Full", Some(100)), ("Light", None)].map(seat_type).into(),
        },
        organization: "acme".to_owned(),
        extra: Vec::new(),
    }
}

/// An active account with one active user of this name, in no group, never decided about.
pub fn account(user_name: &str) -> AccountBuilder {
    AccountBuilder(Account {
        id: "account-1".to_owned(),
        status: AccountStatus::Active,
        users: vec![User {
            id: "user-1".to_owned(),
            directory: "directory-1".to_owned(),
            provider: "generic".to_owned(),
            external_id: None,
            user_name: user_name.to_owned(),
            display_name: None,
            email: Some(user_name.to_owned()),
            active: true,
            attributes: Vec::new(),
            custom_attributes: Vec::new(),
            created: 0,
            modified: 0,
            extra: Vec::new(),
        }],
        memberships: Vec::new(),
        grants: Vec::new(),
        signals: Vec::new(),
        mapping: Vec::new(),
        decided: None,
        created: 0,
        extra: Vec::new(),
    })
}

/// Reads settings as the host hands them over.
///
/// # Errors
///
/// What `configure` would answer for settings that cannot be read.
pub fn settings<S: DeserializeOwned>(json: &str) -> Result<S, Problem> {
    glue::parse(json)
}

/// An account in the making. What has no method here is set on the [`Account`] after
/// [`build`](Self::build), whose fields are open.
#[derive(Debug, Clone)]
#[must_use]
pub struct AccountBuilder(Account);

impl AccountBuilder {
    /// The status stored last, or, for role and seat policies, decided in this pass.
    pub fn status(mut self, status: AccountStatus) -> Self {
        self.0.status = status;
        self
    }

    /// The provider says that the user is inactive.
    pub fn inactive(mut self) -> Self {
        for user in &mut self.0.users {
            user.active = false;
        }
        self
    }

    /// No user is linked to the account: its provider deleted the only one, or it never had any.
    pub fn without_user(mut self) -> Self {
        self.0.users.clear();
        self
    }

    /// There was a decision about the account before.
    pub fn decided(mut self) -> Self {
        self.0.decided = Some(NOW - 1);
        self
    }

    /// The user has an attribute of text.
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        for user in &mut self.0.users {
            user.attributes.push(Attribute::text(name, value));
        }
        self
    }

    /// The user is in this group.
    pub fn in_group(self, group: &str) -> Self {
        self.membership(group, None)
    }

    /// The user was in this group until after the last decision.
    pub fn left_group(self, group: &str) -> Self {
        self.membership(group, Some(NOW - 1))
    }

    /// The mapping has a row, at its end, that gives members of this group a role or seat. Its id is
    /// `entry-0` for the first row, and so on.
    pub fn maps(mut self, group: &str, kind: GrantKind, target: &str) -> Self {
        let position = u32::try_from(self.0.mapping.len()).unwrap_or(u32::MAX);
        self.0.mapping.push(MappingEntry {
            id: format!("entry-{position}"),
            group: group_id(group),
            kind,
            target: target.to_owned(),
            position,
            settings: Vec::new(),
        });
        self
    }

    /// The account has this role or seat already, from this origin (`policy`, `manual`, `import`).
    pub fn has(mut self, kind: GrantKind, name: &str, origin: &str) -> Self {
        self.0.grants.push(Grant {
            kind,
            name: name.to_owned(),
            origin: origin.to_owned(),
            mapping_entry: None,
            reason: format!("given by {origin}"),
            since: 0,
            extra: Vec::new(),
        });
        self
    }

    /// The account has this role or seat already, from a policy that followed a row of the mapping.
    pub fn has_from_entry(mut self, kind: GrantKind, name: &str, entry: &str) -> Self {
        self = self.has(kind, name, "policy");
        if let Some(grant) = self.0.grants.last_mut() {
            grant.mapping_entry = Some(entry.to_owned());
        }
        self
    }

    /// The account, its memberships in the contract's order.
    #[must_use]
    pub fn build(mut self) -> Account {
        self.0.memberships.sort_by(|a, b| {
            (a.ended.is_some(), &a.group_name, &a.group).cmp(&(
                b.ended.is_some(),
                &b.group_name,
                &b.group,
            ))
        });
        self.0
    }

    fn membership(mut self, group: &str, ended: Option<Timestamp>) -> Self {
        self.0.memberships.push(Membership {
            user: "user-1".to_owned(),
            group: group_id(group),
            group_name: group.to_owned(),
            group_external_id: None,
            directory: "directory-1".to_owned(),
            since: 0,
            ended,
        });
        self
    }
}

fn group_id(name: &str) -> String {
    format!("group-{}", name.to_lowercase())
}
