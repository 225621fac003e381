//! How those who run the gateway see how plugins do, and what they make of those that fail.

use crate::process::manage;
use crate::shared::{self, Tenant};
use gatewright_tests::{Client, Organization, Server, Start, plugin};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Binds the hostile policy to the roles of the client's organization.
fn bind(api: &Client, organization: &Client, behaviour: &str, needle: &str) -> Value {
    let digest = api.install(&plugin("hostile"))["digest"].clone();
    let settings = json!({
        "behaviour": behaviour, "when": "user-name-contains", "needle": needle,
    });
    let bound = json!({ "plugin": digest, "settings": settings });
    organization
        .put("/bindings/roles", &bound)
        .expect(200)
        .json()
}

fn health(client: &Client, slot: &str) -> Value {
    client
        .get(&format!("/bindings/{slot}/health"))
        .expect(200)
        .json()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The failures of the first policy of the roles, by their kind.
fn failed(client: &Client, kind: &str) -> u64 {
    let failed = &health(client, "roles")["plugins"][0]["failed"][kind];
    failed.as_u64().unwrap_or(0)
}

#[test]
fn calls_are_counted_with_their_time_memory_and_output() {
    let tenant = Tenant::new("counted");
    for n in 0..40 {
        let _ = tenant.user(&format!("user-{n}@acme.test"));
    }
    assert_eq!(tenant.accounts().len(), 40);
    let roles = health(&tenant.operator, "roles");
    assert_eq!(roles["breaker"], json!({ "state": "closed" }), "{roles}");
    assert_eq!(roles["shadow"], Value::Null);
    let counted = &roles["plugins"][0];
    assert_eq!(counted["plugin"], "group-roles");
    assert_eq!(counted["digest"].as_str().unwrap().len(), 64);
    assert!(counted["items"].as_u64() >= Some(40), "{counted}");
    assert_eq!(counted["answered"], counted["calls"], "{counted}");
    assert_eq!(counted["failed"], json!({}));
    let micros = |name: &str| counted["micros"][name].as_u64().unwrap();
    assert!(
        micros("p50") > 0 && micros("p50") <= micros("p90"),
        "{counted}"
    );
    assert!(micros("p90") <= micros("p99") && micros("p99") <= micros("max"));
    // A component of Rust has a megabyte and a bit, of which most is its stack.
    let memory = counted["memory_peak"].as_u64().unwrap();
    assert!((1 << 20..64 << 20).contains(&memory), "{memory}");
    assert!(counted["output_peak"].as_u64() > Some(10), "{counted}");

    // Another version of the binding begins anew.
    let shipped = json!({ "plugin": "group-roles", "settings": {} });
    let _ = tenant.operator.put("/bindings/roles", &shipped).expect(200);
    assert_eq!(tenant.accounts().len(), 40);
    let anew = health(&tenant.operator, "roles");
    assert_eq!(anew["version"], 2);
    assert_eq!(anew["plugins"][0]["items"], 40, "{anew}");

    // What runs in shadow is counted beside it.
    let rule = json!({
        "when": "user.title == 'Controller'", "grant": { "base_role": "Owner" }, "reason": "none has it",
    });
    let tried = json!({ "plugin": "rule-roles", "settings": { "rules": [rule] } });
    let _ = tenant
        .operator
        .put("/bindings/roles/shadow", &tried)
        .expect(200);
    assert_eq!(tenant.accounts().len(), 40);
    let shadow = health(&tenant.operator, "roles")["shadow"].clone();
    assert_eq!(shadow["tried"], 40, "{shadow}");
    assert_eq!(shadow["different"], 0, "{shadow}");
    assert_eq!(shadow["plugins"][0]["plugin"], "rule-roles");
    assert_eq!(shadow["plugins"][0]["items"], 40, "{shadow}");
    let nobody = tenant.operator.get("/bindings/nothing/health").expect(404);
    assert!(nobody.text.contains("there are lifecycle, roles and seats"));
}

#[test]
fn a_provider_plugin_is_counted_too() {
    let server = shared::server();
    let acme = Organization::of(&server.api(), "provider counted", "okta");
    let path = format!("/directories/{}/health", acme.directory);
    let before = acme.operator.get(&path).expect(200).json();
    assert_eq!(before["plugins"][0]["plugin"], "okta");
    assert_eq!(before["plugins"][0]["calls"], 0);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@acme.test", "active": true,
    });
    let user = acme.scim.post("/Users", &user).expect(201).id();
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "active": false } }],
    });
    let _ = acme
        .scim
        .patch(&format!("/Users/{user}"), &patch)
        .expect(200);
    let counted = acme.operator.get(&path).expect(200).json()["plugins"][0].clone();
    assert!(counted["calls"].as_u64() > Some(0), "{counted}");
    assert_eq!(counted["answered"], counted["calls"], "{counted}");
    assert!(counted["micros"]["p50"].as_u64() > Some(0), "{counted}");
}

