//! What is wrong with a request is said in the interface's own shape, names the field and the
//! remedy, and changes nothing.

use crate::shared::Tenant;
use gatewright_tests::{Client, Reply, plugin};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/scim+json");
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The answers to wrong requests, for a snapshot; and that none of them changed anything.
struct Answers<'a> {
    tenant: &'a Tenant,
    names: Vec<(String, &'static str)>,
    before: (u64, String),
    all: Vec<Value>,
}

impl<'a> Answers<'a> {
    fn of(tenant: &'a Tenant, names: &[(&str, &'static str)]) -> Self {
        let mut names: Vec<_> = names
            .iter()
            .map(|(id, name)| ((*id).to_owned(), *name))
            .collect();
        names.push((tenant.directory.clone(), "DIRECTORY"));
        names.push((tenant.id.clone(), "ORGANIZATION"));
        // The decisions about what the test began with are made, so that nothing moves by itself.
        let _ = tenant.accounts();
        Self {
            tenant,
            names,
            before: (tenant.revision(), state(tenant)),
            all: Vec::new(),
        }
    }

    fn note(&mut self, what: &str, reply: Reply) {
        let Reply {
            status,
            headers,
            text: mut body,
        } = reply;
        for (id, name) in &self.names {
            body = body.replace(id, name);
        }
        let mut body: Value =
            serde_json::from_str(&body).unwrap_or_else(|_| panic!("{what}: {body}"));
        // Which plugins there are depends on the tests that share the gateway.
        if let Some((detail, _)) = body["detail"]
            .as_str()
            .and_then(|d| d.split_once("; there are:"))
        {
            body["detail"] = format!("{detail}; there are: PLUGINS").into();
        }
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let mut noted = json!({ "request": what, "status": status, "body": body });
        for name in ["allow", "retry-after", "www-authenticate"] {
            if let Some(value) = header(name) {
                noted[name] = value.into();
            }
        }
        assert!(
            header("gatewright-request-id").is_some(),
            "{what}: no request id"
        );
        self.all.push(noted);
    }

    fn scim(&mut self, what: &str, reply: Reply) {
        let body = reply.json();
        let media_type = reply.header("content-type").unwrap_or_default();
        assert!(
            media_type.starts_with("application/scim+json"),
            "{what}: {media_type}"
        );
        assert_eq!(
            body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(
            body["status"],
            reply.status.to_string(),
            "{what}: status is a string"
        );
        self.note(what, reply);
    }

    fn api(&mut self, what: &str, reply: Reply) {
        let media_type = reply.header("content-type").unwrap_or_default();
        assert!(
            media_type.starts_with("application/problem+json"),
            "{what}: {media_type}"
        );
        assert_eq!(
            reply.json()["status"],
            reply.status,
            "{what}: {}",
            reply.text
        );
        self.note(what, reply);
    }

    fn finish(self) -> Vec<Value> {
        assert_eq!(
            self.tenant.revision(),
            self.before.0,
            "something was written"
        );
        assert_eq!(state(self.tenant), self.before.1);
        self.all
    }
}

fn state(tenant: &Tenant) -> String {
    let scim = ["/Users", "/Groups"].map(|path| tenant.scim.get(path).expect(200).text);
    let api = [
        "/mapping",
        "/catalogue",
        "/bindings",
        "/directories",
        "/tokens",
    ]
    .map(|path| tenant.operator.get(path).expect(200).text);
    scim.concat() + &api.concat()
}

fn raw(client: &Client, method: &str, path: &str, body: &str) -> Reply {
    client.send(method, path, &[JSON], Some(body.as_bytes()))
}

fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

#[test]
fn scim_bodies() {
    let tenant = Tenant::new("Bad bodies");
    let user = tenant.user("ada@acme.test").id();
    let mut answers = Answers::of(&tenant, &[(&user, "USER")]);
    let scim = &tenant.scim;
    let path = format!("/Users/{user}");
    for (what, body) in [
        ("an empty body", ""),
        ("only spaces", " \n"),
        ("not JSON", "userName=ada"),
        ("JSON that ends early", "{\"userName\": \"ada\""),
        ("two documents", "{} {}"),
        ("a list", "[1]"),
        ("null", "null"),
        ("no userName", "{\"displayName\": \"Ada\"}"),
        ("a userName that is no text", "{\"userName\": {\"a\": 1}}"),
        (
            "active that is no boolean",
            "{\"userName\": \"x@acme.test\", \"active\": \"perhaps\"}",
        ),
        (
            "emails that are numbers",
            "{\"userName\": \"x@acme.test\", \"emails\": [1]}",
        ),
        (
            "a userName that is taken",
            "{\"userName\": \"ADA@acme.test\"}",
        ),
    ] {
        answers.scim(
            &format!("POST /Users with {what}"),
            raw(scim, "POST", "/Users", body),
        );
    }
    let invalid = scim.send("POST", "/Users", &[JSON], Some(b"{\"userName\": \"\xff\"}"));
    answers.scim("POST /Users with bytes that are no text", invalid);
    for (what, method, path) in [
        ("PUT of a user", "PUT", &*path),
        ("PATCH of a user", "PATCH", &*path),
        ("POST of a group", "POST", "/Groups"),
        ("a search", "POST", "/Users/.search"),
    ] {
        answers.scim(
            &format!("{what} with an empty body"),
            raw(scim, method, path, ""),
        );
        answers.scim(
            &format!("{what} with a list"),
            raw(scim, method, path, "[]"),
        );
    }
    for media_type in [
        "text/xml",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
    ] {
        let body = b"{\"userName\": \"x@acme.test\"}";
        let reply = scim.send(
            "POST",
            "/Users",
            &[("Content-Type", media_type)],
            Some(body),
        );
        answers.scim(&format!("POST /Users of {media_type}"), reply);
    }
    insta::assert_json_snapshot!("scim_bodies", answers.finish());
}

