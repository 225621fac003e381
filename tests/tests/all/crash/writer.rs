//! One of the identity provider's threads, and what it was promised.

use gatewright_tests::{Client, Reply};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// Randomness that a seed repeats.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A user that the server acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pushed {
    pub(super) name: String,
    pub(super) active: bool,
}

#[derive(Clone, Debug)]
enum Push {
    Create { name: String },
    Switch { user: String, active: bool },
    Delete { user: String },
    Join { group: String, users: Vec<String> },
    Leave { group: String, users: Vec<String> },
}

/// Nobody else changes its users and their memberships, so it knows what they must be.
pub(super) struct Writer {
    number: u64,
    dice: Dice,
    groups: Vec<String>,
    made: u64,
    pub(super) users: BTreeMap<String, Pushed>,
    pub(super) members: BTreeSet<(String, String)>,
    /// The revisions of its acknowledged writes that changed something.
    pub(super) revisions: Vec<u64>,
    /// Sent, and not answered.
    open: Option<Push>,
}

impl Writer {
    pub(super) fn new(number: u64, dice: Dice, groups: &[String]) -> Self {
        Self {
            number,
            dice,
            groups: groups.to_vec(),
            made: 0,
            users: BTreeMap::new(),
            members: BTreeSet::new(),
            revisions: Vec::new(),
            open: None,
        }
    }

    /// Pushes until it is told to stop or gets no answer.
    pub(super) fn push(&mut self, client: &Client, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let push = self.choose();
            self.open = Some(push.clone());
            let Some(reply) = send(client, &push) else {
                return;
            };
            assert!(
                (200..300).contains(&reply.status),
                "{push:?}: {} {}",
                reply.status,
                reply.text
            );
            if self.is_news(&push) {
                self.revisions.push(reply.revision());
            }
            let created = matches!(push, Push::Create { .. }).then(|| reply.id());
            self.took_place(push, created);
            self.open = None;
        }
    }

    /// Finds out whether the write that got no answer took place: as a whole, or not at all.
    pub(super) fn settle(&mut self, client: &Client, at: &str) {
        let Some(push) = self.open.take() else { return };
        match &push {
            Push::Create { name } => {
                let path = format!("/Users?filter=userName%20eq%20%22{name}%22");
                let found = client.get(&path).expect(200).json();
                if let Some(user) = found["Resources"].get(0) {
                    let id = user["id"].as_str().unwrap().to_owned();
                    self.took_place(push, Some(id));
                }
            }
            Push::Switch { user, active } => {
                let found = client.get(&format!("/Users/{user}")).expect(200).json();
                if found["active"] == *active {
                    self.took_place(push, None);
                }
            }
            Push::Delete { user } => {
                if client.get(&format!("/Users/{user}")).status == 404 {
                    self.took_place(push, None);
                }
            }
            Push::Join { group, .. } | Push::Leave { group, .. } => {
                let found = client.get(&format!("/Groups/{group}")).expect(200).json();
                let found: BTreeSet<(String, String)> = members(&found)
                    .filter(|user| self.users.contains_key(user))
                    .map(|user| (group.clone(), user))
                    .collect();
                let of_group = |members: &BTreeSet<(String, String)>| -> BTreeSet<_> {
                    members
                        .iter()
                        .filter(|(of, _)| of == group)
                        .cloned()
                        .collect()
                };
                if found != of_group(&self.members) {
                    self.took_place(push.clone(), None);
                    assert_eq!(found, of_group(&self.members), "{at}: half of {push:?}");
                }
            }
        }
    }

    fn choose(&mut self) -> Push {
        let user = self.any_user();
        match (self.dice.below(10), user) {
            (0..=3, _) | (_, None) => {
                self.made += 1;
                Push::Create {
                    name: format!("writer-{}-{}@example.com", self.number, self.made),
                }
            }
            (4..=5, Some(user)) => Push::Switch {
                active: !self.users[&user].active,
                user,
            },
            (6, Some(user)) => Push::Delete { user },
            (roll, Some(user)) => {
                let at = self.dice.below(self.groups.len() as u64);
                let group = self.groups[usize::try_from(at).unwrap()].clone();
                let users: BTreeSet<String> = [Some(user), self.any_user(), self.any_user()]
                    .into_iter()
                    .flatten()
                    .collect();
                let users = users.into_iter().collect();
                if roll == 7 {
                    Push::Leave { group, users }
                } else {
                    Push::Join { group, users }
                }
            }
        }
    }

    fn is_news(&self, push: &Push) -> bool {
        let among =
            |group: &String, user: &String| self.members.contains(&(group.clone(), user.clone()));
        match push {
            Push::Create { .. } | Push::Switch { .. } | Push::Delete { .. } => true,
            Push::Join { group, users } => !users.iter().all(|user| among(group, user)),
            Push::Leave { group, users } => users.iter().any(|user| among(group, user)),
        }
    }

    fn any_user(&mut self) -> Option<String> {
        let at = self.dice.below(self.users.len().max(1) as u64);
        self.users.keys().nth(usize::try_from(at).unwrap()).cloned()
    }

    fn took_place(&mut self, push: Push, created: Option<String>) {
        match push {
            Push::Create { name } => {
                self.users
                    .insert(created.unwrap(), Pushed { name, active: true });
            }
            Push::Switch { user, active } => self.users.get_mut(&user).unwrap().active = active,
            Push::Delete { user } => {
                self.users.remove(&user);
                self.members.retain(|(_, member)| *member != user);
            }
            Push::Join { group, users } => {
                self.members
                    .extend(users.into_iter().map(|user| (group.clone(), user)));
            }
            Push::Leave { group, users } => {
                self.members
                    .retain(|(of, member)| *of != group || !users.contains(member));
            }
        }
    }
}

/// The ids of a group's members.
pub(super) fn members(group: &Value) -> impl Iterator<Item = String> + '_ {
    let members = group["members"].as_array().into_iter().flatten();
    members.map(|member| member["value"].as_str().unwrap().to_owned())
}

/// Nothing where there was no whole answer.
fn send(client: &Client, push: &Push) -> Option<Reply> {
    let patch = |operation: Value| {
        Some(json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [operation],
        }))
    };
    let values = |users: &[String]| -> Vec<Value> {
        users.iter().map(|user| json!({ "value": user })).collect()
    };
    let (method, path, body) = match push {
        Push::Create { name } => {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": name,
                "emails": [{ "value": name, "primary": true }],
            });
            ("POST", "/Users".to_owned(), Some(body))
        }
        Push::Switch { user, active } => {
            let operation = json!({ "op": "replace", "path": "active", "value": active });
            ("PATCH", format!("/Users/{user}"), patch(operation))
        }
        Push::Delete { user } => ("DELETE", format!("/Users/{user}"), None),
        Push::Join { group, users } => {
            let operation = json!({ "op": "add", "path": "members", "value": values(users) });
            ("PATCH", format!("/Groups/{group}"), patch(operation))
        }
        Push::Leave { group, users } => {
            let operation = json!({ "op": "remove", "path": "members", "value": values(users) });
            ("PATCH", format!("/Groups/{group}"), patch(operation))
        }
    };
    let body = body.map(|body| body.to_string());
    let json = [("Content-Type", "application/scim+json")];
    let headers = if body.is_some() { &json[..] } else { &[] };
    client
        .try_send(method, &path, headers, body.as_deref().map(str::as_bytes))
        .ok()
}