/// Half of the accounts fail: policies are not asked for a while, then one account is tried, and the
/// breaker closes.
#[test]
fn a_breaker_opens_where_half_fail_and_closes_behind_an_account_that_does_not() {
    let tenant = Tenant::new("breaker");
    let _ = bind(&tenant.api(), &tenant.operator, "trap", "bad");
    let names = |n: u32| match n % 2 {
        0 => format!("bad-{n}@acme.test"),
        _ => format!("good-{n}@acme.test"),
    };
    // While nobody is asked they come together, and are tried together behind it.
    for n in 0..48 {
        let _ = tenant.user(&names(n));
    }
    until("the breaker opens", || {
        let roles = health(&tenant.operator, "roles");
        let breaker = &roles["breaker"];
        if breaker["state"] != "open" {
            return false;
        }
        let at = |name: &str| breaker[name].as_str().unwrap().to_owned();
        assert!(at("since") <= at("next_try"), "{breaker}");
        assert!(breaker["tried_in_vain"].as_u64() >= Some(1), "{breaker}");
        true
    });
    // Nobody else is decided without roles: the other slots wait, and say because of whom.
    let seats = health(&tenant.operator, "seats")["breaker"].clone();
    if seats["state"] != "closed" {
        assert_eq!(seats["state"], "waiting", "{seats}");
        assert_eq!(seats["because_of"], "roles", "{seats}");
    }
    assert!(failed(&tenant.operator, "trap") > 0);
    // The decent ones are decided all the same, and those that trap are told of.
    until("the decent ones are decided", || {
        let accounts = tenant
            .application
            .get("/accounts?limit=100")
            .expect(200)
            .json();
        let accounts = accounts["accounts"].as_array().unwrap().clone();
        let good = accounts.iter().filter(|account| {
            account["label"].as_str().unwrap().starts_with("good") && !account["role"].is_null()
        });
        good.count() == 24
    });
    let reports = tenant.operator.get("/plugin-reports").expect(200).json();
    let reports = reports["reports"].as_array().unwrap().clone();
    assert!(!reports.is_empty());
    for report in &reports {
        assert!(
            report["label"].as_str().unwrap().starts_with("bad"),
            "{report}"
        );
    }

    // What mends it ends the wait.
    let shipped = json!({ "plugin": "group-roles" });
    let _ = tenant.operator.put("/bindings/roles", &shipped).expect(200);
    assert_eq!(tenant.accounts().len(), 48);
    let roles = health(&tenant.operator, "roles");
    assert_eq!(roles["breaker"], json!({ "state": "closed" }));
}

