//! What becomes of memberships by way of other groups: each that ends is told once.

use super::*;
use crate::access::gather::{Gatherer, Source};
use crate::access::signals;
use crate::clock::Random;
use crate::directory::{Directory, Moment, groups, users};
use crate::model::access::Dirty;
use crate::model::facts::Ended;
use crate::model::people::SignalRecord;
use crate::model::plugins::PluginRef;
use crate::model::tenancy::{Behaviour, Directories, DirectoryRecord, Phase};
use gatewright_sandbox::types;
use gatewright_scim::{Group, GroupPatch, Limits, Preconditions, Profile, User};
use gatewright_store::{OrganizationId, RedbEngine, RedbOptions, Store};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

struct World {
    directory: Directory,
    now: Cell<u64>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.redb");
        let engine = RedbEngine::open(&file, RedbOptions::default()).unwrap();
        let store = Store::open(Arc::new(engine)).unwrap();
        let directory = Directory {
            organization: store.organization(OrganizationId::from(Uuid::from_u128(1))),
            id: Uuid::from_u128(2),
            record: DirectoryRecord {
                name: "Any".into(),
                provider: PluginRef {
                    digest: String::new(),
                    settings: Value::Null,
                },
                previous_provider: None,
                behaviour: Behaviour::default(),
                has_schemas: false,
                phase: Phase::Enforcing,
                created: Timestamp(0),
            },
            profile: Profile::default(),
            names: None,
        };
        let (id, record) = (directory.id, directory.record.clone());
        let stored: Result<(), WriteError<StoreError>> = directory
            .organization
            .write(move |tx| tx.put::<Directories>(&id, &record));
        stored.unwrap();
        Self {
            directory,
            now: Cell::new(1_000),
            _folder: folder,
        }
    }

    /// Each change is a millisecond after the one before.
    fn moment(&self) -> Moment {
        self.now.set(self.now.get() + 1);
        Moment {
            now: Timestamp(self.now.get()),
            random: Random::system(),
            request: None,
        }
    }

    fn user(&self, name: &str) -> Uuid {
        let user = User::parse(json!({ "userName": name }), Profile::default())
            .unwrap()
            .resource;
        let created = users::create(&self.directory, &self.moment(), user).unwrap();
        created.value.id
    }

    fn group(&self, name: &str, members: &[Uuid]) -> Uuid {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = Group::parse(
            json!({ "displayName": name, "members": members }),
            Profile::default(),
        )
        .unwrap();
        let created = groups::create(&self.directory, &self.moment(), body.resource).unwrap();
        created.value.id
    }

    fn patch(&self, group: Uuid, operation: &Value) {
        let body = json!({ "Operations": [operation] });
        let patch = GroupPatch::parse(&body, Profile::default(), &Limits::default()).unwrap();
        let (id, any) = (group.to_string(), Preconditions::default());
        groups::patch(&self.directory, &self.moment(), &id, &any, patch).unwrap();
    }

    fn add(&self, group: Uuid, member: Uuid) {
        self.patch(
            group,
            &json!({ "op": "add", "path": "members", "value": [{ "value": member }] }),
        );
    }

    fn remove(&self, group: Uuid, member: Uuid) {
        self.patch(
            group,
            &json!({ "op": "remove", "path": "members", "value": [{ "value": member }] }),
        );
    }

    fn delete(&self, group: Uuid) {
        let any = Preconditions::default();
        groups::delete(&self.directory, &self.moment(), &group.to_string(), &any).unwrap();
    }

    /// Expands all wide changes. Answers in how many steps.
    fn expand(&self) -> usize {
        let now = self.moment().now;
        (0..)
            .take_while(|_| step(&self.directory.organization, now).unwrap())
            .count()
    }

    fn account(&self, user: Uuid) -> Uuid {
        let reader = self.directory.organization.read().unwrap();
        let record = reader.get::<Users>(&(self.directory.id, user)).unwrap();
        record.unwrap().account
    }

    /// What a policy would be told of the memberships of an account: the group, and when it began
    /// and ended.
    fn told(&self, account: Uuid) -> Vec<(String, u64, Option<u64>)> {
        self.gather(account)
            .1
            .memberships
            .into_iter()
            .map(|one| (one.group_name, one.since, one.ended))
            .collect()
    }

    fn gather(&self, account: Uuid) -> (crate::access::gather::Gathered, types::Account) {
        let reader = self.directory.organization.read().unwrap();
        let catalogue = types::Catalogue {
            base_roles: Vec::new(),
            custom_roles: Vec::new(),
            seat_types: Vec::new(),
        };
        let source = Source {
            provider: String::new(),
            profile: Profile::default(),
        };
        let sources = HashMap::from([(self.directory.id, source)]);
        let phases = Phases::read(&reader).unwrap();
        let mut gatherer = Gatherer::new(&reader, &[], &catalogue, &sources, &phases).unwrap();
        gatherer.account(account).unwrap().unwrap()
    }

    /// What ended, as a decision is told that is then stored; and that there was one to be made.
    fn decide(&self, account: Uuid) -> Vec<String> {
        self.decide_all(&[account]).remove(0)
    }

    fn decide_all(&self, accounts: &[Uuid]) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        let mut rows = Vec::new();
        for account in accounts {
            let (gathered, told) = self.gather(*account);
            let ended = told
                .memberships
                .into_iter()
                .filter(|one| one.ended.is_some());
            all.push(ended.map(|one| one.group_name).collect());
            rows.push((*account, gathered.ended));
        }
        let done = change(
            &self.directory.organization,
            self.moment().now,
            move |change| {
                for (account, ended) in &rows {
                    for key in ended {
                        change.tx.delete::<Ended>(key)?;
                    }
                    let was_marked = change.tx.delete::<Dirty>(account)?;
                    assert!(was_marked, "there was nothing to decide");
                }
                Ok::<_, StoreError>(())
            },
        );
        done.unwrap();
        all
    }

    fn rows(&self) -> (usize, usize, usize) {
        let reader = self.directory.organization.read().unwrap();
        (
            reader.keys::<Ended>(Range::all()).unwrap().count(),
            reader.keys::<Dirty>(Range::all()).unwrap().count(),
            reader.keys::<Concerned>(Range::all()).unwrap().count(),
        )
    }
}

