//! Who is let in where: every route with every kind of credential that is not for it.

use crate::shared::Tenant;
use gatewright_tests::{Client, Organization};
use serde_json::{Value, json};

/// Method, path below the directory's base URL.
const SCIM: &[(&str, &str)] = &[
    ("GET", "/Users"),
    ("POST", "/Users"),
    ("GET", "/Users/{user}"),
    ("PUT", "/Users/{user}"),
    ("PATCH", "/Users/{user}"),
    ("DELETE", "/Users/{user}"),
    ("POST", "/Users/.search"),
    ("GET", "/Groups"),
    ("POST", "/Groups"),
    ("GET", "/Groups/{group}"),
    ("PUT", "/Groups/{group}"),
    ("PATCH", "/Groups/{group}"),
    ("DELETE", "/Groups/{group}"),
    ("POST", "/Groups/.search"),
    ("POST", "/.search"),
    ("GET", "/ServiceProviderConfig"),
    ("GET", "/Schemas"),
    ("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User"),
    ("GET", "/ResourceTypes"),
    ("GET", "/ResourceTypes/User"),
];

/// Method, path below an organization, whether the application's key may.
const ORGANIZATION: &[(&str, &str, bool)] = &[
    ("GET", "", true),
    ("GET", "/accounts", true),
    ("GET", "/accounts/{account}", true),
    ("PUT", "/accounts/import", true),
    ("PUT", "/accounts/{account}/roles/Owner", true),
    ("DELETE", "/accounts/{account}/roles/Owner", true),
    ("PUT", "/accounts/{account}/seats/viewer", true),
    ("DELETE", "/accounts/{account}/seats/viewer", true),
    ("PUT", "/accounts/{account}/signals/chat", true),
    ("GET", "/links", false),
    ("POST", "/links", false),
    ("GET", "/domains", true),
    ("PUT", "/domains/evil.test", false),
    ("DELETE", "/domains/acme.test", false),
    ("POST", "/domains/acme.test/verify", false),
    ("GET", "/groups", true),
    ("GET", "/groups/{group}", true),
    ("GET", "/groups/{group}/members", true),
    ("GET", "/events", true),
    ("GET", "/alerts", true),
    ("GET", "/directories", false),
    ("POST", "/directories", false),
    ("GET", "/directories/{directory}", false),
    ("PATCH", "/directories/{directory}", false),
    ("GET", "/directories/{directory}/health", false),
    ("POST", "/directories/{directory}/confirm", false),
    ("POST", "/directories/{directory}/pause", false),
    ("POST", "/directories/{directory}/resume", false),
    ("POST", "/directories/{directory}/uninstall", false),
    ("GET", "/directories/{directory}/requests", false),
    ("GET", "/directories/{directory}/requests/{request}", false),
    (
        "POST",
        "/directories/{directory}/requests/{request}/replay",
        false,
    ),
    ("GET", "/directories/{directory}/schemas", false),
    ("PUT", "/directories/{directory}/schemas", false),
    ("GET", "/directories/{directory}/deleted-users", false),
    (
        "POST",
        "/directories/{directory}/deleted-users/{deleted}/restore",
        false,
    ),
    ("GET", "/tokens", false),
    ("POST", "/tokens", false),
    ("DELETE", "/tokens/{token}", false),
    ("GET", "/mapping", true),
    ("PUT", "/mapping", false),
    ("POST", "/mapping/{entry}/pin", false),
    ("GET", "/catalogue", true),
    ("PUT", "/catalogue", false),
    ("GET", "/accounts/{account}/explain", true),
    ("GET", "/accounts/{account}/history", true),
    ("GET", "/history?name=Owner", true),
    ("GET", "/guards", true),
    ("PUT", "/guards", false),
    ("GET", "/holds", true),
    ("POST", "/holds/approve", false),
    ("POST", "/holds/reject", false),
    ("GET", "/removals", true),
    ("POST", "/removals/restore", false),
    ("POST", "/removals/accept", false),
    ("DELETE", "/catalogue", false),
    ("GET", "/catalogue/versions", true),
    ("GET", "/plans", false),
    ("POST", "/plans", false),
    ("GET", "/plans/{plan}", false),
    ("DELETE", "/plans/{plan}", false),
    ("GET", "/plans/{plan}/accounts", false),
    ("GET", "/plans/{plan}/links", false),
    ("POST", "/plans/{plan}/confirm", false),
    ("GET", "/bindings", false),
    ("GET", "/bindings/roles", false),
    ("PUT", "/bindings/roles", false),
    ("GET", "/bindings/roles/health", false),
    ("GET", "/bindings/roles/versions", false),
    ("POST", "/bindings/roles/rollback", false),
    ("POST", "/bindings/roles/pause", false),
    ("POST", "/bindings/roles/resume", false),
    ("GET", "/bindings/roles/shadow", false),
    ("PUT", "/bindings/roles/shadow", false),
    ("GET", "/bindings/roles/shadow/differences", false),
    ("POST", "/bindings/roles/shadow/activate", false),
    ("POST", "/bindings/roles/shadow/stop", false),
    ("GET", "/plugin-reports", false),
    ("GET", "/plugin-reports/1-0", false),
    ("POST", "/plugin-reports/1-0/replay", false),
];

