//! Whatever comes in whichever order: each user of a directory in force has one account or waits for
//! a person, no account is two people of one directory, and nothing is linked outside verified
//! domains unless a person says so.

use super::*;
use crate::access::import::{self, NewAccount, Outcome};
use crate::access::{domains, links};
use crate::clock::Random;
use crate::directory::{Directory, Moment, phases, users};
use crate::ledger;
use crate::model::access::AccountRecord;
use crate::model::events::Events;
use crate::model::facts::UserRecord;
use crate::model::people::{Links, VerifiedBy};
use crate::model::plugins::PluginRef;
use crate::model::tenancy::{Behaviour, Directories, DirectoryRecord, Phase};
use gatewright_scim::{Preconditions, Profile, User};
use gatewright_store::{OrganizationId, RedbEngine, RedbOptions, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    /// Directory, user name, email.
    Create(usize, u8, u8),
    /// Directory, which of its users, email.
    Move(usize, usize, u8),
    /// Directory, which of its users.
    Delete(usize, usize),
    /// External id, email.
    Import(u8, u8),
    Confirm(usize),
    Pause(usize),
    Resume(usize),
    /// Domain.
    Verify(u8),
    /// Which of the waiting users, which account; none: a new one.
    Resolve(usize, Option<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    let directory = || 0..2_usize;
    let email = || 0..6_u8;
    prop_oneof![
        5 => (directory(), 0..5_u8, email()).prop_map(|(d, name, email)| Step::Create(d, name, email)),
        1 => (directory(), 0..9_usize, email()).prop_map(|(d, n, email)| Step::Move(d, n, email)),
        1 => (directory(), 0..9_usize).prop_map(|(d, n)| Step::Delete(d, n)),
        4 => (0..5_u8, email()).prop_map(|(id, email)| Step::Import(id, email)),
        2 => directory().prop_map(Step::Confirm),
        1 => directory().prop_map(Step::Pause),
        1 => directory().prop_map(Step::Resume),
        1 => (0..2_u8).prop_map(Step::Verify),
        2 => (0..9_usize, proptest::option::of(0..9_usize)).prop_map(|(n, to)| Step::Resolve(n, to)),
    ]
}

/// Emails of two domains.
fn email(number: u8) -> String {
    format!("p{}@d{}.test", number / 2, number % 2)
}

struct World {
    organization: Organization,
    directories: Vec<Directory>,
    now: u64,
    random: Random,
    _store: Store,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.redb");
        let engine = RedbEngine::open(&file, RedbOptions::default()).unwrap();
        let store = Store::open(Arc::new(engine)).unwrap();
        // In memory: hundreds of changes for each case need no disk.
        let rehearsal = store.rehearsal().unwrap();
        let organization = rehearsal.organization(OrganizationId::from(Uuid::from_u128(1)));
        let directories: Vec<Directory> = [2, 3]
            .map(|id| {
                let record = DirectoryRecord {
                    name: format!("Directory {id}"),
                    provider: PluginRef {
                        digest: String::new(),
                        settings: Value::Null,
                    },
                    previous_provider: None,
                    behaviour: Behaviour {
                        keep_deleted_days: 0,
                        ..Behaviour::default()
                    },
                    has_schemas: false,
                    phase: Phase::Draft,
                    created: Timestamp(0),
                };
                Directory {
                    organization: organization.clone(),
                    id: Uuid::from_u128(id),
                    record,
                    profile: Profile::default(),
                    names: None,
                }
            })
            .into();
        for directory in &directories {
            let (id, record) = (directory.id, directory.record.clone());
            let stored: Result<(), WriteError<StoreError>> =
                organization.write(move |tx| tx.put::<Directories>(&id, &record));
            stored.unwrap();
        }
        Self {
            organization,
            directories,
            now: 1_000,
            random: Random::system(),
            _store: store,
            _folder: folder,
        }
    }

    fn moment(&mut self) -> Moment {
        self.now += 1;
        Moment {
            now: Timestamp(self.now),
            random: self.random.clone(),
            request: None,
        }
    }

    fn users(&self, directory: usize) -> Vec<Uuid> {
        let reader = self.organization.read().unwrap();
        let range = Range::prefix(&self.directories[directory].id);
        let keys = reader.keys::<Users>(range).unwrap();
        keys.map(|key| key.unwrap().1).collect()
    }

    fn accounts(&self) -> Vec<(Uuid, AccountRecord)> {
        let reader = self.organization.read().unwrap();
        let rows = reader.scan::<Accounts>(Range::all()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Does a step as far as it is possible, and all that follows from it. Answers the users that a
    /// person linked.
    fn take(&mut self, taken: &Step) -> Option<Uuid> {
        let moment = self.moment();
        let (organization, now) = (self.organization.clone(), moment.now);
        let user = |name: &str, email: &str| {
            let body = json!({ "userName": name, "emails": [{ "value": email, "primary": true }] });
            User::parse(body, Profile::default()).unwrap().resource
        };
        let mut by_hand = None;
        match taken {
            Step::Create(directory, name, at) => {
                let new = user(&format!("user {name}"), &email(*at));
                let _ = users::create(&self.directories[*directory], &moment, new);
            }
            Step::Move(directory, which, at) => {
                if let Some(id) = self.users(*directory).get(*which) {
                    let entered = &self.directories[*directory];
                    let reader = organization.read().unwrap();
                    let stored = users::get(&reader, entered, &id.to_string()).unwrap();
                    let name = crate::model::facts::text(&stored.record.document, "userName");
                    let new = user(name.unwrap(), &email(*at));
                    let any = Preconditions::default();
                    users::replace(entered, &moment, &id.to_string(), &any, new).unwrap();
                }
            }
            Step::Delete(directory, which) => {
                if let Some(id) = self.users(*directory).get(*which) {
                    let any = Preconditions::default();
                    let entered = &self.directories[*directory];
                    users::delete(entered, &moment, &id.to_string(), &any).unwrap();
                }
            }
            Step::Import(id, at) => {
                let new = NewAccount {
                    external_id: format!("app-{id}"),
                    email: email(*at),
                    label: None,
                    status: None,
                    role: Some("Viewer".into()),
                    custom_roles: None,
                    seats: None,
                };
                let import =
                    || import::import(&organization, now, &moment.random, vec![new.clone()]);
                let first = import().unwrap();
                let again = import().unwrap();
                assert_eq!(again.revision, first.revision, "again without harm");
                if first.value[0].is_ok() {
                    let again = again.value[0].as_ref().unwrap();
                    assert_eq!(again.result, Outcome::Unchanged);
                }
            }
            Step::Confirm(directory) => {
                let id = self.directories[*directory].id;
                let _ = change(&organization, now, move |change| {
                    let said = phases::Confirmation {
                        acting: None,
                        accepts_lockout: true,
                    };
                    phases::put_into_force(change, id, &said, None)
                });
            }
            Step::Pause(directory) => {
                let _ = phases::pause(&organization, now, self.directories[*directory].id);
            }
            Step::Resume(directory) => {
                let _ = phases::resume(&organization, now, self.directories[*directory].id);
            }
            Step::Verify(domain) => {
                let domain = format!("d{domain}.test");
                domains::put(&organization, now, &moment.random, domain.clone()).unwrap();
                domains::verified(&organization, now, domain, VerifiedBy::Operator).unwrap();
            }
            Step::Resolve(which, to) => {
                let waiting = links::waiting(&organization.read().unwrap(), None, 100).unwrap();
                let accounts = self.accounts();
                let to = to.map(|to| accounts.get(to).map(|(id, _)| *id));
                if let Some((user, _)) = waiting.get(*which)
                    && to != Some(None)
                    && links::resolve(&organization, now, &moment.random, *user, to.flatten())
                        .is_ok()
                {
                    by_hand = Some(*user);
                }
            }
        }
        while super::step(&organization, now).unwrap() {}
        by_hand
    }

    fn check(&self, before: u64, verified: &HashSet<String>, by_hand: Option<Uuid>) {
        let reader = self.organization.read().unwrap();
        let phases = Phases::read(&reader).unwrap();
        let accounts: HashMap<Uuid, AccountRecord> = self.accounts().into_iter().collect();
        for (id, account) in &accounts {
            let directories: HashSet<Uuid> = account.users.iter().map(|user| user.0).collect();
            assert_eq!(
                directories.len(),
                account.users.len(),
                "two people of one directory"
            );
            for user in &account.users {
                let record = reader
                    .get::<Users>(user)
                    .unwrap()
                    .expect("a user that is there");
                assert_eq!(record.account, *id);
                assert!(phases.in_force(user.0), "linked before the confirmation");
            }
            assert!(!account.free || account.users.is_empty());
        }
        for row in reader.scan::<Users>(Range::all()).unwrap() {
            let (key, user) = row.unwrap();
            let account = accounts.get(&user.account);
            let linked = account.is_some_and(|account| account.users.contains(&key));
            let waits = reader.contains::<Links>(&key.1).unwrap();
            assert_eq!(
                u8::from(linked) + u8::from(waits),
                u8::from(phases.in_force(key.0)),
                "{key:?} is linked: {linked}, waits: {waits}"
            );
        }
        for row in reader.keys::<Links>(Range::all()).unwrap() {
            let user = row.unwrap();
            assert!(
                (0..2).any(|d| self.users(d).contains(&user)),
                "nobody waits"
            );
        }
        // Who was linked now, other than by a person, was so in a verified domain.
        for row in reader
            .scan::<Events>(Range::all().after(&(before, u32::MAX)))
            .unwrap()
        {
            let (_, event) = row.unwrap();
            if event.kind != "account.linked" {
                continue;
            }
            let id = |field: &str| event.data[field].as_str().unwrap().parse::<Uuid>().unwrap();
            if by_hand == Some(id("user")) {
                continue;
            }
            let record = reader.get::<Users>(&(id("directory"), id("user"))).unwrap();
            let document = record.unwrap().document;
            let email = primary_email(&document).unwrap().to_owned();
            let domain = domains::of_email(&email).unwrap();
            assert!(verified.contains(&domain), "{email} was linked");
            // By the account's own email, or by that of its user in the other directory.
            let account = &accounts[&id("account")];
            let others = account.users.iter().filter(|key| key.1 != id("user"));
            let mut others = others.filter_map(|key| reader.get::<Users>(key).unwrap());
            let same = |other: UserRecord| primary_email(&other.document) == Some(&email);
            assert!(account.email.as_ref() == Some(&email) || others.any(same));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn people_have_one_account_or_wait(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        let mut verified = HashSet::new();
        for taken in &steps {
            let before = ledger::revision(&world.organization.read().unwrap()).unwrap();
            if let Step::Verify(domain) = taken {
                verified.insert(format!("d{domain}.test"));
            }
            let by_hand = world.take(taken);
            world.check(before, &verified, by_hand);
        }
    }
}
