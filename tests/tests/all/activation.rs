//! Versions of bindings: trying one in shadow, activating it, pausing, and going back to any.

use crate::chains::install;
use crate::shared::Tenant;
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";
const BOB: &str = "bob@acme.test";

/// Two people, of whom Ada is in a group that makes her an administrator.
fn company(name: &str) -> Tenant {
    let tenant = Tenant::new(name);
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ada = tenant.user(ADA).id();
    let _ = tenant.user(BOB);
    let _ = tenant.group("Engineering", &[&ada]);
    tenant
}

fn roles(tenant: &Tenant) -> [String; 2] {
    [ADA, BOB].map(|label| {
        let account = tenant.account(label);
        account["role"]["name"].as_str().unwrap_or("").to_owned()
    })
}

fn default_role(role: &str) -> Value {
    json!({ "plugin": "group-roles", "settings": { "default_role": role } })
}

/// What runs in shadow, once it was tried with everybody.
fn tried(tenant: &Tenant) -> Value {
    let _ = tenant.accounts();
    let shadow = tenant.operator.get("/bindings/roles/shadow");
    shadow.expect(200).json()
}

fn differences(tenant: &Tenant) -> Vec<Value> {
    let path = "/bindings/roles/shadow/differences";
    let found = tenant.operator.get(path).expect(200).json();
    found["differences"].as_array().unwrap().clone()
}

#[test]
fn a_chain_in_shadow_decides_nothing_and_its_differences_are_listed_by_person() {
    let tenant = company("In shadow");
    assert_eq!(roles(&tenant), ["Admin", "Standard"]);
    let mut body = default_role("Viewer");
    body["by"] = json!("ada@acme.test");
    body["why"] = json!("less for newcomers");
    let started = tenant.operator.put("/bindings/roles/shadow", &body);
    assert_eq!(started.expect(200).json()["tried"], 0);
    let shadow = tried(&tenant);
    assert_eq!(
        [&shadow["tried"], &shadow["different"], &shadow["failed"]],
        [2, 1, 0]
    );
    assert_eq!(
        [&shadow["by"], &shadow["why"], &shadow["stopped"]],
        [
            &json!("ada@acme.test"),
            &json!("less for newcomers"),
            &Value::Null
        ]
    );
    let found = differences(&tenant);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["label"], BOB);
    assert_eq!(found[0]["active"]["role"]["name"], "Standard");
    assert_eq!(found[0]["shadow"]["role"]["name"], "Viewer");
    assert_eq!(roles(&tenant), ["Admin", "Standard"]);
    // Live pushes are tried too; a difference that ends is listed no more.
    let eve = tenant.user("eve@acme.test").id();
    let shadow = tried(&tenant);
    assert_eq!([&shadow["tried"], &shadow["different"]], [3, 2]);
    let _ = tenant.group("Engineering too", &[&eve]);
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("Engineering too", "base-role", "Admin"),
    ]);
    assert_eq!(tried(&tenant)["different"], 1);
    assert_eq!(differences(&tenant)[0]["label"], BOB);
    // Who is gone is no difference any more.
    let path = format!(
        "/bindings/roles/shadow/differences?after={}",
        found[0]["account"].as_str().unwrap()
    );
    assert_eq!(
        tenant.operator.get(&path).expect(200).json()["differences"],
        json!([])
    );
    let _ = tenant
        .operator
        .post("/bindings/roles/shadow/stop", &json!({}))
        .expect(200);
    let gone = tenant.operator.get("/bindings/roles/shadow");
    assert!(gone.expect(404).text.contains("has no chain in shadow"));
    let events = tenant.events(100);
    let shadows = events.iter().filter_map(|event| event["type"].as_str());
    let shadows: Vec<&str> = shadows.filter(|kind| kind.starts_with("shadow.")).collect();
    assert_eq!(shadows, ["shadow.started", "shadow.stopped"]);
}