/// Method, path below `/api/v1`: an operator's only.
const GATEWAY: &[(&str, &str)] = &[
    ("GET", "/organizations"),
    ("POST", "/organizations"),
    ("GET", "/default-catalogue"),
    ("PUT", "/default-catalogue"),
    ("GET", "/plugins"),
    ("POST", "/plugins"),
    ("GET", "/plugins/folder"),
    ("GET", "/plugins/okta"),
    ("DELETE", "/plugins/okta"),
];

/// An organization with something of everything that a path can name.
struct Attacked {
    organization: Organization,
    names: Vec<(&'static str, String)>,
}

impl Attacked {
    fn new(organization: Organization) -> Self {
        let user = organization.user("victim@acme.test").id();
        let deleted = organization.user("gone@acme.test").id();
        let path = format!("/Users/{deleted}");
        let _ = organization.scim.delete(&path).expect(204);
        let group = organization.group("Victims", &[&user]).id();
        let domain = organization.operator.put("/domains/acme.test", &json!({}));
        let _ = domain.expect(200);
        let account = organization.account("victim@acme.test")["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let tokens = organization.operator.get("/tokens").expect(200).json();
        let token = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
        let directory = organization.directory.clone();
        let logged = organization
            .operator
            .get(&format!("/directories/{directory}/requests"));
        let request = logged.expect(200).json()["requests"][0]["id"].clone();
        organization.map(&[("Victims", "seat", "on-call")]);
        let mapping = organization.operator.get("/mapping").expect(200).json();
        let entry = mapping["entries"][0]["id"].as_str().unwrap().to_owned();
        let proposal = json!({ "mapping": { "entries": [] } });
        let plan = crate::plans::planned(&organization, &proposal);
        let names = vec![
            ("{user}", user),
            ("{deleted}", deleted),
            ("{group}", group),
            ("{account}", account),
            ("{token}", token),
            ("{directory}", directory),
            ("{request}", request.as_str().unwrap().to_owned()),
            ("{entry}", entry),
            ("{plan}", plan["id"].as_str().unwrap().to_owned()),
        ];
        Self {
            organization,
            names,
        }
    }

    fn path(&self, path: &str) -> String {
        self.names
            .iter()
            .fold(path.to_owned(), |path, (name, value)| {
                path.replace(name, value)
            })
    }

    /// Everything that an attack could have changed.
    fn state(&self) -> Vec<Value> {
        let own = &self.organization;
        let scim = ["/Users", "/Groups"].map(|path| own.scim.get(path).expect(200).json());
        let api = [
            "",
            "/tokens",
            "/mapping",
            "/catalogue",
            "/bindings",
            "/directories",
            &format!("/directories/{}/schemas", own.directory),
            "/accounts",
            "/plans",
            "/domains",
            "/links",
        ]
        .map(|path| own.operator.get(path).expect(200).json());
        scim.into_iter().chain(api).collect()
    }
}

/// A body that would do something if it were let in.
fn body(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path.rsplit('/').next()?) {
        ("GET" | "DELETE", _) => return None,
        ("POST", ".search") => json!({ "startIndex": 1 }),
        (_, "import") => json!({ "accounts": [
            { "external_id": "evil", "email": "mallory@evil.test", "role": "Owner" }
        ] }),
        (_, "links") => json!({ "user": "01890000-0000-7000-8000-000000000000", "account": "new" }),
        (_, "chat") => json!({ "active": true }),
        (_, "verify") => json!({ "by": "operator" }),
        (_, "confirm") => json!({ "accept_lockout": "I accept to be locked out" }),
        (_, "uninstall") => json!({ "facts": "erase" }),
        (_, "pause" | "resume" | "evil.test" | "Owner" | "viewer") => json!({}),
        ("PATCH", _) if path.contains("/directories/") => json!({ "name": "Taken" }),
        ("PATCH", _) => json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "value": { "displayName": "Taken" } }],
        }),
        (_, "Users") => json!({ "userName": "mallory@evil.test", "active": true }),
        (_, "Groups") => json!({ "displayName": "Taken" }),
        (_, "catalogue" | "default-catalogue") => json!({
            "base_roles": [{ "name": "Taken" }], "custom_roles": [], "seat_types": []
        }),
        (_, "mapping") => json!({ "entries": [
            { "group": { "name": "Victims" }, "kind": "base-role", "target": "Owner" }
        ] }),
        (_, "plans") => json!({ "mapping": { "entries": [] } }),
        (_, "pin") => json!({ "group": "01890000-0000-7000-8000-000000000000" }),
        (_, "roles" | "shadow") => {
            json!({ "plugin": "group-roles", "settings": { "default_role": "Owner" } })
        }
        (_, "organizations" | "directories") => json!({ "name": "Taken" }),
        (_, "schemas") => json!({ "schemas": [
            { "id": "urn:evil:1.0:User", "name": "Taken", "attributes": [{ "name": "taken" }] }
        ] }),
        (_, "rollback" | "activate" | "stop" | "replay" | "tokens" | "plugins") => json!({}),
        (_, "restore") if path.contains("directories") => json!({}),
        (_, "approve" | "reject" | "restore" | "accept") => json!({ "all": true }),
        (_, "guards") => json!({ "share_percent": 100 }),
        ("PUT", _) if path.starts_with("/Users") => json!({ "userName": "mallory@evil.test" }),
        ("PUT", _) if path.starts_with("/Groups") => json!({ "displayName": "Taken" }),
        other => panic!("no body for {other:?}"),
    })
}

