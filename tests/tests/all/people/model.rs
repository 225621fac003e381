//! Random accounts, users and groups, and changes in between: what a directory's plan showed is what
//! comes of its confirmation, or the plan is refused and something of it had really changed.

use super::{Company, connect, enter, import, preview, verify};
use crate::plans::{holding, shown};
use crate::shared::Dice;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROUNDS: usize = 40;
const EMAILS: usize = 7;
const GROUPS: [(&str, &str); 2] = [("Owners", "Owner"), ("Viewers", "Viewer")];

/// Status, role and seats.
type Holding = (String, Option<String>, Vec<String>);

struct World {
    company: Company,
    dice: Dice,
    users: Vec<String>,
    groups: Vec<String>,
    /// How many users there ever were.
    named: usize,
}

impl World {
    fn new(round: usize) -> Self {
        let company = Company::new(&format!("Confirmation model {round}"));
        company.map(&GROUPS.map(|(group, role)| (group, "base-role", role)));
        let alone = json!({ "plugin": "group-roles", "settings": { "keep_local": false } });
        let _ = company.operator.put("/bindings/roles", &alone).expect(200);
        verify(&company, "acme.test");
        // Another directory, whose users may be the same people.
        let other = connect(&company, &json!({ "name": "Other", "phase": "enforcing" }));
        let root = json!({
            "external_id": "root", "email": "root@other.test", "label": "root", "role": "Owner",
        });
        let _ = import(&company, &[root]);
        let groups = GROUPS
            .map(|(group, _)| company.draft.group(group, &[]))
            .into();
        let mut world = Self {
            company,
            dice: Dice(round as u64 + 1),
            users: Vec::new(),
            groups,
            named: 0,
        };
        for _ in 0..world.dice.below(4) {
            world.import();
        }
        for n in 0..world.dice.below(3) {
            let email = world.email();
            let _ = other.user_with(&format!("other {n}"), &email, &json!({}));
        }
        for _ in 0..world.dice.below(4) {
            world.import();
        }
        for _ in 0..world.dice.below(7) {
            world.create();
        }
        for _ in 0..world.dice.below(6) {
            world.push();
        }
        world
    }

    fn email(&mut self) -> String {
        let number = self.dice.below(EMAILS);
        let domain = if number % 3 == 2 { "wild" } else { "acme" };
        format!("e{number}@{domain}.test")
    }

    fn import(&mut self) {
        let id = self.dice.below(6);
        let role = ["Admin", "Standard", "Viewer", "Owner"][self.dice.below(4)];
        let email = self.email();
        let item = json!({
            "external_id": format!("app-{id}"), "email": email, "label": format!("app {id}"),
            "role": role,
        });
        // One of a user whose domain is not verified is refused, and that is as good.
        let _ = import(&self.company, &[item]);
    }

    fn create(&mut self) {
        self.named += 1;
        let name = format!("user {}", self.named);
        let email = self.email();
        let user = self.company.draft.user_with(&name, &email, &json!({}));
        self.users.push(user);
    }

    /// Something that the provider does.
    fn push(&mut self) {
        if self.users.is_empty() {
            return self.create();
        }
        let which = self.dice.below(self.users.len());
        let user = self.users[which].clone();
        let draft = &self.company.draft;
        match self.dice.below(9) {
            0 => draft.activate(&user, self.dice.below(3) > 0),
            1 => {
                let email = self.email();
                let emails = json!([{ "value": email, "type": "work", "primary": true }]);
                let operation = json!({ "op": "replace", "path": "emails", "value": emails });
                let path = format!("/Users/{user}");
                self.company.draft.patch(&path, &operation);
            }
            2 => {
                let _ = draft.scim.delete(&format!("/Users/{user}")).expect(204);
                self.users.remove(which);
            }
            3 => self.create(),
            4..=6 => {
                let group = &self.groups[self.dice.below(self.groups.len())];
                let member = json!([{ "value": user }]);
                let operation = json!({ "op": "add", "path": "members", "value": member });
                draft.patch(&format!("/Groups/{group}"), &operation);
            }
            _ => {
                let group = &self.groups[self.dice.below(self.groups.len())];
                let path = format!("members[value eq \"{user}\"]");
                let operation = json!({ "op": "remove", "path": path });
                draft.patch(&format!("/Groups/{group}"), &operation);
            }
        }
    }

    /// What everybody has, by account, once it is decided.
    fn state(&self) -> BTreeMap<String, Holding> {
        let id = |account: &Value| account["id"].as_str().unwrap().to_owned();
        let accounts = self.company.accounts();
        let rows = accounts.iter();
        rows.map(|account| (id(account), holding(account)))
            .collect()
    }

