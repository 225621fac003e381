//! The command line: what is wrong with a start is said at once, and a running gateway is managed.

use crate::process::{Ended, manage, run};
use gatewright_store::{Migration, RedbEngine, RedbOptions, Store};
use gatewright_tests::{Server, Start};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_str().unwrap().to_owned();
    (folder, data)
}

#[test]
fn a_start_that_cannot_be_is_explained() {
    let server = Server::generic();
    let (folder, data) = folder();
    let address = server
        .field("api_url")
        .replace("http://", "")
        .replace("/api/v1", "");
    let dev = |data: &str, listen: &str| run(&["dev", "--data", data, "--listen", listen]);
    dev(&data, &address).failed(1, &["cannot listen on", &address, "choose another address"]);
    // Another process has the database; it goes on as if nothing had happened.
    let own = server.data();
    let locked = dev(own.to_str().unwrap(), "127.0.0.1:0");
    locked.failed(1, &["the gateway did not start", "another process"]);
    let _ = server.user("ada@acme.test");
    drop(server);

    let database = |bytes: &[u8]| {
        let damaged = folder.path().join("damaged");
        let _ = fs::remove_dir_all(&damaged);
        fs::create_dir(&damaged).unwrap();
        fs::write(damaged.join("gatewright.redb"), bytes).unwrap();
        let ended = dev(damaged.to_str().unwrap(), "127.0.0.1:0");
        let after = fs::read(damaged.join("gatewright.redb")).unwrap();
        assert!(after == bytes, "a file that is not taken is left as it is");
        ended
    };
    let whole = fs::read(folder.path().join("data/gatewright.redb")).unwrap();
    database(&whole[..whole.len() / 2])
        .failed(1, &["the gateway did not start", "gatewright.redb"]);
    database(b"a text, and no database")
        .failed(1, &["the gateway did not start", "gatewright.redb"]);
    of_a_later_version(&folder.path().join("later")).failed(
        1,
        &["the gateway did not start", "format 1001", "formats up to"],
    );
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    dev(file, "127.0.0.1:0").failed(1, &["the data folder", "cannot be used"]);
    fs::write(format!("{data}/dev.json"), "{").unwrap();
    dev(&data, "127.0.0.1:0").failed(2, &["dev.json", "damaged", "delete"]);
}

#[test]
fn arguments_that_are_wrong_are_told_before_anything_is_made() {
    let (folder, data) = folder();
    let dev = |more: &[&str]| {
        let all = [&["dev", "--data", &data, "--listen", "127.0.0.1:0"], more].concat();
        run(&all)
    };
    dev(&["--log", "a=b=c"]).failed(2, &["a=b=c", "log filter"]);
    dev(&["--colour", "red"]).failed(2, &["--colour"]);
    let mapping = folder.path().join("mapping.json");
    let file = mapping.to_str().unwrap();
    dev(&["--mapping", file]).failed(1, &["cannot read", file]);
    fs::write(&mapping, "{\"entries\": [{\"group\": {\"nme\": \"G\"}}]}").unwrap();
    dev(&["--mapping", file]).failed(2, &[file, "nme"]);
    assert!(!folder.path().join("data").exists());
    let entry = json!({ "group": { "name": "G" }, "kind": "base-role", "target": "Emperor" });
    fs::write(&mapping, json!({ "entries": [entry] }).to_string()).unwrap();
    dev(&["--mapping", file]).failed(2, &["--mapping", "no base role \"Emperor\"", "Owner"]);
    dev(&["--provider", "nothing"]).failed(2, &["--provider", "\"nothing\"", "generic"]);
    run(&["dance"]).failed(2, &["dance"]);
    run(&["serve"]).failed(2, &["--config"]);
}

