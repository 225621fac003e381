//! What happens to a person, beside its groups.

use super::{Account, Brought, Grant, Kind, Origin, Status, World};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// The provider said that the user is there, or that it is not active, or deleted it.
    pub(in crate::fold) fn set_user(&mut self, place: usize, directory: usize, user: Option<bool>) {
        let directories = self.directories;
        let person = &mut self.people[place];
        let was = person.user();
        person.known.insert(directory);
        match user {
            Some(active) => _ = person.users.insert(directory, active),
            None => _ = person.users.remove(&directory),
        }
        person.left = person.users.is_empty().then_some(directory);
        person.changes += 1;
        match &mut person.account {
            None => {
                person.account = Some(Account {
                    decided: false,
                    free: false,
                    status: Status::Deactivated,
                    noted: None,
                    grants: BTreeMap::new(),
                    hold: None,
                });
            }
            // It is the person whom the application brought.
            Some(account) if account.free => account.free = false,
            // Seats do not come back with the last user.
            Some(account) if was.is_none() => {
                account.grants.retain(|(kind, _), _| *kind != Kind::Seat);
            }
            Some(_) => {}
        }
        if user.is_none() {
            person
                .groups
                .retain(|group| group % directories != directory);
            person.titles.remove(&directory);
        }
        self.take_access(place);
    }

    pub(in crate::fold) fn set_title(&mut self, place: usize, directory: usize, title: usize) {
        let person = &mut self.people[place];
        if person.titles.insert(directory, title) != Some(title) {
            person.changes += 1;
        }
    }

    /// The application brings an account: of one about which is decided it says nothing that counts.
    pub(in crate::fold) fn import(&mut self, place: usize, brought: &Brought) {
        let person = &mut self.people[place];
        person.is_brought = true;
        let account = person.account.get_or_insert_with(|| Account {
            decided: false,
            free: true,
            status: Status::Active,
            noted: None,
            grants: BTreeMap::new(),
            hold: None,
        });
        if !account.free {
            return;
        }
        account.status = if brought.active {
            Status::Active
        } else {
            Status::Deactivated
        };
        // Without a role it says nothing of the role; the lists are whole.
        account
            .grants
            .retain(|(kind, _), _| *kind == Kind::Base && brought.role.is_none());
        let imported = Grant {
            origin: Origin::Import,
            ..Grant::BY_RULE
        };
        let of = |kind, names: &BTreeSet<&'static str>| {
            let names = names.iter().copied();
            names
                .map(move |name| ((kind, name), imported))
                .collect::<Vec<_>>()
        };
        account
            .grants
            .extend(of(Kind::Base, &brought.role.into_iter().collect()));
        account.grants.extend(of(Kind::Custom, &brought.custom));
        account.grants.extend(of(Kind::Seat, &brought.seats));
    }

    pub(in crate::fold) fn signal(&mut self, place: usize, source: &'static str, active: bool) {
        let now = self.now;
        self.people[place].signals.insert(source, (active, now));
        self.take_access(place);
    }

    /// Whose users are all inactive is out at once, unless another source says otherwise.
    fn take_access(&mut self, place: usize) {
        let person = &mut self.people[place];
        let in_use = person.user() == Some(true);
        let present = person.is_signalled();
        if let Some(account) = &mut person.account
            && !account.free
            && account.status == Status::Active
            && !in_use
            && !present
        {
            account.status = Status::Deactivated;
        }
    }

    pub(in crate::fold) fn give_seat(&mut self, place: usize, seat: &'static str) {
        if let Some(account) = &mut self.people[place].account {
            let grant = account
                .grants
                .entry((Kind::Seat, seat))
                .or_insert(Grant::BY_RULE);
            grant.origin = Origin::ByHand;
        }
    }

    pub(in crate::fold) fn take_seat(&mut self, place: usize, seat: &'static str) {
        if let Some(account) = &mut self.people[place].account {
            account.grants.remove(&(Kind::Seat, seat));
        }
    }
}