fn knock(client: &Client, method: &str, path: &str, real: &str) -> u16 {
    let body = body(method, path).map(|body| body.to_string());
    let headers: &[_] = if body.is_some() {
        &[("Content-Type", "application/json")]
    } else {
        &[]
    };
    let reply = client.send(method, real, headers, body.as_deref().map(str::as_bytes));
    if reply.status == 401 {
        assert!(
            reply.header("www-authenticate").is_some(),
            "{method} {path}: no challenge"
        );
    }
    if reply.status >= 400 {
        let detail = reply.json()["detail"].as_str().map(str::len);
        assert!(detail > Some(10), "{method} {path}: {}", reply.text);
    }
    reply.status
}

fn directory_token(organization: &Organization) -> (String, String) {
    let body = json!({ "directory": organization.directory });
    let created = organization
        .operator
        .post("/tokens", &body)
        .expect(201)
        .json();
    (
        created["id"].as_str().unwrap().to_owned(),
        created["token"].as_str().unwrap().to_owned(),
    )
}

fn application_key(organization: &Organization) -> (String, String) {
    let created = organization
        .operator
        .post("/tokens", &json!({}))
        .expect(201)
        .json();
    (
        created["id"].as_str().unwrap().to_owned(),
        created["token"].as_str().unwrap().to_owned(),
    )
}

/// Credentials that are not the attacked organization's directory token, nor its key.
fn foreign(tenant: &Tenant, attacked: &Organization) -> Vec<(&'static str, Option<String>)> {
    let other = tenant.another("Evil");
    let mut foreign = vec![
        ("no token", None),
        ("garbage", Some("gwd_0123456789".to_owned())),
        ("another's SCIM token", Some(directory_token(&other).1)),
        ("another's application key", Some(application_key(&other).1)),
    ];
    for (what, (id, token)) in [
        ("a revoked SCIM token", directory_token(attacked)),
        ("a revoked application key", application_key(attacked)),
    ] {
        let _ = attacked
            .operator
            .delete(&format!("/tokens/{id}"))
            .expect(200);
        foreign.push((what, Some(token)));
    }
    foreign
}

#[test]
fn every_scim_route_refuses_every_other_credential() {
    assert_eq!(SCIM.len(), 20, "a new route belongs into this list");
    let tenant = Tenant::new("Attacked by SCIM");
    let attacked = Attacked::new(tenant.another("Attacked by SCIM, really"));
    let mut credentials = foreign(&tenant, &attacked.organization);
    credentials.push((
        "its own application key",
        Some(application_key(&attacked.organization).1),
    ));
    let before = attacked.state();
    for (what, token) in &credentials {
        let client = attacked.organization.scim.with_token(token.as_deref());
        for (method, path) in SCIM {
            let status = knock(&client, method, path, &attacked.path(path));
            assert_eq!(status, 401, "{method} {path} with {what}");
        }
    }
    assert_eq!(attacked.state(), before);
    // With the right token each of them is a route: else the test above showed nothing.
    for (method, path) in SCIM.iter().filter(|(method, _)| *method != "DELETE") {
        let status = knock(
            &attacked.organization.scim,
            method,
            path,
            &attacked.path(path),
        );
        assert!(
            (200..300).contains(&status) || status == 409,
            "{method} {path}: {status}"
        );
    }
}