#[test]
fn a_membership_by_way_of_a_group_began_with_the_latest_step_and_ends_with_any() {
    let world = World::new();
    let ada = world.user("ada");
    let account = world.account(ada);
    let low = world.group("Low", &[ada]);
    let middle = world.group("Middle", &[low]);
    let joined = world.now.get();
    let high = world.group("High", &[]);
    world.add(high, middle);
    let nested = world.now.get();
    world.expand();
    let told = world.told(account);
    assert_eq!(told[0], ("High".into(), nested, None));
    assert_eq!(told[2], ("Middle".into(), joined, None));
    assert!(world.decide(account).is_empty());

    world.remove(middle, low);
    let ended = world.now.get();
    world.expand();
    let told = world.told(account);
    assert_eq!(told[0].0, "Low");
    assert_eq!(told[1], ("High".into(), nested, Some(ended)));
    assert_eq!(told[2], ("Middle".into(), joined, Some(ended)));
    assert_eq!(world.decide(account), ["High", "Middle"]);
    assert_eq!(world.told(account).len(), 1);
    assert_eq!(world.rows(), (0, 0, 0));
}

#[test]
fn what_another_way_leads_to_has_not_ended() {
    let world = World::new();
    let ada = world.user("ada");
    let account = world.account(ada);
    let one = world.group("One", &[ada]);
    let two = world.group("Two", &[ada]);
    let all = world.group("All", &[one, two]);
    world.expand();
    world.decide(account);
    world.remove(all, one);
    world.expand();
    assert!(world.decide(account).is_empty());
    // Directly, too: of the last way only the end is told.
    world.add(all, ada);
    world.decide(account);
    world.remove(two, ada);
    assert_eq!(world.decide(account), ["Two"]);
    world.add(all, one);
    world.expand();
    world.decide(account);
    world.remove(all, ada);
    assert!(
        world.decide(account).is_empty(),
        "it is in it by way of another"
    );
    world.remove(one, ada);
    assert_eq!(world.decide(account), ["All", "One"]);
}