    /// The account of each user of the directory that has one.
    fn linked(&self) -> BTreeMap<String, String> {
        let mut linked = BTreeMap::new();
        for account in self.company.accounts() {
            for user in account["users"].as_array().unwrap() {
                if user["directory"] == self.company.draft.id {
                    let user = user["id"].as_str().unwrap().to_owned();
                    linked.insert(user, account["id"].as_str().unwrap().to_owned());
                }
            }
        }
        linked
    }

    fn links(&self, plan: &Value) -> Vec<Value> {
        let path = format!("/plans/{}/links?limit=1000", plan["id"].as_str().unwrap());
        let page = self.company.operator.get(&path).expect(200).json();
        page["links"].as_array().unwrap().clone()
    }
}

/// What a plan promises, as it can be compared with another one.
fn promise(world: &World, plan: &Value) -> Value {
    let accounts: BTreeMap<String, Value> = shown(&world.company, plan, "")
        .iter()
        .map(|one| {
            let account = one["account"].as_str().unwrap().to_owned();
            (account, json!([holding(&one["after"]), one["link"]]))
        })
        .collect();
    let mut links = world.links(plan);
    links.sort_by_key(|link| link["user"].as_str().unwrap().to_owned());
    json!([accounts, links, plan["links"], plan["owners"]["count"]])
}

#[test]
fn what_a_directory_s_plan_showed_is_what_comes_or_it_is_refused() {
    let (mut confirmed, mut refused, mut waited) = (0, 0, 0);
    for round in 0..ROUNDS {
        let mut world = World::new(round);
        // Half of the time the plan is made while decisions are still waiting.
        if world.dice.below(2) == 0 {
            let _ = world.state();
        }
        let plan = preview(&world.company, &world.company.draft.id);
        let before = world.state();
        let moves = match world.dice.below(2) {
            0 => 0,
            _ => 1 + world.dice.below(2),
        };
        for _ in 0..moves {
            match world.dice.below(4) {
                0 => world.import(),
                _ => world.push(),
            }
        }
        let meanwhile = world.state();
        let body = json!({
            "plan": plan["id"], "accept_lockout": "I accept to be locked out",
        });
        let reply = enter(&world.company, &world.company.draft.id, "confirm", &body);
        match reply.status {
            200 => {
                confirmed += 1;
                let after = world.state();
                let mut promised = meanwhile.clone();
                for one in shown(&world.company, &plan, "") {
                    let account = one["account"].as_str().unwrap().to_owned();
                    promised.insert(account, holding(&one["after"]));
                }
                assert_eq!(after, promised, "round {round}: {plan}");
                let links = world.links(&plan);
                waited += usize::from(links.iter().any(|link| link["kind"] == "waiting"));
                let wanted: BTreeMap<String, String> = links
                    .iter()
                    .filter(|link| link["kind"] != "waiting")
                    .map(|link| {
                        let text = |field: &str| link[field].as_str().unwrap().to_owned();
                        (text("user"), text("account"))
                    })
                    .collect();
                assert_eq!(world.linked(), wanted, "round {round}");
                let waiting = world.company.operator.get("/links").expect(200).json();
                let of = |list: &[Value]| -> Vec<(String, Value, Value)> {
                    let rows = list.iter();
                    let mut rows: Vec<_> = rows
                        .map(|one| {
                            let mut who: Vec<String> = one["candidates"]
                                .as_array()
                                .unwrap()
                                .iter()
                                .map(|one| one["id"].as_str().or(one.as_str()).unwrap().to_owned())
                                .collect();
                            who.sort();
                            let user = one["user"].as_str().unwrap().to_owned();
                            (user, one["why"].clone(), json!(who))
                        })
                        .collect();
                    rows.sort_by(|a, b| a.0.cmp(&b.0));
                    rows
                };
                let shown: Vec<Value> = links
                    .iter()
                    .filter(|link| link["kind"] == "waiting")
                    .cloned()
                    .collect();
                let there: Vec<Value> = waiting["links"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| one["directory"] == world.company.draft.id)
                    .cloned()
                    .collect();
                assert_eq!(of(&there), of(&shown), "round {round}");
            }
            409 => {
                refused += 1;
                assert!(moves > 0, "round {round}: {}", reply.text);
                assert_eq!(
                    world.state(),
                    meanwhile,
                    "round {round}: nothing is applied"
                );
                let again = preview(&world.company, &world.company.draft.id);
                let (then, now) = (promise(&world, &plan), promise(&world, &again));
                let same = then == now && before == meanwhile;
                assert!(!same, "round {round}: {}", reply.text);
            }
            other => panic!("round {round}: {other}: {}", reply.text),
        }
    }
    assert!(
        confirmed > 12 && refused > 4 && waited > 2,
        "confirmed {confirmed}, refused {refused}, with somebody who waits {waited}"
    );
}