#[test]
fn every_api_route_refuses_every_other_credential() {
    assert_eq!(ORGANIZATION.len(), 80, "a new route belongs into this list");
    let tenant = Tenant::new("Attacked by API");
    let attacked = Attacked::new(tenant.another("Attacked by API, really"));
    let mut credentials = foreign(&tenant, &attacked.organization);
    credentials.push((
        "its own SCIM token",
        Some(directory_token(&attacked.organization).1),
    ));
    let before = attacked.state();
    for (what, token) in &credentials {
        let client = attacked.organization.operator.with_token(token.as_deref());
        for (method, path, _) in ORGANIZATION {
            let status = knock(&client, method, path, &attacked.path(path));
            assert!(
                matches!(status, 401 | 403 | 404),
                "{method} {path} with {what}: {status}"
            );
        }
        let client = tenant.api().with_token(token.as_deref());
        for (method, path) in GATEWAY {
            let status = knock(&client, method, path, path);
            assert!(
                matches!(status, 401 | 403),
                "{method} {path} with {what}: {status}"
            );
        }
    }
    // The application's own key reads, and administers nothing.
    let own = attacked
        .organization
        .operator
        .with_token(Some(&application_key(&attacked.organization).1));
    let before_own = attacked.state();
    for (method, path, open) in ORGANIZATION
        .iter()
        .filter(|(method, _, open)| *method == "GET" || !open)
    {
        let status = knock(&own, method, path, &attacked.path(path));
        assert_eq!(
            status,
            if *open { 200 } else { 403 },
            "{method} {path} with its own key"
        );
    }
    assert_eq!(attacked.state(), before_own);
    // What it may write is let in, and may be refused for another reason.
    let open = ORGANIZATION.iter();
    for (method, path, _) in open.filter(|(method, _, open)| *method != "GET" && *open) {
        let status = knock(&own, method, path, &attacked.path(path));
        assert!(
            matches!(status, 200 | 404 | 409),
            "{method} {path}: {status}"
        );
    }
    // Making the keys of this test is all that moved.
    assert_eq!(before_own[..2], before[..2]);
    assert_eq!(before_own[4..8], before[4..8]);
}

#[test]
fn another_directory_of_the_same_organization_is_foreign_too() {
    let tenant = Tenant::new("Two directories");
    let second = tenant
        .operator
        .post(
            "/directories",
            &json!({ "name": "Second", "phase": "enforcing" }),
        )
        .expect(201);
    let second = second.json();
    let base = second["scim_base_url"].as_str().unwrap();
    let token = second["token"].as_str().unwrap();
    let user = tenant.user("only@first.test").id();
    let own = Client::new(base, Some(token));
    let _ = own.get(&format!("/Users/{user}")).expect(404);
    assert_eq!(own.get("/Users").expect(200).json()["totalResults"], 0);
    let _ = tenant
        .scim
        .with_token(Some(token))
        .get("/Users")
        .expect(401);
    // A member must be of the same directory.
    let body = json!({ "displayName": "G", "members": [{ "value": user }] });
    let _ = own.post("/Groups", &body).expect(400);
}

#[test]
fn tokens_are_exchanged_without_a_gap_and_kept_as_digests() {
    let tenant = Tenant::new("Rotation");
    let (_, second) = directory_token(&tenant);
    assert!(second.starts_with("gwd_"), "a prefix that scanners know");
    assert!(second.len() >= 4 + 64, "256 bits");
    let renewed = tenant.scim.with_token(Some(&second));
    let _ = renewed.get("/Users").expect(200);
    let _ = tenant.scim.get("/Users").expect(200);
    let tokens = tenant.operator.get("/tokens").expect(200);
    assert!(!tokens.text.contains(&second), "a token is shown once");
    let old = tokens.json()["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| {
            token["for"] == "directory" && !second.ends_with(token["hint"].as_str().unwrap_or("-"))
        })
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let _ = tenant
        .operator
        .delete(&format!("/tokens/{old}"))
        .expect(200);
    let _ = tenant
        .operator
        .delete(&format!("/tokens/{old}"))
        .expect(200);
    let revoked = tenant.scim.get("/Users").status == 401;
    let kept = renewed.get("/Users").status == 200;
    assert!(
        revoked && kept,
        "revoked: {revoked}, the other kept: {kept}"
    );
    let database = std::fs::read(tenant.server.data().join("gatewright.redb")).unwrap();
    let found = database
        .windows(second.len())
        .any(|part| part == second.as_bytes());
    assert!(!found, "the token itself is in the database");
}
