//! The catalogue: its versions, what cannot be removed, and the default that organizations follow.

use crate::shared::Tenant;
use gatewright_tests::{Organization, Reply, Server};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

/// Base roles, the last one being the default, and one seat.
fn catalogue(roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles
        .iter()
        .map(|name| json!({ "name": name, "default": Some(name) == roles.last() }))
        .collect();
    json!({ "base_roles": roles, "seat_types": [{ "name": "viewer", "default": true }] })
}

fn names(catalogue: &Value) -> Vec<&str> {
    let roles = catalogue["base_roles"].as_array().unwrap();
    roles
        .iter()
        .map(|role| role["name"].as_str().unwrap())
        .collect()
}

fn put_if_match(organization: &Organization, version: &str, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json"), ("If-Match", version)];
    let body = body.to_string();
    organization
        .operator
        .send("PUT", "/catalogue", &headers, Some(body.as_bytes()))
}

#[test]
fn each_change_is_a_version_and_nobody_overwrites_another() {
    let tenant = Tenant::new("Catalogue versions");
    let first = tenant.operator.get("/catalogue").expect(200).json();
    assert_eq!(
        (&first["version"], &first["follows_default"]),
        (&json!(0), &json!(true))
    );
    // What was read can be sent back, and changes nothing.
    let revision = tenant.revision();
    let _ = tenant.operator.put("/catalogue", &first).expect(200);
    assert_eq!(tenant.revision(), revision);
    let mut mine = catalogue(&["Boss", "Guest"]);
    mine["version"] = 0.into();
    let stored = tenant.operator.put("/catalogue", &mine).expect(200).json();
    assert_eq!(
        (&stored["version"], &stored["follows_default"]),
        (&json!(1), &json!(false))
    );
    // Another administrator had read the one before.
    let theirs = catalogue(&["Chief", "Guest"]);
    let refused = put_if_match(&tenant, "\"0\"", &theirs).expect(412).json();
    assert!(
        refused["detail"].as_str().unwrap().contains("version 1"),
        "{refused}"
    );
    mine["base_roles"][0]["name"] = "Chief".into();
    let _ = tenant.operator.put("/catalogue", &mine).expect(412);
    assert_eq!(
        names(&tenant.operator.get("/catalogue").expect(200).json()),
        ["Boss", "Guest"]
    );
    let _ = put_if_match(&tenant, "\"1\"", &theirs).expect(200);
    let _ = put_if_match(&tenant, "*", &catalogue(&["Lead", "Guest"])).expect(200);
    let plan = json!({ "catalogue": mine });
    let _ = tenant.operator.post("/plans", &plan).expect(412);
    // All that it was, the newest first, page by page.
    let page = |query: &str| {
        let path = format!("/catalogue/versions{query}");
        tenant.application.get(&path).expect(200).json()
    };
    let all = page("");
    let versions: Vec<(u64, &str)> = all["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["version"].as_u64().unwrap(),
                names(&one["catalogue"])[0],
            )
        })
        .collect();
    assert_eq!(versions, [(3, "Lead"), (2, "Chief"), (1, "Boss")]);
    assert_eq!(page("?limit=2")["next"], 2);
    let rest = page("?limit=2&before=2");
    assert_eq!(rest["versions"][0]["version"], 1);
    assert_eq!(rest["next"], Value::Null);
    let events = tenant.events(1_000);
    let last = events
        .iter()
        .rfind(|event| event["type"] == "catalogue.changed");
    assert_eq!(last.unwrap()["data"]["version"], 3);
}