#[test]
fn a_restart_keeps_everything_and_prints_the_same_line() {
    let entry =
        json!({ "group": { "name": "Engineering" }, "kind": "base-role", "target": "Admin" });
    let mut server = Server::start(Start {
        provider: Some("okta".into()),
        mapping: Some(json!({ "entries": [entry] })),
        ..Start::default()
    });
    let ada = server.user("ada@acme.test").id();
    let group = server.group("Engineering", &[&ada]).id();
    let _ = server.scim().put(
        &format!("/Users/{ada}"),
        &json!({
            "userName": "ada@acme.test", "active": false
        }),
    );
    let state = |server: &Server| {
        let scim = ["/Users", "/Groups", &format!("/Groups/{group}")]
            .map(|path| server.scim().get(path).expect(200).json());
        let api = ["/mapping", "/bindings", "/directories", "/tokens"]
            .map(|path| server.api().get(path).expect(200).json());
        let decided = json!({ "accounts": server.accounts(), "events": server.events() });
        (scim, api, decided)
    };
    let (line, before) = (server.line().clone(), state(&server));
    assert_eq!(before.2["accounts"][0]["role"]["name"], "Admin");
    let kept = fs::metadata(server.data().join("dev.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(kept & 0o777, 0o600, "only its owner reads the credentials");
    assert!(server.stop().success(), "SIGTERM ends it well");
    server.restart();
    assert_eq!(server.line(), &line);
    assert_eq!(state(&server), before);
    server.kill();
    server.restart();
    assert_eq!(server.line(), &line);
    assert_eq!(state(&server), before);
}

#[test]
fn a_running_gateway_is_managed() {
    let server = Server::generic();
    let go = |arguments: &[&str]| manage(&server, arguments).well();
    let json_of = |arguments: &[&str]| -> Value {
        let all = [arguments, &["--json"]].concat();
        serde_json::from_str(&go(&all)).unwrap()
    };
    let acme = json_of(&["organizations", "create", "Acme"]);
    let id = acme["id"].as_str().unwrap();
    assert!(go(&["organizations", "list"]).contains(id));
    let directory = json_of(&[
        "directories",
        "create",
        "Staff",
        "--provider",
        "okta",
        "--organization",
        id,
    ]);
    let directory_id = directory["id"].as_str().unwrap();
    assert!(directory["token"].as_str().unwrap().starts_with("gwd_"));
    let _ = go(&[
        "directories",
        "update",
        directory_id,
        "--name",
        "People",
        "--organization",
        id,
    ]);
    assert!(go(&["directories", "list", "--organization", id]).contains("People"));
    let token = json_of(&[
        "tokens",
        "create",
        "--directory",
        directory_id,
        "--organization",
        id,
    ]);
    let token_id = token["id"].as_str().unwrap();
    let _ = go(&["tokens", "revoke", token_id, "--organization", id]);
    let listed = go(&["tokens", "list", "--organization", id]);
    assert!(listed.contains(token_id) && !listed.contains(token["token"].as_str().unwrap()));

    let ada = server.user("ada@acme.test").id();
    let _ = server.group("Engineering", &[&ada]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mapping.json");
    let path = file.to_str().unwrap();
    let entry =
        json!({ "group": { "name": "Engineering" }, "kind": "base-role", "target": "Admin" });
    fs::write(&file, json!({ "entries": [entry] }).to_string()).unwrap();
    let _ = go(&["mapping", "set", path]);
    let shown = go(&["mapping", "get"]);
    // What is shown can be set again.
    fs::write(&file, &shown).unwrap();
    let _ = go(&["mapping", "set", path]);
    assert_eq!(go(&["mapping", "get"]), shown);
    let entry: Value = serde_json::from_str(&shown).unwrap();
    let entry = &entry["entries"][0];
    let (id, group) = (entry["id"].as_str().unwrap(), &entry["pin"]["group"]["id"]);
    let _ = go(&["mapping", "pin", id, group.as_str().unwrap()]);
    assert_eq!(server.account("ada@acme.test")["role"]["name"], "Admin");
    let table = go(&["accounts"]);
    assert!(
        table.contains("ada@acme.test") && table.contains("Admin"),
        "{table}"
    );
    assert!(
        table.contains("member of \"Engineering\""),
        "the reason is shown: {table}"
    );
    assert!(go(&["accounts", "--email", "nobody@acme.test", "--json"]).contains("[]"));
    fs::write(&file, go(&["catalogue", "get"])).unwrap();
    let _ = go(&["catalogue", "set", path]);
    let catalogue = json!({ "base_roles": [
        { "name": "Owner" }, { "name": "Admin" }, { "name": "Standard", "default": true },
        { "name": "Viewer" }
    ], "seat_types": [{ "name": "viewer", "default": true }] });
    fs::write(&file, catalogue.to_string()).unwrap();
    let _ = go(&["catalogue", "set", path]);
    assert!(go(&["catalogue", "versions"]).contains("Owner, Admin, Standard, Viewer  "));
    let _ = go(&["catalogue", "follow"]);
    assert!(go(&["catalogue", "get"]).contains("responder"));
    let _ = go(&["catalogue", "default", "set", path]);
    assert!(!go(&["catalogue", "default", "get"]).contains("responder"));

    let hostile = folder.path().join("hostile.wasm");
    fs::write(&hostile, gatewright_tests::plugin("hostile")).unwrap();
    let _ = go(&["plugins", "install", hostile.to_str().unwrap()]);
    let plugins = go(&["plugins", "list"]);
    assert!(
        plugins.contains("hostile") && plugins.contains("group-roles"),
        "{plugins}"
    );
    planning(&server, folder.path());
    guards_are_managed(&server, &go);
    let settings = json!({ "default_role": "Viewer" }).to_string();
    let _ = go(&[
        "bindings",
        "set",
        "roles",
        "group-roles",
        "--settings",
        &settings,
    ]);
    let _ = go(&["bindings", "rollback", "roles", "--why", "too little"]);
    bindings_are_tried(&go);
    let chain = json!([{ "plugin": "group-roles" }, { "plugin": "group-roles", "settings": { "grace": "7d" } }]);
    let chain = chain.to_string();
    let bound = go(&["bindings", "set", "roles", "--chain", &chain]);
    assert_eq!(bound.matches("group-roles").count(), 2, "{bound}");
    let bindings = go(&["bindings", "list"]);
    assert!(
        bindings.contains("group-seats") && bindings.contains("7d"),
        "{bindings}"
    );
    assert!(go(&["events"]).contains("grant.added"));
    let _ = go(&["alerts"]);

    // What it refuses.
    let no = |arguments: &[&str], says: &[&str]| manage(&server, arguments).failed(1, says);
    no(
        &["bindings", "set", "throne", "group-roles"],
        &["404", "throne"],
    );
    no(
        &["plugins", "install", path],
        &["400", "not a WebAssembly file"],
    );
    no(&["tokens", "revoke", "nothing"], &["404", "nothing"]);
    let broken = ["bindings", "set", "roles", "group-roles", "--settings", "{"];
    manage(&server, &broken).failed(2, &["--settings"]);
    let both = ["bindings", "set", "roles", "group-roles", "--chain", "[]"];
    manage(&server, &both).failed(2, &["--chain"]);
    fs::write(&file, "{").unwrap();
    manage(&server, &["mapping", "set", path]).failed(2, &[path]);
    no(&["accounts", "--key", "gwa_wrong"], &["401", "not known"]);
    let unreachable = ["accounts", "--url", "http://127.0.0.1:1", "--key", "x"];
    run(&unreachable).failed(1, &["cannot reach the gateway", "http://127.0.0.1:1"]);
    let url = server.field("api_url").replace("/api/v1", "");
    run(&["accounts", "--url", &url]).failed(1, &["401", "GATEWRIGHT_KEY"]);
}

/// A policy is tried beside the one that decides, activated, paused and taken back.
fn bindings_are_tried(go: &dyn Fn(&[&str]) -> String) {
    let viewer = r#"{"default_role":"Viewer"}"#;
    let start = [
        "bindings",
        "shadow",
        "start",
        "roles",
        "group-roles",
        "--settings",
        viewer,
        "--by",
        "Ada",
    ];
    assert!(go(&start).contains("Ada"));
    assert!(go(&["bindings", "shadow", "status", "roles"]).contains("tried"));
    let differences = go(&["bindings", "shadow", "differences", "roles"]);
    assert!(differences.contains("in shadow"), "{differences}");
    let _ = go(&["bindings", "shadow", "stop", "roles"]);
    let _ = go(&start);
    let _ = go(&["bindings", "shadow", "activate", "roles", "--why", "tried"]);
    assert!(go(&["bindings", "pause", "roles"]).contains("paused"));
    assert!(go(&["bindings", "resume", "roles"]).contains("decides"));
    let versions = go(&["bindings", "versions", "roles"]);
    for wanted in [
        "activated",
        "tried",
        "paused",
        "resumed",
        "too little",
        "rolled back to",
    ] {
        assert!(versions.contains(wanted), "no {wanted:?} in: {versions}");
    }
    let first = versions.lines().last().unwrap();
    let first = first.split_whitespace().next().unwrap();
    let _ = go(&["bindings", "rollback", "roles", "--to", first]);
}

/// A change is looked at, then confirmed.
fn planning(server: &Server, folder: &Path) {
    let go = |arguments: &[&str]| manage(server, arguments).well();
    let file = folder.join("planned.json");
    let entry =
        json!({ "group": { "name": "Engineering" }, "kind": "base-role", "target": "Owner" });
    fs::write(&file, json!({ "entries": [entry] }).to_string()).unwrap();
    let path = file.to_str().unwrap();
    let printed = go(&["plan", "--mapping", path]);
    for wanted in [
        "1 of 1 accounts change",
        "role-up",
        "Admin, viewer",
        "Owner, viewer",
        "Owner: member of \"Engineering\"",
        "active with the role Owner afterwards: 1 (ada@acme.test)",
        "gatewright plans confirm",
    ] {
        assert!(printed.contains(wanted), "no {wanted:?} in: {printed}");
    }
    let id = printed.rsplit(' ').next().unwrap().trim();
    assert!(go(&["plans", "list"]).contains(id));
    assert!(go(&["plans", "show", id, "--kind", "role-up"]).contains("ada@acme.test"));
    assert!(go(&["plans", "confirm", id, "--acting", "ada@acme.test"]).contains("revision"));
    assert_eq!(server.account("ada@acme.test")["role"]["name"], "Owner");
    let bind = r#"roles=group-roles:{"default_role":"Viewer"}"#;
    let planned: Value =
        serde_json::from_str(&go(&["plan", "--bind", bind, "--confirm", "--json"])).unwrap();
    assert_eq!(planned["state"], "confirmed");
    assert_eq!(planned["accounts"], json!([]));
    fs::write(&file, json!({ "entries": [] }).to_string()).unwrap();
    let confirmed = ["plan", "--mapping", path, "--confirm"];
    manage(server, &confirmed).failed(1, &["409", "Owner"]);
    let last = go(&["plans", "list"]);
    let last = last.lines().last().unwrap().split(' ').next().unwrap();
    assert!(go(&["plans", "delete", last]).contains(last));
    manage(server, &["plan", "--bind", "roles"]).failed(2, &["SLOT=PLUGIN"]);
    manage(server, &["plan"]).failed(1, &["400", "proposes nothing"]);
    let _ = go(&["bindings", "rollback", "roles"]);
}

/// Starts the gateway on a database whose format a later version has changed.
/// What is held is seen, and answered.
fn guards_are_managed(server: &Server, go: &dyn Fn(&[&str]) -> String) {
    let eve = server.user("eve@acme.test").id();
    let group = server.group("Sales", &[&eve]).id();
    let mapping = server.api().get("/mapping").expect(200).json();
    let mut entries = mapping["entries"].as_array().unwrap().clone();
    for entry in &mut entries {
        *entry = json!({
            "group": entry["group"], "kind": entry["kind"], "target": entry["target"],
        });
    }
    entries.push(json!({ "group": { "name": "Sales" }, "kind": "base-role", "target": "Admin" }));
    let _ = server
        .api()
        .put("/mapping", &json!({ "entries": entries }))
        .expect(200);
    let account = server.account("eve@acme.test")["id"].clone();
    let account = account.as_str().unwrap();
    let explained = go(&["explain", "eve@acme.test"]);
    for part in [
        "has not",
        "member of \"Sales\"",
        "group-roles",
        "no row of the mapping gives it",
        "history",
    ] {
        assert!(explained.contains(part), "no {part} in {explained}");
    }
    assert!(go(&["history", "Admin"]).contains("eve@acme.test"));
    assert!(!go(&["history", "Admin", "--at", "2020-01-01T00:00:00Z"]).contains("eve"));
    assert!(go(&["guards", "show"]).contains("window_minutes: 60"));
    let _ = go(&["guards", "set", "--number", "0", "--share-percent", "0"]);
    let _ = server
        .scim()
        .delete(&format!("/Groups/{group}"))
        .expect(204);
    let _ = server.accounts();
    let held = go(&["holds", "list"]);
    assert!(
        held.contains("mass removal") && held.contains("Admin"),
        "{held}"
    );
    assert!(go(&["explain", account]).contains("held: too many accounts"));
    let _ = go(&["holds", "reject", account]);
    assert!(go(&["holds", "list"]).contains("pinned by a person"));
    let _ = go(&["holds", "approve", account]);
    assert_eq!(server.account("eve@acme.test")["role"]["name"], "Standard");
    let _ = go(&["removals", "list"]);
    let _ = go(&["removals", "accept"]);
    let _ = go(&["holds", "approve", "--all"]);
    manage(server, &["holds", "approve"]).failed(2, &["--all"]);
    manage(server, &["removals", "restore", account]).failed(1, &["404", "accounts[0]"]);
    manage(server, &["explain", "nobody@acme.test"]).failed(1, &["nobody@acme.test"]);
}

fn of_a_later_version(data: &Path) -> Ended {
    // More steps than any version of today has.
    const CHANGE: Migration = Migration {
        name: "what a later version does",
        run: |_| Ok(()),
    };
    static CHANGES: &[Migration] = &[CHANGE; 1_000];
    fs::create_dir(data).unwrap();
    let engine = RedbEngine::open(&data.join("gatewright.redb"), RedbOptions::default()).unwrap();
    drop(Store::open_with(Arc::new(engine), CHANGES).unwrap());
    run(&[
        "dev",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ])
}
