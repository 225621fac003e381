//! Random facts, mappings and changes in between: what a confirmed plan showed is what is, and a plan
//! that was refused had really changed.

use super::{confirm, holding, planned};
use crate::shared::{Dice, Tenant};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const USERS: usize = 9;
const GROUPS: usize = 5;
const ROUNDS: usize = 60;

struct World {
    tenant: Tenant,
    dice: Dice,
    users: Vec<String>,
    groups: Vec<String>,
}

impl World {
    fn new() -> Self {
        let tenant = Tenant::new("Plan model");
        let users = (0..USERS)
            .map(|n| tenant.user(&format!("u{n}@acme.test")).id())
            .collect();
        let groups = (0..GROUPS)
            .map(|n| tenant.group(&format!("G{n}"), &[]).id())
            .collect();
        Self {
            tenant,
            dice: Dice(11),
            users,
            groups,
        }
    }

    fn mapping(&mut self) -> Value {
        let given = [
            ("base-role", "Owner"),
            ("base-role", "Admin"),
            ("base-role", "Viewer"),
            ("seat", "on-call"),
            ("seat", "responder"),
        ];
        let mut entries = BTreeMap::new();
        for _ in 0..self.dice.below(7) {
            let (kind, target) = given[self.dice.below(given.len())];
            let group = format!("G{}", self.dice.below(GROUPS));
            let entry = json!({ "group": { "name": group }, "kind": kind, "target": target });
            entries.insert((group, target), entry);
        }
        json!({ "entries": entries.into_values().collect::<Vec<_>>() })
    }

    fn proposal(&mut self) -> Value {
        let mut body = json!({});
        if self.dice.below(4) > 0 {
            body["mapping"] = self.mapping();
        }
        if self.dice.below(3) == 0 || body["mapping"].is_null() {
            let role = ["Viewer", "Standard"][self.dice.below(2)];
            let keep = self.dice.below(2) == 0;
            body["bindings"] = json!({
                "roles": { "plugin": "group-roles", "settings": { "default_role": role } },
                "seats": { "plugin": "group-seats", "settings": { "keep_when_leaving": keep } },
            });
        }
        body
    }

    /// Something that an identity provider does.
    fn push(&mut self) {
        let user = self.users[self.dice.below(USERS)].clone();
        let group = self.groups[self.dice.below(GROUPS)].clone();
        let (path, operation) = match self.dice.below(8) {
            0 => {
                let active = self.dice.below(3) > 0;
                let operation = json!({ "op": "replace", "path": "active", "value": active });
                (format!("/Users/{user}"), operation)
            }
            1..=4 => {
                let member = json!([{ "value": user }]);
                let operation = json!({ "op": "add", "path": "members", "value": member });
                (format!("/Groups/{group}"), operation)
            }
            _ => {
                let path = format!("members[value eq \"{user}\"]");
                let operation = json!({ "op": "remove", "path": path });
                (format!("/Groups/{group}"), operation)
            }
        };
        let reply = self
            .tenant
            .scim
            .patch(&path, &json!({ "Operations": [operation] }));
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
    }

    /// What everybody has, once it is decided.
    fn state(&self) -> BTreeMap<String, (String, Option<String>, Vec<String>)> {
        let label = |account: &Value| account["label"].as_str().unwrap().to_owned();
        let accounts = self.tenant.accounts();
        accounts
            .iter()
            .map(|account| (label(account), holding(account)))
            .collect()
    }

    /// What a plan says that everybody would have.
    fn promised(
        &self,
        before: &BTreeMap<String, (String, Option<String>, Vec<String>)>,
        plan: &Value,
    ) -> BTreeMap<String, (String, Option<String>, Vec<String>)> {
        let mut promised = before.clone();
        for account in super::shown(&self.tenant, plan, "") {
            let label = account["label"].as_str().unwrap().to_owned();
            assert_eq!(before[&label], holding(&account["before"]), "{account}");
            promised.insert(label, holding(&account["after"]));
        }
        promised
    }
}

#[test]
fn whatever_was_shown_is_what_comes_or_the_plan_is_refused() {
    let mut world = World::new();
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let (mut confirmed, mut refused, mut changed) = (0, 0, 0);
    for round in 0..ROUNDS {
        for _ in 0..world.dice.below(6) {
            world.push();
        }
        // Half of the time the plan is made while decisions are still waiting.
        let settled = world.dice.below(2) == 0;
        if settled {
            let _ = world.state();
        }
        let proposal = world.proposal();
        let plan = planned(&world.tenant, &proposal);
        assert_eq!(plan["state"], "ready", "{plan}");
        let before = world.state();
        let promised = world.promised(&before, &plan);
        let moves = if world.dice.below(2) == 0 {
            0
        } else {
            1 + world.dice.below(2)
        };
        for _ in 0..moves {
            world.push();
        }
        let meanwhile = world.state();
        let reply = confirm(&world.tenant, &plan, &words);
        match reply.status {
            200 => {
                confirmed += 1;
                changed += usize::from(promised != before);
                let after = world.state();
                // Whom the plan shows has what it shows. Of the others it says that it changes
                // nothing: they have what they had when it was confirmed.
                for (label, has) in after {
                    let wanted = if promised[&label] == before[&label] {
                        &meanwhile[&label]
                    } else {
                        &promised[&label]
                    };
                    assert_eq!(&has, wanted, "round {round}: {label}: {proposal}");
                }
            }
            409 if reply.text.contains("last active") => {
                assert_eq!(plan["owners"]["remains"], false);
                let path = format!("/plans/{}", plan["id"].as_str().unwrap());
                let _ = world.tenant.operator.delete(&path).expect(200);
            }
            409 => {
                refused += 1;
                assert!(moves > 0, "round {round}: {}", reply.text);
                let differences = reply.json()["differences"].as_array().unwrap().clone();
                assert!(!differences.is_empty());
                // A plan made now says what the differences say.
                let again = planned(&world.tenant, &proposal);
                for one in differences {
                    let shown = super::shown(&world.tenant, &again, "");
                    let now = shown.iter().find(|shown| shown["label"] == one["label"]);
                    let sides = |side: &str| now.map(|now| holding(&now[side]));
                    let said = |side: &str| {
                        Some(&one["now"])
                            .filter(|now| !now.is_null())
                            .map(|now| holding(&now[side]))
                    };
                    assert_eq!(said("before"), sides("before"), "round {round}: {one}");
                    assert_eq!(said("after"), sides("after"), "round {round}: {one}");
                    assert_ne!(one["planned"], one["now"], "round {round}");
                }
                let path = format!("/plans/{}", again["id"].as_str().unwrap());
                let _ = world.tenant.operator.delete(&path).expect(200);
            }
            other => panic!("round {round}: {other}: {}", reply.text),
        }
    }
    assert!(
        confirmed > 15 && refused > 2 && changed > 8,
        "confirmed {confirmed}, refused {refused}, with a change {changed}"
    );
}
