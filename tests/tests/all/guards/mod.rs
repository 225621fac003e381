//! What stands between a decision and what it would take: the last owner, the brake on mass
//! removal, the number of seats; and what is told of each grant.

mod model;
mod seats;

use crate::shared::Tenant;
use gatewright_tests::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many people may lose something within an hour, in a company of up to 200.
const ALLOWED: usize = 10;

impl Tenant {
    fn people(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|number| self.user(&format!("p{number:03}@acme.test")).id())
            .collect()
    }

    fn grouped(&self, name: &str, members: &[String]) -> String {
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        self.group(name, &members).id()
    }

    /// Waits until nothing is undecided, not even what a decision itself gave rise to.
    fn settle(&self) -> Vec<Value> {
        loop {
            let accounts = self.accounts();
            if accounts.iter().all(|one| one["undecided_since"].is_null()) {
                return accounts;
            }
        }
    }

    fn with_role(&self, role: &str) -> BTreeSet<String> {
        let accounts = self.settle();
        let accounts = accounts
            .iter()
            .filter(|account| account["role"]["name"] == role);
        accounts
            .map(|account| account["label"].as_str().unwrap().to_owned())
            .collect()
    }

    fn guards(&self) -> Value {
        self.operator.get("/guards").expect(200).json()
    }

    fn holds(&self) -> Vec<Value> {
        let _ = self.settle();
        let holds = self.operator.get("/holds?limit=1000").expect(200).json();
        holds["holds"].as_array().unwrap().clone()
    }

    fn removals(&self) -> Vec<Value> {
        let removals = self.operator.get("/removals?limit=1000").expect(200).json();
        removals["removals"].as_array().unwrap().clone()
    }

    fn alerts(&self) -> Vec<String> {
        let alerts = self.operator.get("/alerts").expect(200).json();
        let alerts = alerts["alerts"].as_array().unwrap().clone();
        alerts
            .iter()
            .map(|alert| alert["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    fn answer(&self, answer: &str, which: &Value) -> Reply {
        self.operator.post(&format!("/holds/{answer}"), which)
    }

    fn leave(&self, group: &str, user: &str) {
        let path = format!("members[value eq \"{user}\"]");
        let body = json!({ "Operations": [{ "op": "remove", "path": path }] });
        let _ = self
            .scim
            .patch(&format!("/Groups/{group}"), &body)
            .expect(204);
    }

    fn set_active(&self, user: &str, active: bool) {
        let body =
            json!({ "Operations": [{ "op": "replace", "path": "active", "value": active }] });
        let _ = self
            .scim
            .patch(&format!("/Users/{user}"), &body)
            .expect(200);
    }

    fn id_of(&self, label: &str) -> String {
        self.account(label)["id"].as_str().unwrap().to_owned()
    }
}

fn label(hold: &Value) -> String {
    hold["label"].as_str().unwrap().to_owned()
}

#[test]
fn a_wrong_group_deletion_in_a_company_of_200_is_held_and_rejected() {
    let tenant = Tenant::new("Wrong deletion");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let people = tenant.people(200);
    let group = tenant.grouped("Engineering", &people[..50]);
    let admins = tenant.with_role("Admin");
    assert_eq!(admins.len(), 50);
    let _ = tenant.scim.delete(&format!("/Groups/{group}")).expect(204);
    // Ten lose the role before the brake trips; forty keep it, and somebody is told.
    let holds = tenant.holds();
    assert_eq!(holds.len(), 50 - ALLOWED);
    assert_eq!(tenant.with_role("Admin").len(), 50 - ALLOWED);
    let state = tenant.guards();
    assert_eq!(
        (&state["waiting"], &state["removals"], &state["allowed"]),
        (&json!(40), &json!(10), &json!(10))
    );
    assert!(state["tripped"].is_string());
    assert!(tenant.alerts().contains(&"mass-removal".to_owned()));
    assert!(holds.iter().all(|hold| hold["brake"] == true
        && hold["kept"][0]["name"] == "Admin"
        && hold["wanted"].as_str().unwrap().contains("Admin")));
    // The request that did it is named.
    let request = holds[0]["request"].as_str().unwrap();
    let log = format!("/directories/{}/requests/{request}", tenant.directory);
    let logged = tenant.operator.get(&log).expect(200).json();
    assert_eq!(logged["method"], "DELETE");
    // Who lost it is listed, and is given it back.
    assert_eq!(tenant.removals().len(), ALLOWED);
    let _ = tenant
        .operator
        .post("/removals/restore", &json!({ "all": true }))
        .expect(200);
    assert_eq!(tenant.with_role("Admin"), admins);
    assert!(tenant.removals().is_empty());
    // Rejected: they keep it, whatever is decided about everybody.
    let _ = tenant.answer("reject", &json!({ "all": true })).expect(200);
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("Other", "seat", "responder"),
    ]);
    assert_eq!(tenant.with_role("Admin"), admins);
    let state = tenant.guards();
    assert_eq!(
        (&state["waiting"], &state["tripped"]),
        (&json!(0), &Value::Null)
    );
    assert!(!tenant.alerts().contains(&"mass-removal".to_owned()));
    // Until their own facts change: then the decision is made as ever.
    let other = tenant.grouped("Sales", &people[..1]);
    assert_eq!(tenant.with_role("Admin").len(), 49);
    tenant.leave(&other, &people[0]);
    assert_eq!(tenant.with_role("Admin").len(), 49);
    // The group comes back, and a person says that it is the one: nothing is held any more.
    let back = tenant.grouped("Engineering", &people[..50]);
    let mapping = tenant.operator.get("/mapping").expect(200).json();
    let entry = mapping["entries"][0]["id"].as_str().unwrap();
    let path = format!("/mapping/{entry}/pin");
    let pin = json!({ "group": back });
    let _ = tenant.operator.post(&path, &pin).expect(200);
    assert_eq!(tenant.with_role("Admin"), admins);
    assert!(tenant.holds().is_empty());
}

