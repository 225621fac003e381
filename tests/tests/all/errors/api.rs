//! The API's errors: problem documents.

use super::{Answers, plans::plans, raw};
use crate::shared::Tenant;
use gatewright_tests::plugin;
use serde_json::json;

#[test]
fn the_api() {
    let tenant = Tenant::new("Bad API requests");
    let ada = tenant.user("ada@acme.test").id();
    let group = tenant.group("Engineering", &[&ada]).id();
    tenant.map(&[("Engineering", "seat", "on-call")]);
    let account = tenant.account("ada@acme.test")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mapping = tenant.operator.get("/mapping").expect(200).json();
    let entry_id = mapping["entries"][0]["id"].as_str().unwrap();
    let over = tenant
        .operator
        .post("/directories", &json!({ "name": "Over" }))
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ending = json!({ "facts": "keep", "days": 30 });
    let path = format!("/directories/{over}/uninstall");
    let _ = tenant.operator.post(&path, &ending).expect(200);
    let names = [
        (&*ada, "ADA"),
        (&*group, "GROUP"),
        (&*account, "ACCOUNT"),
        (entry_id, "ENTRY"),
        (&*over, "OVER"),
    ];
    let mut answers = Answers::of(&tenant, &names);
    let operator = &tenant.operator;
    for path in [
        "/nothing",
        "/accounts/nobody",
        "/plugin-reports/1-0",
        "/plugin-reports/nothing",
        "/bindings/hats/health",
        "/directories/01890000-0000-7000-8000-000000000000/health",
        "/accounts?limit=0",
        "/accounts?limit=1001",
        "/accounts?after=x",
        "/accounts?at_least=x",
        "/accounts?linked=maybe",
        "/links?limit=0",
        "/links?after=x",
        "/groups/nothing",
        "/groups?after=x",
        "/events?after=x",
        "/events?limit=many",
        "/directories/nothing",
        "/bindings/throne",
    ] {
        answers.api(&format!("GET {path}"), operator.get(path));
    }
    answers.api("GET /nothing of the API", tenant.api().get("/nothing"));
    let unknown = tenant
        .api()
        .get("/organizations/01890000-0000-7000-8000-000000000000/accounts");
    answers.api("GET of an unknown organization", unknown);
    for (method, path) in [
        ("DELETE", "/accounts"),
        ("POST", "/mapping"),
        ("PUT", "/tokens"),
    ] {
        let reply = operator.send(method, path, &[], None).expect(405);
        assert!(
            reply.header("allow").is_some(),
            "{method} {path}: 405 says what is allowed"
        );
        answers.api(&format!("{method} {path}"), reply);
    }
    let entry = |group: &str, kind: &str, target: &str| json!({ "group": { "name": group }, "kind": kind, "target": target });
    for (what, path, body) in [
        ("a list", "/mapping", "[[]]".to_owned()),
        ("nothing", "/mapping", String::new()),
        ("no JSON", "/mapping", "entries".to_owned()),
        ("an unknown field", "/mapping", json!({ "entries": [], "colour": 1 }).to_string()),
        ("an unknown kind", "/mapping", json!({ "entries": [entry("G", "hat", "x")] }).to_string()),
        ("an unknown role", "/mapping", json!({ "entries": [entry("G", "base-role", "Emperor")] }).to_string()),
        ("an empty group", "/mapping", json!({ "entries": [entry(" ", "seat", "viewer")] }).to_string()),
        ("an entry twice", "/mapping", json!({
            "entries": [entry("G", "seat", "viewer"), entry("G", "seat", "viewer")]
        }).to_string()),
        ("no base role", "/catalogue", json!({ "base_roles": [], "custom_roles": [], "seat_types": [] }).to_string()),
        ("a role twice", "/catalogue", json!({
            "base_roles": [{ "name": "A" }, { "name": "A" }], "custom_roles": [], "seat_types": []
        }).to_string()),
        ("two defaults", "/catalogue", json!({
            "base_roles": [{ "name": "A", "default": true }, { "name": "B", "default": true }],
            "custom_roles": [], "seat_types": [{ "name": "on-call" }]
        }).to_string()),
        ("what the mapping gives taken out", "/catalogue", json!({
            "base_roles": [{ "name": "A" }], "custom_roles": [], "seat_types": [{ "name": "viewer" }]
        }).to_string()),
        ("a version that is not there", "/catalogue", json!({
            "base_roles": [{ "name": "A" }], "version": 7
        }).to_string()),
        ("an unknown slot", "/bindings/throne", json!({ "plugin": "group-roles" }).to_string()),
        ("an unknown plugin", "/bindings/roles", json!({ "plugin": "nothing" }).to_string()),
        ("a plugin of another kind", "/bindings/roles", json!({ "plugin": "group-seats" }).to_string()),
        ("a setting of a wrong type", "/bindings/roles", json!({
            "plugin": "group-roles", "settings": { "default_role": 5, "keep_local": "yes" }
        }).to_string()),
        ("an unknown setting", "/bindings/seats", json!({
            "plugin": "group-seats", "settings": { "colour": "red" }
        }).to_string()),
        ("a setting that the plugin itself refuses", "/bindings/roles", json!({
            "plugin": "group-roles", "settings": { "default_role": "" }
        }).to_string()),
        ("a chain of none", "/bindings/roles", json!({ "chain": [] }).to_string()),
        ("a chain of nine", "/bindings/roles", json!({
            "chain": vec![json!({ "plugin": "group-roles" }); 9]
        }).to_string()),
        ("a chain and a plugin", "/bindings/roles", json!({
            "plugin": "group-roles", "chain": [{ "plugin": "group-roles" }]
        }).to_string()),
        ("neither", "/bindings/roles", json!({ "settings": {} }).to_string()),
        ("an unknown plugin in a chain", "/bindings/roles", json!({
            "chain": [{ "plugin": "group-roles" }, { "plugin": "nothing" }]
        }).to_string()),
        ("a plugin of another kind in a chain", "/bindings/roles", json!({
            "chain": [{ "plugin": "group-seats" }, { "plugin": "group-roles" }]
        }).to_string()),
        ("a wrong setting in a chain", "/bindings/roles", json!({
            "chain": [{ "plugin": "group-roles" }, { "plugin": "group-roles", "settings": { "grace": "a week" } }]
        }).to_string()),
        ("what becomes of a seat that is never full", "/catalogue", json!({
            "base_roles": [{ "name": "A" }], "seat_types": [{ "name": "on-call", "when_full": "refuse" }]
        }).to_string()),
        ("settings that are no object", "/bindings/roles", json!({
            "plugin": "group-roles", "settings": [1]
        }).to_string()),
        ("a limit above the gateway's", "/bindings/roles", json!({
            "plugin": "group-roles", "limits": { "time_ms": 1_000_000 }
        }).to_string()),
        ("a limit of nothing", "/bindings/roles", json!({
            "plugin": "group-roles", "limits": { "memory_mib": 0 }
        }).to_string()),
        ("a limit that there is not", "/bindings/roles", json!({
            "plugin": "group-roles", "limits": { "fuel": 1 }
        }).to_string()),
        ("a name that is too long", "/bindings/roles", json!({
            "plugin": "group-roles", "by": "x".repeat(257)
        }).to_string()),
        ("an unknown plugin", "/bindings/roles/shadow", json!({ "plugin": "nothing" }).to_string()),
    ] {
        answers.api(&format!("PUT {path} with {what}"), raw(operator, "PUT", path, &body));
    }
    for (what, path, body) in [
        ("an empty name", "/directories", json!({ "name": "" })),
        (
            "an unknown provider",
            "/directories",
            json!({ "name": "D", "provider": "nothing" }),
        ),
        (
            "a policy as its provider",
            "/directories",
            json!({ "name": "D", "provider": "group-roles" }),
        ),
        (
            "settings its schema refuses",
            "/directories",
            json!({
                "name": "D", "provider": "okta", "settings": { "colour": 1 }
            }),
        ),
        (
            "an unknown way with members",
            "/directories",
            json!({ "name": "D", "unknown_member": "maybe" }),
        ),
        (
            "in force where there are accounts",
            "/directories",
            json!({ "name": "D", "phase": "enforcing" }),
        ),
        (
            "an unknown directory",
            "/tokens",
            json!({ "directory": "01890000-0000-7000-8000-000000000000" }),
        ),
        (
            "an earlier binding that is not there",
            "/bindings/roles/rollback",
            json!({}),
        ),
        (
            "a version that is not there",
            "/bindings/roles/rollback",
            json!({ "to": 99 }),
        ),
        (
            "a reason that is too long",
            "/bindings/roles/pause",
            json!({ "why": "x".repeat(1_001) }),
        ),
        (
            "nothing in shadow",
            "/bindings/roles/shadow/activate",
            json!({}),
        ),
        (
            "nothing in shadow",
            "/bindings/roles/shadow/stop",
            json!({}),
        ),
    ] {
        answers.api(
            &format!("POST {path} with {what}"),
            operator.post(path, &body),
        );
    }
    let headers = [("Content-Type", "application/json"), ("If-Match", "W/7")];
    let body = json!({ "base_roles": [{ "name": "A" }] }).to_string();
    let reply = operator.send("PUT", "/catalogue", &headers, Some(body.as_bytes()));
    answers.api("PUT /catalogue with a version in no quotes", reply);
    let path = "/catalogue/versions?before=x";
    answers.api(&format!("GET {path}"), operator.get(path));
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (what, entry, group) in [
        ("an unknown entry", nobody, &*group),
        ("an unknown group", entry_id, nobody),
    ] {
        let body = json!({ "group": group });
        let reply = operator.post(&format!("/mapping/{entry}/pin"), &body);
        answers.api(&format!("POST of a pin with {what}"), reply);
    }
    plans(&mut answers);
    let seats = format!("/accounts/{account}/seats");
    answers.api(
        "DELETE of a seat that a group gives",
        operator.delete(&format!("{seats}/on-call")),
    );
    answers.api(
        "DELETE of a seat that nobody has",
        operator.delete(&format!("{seats}/throne")),
    );
    answers.api(
        "DELETE of an unknown token",
        operator.delete("/tokens/nothing"),
    );
    people(&mut answers, &account, &over);
    insta::assert_json_snapshot!("api", answers.finish());
}