#[test]
fn what_is_in_use_is_not_removed_and_who_uses_it_is_said() {
    let tenant = Tenant::new("Catalogue in use");
    tenant.map(&[
        ("Owners", "base-role", "Owner"),
        ("Chiefs", "base-role", "Owner"),
    ]);
    let ids: Vec<String> = (0..23)
        .map(|n| tenant.user(&format!("u{n:02}@acme.test")).id())
        .collect();
    let _ = tenant.group("Owners", &[&ids[0]]);
    let accounts = tenant.accounts();
    let before = tenant.operator.get("/catalogue").expect(200).json();
    let refused = tenant
        .operator
        .put("/catalogue", &catalogue(&["Admin", "Guest"]))
        .expect(409)
        .json();
    let uses = refused["used_by"].as_array().unwrap();
    let (owner, standard) = (&uses[0], &uses[1]);
    assert_eq!(
        (uses.len(), &owner["name"], &standard["name"]),
        (2, &json!("Owner"), &json!("Standard"))
    );
    assert_eq!(owner["mapping_entries"]["count"], 2);
    let mapping = tenant.operator.get("/mapping").expect(200).json();
    assert_eq!(
        owner["mapping_entries"]["some"][1],
        mapping["entries"][1]["id"]
    );
    assert_eq!(owner["accounts"]["some"][0]["label"], "u00@acme.test");
    assert_eq!(standard["mapping_entries"]["count"], 0);
    assert_eq!(standard["accounts"]["count"], 22);
    let some = standard["accounts"]["some"].as_array().unwrap();
    assert_eq!(some.len(), 20, "the first ones are named");
    assert_eq!(some[0]["account"], accounts[1]["id"]);
    assert_eq!(tenant.operator.get("/catalogue").expect(200).json(), before);
    // What nobody has and nothing gives may go.
    let unused = catalogue(&["Owner", "Standard"]);
    let _ = tenant.operator.put("/catalogue", &unused).expect(200);
    // And by a plan, which shows who gets what instead, all of it.
    let entry = json!({ "group": { "name": "Owners" }, "kind": "base-role", "target": "Boss" });
    let plan = crate::plans::planned(
        &tenant,
        &json!({
            "catalogue": catalogue(&["Boss", "Guest"]), "mapping": { "entries": [entry] },
        }),
    );
    assert_eq!(plan["counts"]["accounts"], 23);
    let path = format!("/plans/{}/confirm", plan["id"].as_str().unwrap());
    let _ = tenant.operator.post(&path, &json!({})).expect(200);
    assert_eq!(tenant.account("u00@acme.test")["role"]["name"], "Boss");
    assert_eq!(tenant.account("u01@acme.test")["role"]["name"], "Guest");
    // Now the old ones are unused, and the new ones are not.
    let refused = tenant
        .operator
        .put("/catalogue", &unused)
        .expect(409)
        .json();
    let uses = refused["used_by"].as_array().unwrap();
    let uses: Vec<_> = uses
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(uses, ["Boss", "Guest"]);
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn organizations_follow_the_default_and_are_decided_anew_when_it_changes() {
    let server = Server::generic();
    let api = server.api();
    let create = |name: &str| Organization::create(&api, name);
    let (follows, own, stuck) = (create("Follows"), create("Own"), create("Stuck"));
    for organization in [&follows, &own, &stuck] {
        let _ = organization.user("ada@acme.test");
        assert_eq!(
            organization.account("ada@acme.test")["role"]["name"],
            "Standard"
        );
    }
    let mut others = follows.operator.get("/catalogue").expect(200).json();
    others["seat_types"] = json!([]);
    // Its seat is in use; a plan takes it away.
    let plan = crate::plans::planned(&own, &json!({ "catalogue": others }));
    let path = format!("/plans/{}/confirm", plan["id"].as_str().unwrap());
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = own.operator.post(&path, &words).expect(200);
    stuck.map(&[("Anybody", "base-role", "Viewer")]);
    let shipped = api.get("/default-catalogue").expect(200).json();
    assert_eq!(shipped["version"], 0);
    // Another default role: who has no role from a group has this one then.
    let mut new = shipped.clone();
    new["base_roles"] = json!([
        { "name": "Owner" }, { "name": "Standard" }, { "name": "Guest", "default": true }
    ]);
    let stored = api.put("/default-catalogue", &new).expect(200).json();
    assert_eq!(stored["version"], 1);
    let _ = api.put("/default-catalogue", &shipped).expect(412);
    let of =
        |organization: &Organization| organization.operator.get("/catalogue").expect(200).json();
    until("the default is followed", || {
        names(&of(&follows)) == ["Owner", "Standard", "Guest"]
    });
    assert_eq!(follows.account("ada@acme.test")["role"]["name"], "Guest");
    assert_eq!(of(&follows)["follows_default"], true);
    // Who has a catalogue of its own keeps it; who uses what would be gone does, and is told.
    until("the alert", || {
        stuck
            .operator
            .get("/alerts")
            .expect(200)
            .text
            .contains("catalogue-not-followed")
    });
    for organization in [&own, &stuck] {
        assert_eq!(
            names(&of(organization)),
            ["Owner", "Admin", "Standard", "Viewer"]
        );
        assert_eq!(
            organization.account("ada@acme.test")["role"]["name"],
            "Standard"
        );
    }
    let refused = stuck.operator.delete("/catalogue").expect(409).json();
    assert_eq!(refused["used_by"][0]["name"], "Viewer");
    stuck.map(&[]);
    assert_eq!(
        names(&stuck.operator.delete("/catalogue").expect(200).json())[2],
        "Guest"
    );
    assert_eq!(stuck.account("ada@acme.test")["role"]["name"], "Guest");
    assert_eq!(
        stuck.operator.get("/alerts").expect(200).json()["alerts"],
        json!([])
    );
    // A new one begins with it.
    let later = create("Later");
    assert_eq!(names(&of(&later)), ["Owner", "Standard", "Guest"]);
    assert_eq!(of(&later)["version"], 1);
}