#[test]
fn who_leaves_before_the_end_is_written_down_is_told_of_it_once() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let (account, of_bob) = (world.account(ada), world.account(bob));
    let low = world.group("Low", &[ada]);
    let all = world.group("All", &[low]);
    world.expand();
    for account in [account, of_bob] {
        world.decide(account);
    }
    world.remove(all, low);
    let ended = world.now.get();
    world.remove(low, ada);
    world.add(low, bob);
    let told = world.told(account);
    assert_eq!((&told[0].0, told[0].2), (&"All".to_owned(), Some(ended)));
    assert_eq!(world.decide(account), ["All", "Low"]);
    assert_eq!(world.expand(), 1);
    assert!(world.told(account).is_empty());
    // Who came afterwards was never in it.
    assert!(world.decide(of_bob).is_empty());
    assert_eq!(world.rows(), (0, 0, 0));
}

#[test]
fn a_deleted_group_takes_with_it_what_it_led_to() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let (account, of_bob) = (world.account(ada), world.account(bob));
    let low = world.group("Low", &[ada]);
    let middle = world.group("Middle", &[low, bob]);
    let _high = world.group("High", &[middle]);
    world.expand();
    for account in [account, of_bob] {
        world.decide(account);
    }
    world.delete(middle);
    world.expand();
    assert_eq!(world.decide(account), ["High", "Middle"]);
    assert_eq!(world.decide(of_bob), ["High", "Middle"]);
    // A user who is deleted leaves all of them.
    let top = world.group("Top", &[low]);
    world.expand();
    world.decide(account);
    let any = Preconditions::default();
    users::delete(&world.directory, &world.moment(), &ada.to_string(), &any).unwrap();
    assert_eq!(world.decide(account), ["Low", "Top"]);
    world.delete(top);
    world.delete(low);
    world.expand();
    assert_eq!(world.rows().2, 0);
}

#[test]
fn a_request_writes_no_row_for_each_member_of_what_it_takes_away() {
    const COUNT: usize = 520;
    let world = World::new();
    let users: Vec<Uuid> = (0..COUNT).map(|n| world.user(&format!("u{n}"))).collect();
    let crowd = world.group("Crowd", &users);
    let middle = world.group("Middle", &[]);
    let high = world.group("High", &[middle]);
    world.expand();
    let accounts: Vec<Uuid> = users.iter().map(|user| world.account(*user)).collect();
    world.decide_all(&accounts);
    world.add(middle, crowd);
    assert_eq!(world.rows(), (0, 0, 1));
    assert_eq!(world.expand(), COUNT.div_ceil(STEP));
    assert_eq!(world.rows(), (0, COUNT, 0));
    world.remove(high, middle);
    assert_eq!(world.rows(), (0, COUNT, 2));
    world.expand();
    assert_eq!(world.rows(), (COUNT, COUNT, 0));
    let told = world.decide_all(&accounts);
    assert!(told.iter().all(|told| told == &["High"]));
    world.add(high, middle);
    world.expand();
    // Its own difference it writes: so many memberships that ended, and marks.
    world.patch(crowd, &json!({ "op": "remove", "path": "members" }));
    assert_eq!(world.rows(), (COUNT, COUNT, 0));
    assert!(world.expand() > 1);
    assert_eq!(world.rows(), (3 * COUNT, COUNT, 0));
    let told = world.decide_all(&accounts);
    assert!(told.iter().all(|told| told == &["Crowd", "High", "Middle"]));
}

#[test]
fn policies_are_told_what_other_sources_say() {
    let world = World::new();
    let user = world.user("ada");
    let account = world.account(user);
    let put = |source: &str, active: bool| {
        let now = world.moment().now;
        let signal = SignalRecord { active, at: now };
        signals::put(&world.directory.organization, now, account, source, signal).unwrap();
        now.0
    };
    assert_eq!(world.gather(account).1.signals.len(), 0);
    let (sso, chat) = (put("sso", true), put("chat", false));
    let told = world.gather(account).1.signals;
    let told: Vec<_> = (told.iter())
        .map(|signal| (signal.source.as_str(), signal.active, signal.at))
        .collect();
    assert_eq!(told, [("chat", false, chat), ("sso", true, sso)]);
}

mod going;
