//! Look-ups in what the application has to give.

use crate::{BaseRole, Catalogue, CustomRole, GrantKind, MappingEntry, SeatType};

impl Catalogue {
    /// The base role of this name.
    #[must_use]
    pub fn base_role(&self, name: &str) -> Option<&BaseRole> {
        self.base_roles.iter().find(|role| role.name == name)
    }

    /// The base role that the application gives where nothing says otherwise; it may have none.
    #[must_use]
    pub fn default_base_role(&self) -> Option<&BaseRole> {
        self.base_roles.iter().find(|role| role.is_default)
    }

    /// Whether a base role is of higher rank than another; not so where the catalogue lacks one of them.
    #[must_use]
    pub fn outranks(&self, base_role: &str, other: &str) -> bool {
        let ranks = self.base_role(base_role).zip(self.base_role(other));
        ranks.is_some_and(|(role, other)| role.rank < other.rank)
    }

    /// The custom role of this name.
    #[must_use]
    pub fn custom_role(&self, name: &str) -> Option<&CustomRole> {
        self.custom_roles.iter().find(|role| role.name == name)
    }

    /// The seat type of this name.
    #[must_use]
    pub fn seat_type(&self, name: &str) -> Option<&SeatType> {
        self.seat_types.iter().find(|seat| seat.name == name)
    }

    /// The seat type that the application gives where nothing says otherwise; it may have none.
    #[must_use]
    pub fn default_seat_type(&self) -> Option<&SeatType> {
        self.seat_types.iter().find(|seat| seat.is_default)
    }

    /// Whether there is such a role or seat. A decision that names one that is missing is refused
    /// whole, so a policy leaves it out or refuses in better words.
    #[must_use]
    pub fn has(&self, kind: GrantKind, name: &str) -> bool {
        match kind {
            GrantKind::BaseRole => self.base_role(name).is_some(),
            GrantKind::CustomRole => self.custom_role(name).is_some(),
            GrantKind::Seat => self.seat_type(name).is_some(),
        }
    }

    /// The name of the role or seat that a row of the mapping gives.
    ///
    /// # Panics
    ///
    /// For an entry that was made with another catalogue.
    #[must_use]
    pub fn target(&self, entry: &MappingEntry) -> &str {
        let place = entry.target as usize;
        match entry.kind {
            GrantKind::BaseRole => &self.base_roles[place].name,
            GrantKind::CustomRole => &self.custom_roles[place].name,
            GrantKind::Seat => &self.seat_types[place].name,
        }
    }
}