#[test]
fn what_ran_in_shadow_is_activated_and_any_version_is_returned_to() {
    let tenant = company("Activated");
    let put = |path: &str, body: &Value| tenant.operator.put(path, body).expect(200).json();
    let post = |path: &str, body: &Value| tenant.operator.post(path, body).expect(200).json();
    let first = put("/bindings/roles", &default_role("Standard"));
    let version = first["version"].as_u64().unwrap();
    let _ = put("/bindings/roles/shadow", &default_role("Viewer"));
    let audit = json!({ "by": "ada@acme.test", "why": "tried" });
    let active = post("/bindings/roles/shadow/activate", &audit);
    assert_eq!(active["version"], version + 1);
    assert_eq!(
        [&active["how"], &active["by"], &active["why"]],
        ["activated", ADA, "tried"]
    );
    assert_eq!(roles(&tenant), ["Admin", "Viewer"]);
    let third = put("/bindings/roles", &default_role("Admin"));
    assert_eq!(third["version"], version + 2);
    assert_eq!(roles(&tenant), ["Admin", "Admin"]);
    // By its number, the one after that by default, and not back and forth between two.
    let back = post(
        "/bindings/roles/rollback",
        &json!({ "to": version, "why": "wrong" }),
    );
    assert_eq!([&back["version"], &back["origin"]], [version + 3, version]);
    assert_eq!([&back["how"], &back["why"]], ["rolled-back", "wrong"]);
    assert_eq!(back["settings"]["default_role"], "Standard");
    assert_eq!(roles(&tenant), ["Admin", "Standard"]);
    let again = post("/bindings/roles/rollback", &json!({ "to": version + 2 }));
    assert_eq!(again["origin"], version + 2);
    let before = post("/bindings/roles/rollback", &json!({}));
    assert_eq!(before["origin"], version + 1);
    assert_eq!(roles(&tenant), ["Admin", "Viewer"]);
    let list = tenant
        .operator
        .get("/bindings/roles/versions?limit=3")
        .expect(200)
        .json();
    let numbers = |list: &Value| -> Vec<u64> {
        let versions = list["versions"].as_array().unwrap().iter();
        versions
            .map(|one| one["version"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&list), [version + 5, version + 4, version + 3]);
    let rest = format!("/bindings/roles/versions?before={}", list["next"]);
    let rest = tenant.operator.get(&rest).expect(200).json();
    assert_eq!(numbers(&rest)[..3], [version + 2, version + 1, version]);
    assert_eq!(rest["next"], Value::Null);
    // A grant names the version that it was decided by.
    assert_eq!(tenant.account(BOB)["role"]["by"]["binding"], version + 5);
}

#[test]
fn a_planned_binding_keeps_who_wanted_it_and_why() {
    let tenant = company("Planned with a reason");
    let mut viewer = default_role("Viewer");
    viewer["by"] = json!("bob@acme.test");
    viewer["why"] = json!("newcomers only look");
    let plan = crate::plans::planned(&tenant, &json!({ "bindings": { "roles": viewer } }));
    assert_eq!(plan["proposal"]["bindings"]["roles"]["why"], viewer["why"]);
    let path = format!("/plans/{}/confirm", plan["id"].as_str().unwrap());
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = tenant.operator.post(&path, &words).expect(200);
    let bound = tenant.operator.get("/bindings/roles").expect(200).json();
    assert_eq!(
        [&bound["how"], &bound["plan"]],
        [&json!("planned"), &plan["id"]]
    );
    assert_eq!(
        [&bound["by"], &bound["why"]],
        [&viewer["by"], &viewer["why"]]
    );
    let mut long = default_role("Viewer");
    long["why"] = json!("x".repeat(1_001));
    let refused = tenant
        .operator
        .post("/plans", &json!({ "bindings": { "roles": long } }));
    assert!(refused.expect(400).text.contains("why: has 1001 bytes"));
}

#[test]
fn who_is_paused_keeps_the_slots_grants_while_other_slots_go_on() {
    let tenant = company("Paused");
    assert_eq!(roles(&tenant), ["Admin", "Standard"]);
    let post = |path: &str| tenant.operator.post(path, &json!({})).expect(200).json();
    let paused = post("/bindings/roles/pause");
    assert_eq!(
        [&paused["paused"], &paused["how"]],
        [&json!(true), &json!("paused")]
    );
    // Once more changes nothing.
    assert_eq!(post("/bindings/roles/pause")["version"], paused["version"]);
    tenant.map(&[
        ("Engineering", "base-role", "Owner"),
        ("Engineering", "seat", "on-call"),
    ]);
    let ada = tenant.account(ADA);
    assert_eq!(ada["role"]["name"], "Admin");
    assert_eq!(ada["role"]["reason"], "member of \"Engineering\"");
    assert_eq!(ada["seats"][0]["name"], "on-call");
    // Somebody new has no role yet; who is deactivated is out.
    let eve = tenant.user("eve@acme.test").id();
    assert_eq!(tenant.account("eve@acme.test")["role"], Value::Null);
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let _ = tenant.scim.patch(&format!("/Users/{eve}"), &off);
    assert_eq!(tenant.account("eve@acme.test")["status"], "deactivated");
    let resumed = post("/bindings/roles/resume");
    assert_eq!(
        [&resumed["paused"], &resumed["how"]],
        [&json!(false), &json!("resumed")]
    );
    assert_eq!(roles(&tenant), ["Owner", "Standard"]);
    assert_eq!(resumed["origin"], paused["origin"]);
    // Binding something ends a pause too.
    let _ = post("/bindings/roles/pause");
    let bound = tenant
        .operator
        .put("/bindings/roles", &default_role("Viewer"));
    assert_eq!(bound.expect(200).json()["paused"], false);
    assert_eq!(roles(&tenant), ["Owner", "Viewer"]);
}

#[test]
fn leaving_a_group_while_its_slot_is_paused_is_told_behind_the_pause() {
    let tenant = company("Told behind");
    tenant.map(&[("On call", "seat", "on-call")]);
    let post = |path: &str| tenant.operator.post(path, &json!({})).expect(200).json();
    assert_eq!(tenant.accounts().len(), 2);
    let _ = post("/bindings/seats/pause");
    let users = tenant
        .scim
        .get("/Users?filter=userName%20eq%20%22ada@acme.test%22");
    let id = users.expect(200).json()["Resources"][0]["id"].clone();
    let group = tenant.group("On call", &[id.as_str().unwrap()]).id();
    let _ = tenant.accounts();
    let leave = json!({ "Operations": [{ "op": "remove", "path": "members" }] });
    let _ = tenant.scim.patch(&format!("/Groups/{group}"), &leave);
    let seats = |account: &Value| -> Vec<String> {
        let seats = account["seats"].as_array().unwrap().iter();
        seats
            .map(|seat| seat["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(seats(&tenant.account(ADA)), ["viewer"]);
    let _ = post("/bindings/seats/resume");
    assert_eq!(seats(&tenant.account(ADA)), ["on-call"]);
}

#[test]
fn one_that_fails_in_shadow_harms_nobody_and_is_stopped() {
    let tenant = company("Broken in shadow");
    let hostile = install(&tenant, "hostile");
    let body = json!({ "plugin": hostile, "settings": { "behaviour": "trap" } });
    let _ = tenant
        .operator
        .put("/bindings/roles/shadow", &body)
        .expect(200);
    let shadow = tried(&tenant);
    assert_eq!(shadow["tried"], 2);
    assert!(shadow["failed"].as_u64().unwrap() >= 1, "{shadow}");
    let found = differences(&tenant);
    let why = found[0]["failure"].as_str().unwrap();
    assert!(why.starts_with("roles: plugin hostile@"), "{why}");
    assert_eq!(roles(&tenant), ["Admin", "Standard"]);
    let alerts = tenant.operator.get("/alerts").expect(200).json();
    assert_eq!(alerts["alerts"], json!([]));
    for round in 0..60 {
        let mapped = if round % 2 == 0 { "Owner" } else { "Admin" };
        tenant.map(&[("Engineering", "base-role", mapped)]);
        let _ = tenant.accounts();
        if !tried(&tenant)["stopped"].is_null() {
            break;
        }
    }
    let stopped = tried(&tenant)["stopped"].as_str().unwrap().to_owned();
    assert!(
        stopped.starts_with("it had no decision 100 times"),
        "{stopped}"
    );
}

#[test]
fn a_binding_has_limits_of_its_own_below_the_gateways() {
    let tenant = company("Own limits");
    let mut body = default_role("Viewer");
    body["limits"] = json!({ "time_ms": 50, "memory_mib": 8, "output_kib": 1 });
    let put = |body: &Value| tenant.operator.put("/bindings/roles", body);
    let bound = put(&body).expect(200).json();
    assert_eq!(bound["chain"][0]["limits"], body["limits"]);
    assert_eq!(roles(&tenant), ["Admin", "Viewer"]);
    // The reason names the group, and is more than the binding may return.
    let long = "G".repeat(2_000);
    tenant.map(&[(&long, "base-role", "Owner")]);
    let eve = tenant.user("eve@acme.test").id();
    let _ = tenant.group(&long, &[&eve]);
    let stale = || {
        tenant
            .application
            .get("/accounts?email=eve@acme.test")
            .expect(200)
            .json()
    };
    tenant.server.until("there is no decision", |_| {
        let message = &stale()["accounts"][0]["stale"]["message"];
        message
            .as_str()
            .is_some_and(|text| text.contains("1024 are allowed"))
    });
    body["limits"] = json!({});
    let _ = put(&body).expect(200);
    assert_eq!(tenant.account("eve@acme.test")["role"]["name"], "Owner");
}

#[test]
fn a_hundred_swaps_under_load_lose_no_decision_and_mix_none() {
    let tenant = company("Swapped");
    tenant.without_brake();
    let versions = ["Viewer", "Standard"].map(default_role);
    let mut pushed = Vec::new();
    for round in 0..100 {
        if round % 3 == 2 {
            let _ = tenant
                .operator
                .post("/bindings/roles/rollback", &json!({}))
                .expect(200);
        } else {
            let body = &versions[round % 2];
            let _ = tenant.operator.put("/bindings/roles", body).expect(200);
        }
        let name = format!("user{round}@acme.test");
        let _ = tenant.user(&name);
        pushed.push(name);
    }
    let last = tenant
        .operator
        .put("/bindings/roles", &versions[0])
        .expect(200)
        .json();
    let accounts = tenant.accounts();
    assert_eq!(accounts.len(), 102);
    for account in &accounts {
        let wanted = if account["label"] == ADA {
            "Admin"
        } else {
            "Viewer"
        };
        assert_eq!(account["role"]["name"], wanted, "{account}");
        assert_eq!(
            account["role"]["by"]["binding"], last["version"],
            "{account}"
        );
    }
    let alerts = tenant.operator.get("/alerts").expect(200).json();
    assert_eq!(alerts["alerts"], json!([]));
    // Each grant that there ever was is what its version of the binding gives.
    let mut roles = std::collections::HashMap::new();
    let mut path = "/bindings/roles/versions?limit=100".to_owned();
    loop {
        let page = tenant.operator.get(&path).expect(200).json();
        for version in page["versions"].as_array().unwrap() {
            // What was bound before has no default of its own: the catalogue's.
            let role = version["settings"]["default_role"].clone();
            if role.is_null() {
                continue;
            }
            let _ = roles.insert(version["version"].as_u64().unwrap(), role);
        }
        if page["next"].is_null() {
            break;
        }
        path = format!("/bindings/roles/versions?limit=100&before={}", page["next"]);
    }
    let mut seen = 0;
    for account in &accounts {
        let path = format!("/accounts/{}/history", account["id"].as_str().unwrap());
        let history = tenant.operator.get(&path).expect(200).json();
        let spans = history["history"].as_array().unwrap().iter();
        for span in spans.filter(|span| span["reason"] == "default role") {
            let by = span["by"]["binding"].as_u64().unwrap();
            if let Some(role) = roles.get(&by) {
                assert_eq!(span["name"], *role, "{span}");
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
