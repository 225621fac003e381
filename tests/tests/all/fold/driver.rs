//! A history, done to a real gateway by who would do it: the identity provider, the application, the
//! operator.

use super::history::{Act, GROUPS, Part, Temper};
use super::model::{ASSIGNED, GroupKey, Hours, Kind, Leaving, Rules, Status, View};
use crate::shared::Dice;
use gatewright_tests::{Client, Organization, Reply};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// When what happens is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Only where it counts, and at the end of a round.
    Seldom,
    Sometimes,
    /// Behind everything that happens.
    Always,
}

pub(super) struct Driver {
    pub(super) name: String,
    temper: Temper,
    pace: Pace,
    dice: Dice,
    organization: Organization,
    users: BTreeMap<usize, String>,
    accounts: BTreeMap<usize, String>,
    /// The newest group of each place.
    groups: BTreeMap<usize, String>,
    all_groups: BTreeMap<GroupKey, String>,
    made: [usize; GROUPS],
    nested: BTreeSet<(usize, usize)>,
    owned: bool,
    /// What happened last, for whoever has to find out what went wrong.
    log: Vec<String>,
}

/// How much of what happened is told.
const TOLD: usize = 40;

impl Driver {
    pub(super) fn new(
        api: &Client,
        name: String,
        temper: Temper,
        pace: Pace,
        rules: &Rules,
    ) -> Self {
        let organization = Organization::create(api, &name);
        organization.without_brake();
        let catalogue = json!({
            "base_roles": [
                { "name": "Owner" }, { "name": "Admin" },
                { "name": "Standard", "default": true }, { "name": "Viewer" },
            ],
            "custom_roles": [{ "name": "Auditor" }, { "name": "Billing" }],
            "seat_types": [
                { "name": "viewer", "default": true }, { "name": "responder" }, { "name": "on-call" },
            ],
        });
        let _ = organization
            .operator
            .put("/catalogue", &catalogue)
            .expect(200);
        let driver = Self {
            name,
            temper,
            pace,
            dice: Dice(5),
            organization,
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            groups: BTreeMap::new(),
            all_groups: BTreeMap::new(),
            made: [0; GROUPS],
            nested: BTreeSet::new(),
            owned: false,
            log: Vec::new(),
        };
        driver.set(rules);
        driver
    }

    /// Does what happens in a round.
    pub(super) fn run(&mut self, part: &Part, moment: &str) {
        self.log.push(moment.to_owned());
        for event in &part.events {
            self.log.push(format!("  {event:?}"));
            if event.alone {
                let _ = self.settle();
            }
            self.act(&event.act, moment);
            let waits = match self.pace {
                Pace::Seldom => false,
                Pace::Sometimes => self.dice.below(3) == 0,
                Pace::Always => true,
            };
            if event.alone || waits {
                let _ = self.settle();
            }
        }
    }