#[test]
fn what_is_held_is_approved_in_part_and_as_a_whole() {
    let tenant = Tenant::new("Approved");
    tenant.map(&[("Engineering", "seat", "responder")]);
    let _ = tenant
        .operator
        .put(
            "/bindings/seats",
            &json!({ "plugin": "group-seats", "settings": { "keep_when_leaving": false } }),
        )
        .expect(200);
    let people = tenant.people(40);
    let group = tenant.grouped("Engineering", &people);
    let seated = || {
        let accounts = tenant.settle();
        let has = |account: &&Value| {
            let seats = account["seats"].as_array().unwrap();
            seats.iter().any(|seat| seat["name"] == "responder")
        };
        accounts.iter().filter(has).count()
    };
    assert_eq!(seated(), 40);
    let _ = tenant.scim.delete(&format!("/Groups/{group}")).expect(204);
    assert_eq!(
        seated(),
        30,
        "{:#} {:#?}",
        tenant.guards(),
        tenant.holds().first()
    );
    let part: Vec<Value> = tenant.holds()[..7]
        .iter()
        .map(|hold| hold["account"].clone())
        .collect();
    let _ = tenant
        .answer("approve", &json!({ "accounts": part }))
        .expect(200);
    assert_eq!(seated(), 23);
    assert_eq!(tenant.guards()["waiting"], 23);
    let _ = tenant
        .answer("approve", &json!({ "all": true }))
        .expect(200);
    assert_eq!(seated(), 0);
    assert!(tenant.holds().is_empty());
    assert_eq!(tenant.guards()["tripped"], Value::Null);
}

#[test]
fn an_ordinary_off_boarding_is_not_held() {
    let tenant = Tenant::new("Off-boarding");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let people = tenant.people(60);
    let group = tenant.grouped("Engineering", &people);
    for user in &people[..ALLOWED - 1] {
        tenant.leave(&group, user);
    }
    assert_eq!(tenant.with_role("Admin").len(), 60 - ALLOWED + 1);
    // What the provider says of a person's access is never held, however many they are.
    for user in &people[20..50] {
        tenant.set_active(user, false);
    }
    let accounts = tenant.accounts();
    let out = accounts
        .iter()
        .filter(|account| account["status"] == "deactivated");
    assert_eq!(out.count(), 30);
    assert!(tenant.holds().is_empty());
    assert!(tenant.alerts().contains(&"mass-deactivation".to_owned()));
    // One command brings them back, until the provider says something of them again.
    let _ = tenant
        .operator
        .post("/removals/restore", &json!({ "all": true }))
        .expect(200);
    let deactivated = || {
        let accounts = tenant.accounts();
        let out = accounts
            .iter()
            .filter(|account| account["status"] == "deactivated");
        out.count()
    };
    assert_eq!(deactivated(), 0);
    tenant.map(&[("Engineering", "base-role", "Viewer")]);
    assert_eq!(deactivated(), 0);
    let title = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }] });
    let _ = tenant
        .scim
        .patch(&format!("/Users/{}", people[20]), &title)
        .expect(200);
    assert_eq!(deactivated(), 1);
}