/// What is wrong with requests about people, domains and the phases of directories.
fn people(answers: &mut Answers<'_>, account: &str, over: &str) {
    let operator = &answers.tenant.operator;
    let directory = &answers.tenant.directory;
    let nobody = "01890000-0000-7000-8000-000000000000";
    let many = vec![json!({ "external_id": "1", "email": "a@b.test" }); 1_001];
    for (what, method, path, body) in [
        (
            "too many accounts",
            "PUT",
            "/accounts/import",
            json!({ "accounts": many }),
        ),
        (
            "an unknown status",
            "PUT",
            "/accounts/import",
            json!({
                "accounts": [{ "external_id": "1", "email": "a@b.test", "status": "deleted" }]
            }),
        ),
        (
            "a user who does not wait",
            "POST",
            "/links",
            json!({ "user": nobody, "account": "new" }),
        ),
        (
            "no account",
            "POST",
            "/links",
            json!({ "user": nobody, "account": "maybe" }),
        ),
        (
            "a name of one label",
            "PUT",
            "/domains/localhost",
            json!({}),
        ),
        (
            "a domain that was not named",
            "POST",
            "/domains/acme.test/verify",
            json!({}),
        ),
        (
            "an unknown way",
            "POST",
            "/domains/acme.test/verify",
            json!({ "by": "magic" }),
        ),
        (
            "a phase of later",
            "POST",
            "/directories",
            json!({ "name": "D", "phase": "paused" }),
        ),
        (
            "an uninstalled directory",
            "POST",
            "/tokens",
            json!({ "directory": over }),
        ),
    ] {
        answers.api(
            &format!("{method} {path} with {what}"),
            raw(operator, method, path, &body.to_string()),
        );
    }
    for (what, of, how, body) in [
        (
            "a directory in force",
            directory.as_str(),
            "confirm",
            json!({ "acting": account }),
        ),
        (
            "a directory that is not paused",
            directory,
            "resume",
            json!({}),
        ),
        ("a directory that is over", over, "pause", json!({})),
        (
            "no number of days",
            directory,
            "uninstall",
            json!({ "facts": "keep" }),
        ),
        (
            "too many days",
            directory,
            "uninstall",
            json!({ "facts": "keep", "days": 3_651 }),
        ),
        ("an unknown directory", nobody, "pause", json!({})),
    ] {
        let reply = operator.post(&format!("/directories/{of}/{how}"), &body);
        answers.api(&format!("POST {how} of {what}"), reply);
    }
    let link_by = operator.patch(
        &format!("/directories/{directory}"),
        &json!({ "link_by": "phone" }),
    );
    answers.api("PATCH of a directory with an unknown way to link", link_by);
    for (what, path, body) in [
        (
            "a role of a managed account",
            format!("/accounts/{account}/roles/Owner"),
            json!({}),
        ),
        (
            "a role of nobody",
            format!("/accounts/{nobody}/roles/Owner"),
            json!({}),
        ),
        (
            "an unknown seat",
            format!("/accounts/{account}/seats/throne"),
            json!({}),
        ),
        (
            "a signal of nobody",
            format!("/accounts/{nobody}/signals/chat"),
            json!({ "active": true }),
        ),
        (
            "a signal of no name",
            format!("/accounts/{account}/signals/a%20b"),
            json!({ "active": true }),
        ),
        (
            "a signal from the future",
            format!("/accounts/{account}/signals/chat"),
            json!({
                "active": true, "at": "2999-01-01T00:00:00Z"
            }),
        ),
    ] {
        answers.api(&format!("PUT of {what}"), operator.put(&path, &body));
    }
    answers.api(
        "DELETE of an unknown domain",
        operator.delete("/domains/acme.test"),
    );
}

