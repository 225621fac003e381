//! Who decides about an account: the directories in force whose users it has, or nobody.

use crate::model::access::AccountRecord;
use crate::model::tenancy::{Directories, Phase};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// The phase of each directory of an organization. They are few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phases(Vec<(Uuid, Phase)>);

impl Phases {
    /// Reads them.
    ///
    /// # Errors
    /// What the store says.
    pub fn read(reader: &impl Read<OrganizationScope>) -> Result<Self, StoreError> {
        let rows = reader.scan::<Directories>(Range::all())?;
        let phases = rows.map(|row| row.map(|(id, record)| (id, record.phase)));
        Ok(Self(phases.collect::<Result<_, _>>()?))
    }

    /// The phase of a directory; none where there is no such directory.
    #[must_use]
    pub fn of(&self, directory: Uuid) -> Option<Phase> {
        let found = self.0.iter().find(|(id, _)| *id == directory);
        found.map(|(_, phase)| *phase)
    }

    /// Whether what the directory says counts in decisions.
    #[must_use]
    pub fn in_force(&self, directory: Uuid) -> bool {
        self.of(directory).is_some_and(Phase::in_force)
    }

    /// The directories in force.
    pub fn all_in_force(&self) -> impl Iterator<Item = Uuid> {
        let rows = self.0.iter();
        rows.filter(|(_, phase)| phase.in_force())
            .map(|(id, _)| *id)
    }
}

/// Who decides about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The policies, by what this directory and others in force say.
    Decided(Option<Uuid>),
    /// Nobody for now: this directory is paused.
    Frozen(Uuid),
    /// Nobody: it keeps what it has, and people may change that.
    Free,
}

impl Standing {
    /// Who decides about this account.
    ///
    /// With users in several directories the account is frozen while one of them is paused: to
    /// decide without it would take away what it gives. An account without users is still decided if
    /// a directory deleted the last of them, for the policies say what becomes of it then.
    #[must_use]
    pub fn of(account: &AccountRecord, phases: &Phases) -> Self {
        let mut decides = None;
        let speaking = account.users.iter().map(|(directory, _)| *directory);
        for directory in speaking.chain(account.left) {
            match phases.of(directory) {
                Some(Phase::Paused) => return Self::Frozen(directory),
                Some(Phase::Enforcing) => decides = decides.or(Some(directory)),
                Some(Phase::Draft | Phase::Connected | Phase::Receiving | Phase::Uninstalled)
                | None => {}
            }
        }
        let before_phases = account.users.is_empty() && account.left.is_none() && !account.free;
        if decides.is_some() || before_phases {
            Self::Decided(decides)
        } else {
            Self::Free
        }
    }

    /// Whether the policies are to be asked.
    #[must_use]
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Decided(_))
    }

    /// The directory that manages the account, if one does.
    #[must_use]
    pub fn manager(self) -> Option<Uuid> {
        match self {
            Self::Decided(directory) => directory,
            Self::Frozen(directory) => Some(directory),
            Self::Free => None,
        }
    }
}