#[test]
fn the_last_active_owner_keeps_the_role_until_there_is_another() {
    let tenant = Tenant::new("Last owner");
    tenant.map(&[("Owners", "base-role", "Owner")]);
    let (ada, bob) = (
        tenant.user("ada@acme.test").id(),
        tenant.user("bob@acme.test").id(),
    );
    let owners = tenant.group("Owners", &[&ada]).id();
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Owner");
    tenant.leave(&owners, &ada);
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Owner");
    let holds = tenant.holds();
    assert_eq!((holds.len(), &holds[0]["owner"]), (1, &json!(true)));
    // Nobody can approve that there is no owner.
    let account = holds[0]["account"].clone();
    let refused = tenant.answer("approve", &json!({ "accounts": [account] }));
    assert!(refused.expect(409).text.contains("last active owner"));
    // Nor does the mapping take it, nor the group's deletion.
    tenant.map(&[]);
    let _ = tenant.scim.delete(&format!("/Groups/{owners}")).expect(204);
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Owner");
    // With another owner it goes by itself.
    tenant.map(&[("Owners", "base-role", "Owner")]);
    let _ = tenant.group("Owners", &[&bob]);
    assert_eq!(tenant.account("bob@acme.test")["role"]["name"], "Owner");
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Standard");
    assert!(tenant.holds().is_empty());
}

#[test]
fn a_provider_deactivates_the_last_owner_and_the_operator_recovers() {
    let tenant = Tenant::new("Owner out");
    tenant.map(&[("Owners", "base-role", "Owner")]);
    let ada = tenant.user("ada@acme.test").id();
    let _ = tenant.group("Owners", &[&ada]);
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Owner");
    tenant.set_active(&ada, false);
    let account = tenant.account("ada@acme.test");
    assert_eq!(
        (&account["status"], &account["role"]["name"]),
        (&json!("deactivated"), &json!("Owner"))
    );
    assert_eq!(tenant.alerts(), ["last-owner-deactivated"]);
    let which = json!({ "accounts": [tenant.id_of("ada@acme.test")] });
    let _ = tenant
        .operator
        .post("/removals/restore", &which)
        .expect(200);
    assert_eq!(tenant.account("ada@acme.test")["status"], "active");
    tenant.set_active(&ada, true);
    assert_eq!(tenant.account("ada@acme.test")["status"], "active");
    assert!(tenant.alerts().is_empty(), "{:?}", tenant.alerts());
}

