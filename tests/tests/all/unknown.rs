//! What becomes of attributes that no schema has: ignored, kept or refused, as the directory says.

use crate::shared::Tenant;
use gatewright_tests::Reply;
use serde_json::{Value, json};

const URN: &str = "urn:okta:acme:1.0:user:custom";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn with(name: &str, unknown: &str) -> Tenant {
    let tenant = Tenant::new(name);
    let path = format!("/directories/{}", tenant.directory);
    let _ = tenant
        .operator
        .patch(&path, &json!({ "unknown_attributes": unknown }))
        .expect(200);
    tenant
}

fn post(tenant: &Tenant) -> Reply {
    let body = json!({
        "userName": "ada", "shoeSize": 43, "password": "secret",
        "name": { "givenName": "Ada", "nom": "A" }, URN: { "badge": "A7", "floor": 3 },
    });
    tenant.scim.post("/Users", &body)
}

fn patch(tenant: &Tenant, id: &str, operations: &Value) -> Reply {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    });
    tenant.scim.patch(&format!("/Users/{id}"), &body)
}

#[test]
fn by_default_they_are_left_out_and_the_request_log_says_so() {
    let tenant = Tenant::new("Ignore");
    let made = post(&tenant).expect(201).json();
    assert_eq!(made.get("shoeSize"), None);
    assert_eq!(made.get(URN), None);
    let path = format!("/directories/{}/requests", tenant.directory);
    let listed = tenant.operator.get(&path).expect(200).json();
    let id = listed["requests"][0]["id"].as_str().unwrap();
    let shown = tenant
        .operator
        .get(&format!("{path}/{id}"))
        .expect(200)
        .json();
    let ignored = shown["ignored"].to_string();
    for name in ["shoeSize", URN, "password", "name.nom"] {
        assert!(ignored.contains(name), "{ignored} should have {name}");
    }
}

#[test]
fn kept_they_are_answered_changed_and_otherwise_without_effect() {
    let tenant = with("Keep", "keep");
    let made = post(&tenant).expect(201).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["shoeSize"], 43);
    assert_eq!(made["name"], json!({ "givenName": "Ada", "nom": "A" }));
    assert_eq!(made[URN], json!({ "badge": "A7", "floor": 3 }));
    assert_eq!(made.get("password"), None);
    let after = patch(
        &tenant,
        id,
        &json!([
            { "op": "replace", "path": "shoeSize", "value": 44 },
            { "op": "remove", "path": format!("{URN}:floor") },
            { "op": "add", "value": { URN: { "room": "3.14" }, "hat": "blue" } },
        ]),
    )
    .expect(200)
    .json();
    assert_eq!(after["shoeSize"], 44);
    assert_eq!(after["hat"], "blue");
    assert_eq!(after[URN], json!({ "badge": "A7", "room": "3.14" }));
    assert_eq!(
        tenant.scim.get(&format!("/Users/{id}")).expect(200).json(),
        after
    );
    // What looks like a standard attribute, or is a password by another path, is not taken for one.
    let after = patch(&tenant, id, &json!([
        { "op": "add", "value": { "emails:value": "x@y", format!("{CORE}:password"): "secret" } },
        { "op": "add", "value": { CORE: { "password": "secret" }, "safe": { "password": "secret" } } },
    ]))
    .expect(200);
    assert!(!after.text.contains("secret"), "{}", after.text);
    let after = after.json();
    assert_eq!(
        (after.get("emails"), &after["emails:value"]),
        (None, &json!("x@y"))
    );
    // There is a limit, since every answer has them.
    let large = json!([{ "op": "add", "path": "note", "value": "x".repeat(70_000) }]);
    let _ = patch(&tenant, id, &large).expect(413);
    // Nothing finds them: an empty list would make the provider create a second user.
    let _ = tenant
        .scim
        .get("/Users?filter=shoeSize%20eq%2044")
        .expect(400);
    // A part of what is kept cannot be named, and a password is never kept.
    for path in ["a.b", "a[b eq \"c\"]", "password"] {
        let operations = json!([{ "op": "replace", "path": path, "value": "x" }]);
        let error = patch(&tenant, id, &operations);
        if path == "password" {
            // Nothing is changed, and the request log says that it was ignored.
            assert_eq!(error.expect(200).json(), after);
        } else {
            assert_eq!(error.expect(400).json()["scimType"], "invalidPath");
        }
    }
    // A replacement without them takes them away.
    let put = tenant
        .scim
        .put(&format!("/Users/{id}"), &json!({ "userName": "ada" }))
        .expect(200)
        .json();
    assert_eq!((put.get("shoeSize"), put.get(URN)), (None, None));
    let group = tenant
        .scim
        .post("/Groups", &json!({ "displayName": "G", "color": "red" }))
        .expect(201)
        .json();
    assert_eq!(group["color"], "red");
}

/// A value that was kept is nobody's any more when a schema has the attribute.
#[test]
fn what_a_schema_has_by_now_is_not_shown_from_there() {
    let tenant = with("Keep and declare", "keep");
    let id = post(&tenant).expect(201).id();
    let schema = json!({ "id": URN, "name": "Acme", "attributes": [
        { "name": "BADGE", "uniqueness": "server" },
    ] });
    let path = format!("/directories/{}/schemas", tenant.directory);
    let declaration = json!({ "schemas": [schema] });
    let _ = tenant.operator.put(&path, &declaration).expect(200);
    let shown = tenant.scim.get(&format!("/Users/{id}")).expect(200).json();
    assert_eq!(shown[URN], json!({ "floor": 3 }));
}

#[test]
fn refused_they_are_named() {
    let tenant = with("Refuse", "refuse");
    let error = post(&tenant).expect(400).json();
    assert_eq!(error["scimType"], "invalidValue");
    let detail = error["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("`shoeSize` is no attribute of a User"),
        "{detail}"
    );
    let id = tenant
        .scim
        .post("/Users", &json!({ "userName": "ada" }))
        .expect(201)
        .id();
    let operations = json!([{ "op": "add", "value": { "title": "Dr", URN: { "badge": "A7" } } }]);
    let error = patch(&tenant, &id, &operations).expect(400).json();
    let detail = error["detail"].as_str().unwrap();
    assert!(
        detail.starts_with(&format!("Operations[0]: `{URN}`")),
        "{detail}"
    );
    let shown = tenant.scim.get(&format!("/Users/{id}")).expect(200).json();
    assert_eq!(shown.get("title"), None);
    let group = json!({ "displayName": "G", "members": [{ "value": id, "since": "1999" }] });
    let error = tenant.scim.post("/Groups", &group).expect(400).json();
    assert!(
        error["detail"].as_str().unwrap().contains("members.since"),
        "{error}"
    );
}