#[test]
fn components_that_are_none() {
    let tenant = Tenant::new("Bad components");
    let mut answers = Answers::of(&tenant, &[]);
    let good = plugin("group-roles");
    let module = b"\0asm\x01\0\0\0";
    let empty = b"\0asm\x0d\0\x01\0";
    let later = of_contract(&good, b"role-policy@0.1.0", b"role-policy@0.2.0");
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("a text", b"(component)"),
        ("a core module", module),
        ("a component without exports", empty),
        ("half a component", &good[..good.len() / 2]),
        ("a component of a later contract", &later),
    ] {
        let headers = [("Content-Type", "application/wasm")];
        let reply = tenant.api().send("POST", "/plugins", &headers, Some(bytes));
        assert_eq!(reply.status, 400, "{what}: {}", reply.text);
        // Where in the bytes it breaks moves with the compiler.
        if what == "half a component" {
            assert!(
                reply.json()["detail"].as_str().unwrap().len() > 20,
                "{}",
                reply.text
            );
        } else {
            answers.api(&format!("POST /plugins of {what}"), reply);
        }
    }
    let installed = tenant.api().get("/plugins").expect(200).json();
    for plugin in installed["plugins"].as_array().unwrap() {
        assert!(
            plugin["name"].as_str().is_some_and(|name| !name.is_empty()),
            "{plugin}"
        );
        assert_ne!(plugin["size"], good.len() / 2);
    }
    insta::assert_json_snapshot!("components", answers.finish());
}

/// The component, made as if for another version of the contract.
fn of_contract(component: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    assert_eq!(
        ours.len(),
        theirs.len(),
        "the sizes in a component stay true"
    );
    let mut made = component.to_vec();
    let places: Vec<usize> = made
        .windows(ours.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == ours)
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty(), "the component names its contract");
    for place in places {
        made[place..place + theirs.len()].copy_from_slice(theirs);
    }
    made
}