    /// Compares what everybody has with what the model says. What a policy is asked again for comes
    /// by itself, so it may take a moment.
    pub(super) fn check(
        &mut self,
        wanted: &BTreeMap<usize, View>,
        takes_access: bool,
        moment: &str,
    ) {
        let began = Instant::now();
        loop {
            let has = self.views();
            let differences = self.differences(&has, wanted);
            if differences.is_empty() {
                let owned = has.values().any(is_active_owner);
                assert!(
                    owned || !self.owned || takes_access,
                    "{moment}: {}: no owner is left",
                    self.name
                );
                self.owned = owned;
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{moment}: {}: what people have, and should:\n{}\n{}",
                self.name,
                differences.join("\n"),
                self.log[self.log.len().saturating_sub(TOLD)..].join("\n")
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn differences(
        &self,
        has: &BTreeMap<usize, View>,
        wanted: &BTreeMap<usize, View>,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        if has.keys().ne(wanted.keys()) {
            differences.push(format!("{:?} {:?}", has.keys(), wanted.keys()));
            return differences;
        }
        for (place, has_it) in has {
            let wants = &wanted[place];
            // The last owner is held, whoever of several comes last.
            let held = View {
                role: Some("Owner".into()),
                ..wants.clone()
            };
            let mut others = has.iter().filter(|(other, _)| *other != place);
            let is_last = !others.any(|(_, other)| is_active_owner(other));
            let is_held = self.temper == Temper::Owners && is_last && *has_it == held;
            if has_it != wants && !is_held {
                differences.push(format!("  u{place}: {has_it:?}\n      {wants:?}"));
            }
        }
        differences
    }

    fn views(&mut self) -> BTreeMap<usize, View> {
        let names = |grants: &Value| -> BTreeSet<String> {
            let grants = grants.as_array().unwrap().iter();
            grants
                .map(|grant| grant["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let mut views = BTreeMap::new();
        for account in self.settle() {
            let label = account["label"].as_str().unwrap();
            let place: usize = label
                .trim_start_matches('u')
                .split('@')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let id = account["id"].as_str().unwrap();
            let known = self.accounts.entry(place).or_insert_with(|| id.to_owned());
            assert_eq!(known, id, "{}: {label} has one account", self.name);
            let view = View {
                status: account["status"].as_str().unwrap().to_owned(),
                role: account["role"]["name"].as_str().map(str::to_owned),
                custom: names(&account["custom_roles"]),
                seats: names(&account["seats"]),
            };
            views.insert(place, view);
        }
        views
    }

    fn settle(&self) -> Vec<Value> {
        loop {
            let accounts = self.organization.accounts();
            if accounts.iter().all(|one| one["undecided_since"].is_null()) {
                return accounts;
            }
        }
    }

    fn act(&mut self, act: &Act, moment: &str) {
        let scim = self.organization.scim.clone();
        let reply = match act {
            Act::Create(person) => {
                let name = format!("u{person}@acme.test");
                let body = json!({
                    "userName": name, "externalId": format!("x{person}"), "active": true,
                    "emails": [{ "value": name, "type": "work", "primary": true }],
                });
                let reply = scim.post("/Users", &body).expect(201);
                self.users.insert(*person, reply.id());
                reply
            }
            Act::SetActive(person, active) => {
                let operation = json!({ "op": "replace", "path": "active", "value": active });
                self.patch(&self.user(*person), &operation)
            }
            Act::SetTitle(person, title) => {
                let operation =
                    json!({ "op": "replace", "path": "title", "value": title.to_string() });
                self.patch(&self.user(*person), &operation)
            }
            Act::Delete(person) => scim.delete(&self.user(*person)),
            Act::Join(group, who) => {
                let operation =
                    json!({ "op": "add", "path": "members", "value": self.members(who) });
                self.patch(&self.group(*group), &operation)
            }
            Act::Leave(group, who) => {
                let all = who.iter().map(|person| {
                    let path = format!("members[value eq \"{}\"]", self.users[person]);
                    json!({ "op": "remove", "path": path })
                });
                let body = json!({ "Operations": all.collect::<Vec<_>>() });
                if who.is_empty() {
                    return;
                }
                scim.patch(&self.group(*group), &body)
            }
            Act::Replace(group, who) => {
                let mut members = self.members(who);
                let children = self.nested.iter().filter(|(parent, _)| parent == group);
                members.extend(children.map(|(_, child)| json!({ "value": self.groups[child] })));
                let body = json!({ "displayName": format!("G{group}"), "members": members });
                scim.put(&self.group(*group), &body)
            }
            Act::NewGroup(group, who) => {
                let body =
                    json!({ "displayName": format!("G{group}"), "members": self.members(who) });
                let reply = scim.post("/Groups", &body).expect(201);
                self.made[*group] += 1;
                self.groups.insert(*group, reply.id());
                self.all_groups
                    .insert((*group, self.made[*group]), reply.id());
                reply
            }
            Act::DropGroup(group) => {
                let reply = scim.delete(&self.group(*group));
                self.nested
                    .retain(|(parent, child)| parent != group && child != group);
                reply
            }
            Act::Nest(parent, child) => {
                self.nested.insert((*parent, *child));
                let member = json!([{ "value": self.groups[child] }]);
                let operation = json!({ "op": "add", "path": "members", "value": member });
                self.patch(&self.group(*parent), &operation)
            }
            Act::Unnest(parent, child) => {
                self.nested.remove(&(*parent, *child));
                let path = format!("members[value eq \"{}\"]", self.groups[child]);
                self.patch(
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
        };
        let Reply { status, text, .. } = reply;
        assert!(
            matches!(status, 200 | 201 | 204),
            "{moment}: {}: {act:?}: {status}: {text}",
            self.name
        );
    }

    fn patch(&self, path: &str, operation: &Value) -> Reply {
        self.organization
            .scim
            .patch(path, &json!({ "Operations": [operation] }))
    }

    fn user(&self, person: usize) -> String {
        format!("/Users/{}", self.users[&person])
    }

    fn group(&self, group: usize) -> String {
        format!("/Groups/{}", self.groups[&group])
    }

    fn members(&self, who: &BTreeSet<usize>) -> Vec<Value> {
        who.iter()
            .map(|person| json!({ "value": self.users[person] }))
            .collect()
    }

    fn account(&mut self, person: usize) -> String {
        if !self.accounts.contains_key(&person) {
            let _ = self.views();
        }
        format!("/accounts/{}", self.accounts[&person])
    }

    /// Sets the policies as the rules have them. Only what is asked for is said: the rest is what the
    /// policies do by themselves.
    fn set(&self, rules: &Rules) {
        let mut lifecycle = json!({
            "when_user_deleted": ended(rules.when_user_deleted),
        });
        if let Some(status) = rules.in_no_group {
            lifecycle["when_in_no_group"] = ended(status).into();
        }
        if rules.assigned {
            let names = ASSIGNED.map(|group| format!("G{group}"));
            lifecycle["assigned_groups"] = json!(names);
        }
        if let Some(grace) = rules.grace {
            lifecycle["grace"] = hours(grace);
        }
        if let Some(presence) = rules.presence {
            let mut told = json!({ "over_directory": presence.over_directory });
            if presence.only_chat {
                told["sources"] = json!(["chat"]);
            }
            if let Some(age) = presence.max_age {
                told["max_age"] = hours(age);
            }
            lifecycle["presence"] = told;
        }
        let mut roles = json!({ "default_role": rules.default_role });
        if let Some(grace) = rules.role_grace {
            roles["grace"] = hours(grace);
        }
        let mut seats = leaving(rules.leaving);
        seats.insert("default_seat".into(), rules.default_seat.into());
        if let Some(own) = rules.on_call {
            seats.insert("seat_types".into(), json!({ "on-call": leaving(own) }));
        }
        if rules.keeps_deactivated {
            seats.insert("when_deactivated".into(), "keep".into());
        }
        let seats = Value::Object(seats);
        for (slot, plugin, settings) in [
            ("lifecycle", "group-lifecycle", lifecycle),
            ("roles", "group-roles", roles),
            ("seats", "group-seats", seats),
        ] {
            let body = json!({ "plugin": plugin, "settings": settings });
            let path = format!("/bindings/{slot}");
            let _ = self.organization.operator.put(&path, &body).expect(200);
        }
    }
}

fn is_active_owner(view: &View) -> bool {
    view.status == "active" && view.role.as_deref() == Some("Owner")
}

fn ended(status: Status) -> &'static str {
    match status {
        Status::Deleted => "delete",
        Status::Active | Status::Deactivated => "deactivate",
    }
}

fn hours(hours: Hours) -> Value {
    format!("{hours}h").into()
}

fn leaving(leaving: Leaving) -> Map<String, Value> {
    let told = match leaving {
        Leaving::Keep => json!({ "keep_when_leaving": true }),
        Leaving::For(grace) => json!({ "keep_when_leaving": false, "grace": hours(grace) }),
        Leaving::Take => json!({ "keep_when_leaving": false }),
    };
    told.as_object().cloned().unwrap_or_default()
}
