//! Constructors of what a plugin answers.

use crate::{
    AccountStatus, Basis, Grant, GrantKind, LifecycleDecision, Mapped, Problem, Proposal, Refusal,
    RoleDecision, SeatDecision, Timestamp,
};

impl LifecycleDecision {
    /// The status, with a sentence for the administrator who asks why.
    #[must_use]
    pub fn new(status: AccountStatus, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            ask_again: None,
            extra: Vec::new(),
        }
    }

    /// Asks to be asked again at this time, though nothing may have changed by then. Of several
    /// times the earliest counts.
    #[must_use]
    pub fn ask_again_at(mut self, time: Timestamp) -> Self {
        self.ask_again = self.ask_again.into_iter().chain([time]).min();
        self
    }
}

impl RoleDecision {
    /// The whole of the account's roles: at most one base role, and no seat.
    #[must_use]
    pub fn of(roles: Vec<Proposal>) -> Self {
        Self {
            roles,
            ask_again: None,
            extra: Vec::new(),
        }
    }

    /// Asks to be asked again at this time, though nothing may have changed by then. Of several
    /// times the earliest counts.
    #[must_use]
    pub fn ask_again_at(mut self, time: Timestamp) -> Self {
        self.ask_again = self.ask_again.into_iter().chain([time]).min();
        self
    }
}

impl SeatDecision {
    /// The whole of the account's seats.
    #[must_use]
    pub fn of(seats: Vec<Proposal>) -> Self {
        Self {
            seats,
            ask_again: None,
            extra: Vec::new(),
        }
    }

    /// Asks to be asked again at this time, though nothing may have changed by then. Of several
    /// times the earliest counts.
    #[must_use]
    pub fn ask_again_at(mut self, time: Timestamp) -> Self {
        self.ask_again = self.ask_again.into_iter().chain([time]).min();
        self
    }
}

impl Proposal {
    /// A base role by its name in the catalogue.
    #[must_use]
    pub fn base_role(name: &str, reason: impl Into<String>) -> Self {
        Self::of(GrantKind::BaseRole, name, reason)
    }

    /// A custom role by its name in the catalogue.
    #[must_use]
    pub fn custom_role(name: &str, reason: impl Into<String>) -> Self {
        Self::of(GrantKind::CustomRole, name, reason)
    }

    /// A seat by the name of its type in the catalogue.
    #[must_use]
    pub fn seat(name: &str, reason: impl Into<String>) -> Self {
        Self::of(GrantKind::Seat, name, reason)
    }

    /// What a row of the mapping gives.
    #[must_use]
    pub fn from_mapping(row: &Mapped<'_>, reason: impl Into<String>) -> Self {
        Self {
            basis: Basis::MappingEntry(row.place),
            ..Self::of(row.entry.kind, row.target, reason)
        }
    }

    /// What the account has already, with the reason it was given for; what it follows from stays.
    #[must_use]
    pub fn keep(grant: &Grant) -> Self {
        Self {
            basis: Basis::Kept,
            ..Self::of(grant.kind, &grant.name, grant.reason.clone())
        }
    }

    fn of(kind: GrantKind, name: &str, reason: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            reason: reason.into(),
            basis: Basis::Rule,
        }
    }
}

impl Refusal {
    /// A sentence for the administrator: why there is no decision, or what is wrong with a request.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            extra: Vec::new(),
        }
    }
}

impl Problem {
    /// What is wrong, and what would be right, at a JSON Pointer (RFC 6901) into the settings:
    /// `/rules/3/group`; the empty pointer is the whole object.
    #[must_use]
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}