#[test]
fn scim_paths_and_methods() {
    let tenant = Tenant::new("Bad paths");
    let user = tenant.user("ada@acme.test").id();
    let mut answers = Answers::of(&tenant, &[(&user, "USER")]);
    for path in [
        "",
        "/users",
        "/Me",
        "/Bulk",
        "/Users/nobody",
        "/Users/01890000-0000-7000-8000-000000000000",
        "/Groups/nothing",
        "/Users/a/b",
        "/Schemas/urn:nothing",
        "/ResourceTypes/Printer",
    ] {
        answers.scim(&format!("GET {path}"), tenant.scim.get(path));
    }
    let upper = user.to_uppercase();
    answers.names.push((upper.clone(), "USER"));
    let reply = tenant.scim.get(&format!("/Users/{upper}"));
    answers.scim("GET of the id in capitals", reply);
    let root = Client::new(&tenant.server.field("api_url").replace("/api/v1", ""), None);
    for path in ["/", "/scim/v2", "/scim", "/nothing"] {
        answers.scim(&format!("GET {path} of the gateway"), root.get(path));
    }
    let user = format!("/Users/{user}");
    for (method, path) in [
        ("DELETE", "/Users"),
        ("PUT", "/Users"),
        ("PATCH", "/Groups"),
        ("POST", &user),
        ("PURGE", &user),
        ("GET", "/Users/.search"),
        ("POST", "/Schemas"),
        ("PUT", "/ServiceProviderConfig"),
        ("DELETE", "/ResourceTypes/User"),
    ] {
        let reply = tenant.scim.send(method, path, &[], None);
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(
            reply
                .header("allow")
                .is_some_and(|allow| !allow.contains(method)),
            "{path}"
        );
        let shown = if path == user { "/Users/USER" } else { path };
        answers.scim(&format!("{method} {shown}"), reply);
    }
    // No token is for a user, whatever is to be done with it.
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = tenant.scim.send(method, "/Me", &[], None).expect(501);
        assert_eq!(reply.json()["status"], "501", "{method}");
        let stranger = tenant.scim.with_token(Some("wrong"));
        let _ = stranger.send(method, "/Me", &[], None).expect(401);
    }
    insta::assert_json_snapshot!("scim_paths_and_methods", answers.finish());
}

#[test]
fn filters_name_the_position() {
    let tenant = Tenant::new("Bad filters");
    let _ = tenant.user("ada@acme.test");
    let mut answers = Answers::of(&tenant, &[]);
    for filter in [
        "userName",
        "userName eq",
        "userName is \"ada\"",
        "userName eq \"ada",
        "(userName eq \"ada\"",
        "userName eq \"ada\")",
        "userName eq \"ada\" and",
        "userName eq \"ada\" userName eq \"bob\"",
        "emails[type eq \"work\"",
        "shoeSize eq 46",
        "active gt true",
        "not userName pr",
        "meta.lastModified gt \"yesterday\"",
        "",
    ] {
        let query: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let reply = tenant.scim.get(&format!("/Users?filter={query}"));
        assert_eq!(reply.status, 400, "{filter}: {}", reply.text);
        answers.scim(&format!("filter {filter}"), reply);
    }
    for query in [
        "startIndex=x",
        "count=1.5",
        "sortBy=shoeSize",
        "sortBy=userName&sortOrder=up",
    ] {
        answers.scim(
            query,
            tenant.scim.get(&format!("/Users?{query}")).expect(400),
        );
    }
    insta::assert_json_snapshot!("filters", answers.finish());
}

