//! What happens, as requests of who does it.

use super::Driver;
use crate::fold::history::Act;
use crate::fold::model::{Brought, GroupKey, Kind};
use gatewright_tests::{Client, Reply};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Driver {
    pub(super) fn act(&mut self, act: &Act, moment: &str) {
        let reply = match act {
            Act::Create(person, directory) => {
                let name = format!("u{person}@acme.test");
                let body = json!({
                    "userName": name, "externalId": format!("x{person}"), "active": true,
                    "emails": [{ "value": name, "type": "work", "primary": true }],
                });
                let reply = self.directories[*directory].1.post("/Users", &body);
                let reply = reply.expect(201);
                self.users.insert((*directory, *person), reply.id());
                reply
            }
            Act::SetActive(person, directory, active) => {
                let operation = json!({ "op": "replace", "path": "active", "value": active });
                self.patch(*directory, &self.user(*directory, *person), &operation)
            }
            Act::SetTitle(person, directory, title) => {
                let operation =
                    json!({ "op": "replace", "path": "title", "value": title.to_string() });
                self.patch(*directory, &self.user(*directory, *person), &operation)
            }
            Act::Delete(person, directory) => {
                let path = self.user(*directory, *person);
                self.directories[*directory].1.delete(&path)
            }
            Act::Join(group, who) => {
                let operation =
                    json!({ "op": "add", "path": "members", "value": self.members(*group, who) });
                self.patch(self.home(*group), &self.group(*group), &operation)
            }
            Act::Leave(group, who) => {
                let all = who.iter().map(|person| {
                    let path = format!(
                        "members[value eq \"{}\"]",
                        self.users[&(self.home(*group), *person)]
                    );
                    json!({ "op": "remove", "path": path })
                });
                let body = json!({ "Operations": all.collect::<Vec<_>>() });
                if who.is_empty() {
                    return;
                }
                self.scim(*group).patch(&self.group(*group), &body)
            }
            Act::Replace(group, who) => {
                let mut members = self.members(*group, who);
                let children = self.nested.iter().filter(|(parent, _)| parent == group);
                members.extend(children.map(|(_, child)| json!({ "value": self.groups[child] })));
                let body = json!({ "displayName": format!("G{group}"), "members": members });
                self.scim(*group).put(&self.group(*group), &body)
            }
            Act::NewGroup(group, who) => {
                let body = json!({ "displayName": format!("G{group}"), "members": self.members(*group, who) });
                let reply = self.scim(*group).post("/Groups", &body).expect(201);
                self.made[*group] += 1;
                self.groups.insert(*group, reply.id());
                self.all_groups
                    .insert((*group, self.made[*group]), reply.id());
                reply
            }
            Act::DropGroup(group) => {
                let reply = self.scim(*group).delete(&self.group(*group));
                self.nested
                    .retain(|(parent, child)| parent != group && child != group);
                reply
            }
            Act::Nest(parent, child) => {
                self.nested.insert((*parent, *child));
                let member = json!([{ "value": self.groups[child] }]);
                let operation = json!({ "op": "add", "path": "members", "value": member });
                self.patch(self.home(*parent), &self.group(*parent), &operation)
            }
            Act::Unnest(parent, child) => {
                self.nested.remove(&(*parent, *child));
                let path = format!("members[value eq \"{}\"]", self.groups[child]);
                self.patch(
                    self.home(*parent),
                    &self.group(*parent),
                    &json!({ "op": "remove", "path": path }),
                )
            }
            Act::Map(rows) => {
                let entry = |(group, kind, target): &(GroupKey, Kind, &str)| {
                    let kind = match kind {
                        Kind::Base => "base-role",
                        Kind::Custom => "custom-role",
                        Kind::Seat => "seat",
                    };
                    json!({ "group": { "id": self.all_groups[group] }, "kind": kind, "target": target })
                };
                let entries: Vec<Value> = rows.iter().map(entry).collect();
                self.organization
                    .operator
                    .put("/mapping", &json!({ "entries": entries }))
            }
            Act::Rules(rules) => {
                self.set(rules);
                return;
            }
            Act::Signal(person, source, active) => {
                let path = format!("{}/signals/{source}", self.account(*person));
                self.organization
                    .application
                    .put(&path, &json!({ "active": active }))
            }
            Act::GiveSeat(person, seat) => {
                let path = format!("{}/seats/{seat}", self.account(*person));
                self.organization.application.put(&path, &json!({}))
            }
            Act::TakeSeat(person, seat) => {
                let path = format!("{}/seats/{seat}", self.account(*person));
                self.organization.application.delete(&path)
            }
            Act::Import(person, brought) => {
                self.import(*person, brought, moment);
                return;
            }
            Act::Pause(directory) | Act::Resume(directory) => {
                let how = if matches!(act, Act::Pause(_)) {
                    "pause"
                } else {
                    "resume"
                };
                let path = format!("/directories/{}/{how}", self.directories[*directory].0);
                self.organization.operator.post(&path, &json!({}))
            }
            Act::Strict(strict) => {
                self.guard(*strict);
                return;
            }
            Act::WhenFull(full) => {
                self.catalogue(*full);
                return;
            }
            Act::Approve(who) => self.answer("approve", who.as_ref()),
            Act::Reject(who) => self.answer("reject", who.as_ref()),
        };
        let Reply { status, text, .. } = reply;
        assert!(
            matches!(status, 200 | 201 | 204),
            "{moment}: {}: {act:?}: {status}: {text}",
            self.name
        );
    }

    fn import(&self, person: usize, brought: &Brought, moment: &str) {
        let account = json!({
            "external_id": format!("app-{person}"), "email": format!("u{person}@acme.test"),
            "status": if brought.active { "active" } else { "deactivated" },
            "role": brought.role, "custom_roles": brought.custom, "seats": brought.seats,
        });
        let application = &self.organization.application;
        let body = json!({ "accounts": [account] });
        let reply = application.put("/accounts/import", &body).expect(200);
        let result = &reply.json()["results"][0];
        let name = &self.name;
        assert!(
            result["result"].is_string(),
            "{moment}: {name}: {body}: {result}"
        );
    }

    /// Says of what the brake holds what was meant.
    fn answer(&mut self, answer: &str, who: Option<&BTreeSet<usize>>) -> Reply {
        let body = match who {
            None => json!({ "all": true }),
            Some(who) => {
                let accounts: Vec<String> = who.iter().map(|person| self.id(*person)).collect();
                json!({ "accounts": accounts })
            }
        };
        let path = format!("/holds/{answer}");
        self.organization.operator.post(&path, &body)
    }

    /// The directory of a group.
    fn home(&self, group: usize) -> usize {
        group % self.directories.len()
    }

    fn scim(&self, group: usize) -> &Client {
        &self.directories[self.home(group)].1
    }

    fn patch(&self, directory: usize, path: &str, operation: &Value) -> Reply {
        self.directories[directory]
            .1
            .patch(path, &json!({ "Operations": [operation] }))
    }

    fn user(&self, directory: usize, person: usize) -> String {
        format!("/Users/{}", self.users[&(directory, person)])
    }

    fn group(&self, group: usize) -> String {
        format!("/Groups/{}", self.groups[&group])
    }

    fn members(&self, group: usize, who: &BTreeSet<usize>) -> Vec<Value> {
        who.iter()
            .map(|person| json!({ "value": self.users[&(self.home(group), *person)] }))
            .collect()
    }

    fn account(&mut self, person: usize) -> String {
        format!("/accounts/{}", self.id(person))
    }

    fn id(&mut self, person: usize) -> String {
        if !self.accounts.contains_key(&person) {
            let _ = self.views();
        }
        self.accounts[&person].clone()
    }
}