/// A report is there behind a restart, is made again by the command that the alert names, shows that
/// a mended component has a decision, and is gone in the end.
#[test]
fn a_report_is_replayed_bit_for_bit_and_forgotten_in_time() {
    let mut server = Server::start(Start {
        clock: true,
        ..Start::default()
    });
    let _ = bind(&server.api(), &server.api(), "trap", "mallory");
    let _ = server.user("mallory@acme.test");
    let alert = || {
        let alerts = server.api().get("/alerts").expect(200).json();
        alerts["alerts"][0].clone()
    };
    until("an alert", || !alert().is_null());
    let id = alert()["report"].as_str().unwrap().to_owned();
    server.restart();

    let listed = manage(&server, &["plugin", "reports", "list"]).well();
    assert!(
        listed.contains(&id) && listed.contains("mallory@acme.test"),
        "{listed}"
    );
    let shown = manage(&server, &["plugin", "reports", "show", &id]).well();
    for part in [
        "a bug in the policy (",
        "at hostile::misdeeds::commit",
        "\"behaviour\":\"trap\"",
        "\"user_name\":\"mallory@acme.test\"",
        &format!("gatewright plugin replay {id}"),
    ] {
        assert!(shown.contains(part), "no {part:?} in: {shown}");
    }
    let replayed = manage(&server, &["plugin", "replay", &id]).well();
    assert!(
        replayed.contains("the same result, bit for bit"),
        "{replayed}"
    );
    assert!(
        replayed.contains("at hostile::misdeeds::commit"),
        "{replayed}"
    );
    let json = manage(&server, &["plugin", "replay", &id, "--json"]).well();
    let json: Value = serde_json::from_str(&json).unwrap();
    for part in [
        "outcome", "failure", "message", "panic", "frames", "log", "memory", "digest",
    ] {
        assert!(!json["then"][part].is_null(), "{part}: {json}");
        assert_eq!(json["then"][part], json["now"][part], "{part}");
    }

    // Another component may be wrong in the same way.
    let other = server.api().install(&same_with_another_digest());
    let other = other["digest"].as_str().unwrap().to_owned();
    let ended = manage(&server, &["plugin", "replay", &id, "--plugin", &other]);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let wrong = ["plugin", "replay", &id, "--plugin", "group-seats"];
    manage(&server, &wrong).failed(1, &["of another kind than slot \"roles\" takes"]);
    let unknown = manage(&server, &["plugin", "replay", "1-0"]);
    unknown.failed(
        1,
        &[
            "there is no report \"1-0\"",
            "gatewright plugin reports list",
        ],
    );

    server.move_on("29d");
    let reports = |server: &Server| {
        let reports = server.api().get("/plugin-reports").expect(200).json();
        reports["reports"].as_array().unwrap().len()
    };
    assert_eq!(reports(&server), 1);
    server.move_on("30d 1h");
    // What still fails is recorded anew.
    until("the report is forgotten", || {
        let report = server.api().get(&format!("/plugin-reports/{id}"));
        report.status == 404
    });
}

/// Whether a mended component mends it is seen before it is bound.
#[test]
fn a_report_is_replayed_by_another_component() {
    let server = Server::generic();
    let digest = server.api().install(&plugin("broken-seats"))["digest"].clone();
    let broken = json!({ "plugin": digest });
    let _ = server.api().put("/bindings/seats", &broken).expect(200);
    let _ = server.user("ada@acme.test");
    let list = || {
        let reports = server.api().get("/plugin-reports").expect(200).json();
        reports["reports"].as_array().unwrap().clone()
    };
    until("a report", || !list().is_empty());
    let id = list()[0]["id"].as_str().unwrap().to_owned();
    let ended = manage(
        &server,
        &["plugin", "replay", &id, "--plugin", "group-seats"],
    );
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.errors.contains("another one than it was then"),
        "{}",
        ended.errors
    );
    for part in [
        "then:",
        "a broken seat policy",
        "now:",
        "decided: {",
        "\"viewer\"",
    ] {
        let output = ended.output.to_lowercase();
        assert!(output.contains(part), "no {part:?} in {}", ended.output);
    }
    let table = manage(&server, &["bindings", "health"]).well();
    for part in ["group-lifecycle", "broken-seats", "trap "] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
    let directory = server.field("directory");
    let provider = manage(&server, &["directories", "health", &directory]).well();
    assert!(provider.contains("generic"), "{provider}");
}

/// The hostile component with a section of its own more.
fn same_with_another_digest() -> Vec<u8> {
    let mut wasm = plugin("hostile");
    // Custom section: id 0, its length, the length of its name, the name.
    wasm.extend([0, 2, 1, b'x']);
    wasm
}