#[test]
fn a_patch_that_fails_half_way_applies_nothing() {
    let tenant = Tenant::new("Half a patch");
    let user = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let group = tenant.group("Engineering", &[&user]).id();
    let mut answers = Answers::of(&tenant, &[(&user, "ADA"), (&bob, "BOB"), (&group, "GROUP")]);
    let good = json!({ "op": "replace", "path": "displayName", "value": "Half" });
    let path = format!("/Users/{user}");
    for (what, bad) in [
        (
            "an unknown operation",
            json!({ "op": "move", "path": "title" }),
        ),
        ("no operation", json!({ "path": "title", "value": "x" })),
        (
            "a path that does not parse",
            json!({ "op": "add", "path": "emails[type eq", "value": "x" }),
        ),
        (
            "an attribute that is not there",
            json!({ "op": "add", "path": "shoeSize", "value": 46 }),
        ),
        (
            "a wrong type",
            json!({ "op": "replace", "path": "active", "value": "perhaps" }),
        ),
        (
            "a removal of userName",
            json!({ "op": "remove", "path": "userName" }),
        ),
        ("a removal without a path", json!({ "op": "remove" })),
        (
            "a name that is taken",
            json!({ "op": "replace", "path": "userName", "value": "bob@acme.test" }),
        ),
    ] {
        let reply = tenant.scim.patch(&path, &operations(&json!([good, bad])));
        assert!(
            matches!(reply.status, 400 | 409),
            "{what}: {} {}",
            reply.status,
            reply.text
        );
        answers.scim(&format!("a user's PATCH with {what}"), reply);
    }
    for (what, body) in [
        ("no Operations", json!({ "schemas": [PATCH] })),
        ("empty Operations", operations(&json!([]))),
        (
            "Operations that are no list",
            operations(&json!({ "op": "add" })),
        ),
    ] {
        answers.scim(
            &format!("a user's PATCH with {what}"),
            tenant.scim.patch(&path, &body).expect(400),
        );
    }
    let path = format!("/Groups/{group}");
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": bob }] });
    for (what, bad) in [
        (
            "a member that does not exist",
            json!({
                "op": "add", "path": "members", "value": [{ "value": "01890000-0000-7000-8000-000000000000" }]
            }),
        ),
        (
            "a member without a value",
            json!({ "op": "add", "path": "members", "value": [{}] }),
        ),
        (
            "an unknown operation",
            json!({ "op": "move", "path": "members" }),
        ),
        (
            "a path that does not parse",
            json!({ "op": "remove", "path": "members[value eq" }),
        ),
    ] {
        let reply = tenant
            .scim
            .patch(&path, &operations(&json!([good, add, bad])))
            .expect(400);
        answers.scim(&format!("a group's PATCH with {what}"), reply);
    }
    insta::assert_json_snapshot!("patches", answers.finish());
}

#[test]
fn unknown_members_are_refused_or_skipped_as_the_directory_is_set() {
    let tenant = Tenant::new("Unknown members");
    let ada = tenant.user("ada@acme.test").id();
    let ghost = "01890000-0000-7000-8000-000000000000";
    let members = json!([{ "value": ada }, { "value": ghost }]);
    let body = json!({ "displayName": "Engineering", "members": members });
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    let refused = tenant.scim.post("/Groups", &body).expect(400);
    assert!(refused.json()["detail"].as_str().unwrap().contains(ghost));
    answers.scim("POST /Groups with a member that does not exist", refused);
    insta::assert_json_snapshot!("unknown_members", answers.finish());
    let directory = format!("/directories/{}", tenant.directory);
    let skip = json!({ "unknown_member": "skip" });
    let _ = tenant.operator.patch(&directory, &skip).expect(200);
    let group = tenant.scim.post("/Groups", &body).expect(201);
    assert_eq!(group.json()["members"].as_array().unwrap().len(), 1);
    let path = format!("/Groups/{}", group.id());
    let add =
        operations(&json!([{ "op": "Add", "path": "members", "value": [{ "value": "no id" }] }]));
    let _ = tenant.scim.patch(&path, &add).expect(204);
    let _ = tenant.scim.put(&path, &body).expect(200);
    let members = tenant.scim.get(&path).expect(200).json()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["value"], json!(ada));
}

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
    let names = [(&*ada, "ADA"), (&*group, "GROUP"), (&*account, "ACCOUNT")];
    let mut answers = Answers::of(&tenant, &names);
    let operator = &tenant.operator;
    for path in [
        "/nothing",
        "/accounts/nobody",
        "/accounts?limit=0",
        "/accounts?limit=1001",
        "/accounts?after=x",
        "/accounts?at_least=x",
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
        ("settings that are no object", "/bindings/roles", json!({
            "plugin": "group-roles", "settings": [1]
        }).to_string()),
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
            "an unknown directory",
            "/tokens",
            json!({ "directory": "01890000-0000-7000-8000-000000000000" }),
        ),
        (
            "an earlier binding that is not there",
            "/bindings/roles/rollback",
            json!({}),
        ),
    ] {
        answers.api(
            &format!("POST {path} with {what}"),
            operator.post(path, &body),
        );
    }
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
    insta::assert_json_snapshot!("api", answers.finish());
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