#[test]
fn a_grant_says_where_it_comes_from_and_history_who_had_it_when() {
    let tenant = Tenant::new("Explained");
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("On call", "seat", "on-call"),
    ]);
    let ada = tenant.user("ada@acme.test").id();
    let before = tenant.account("ada@acme.test")["decided"].clone();
    let created = tenant.group("Engineering", &[&ada]);
    let account = tenant.account("ada@acme.test");
    let request = created.header("gatewright-request-id").unwrap();
    let role = &account["role"];
    assert_eq!(role["request"], request);
    assert_eq!(
        role["revision"].to_string(),
        created.header("gatewright-revision").unwrap()
    );
    assert_eq!(role["origin"], "policy");
    assert_eq!(
        (
            &role["by"]["plugin"],
            &role["by"]["slot"],
            &role["by"]["binding"]
        ),
        (&json!("group-roles"), &json!("roles"), &json!(1))
    );
    let events = tenant.events(1_000);
    let added = events
        .iter()
        .find(|event| event["type"] == "grant.added" && event["data"]["name"] == "Admin");
    assert_eq!(added.unwrap()["request"], request);
    let id = account["id"].as_str().unwrap();
    let path = format!("/accounts/{id}/explain");
    let explained = tenant.application.get(&path).expect(200).json();
    let has = explained["has"].as_array().unwrap();
    let admin = has.iter().find(|one| one["name"] == "Admin").unwrap();
    assert_eq!(admin["mapping_entry"]["member_of"], "Engineering");
    let why = |name: &str| {
        let missing = explained["has_not"].as_array().unwrap().iter();
        let mut missing = missing.filter(|one| one["name"] == name);
        missing.next().unwrap()["why"].as_str().unwrap().to_owned()
    };
    assert_eq!(why("Owner"), "no row of the mapping gives it");
    assert_eq!(
        why("on-call"),
        "the mapping gives it to members of \"On call\", and the account is none of them"
    );
    assert!(why("Standard").contains("\"Admin\", which it has, ranks higher"));
    // Who was Admin then, and who is not any more.
    let group = created.id();
    let now = account["decided"].as_str().unwrap().to_owned();
    tenant.leave(&group, &ada);
    let after = tenant.account("ada@acme.test");
    let at = |time: &str, name: &str| {
        let path = format!("/history?kind=base-role&name={name}&at={time}");
        let answer = tenant.application.get(&path).expect(200).json();
        let accounts = answer["accounts"].as_array().unwrap().clone();
        accounts
            .iter()
            .map(|one| one["label"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(at(&now, "Admin"), ["ada@acme.test"]);
    assert!(at(before.as_str().unwrap(), "Admin").is_empty());
    assert!(at(after["decided"].as_str().unwrap(), "Admin").is_empty());
    assert_eq!(
        at(after["decided"].as_str().unwrap(), "Standard"),
        ["ada@acme.test"]
    );
    let spans = tenant
        .application
        .get(&format!("/accounts/{id}/history"))
        .expect(200)
        .json();
    let spans = spans["history"].as_array().unwrap();
    let roles: Vec<_> = spans
        .iter()
        .filter(|span| span["kind"] == "base-role")
        .map(|span| (span["name"].as_str().unwrap(), span["until"].is_string()))
        .collect();
    assert_eq!(
        roles,
        [("Standard", true), ("Admin", true), ("Standard", false)]
    );
    let statuses = spans.iter().filter(|span| span["kind"] == "status");
    let statuses: Vec<_> = statuses
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["deactivated", "active"]);
}

#[test]
fn a_move_from_one_group_to_another_gives_at_once_what_is_new() {
    let tenant = Tenant::new("Moves");
    let strict = json!({ "number": 0, "share_percent": 0, "window_minutes": 5 });
    let _ = tenant.operator.put("/guards", &strict).expect(200);
    let catalogue = json!({
        "base_roles": [{ "name": "Owner" }, { "name": "Standard", "default": true }],
        "custom_roles": [{ "name": "Billing" }, { "name": "Audit" }],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    tenant.map(&[
        ("Old", "custom-role", "Billing"),
        ("New", "custom-role", "Audit"),
    ]);
    let ada = tenant.user("ada@acme.test").id();
    let old = tenant.group("Old", &[&ada]).id();
    let _ = tenant.settle();
    let _ = tenant.group("New", &[&ada]);
    tenant.leave(&old, &ada);
    let roles = tenant.account("ada@acme.test")["custom_roles"].clone();
    let names: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(names, ["Audit", "Billing"]);
    let holds = tenant.holds();
    assert_eq!(
        holds.iter().map(label).collect::<Vec<_>>(),
        ["ada@acme.test"]
    );
    assert_eq!(holds[0]["kept"].as_array().unwrap().len(), 1);
    let _ = tenant
        .answer("approve", &json!({ "all": true }))
        .expect(200);
    let roles = tenant.account("ada@acme.test")["custom_roles"].clone();
    assert_eq!(
        roles.as_array().unwrap().len(),
        1,
        "{roles} {:?}",
        tenant
            .events(1_000)
            .iter()
            .rev()
            .take(9)
            .collect::<Vec<_>>()
    );
}

#[test]
fn guards_and_answers_are_refused_by_field() {
    let tenant = Tenant::new("Guards refused");
    let nobody = "01a212fa-ab97-7248-ae52-2433ac4f67e2";
    for (path, body, status, part) in [
        (
            "/guards",
            json!({ "window_minutes": 0 }),
            400,
            "window_minutes",
        ),
        (
            "/guards",
            json!({ "share_percent": 101 }),
            400,
            "share_percent",
        ),
        ("/guards", json!({ "share": 1 }), 400, "share"),
    ] {
        let refused = tenant.operator.put(path, &body).expect(status);
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    for (path, body, status, part) in [
        ("/holds/approve", json!({}), 400, "accounts"),
        ("/holds/reject", json!({ "accounts": [] }), 400, "accounts"),
        (
            "/holds/approve",
            json!({ "accounts": [nobody] }),
            404,
            "accounts[0]",
        ),
        (
            "/holds/forget",
            json!({ "all": true }),
            404,
            "/holds/forget",
        ),
        (
            "/removals/restore",
            json!({ "accounts": [nobody] }),
            404,
            "accounts[0]",
        ),
    ] {
        let refused = tenant.operator.post(path, &body).expect(status);
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    for (path, part) in [
        ("/history", "name"),
        ("/history?name=Owner&kind=crown", "kind"),
        ("/history?name=Owner&at=yesterday", "at"),
        ("/holds?after=x", "after"),
        ("/removals?after=x", "after"),
    ] {
        let refused = tenant.operator.get(path);
        assert!(refused.status == 400 || refused.status == 404, "{path}");
        assert!(refused.text.contains(part), "{}", refused.text);
    }
}
