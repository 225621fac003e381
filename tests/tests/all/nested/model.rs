//! Many changes in any order, beside a model that is too simple to be wrong.

use super::{adding, found, path, removing};
use crate::shared::{Dice, Tenant};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const GROUPS: usize = 7;
const USERS: usize = 6;

/// Who is in which group itself: places of groups, and of users behind them.
#[derive(Default)]
struct Model {
    members: BTreeMap<usize, BTreeSet<usize>>,
}

impl Model {
    fn holds(&self, group: usize, member: usize) -> bool {
        self.members
            .get(&group)
            .is_some_and(|all| all.contains(&member))
    }

    /// All groups that something is in, by whichever way.
    fn above(&self, member: usize) -> BTreeSet<usize> {
        let mut above = BTreeSet::new();
        loop {
            let grown: BTreeSet<usize> = (0..GROUPS)
                .filter(|group| {
                    let by_way = above.iter().any(|between| self.holds(*group, *between));
                    by_way || self.holds(*group, member)
                })
                .collect();
            if grown == above {
                return above;
            }
            above = grown;
        }
    }
}

fn check(tenant: &Tenant, model: &Model, ids: &[String]) {
    let accounts = tenant.accounts();
    for user in GROUPS..GROUPS + USERS {
        let shown = tenant
            .scim
            .get(&format!("/Users/{}", ids[user]))
            .expect(200)
            .json();
        let shown: BTreeMap<&str, &str> = shown["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|group| {
                (
                    group["value"].as_str().unwrap(),
                    group["type"].as_str().unwrap(),
                )
            })
            .collect();
        let above = model.above(user);
        let kind = |group: usize| {
            if model.holds(group, user) {
                "direct"
            } else {
                "indirect"
            }
        };
        let wanted = above
            .iter()
            .map(|group| (ids[*group].as_str(), kind(*group)));
        assert_eq!(shown, wanted.collect(), "user {user}");
        // Each group gives a role of its own.
        let label = format!("u{user}@acme.test");
        let account = accounts
            .iter()
            .find(|account| account["label"] == *label)
            .unwrap();
        let roles: Vec<&str> = account["custom_roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| role["name"].as_str().unwrap())
            .collect();
        let wanted: Vec<String> = above.iter().map(|group| format!("R{group}")).collect();
        assert_eq!(roles, wanted, "user {user}");
    }
    for group in 0..GROUPS {
        let filter = format!("groups.value eq \"{}\"", ids[group]);
        let inside = (GROUPS..GROUPS + USERS).filter(|user| model.above(*user).contains(&group));
        let inside: BTreeSet<&str> = inside.map(|user| ids[user].as_str()).collect();
        let found = found(tenant, "/Users", &filter);
        assert_eq!(
            found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            inside
        );
    }
}

#[test]
fn whatever_is_put_where_everybody_is_in_what_the_model_says() {
    let tenant = Tenant::new("Nested model");
    tenant.without_brake();
    let roles: Vec<Value> = (0..GROUPS)
        .map(|at| json!({ "name": format!("R{at}") }))
        .collect();
    let catalogue =
        json!({ "base_roles": [{ "name": "Member", "default": true }], "custom_roles": roles });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    let names: Vec<(String, String)> = (0..GROUPS)
        .map(|at| (format!("G{at}"), format!("R{at}")))
        .collect();
    let rows: Vec<_> = names
        .iter()
        .map(|(group, role)| (group.as_str(), "custom-role", role.as_str()))
        .collect();
    tenant.map(&rows);
    let mapping = tenant.operator.get("/mapping").expect(200).json();
    let mut ids: Vec<String> = (0..GROUPS)
        .map(|at| tenant.group(&format!("G{at}"), &[]).id())
        .collect();
    ids.extend((GROUPS..GROUPS + USERS).map(|at| tenant.user(&format!("u{at}@acme.test")).id()));
    let mut model = Model::default();
    let mut dice = Dice(7);
    let mut circles = 0;
    for turn in 1..=360 {
        let group = dice.below(GROUPS);
        match dice.below(10) {
            0..6 => {
                let member = dice.below(GROUPS + USERS);
                let reply = tenant.scim.patch(&path(&ids[group]), &adding(&ids[member]));
                if member == group || (member < GROUPS && model.above(group).contains(&member)) {
                    let told = reply.expect(400).json()["detail"]
                        .as_str()
                        .unwrap()
                        .to_owned();
                    let step = format!("\"G{group}\" has the member \"G{member}\"");
                    assert!(told.contains(&step), "{told}");
                    circles += 1;
                } else {
                    let _ = reply.expect(204);
                    model.members.entry(group).or_default().insert(member);
                }
            }
            6..9 => {
                // One that is in it, if there is one.
                let members = model.members.entry(group).or_default();
                if let Some(member) = members
                    .iter()
                    .nth(dice.below(members.len().max(1)))
                    .copied()
                {
                    let _ = tenant
                        .scim
                        .patch(&path(&ids[group]), &removing(&ids[member]))
                        .expect(204);
                    members.remove(&member);
                }
            }
            _ => {
                let _ = tenant.scim.delete(&path(&ids[group])).expect(204);
                ids[group] = tenant.group(&format!("G{group}"), &[]).id();
                // A group that is pushed again is another one, until a person says that it is meant.
                let entry = mapping["entries"][group]["id"].as_str().unwrap();
                let body = json!({ "group": ids[group] });
                let path = format!("/mapping/{entry}/pin");
                let _ = tenant.operator.post(&path, &body).expect(200);
                model.members.remove(&group);
                for members in model.members.values_mut() {
                    members.remove(&group);
                }
            }
        }
        if turn % 24 == 0 {
            check(&tenant, &model, &ids);
        }
    }
    assert!(circles > 10, "only {circles} circles were tried");
}
