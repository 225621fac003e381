//! Random joins, leaves, mappings and deactivations beside the plainest model of what should come of
//! them: whatever happens, however much of it is decided at once, the company that had an owner has
//! one, and nobody else has what the mapping does not give.

use crate::shared::{Dice, Tenant};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const USERS: usize = 5;
const GROUPS: usize = 4;
const ROUNDS: usize = 60;
const ROLES: [&str; 3] = ["Owner", "Admin", "Viewer"];

struct World {
    tenant: Tenant,
    dice: Dice,
    users: Vec<String>,
    groups: Vec<String>,
    members: BTreeSet<(usize, usize)>,
    /// Group and the place of a role.
    mapping: Vec<(usize, usize)>,
    active: Vec<bool>,
}

impl World {
    fn new() -> Self {
        let tenant = Tenant::new("Guard model");
        tenant.without_brake();
        let users = (0..USERS)
            .map(|n| tenant.user(&format!("u{n}@acme.test")).id())
            .collect();
        let groups = (0..GROUPS)
            .map(|n| tenant.group(&format!("G{n}"), &[]).id())
            .collect();
        Self {
            tenant,
            dice: Dice(7),
            users,
            groups,
            members: BTreeSet::new(),
            mapping: Vec::new(),
            active: vec![true; USERS],
        }
    }

    /// Something happens. Answers whether the provider took somebody's access.
    fn push(&mut self) -> bool {
        let (group, user) = (self.dice.below(GROUPS), self.dice.below(USERS));
        match self.dice.below(8) {
            0 => {
                let many = self.dice.below(4);
                let rows = (0..many).map(|_| (self.dice.below(GROUPS), self.dice.below(3)));
                let rows: BTreeSet<_> = rows.collect();
                self.mapping = rows.into_iter().collect();
                let named: Vec<_> = self
                    .mapping
                    .iter()
                    .map(|(group, role)| (format!("G{group}"), ROLES[*role]))
                    .collect();
                let named: Vec<_> = named
                    .iter()
                    .map(|(group, role)| (group.as_str(), "base-role", *role))
                    .collect();
                self.tenant.map(&named);
            }
            1 => {
                let active = !self.active[user];
                self.active[user] = active;
                let body = json!({ "Operations": [
                    { "op": "replace", "path": "active", "value": active },
                ] });
                let path = format!("/Users/{}", self.users[user]);
                let _ = self.tenant.scim.patch(&path, &body).expect(200);
                return !active;
            }
            2..5 => {
                if self.members.insert((group, user)) {
                    let member = json!([{ "value": self.users[user] }]);
                    self.patch(
                        group,
                        &json!({ "op": "add", "path": "members", "value": member }),
                    );
                }
            }
            _ => {
                if self.members.remove(&(group, user)) {
                    let path = format!("members[value eq \"{}\"]", self.users[user]);
                    self.patch(group, &json!({ "op": "remove", "path": path }));
                }
            }
        }
        false
    }

    fn patch(&self, group: usize, operation: &Value) {
        let path = format!("/Groups/{}", self.groups[group]);
        let body = json!({ "Operations": [operation] });
        let _ = self.tenant.scim.patch(&path, &body).expect(204);
    }

    /// What the mapping gives.
    fn role(&self, user: usize) -> &'static str {
        let rows = self.mapping.iter();
        let given = rows.filter(|(group, _)| self.members.contains(&(*group, user)));
        let highest = given.map(|(_, role)| *role).min();
        highest.map_or("Standard", |role| ROLES[role])
    }

    /// Checks everybody. Answers whether an active account is owner, and how many are held.
    fn check(&self, round: usize) -> (bool, usize) {
        let accounts = self.tenant.settle();
        let holds = self.tenant.holds();
        let held: BTreeSet<&str> = holds
            .iter()
            .map(|hold| hold["label"].as_str().unwrap())
            .collect();
        let owner = |account: &Value| account["role"]["name"] == "Owner";
        let active = |account: &Value| account["status"] == "active";
        for user in 0..USERS {
            let label = format!("u{user}@acme.test");
            let account = accounts.iter().find(|one| one["label"] == *label).unwrap();
            assert_eq!(active(account), self.active[user], "round {round}: {label}");
            if held.contains(&*label) {
                assert!(owner(account), "round {round}: {label}");
                assert_ne!(self.role(user), "Owner", "round {round}: {label}");
                let others = accounts.iter().filter(|one| one["label"] != *label);
                let others = others.filter(|one| owner(one) && active(one)).count();
                assert_eq!(others, 0, "round {round}: {label} is not the last");
            } else {
                let role = account["role"]["name"].as_str().unwrap();
                assert_eq!(role, self.role(user), "round {round}: {label}");
            }
        }
        let owned = accounts
            .iter()
            .any(|account| owner(account) && active(account));
        (owned, held.len())
    }
}

#[test]
fn who_had_an_owner_has_one_whatever_happens_to_roles() {
    let mut world = World::new();
    let (mut had, mut holding) = (false, 0);
    for round in 0..ROUNDS {
        let mut access_taken = false;
        for _ in 0..=world.dice.below(6) {
            access_taken |= world.push();
        }
        let (has, held) = world.check(round);
        assert!(
            has || !had || access_taken,
            "round {round}: no owner is left"
        );
        had = has;
        holding += usize::from(held > 0);
    }
    assert!(holding > 3, "{holding} rounds had something to hold");
}
