//! Accounts and contexts to test a policy with, natively and without a host.
//!
//! ```
//! use gatewright_sdk::{GrantKind, testing};
//!
//! let account = testing::account("ada@example.com")
//!     .in_group("Engineering")
//!     .maps("Engineering", GrantKind::BaseRole, "Editor")
//!     .build();
//! assert_eq!(account.mapped(&testing::context()).count(), 1);
//! ```

mod course;

use crate::{
    Account, AccountStatus, Attribute, BaseRole, Catalogue, Context, CustomRole, Grant, GrantKind,
    MappingEntry, Membership, NamedValue, PresenceSignal, Problem, SeatType, Timestamp, User, glue,
};
pub use course::Course;
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
    let account = Account {
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
        mapping_options: Vec::new(),
        decided: None,
        created: 0,
        extra: Vec::new(),
    };
    AccountBuilder {
        account,
        rows: Vec::new(),
    }
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
pub struct AccountBuilder {
    account: Account,
    rows: Vec<Row>,
}

/// A row of the mapping, which is matched when the account is built.
#[derive(Debug, Clone)]
struct Row {
    group: String,
    kind: GrantKind,
    target: String,
}

impl AccountBuilder {
    /// The status stored last, or, for role and seat policies, decided in this pass.
    pub fn status(mut self, status: AccountStatus) -> Self {
        self.account.status = status;
        self
    }

    /// The provider says that the user is inactive.
    pub fn inactive(mut self) -> Self {
        for user in &mut self.account.users {
            user.active = false;
        }
        self
    }

    /// No user is linked to the account: its provider deleted the only one, or it never had any.
    pub fn without_user(mut self) -> Self {
        self.account.users.clear();
        self
    }

    /// There was a decision about the account before.
    pub fn decided(mut self) -> Self {
        self.account.decided = Some(NOW - 1);
        self
    }

    /// A lifecycle policy said this when the account was decided about last.
    pub fn lifecycle_reason(mut self, reason: &str) -> Self {
        self.account.extra.push(NamedValue {
            name: "lifecycle-reason".to_owned(),
            value: reason.to_owned(),
        });
        self
    }

    /// Another source says something of the account's presence.
    pub fn signal(mut self, source: &str, active: bool, at: Timestamp) -> Self {
        self.account.signals.push(PresenceSignal {
            source: source.to_owned(),
            active,
            at,
        });
        self
    }

    /// The user has an attribute of text.
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        for user in &mut self.account.users {
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

    /// The mapping has a row, at its end, that gives members of this group a role or seat. As the
    /// host does it, it is handed over where the user is, or was, in the group.
    pub fn maps(mut self, group: &str, kind: GrantKind, target: &str) -> Self {
        self.rows.push(Row {
            group: group.to_owned(),
            kind,
            target: target.to_owned(),
        });
        self
    }

    /// The account has this role or seat already, from this origin (`policy`, `manual`, `import`).
    pub fn has(mut self, kind: GrantKind, name: &str, origin: &str) -> Self {
        self.account.grants.push(Grant {
            kind,
            name: name.to_owned(),
            origin: origin.to_owned(),
            is_mapped: false,
            mapping_entry: None,
            reason: format!("given by {origin}"),
            since: 0,
            extra: Vec::new(),
        });
        self
    }

    /// The account has this role or seat already, from a policy that followed a row of the mapping:
    /// one that [`maps`](Self::maps) it still, else one that is gone.
    pub fn has_mapped(mut self, kind: GrantKind, name: &str) -> Self {
        self = self.has(kind, name, "policy");
        if let Some(grant) = self.account.grants.last_mut() {
            grant.is_mapped = true;
        }
        self
    }

    /// The account under the catalogue of [`context`], its lists in the contract's order.
    ///
    /// # Panics
    ///
    /// As [`build_in`](Self::build_in) does.
    #[must_use]
    pub fn build(self) -> Account {
        self.build_in(&context())
    }

    /// The account under another context's catalogue.
    ///
    /// # Panics
    ///
    /// Where the catalogue does not have what a row of the mapping gives.
    #[must_use]
    pub fn build_in(self, context: &Context) -> Account {
        let Self { mut account, rows } = self;
        account.memberships.sort_by(|a, b| {
            (a.ended.is_some(), &a.group_name, &a.group).cmp(&(
                b.ended.is_some(),
                &b.group_name,
                &b.group,
            ))
        });
        if account.users.is_empty() {
            for membership in &mut account.memberships {
                membership.user = None;
            }
        }
        for (row, position) in rows.iter().zip(0..) {
            let target = place(&context.catalogue, row);
            let group = group_id(&row.group);
            let of_group = |(membership, _): &(&Membership, u32)| membership.group == group;
            if let Some((_, membership)) = account.memberships.iter().zip(0..).find(of_group) {
                account.mapping.push(MappingEntry {
                    membership,
                    kind: row.kind,
                    target,
                    position,
                });
            }
        }
        let gives = |entry: &MappingEntry, grant: &Grant| {
            entry.kind == grant.kind && context.catalogue.target(entry) == grant.name
        };
        for grant in &mut account.grants {
            if grant.is_mapped {
                let mut entries = account.mapping.iter().zip(0..);
                let found = entries.find(|(entry, _)| gives(entry, grant));
                grant.mapping_entry = found.map(|(_, place)| place);
            }
        }
        account
    }

    fn membership(mut self, group: &str, ended: Option<Timestamp>) -> Self {
        self.account.memberships.push(Membership {
            user: Some(0),
            group: group_id(group),
            group_name: group.to_owned(),
            group_external_id: None,
            since: 0,
            ended,
        });
        self
    }
}

/// The place in the catalogue of what a row gives.
fn place(catalogue: &Catalogue, row: &Row) -> u32 {
    let names: Vec<&str> = match row.kind {
        GrantKind::BaseRole => catalogue
            .base_roles
            .iter()
            .map(|role| &*role.name)
            .collect(),
        GrantKind::CustomRole => catalogue
            .custom_roles
            .iter()
            .map(|role| &*role.name)
            .collect(),
        GrantKind::Seat => catalogue
            .seat_types
            .iter()
            .map(|seat| &*seat.name)
            .collect(),
    };
    let found = names.iter().zip(0..).find(|(name, _)| **name == row.target);
    let Some((_, place)) = found else {
        panic!(
            "a row gives {:?}, and the catalogue has {names:?} of that kind",
            row.target
        );
    };
    place
}

fn group_id(name: &str) -> String {
    format!("group-{}", name.to_lowercase())
}
