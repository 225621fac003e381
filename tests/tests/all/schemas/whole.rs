//! What is never returned, and what is asked of a whole resource.

use super::{TEAM, URN, declare, detail, patch, user};
use crate::shared::Tenant;
use serde_json::{Value, json};

/// By whatever way: as a part of what is always returned, by the default sub-attribute of a filter or
/// an order, in another spelling of the schema, or after the part was declared no longer.
#[test]
fn what_is_never_returned_is_never_returned() {
    let tenant = Tenant::new("Never");
    let schema = |parts: &[Value], key: &str| {
        json!({ "id": URN, "name": "Acme", "attributes": [
            { "name": "desk", "type": "complex", "returned": "always", "subAttributes": parts },
            { "name": key, "type": "complex", "subAttributes": [
                { "name": "value", "returned": "never" }, { "name": "label" },
            ] },
            { "name": "locks", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "returned": "never" }, { "name": "label" },
            ] },
        ] })
    };
    let room = json!({ "name": "room" });
    let pin = json!({ "name": "pin", "returned": "never" });
    let _ = declare(&tenant, &[schema(&[room.clone(), pin], "key")]).expect(200);
    let extension = json!({
        "desk": { "room": "1", "pin": "SECRET" }, "key": { "value": "SECRET", "label": "l" },
        "locks": [{ "value": "SECRET", "label": "l" }],
    });
    let made = user(&tenant, "ada", &extension).expect(201);
    assert_eq!(made.json()[URN]["desk"], json!({ "room": "1" }));
    let silent = |path: &str| {
        let reply = tenant.scim.get(path);
        assert!(!reply.text.contains("SECRET"), "{path}: {}", reply.text);
        reply
    };
    let path = format!("/Users/{}", made.id());
    let named = format!("?attributes={URN}:desk.pin,{URN}:key");
    for query in ["", "?attributes=userName", &named] {
        let _ = silent(&format!("{path}{query}")).expect(200);
        let _ = silent(&format!("/Users{query}")).expect(200);
    }
    for filter in [
        "~:key sw \"S\"",
        "~:key.value sw \"S\"",
        "~:locks sw \"S\"",
        "~:locks[label eq \"l\"].value sw \"S\"",
        "~:locks[value sw \"S\"]",
        "~:desk.pin pr",
    ] {
        let filter = filter
            .replace('~', URN)
            .replace(' ', "%20")
            .replace('"', "%22");
        let reply = silent(&format!("/Users?filter={filter}"));
        let said = detail(reply, 400, "invalidFilter");
        assert!(said.contains("is never returned"), "{said}");
    }
    let _ = silent(&format!("/Users?sortBy={URN}:key&count=1&cursor=")).expect(400);
    // Another spelling is another attribute for documents and indexes, so it is none.
    let other = [schema(std::slice::from_ref(&room), "KEY")];
    let problem = declare(&tenant, &other).expect(409).json();
    let said = problem["detail"].as_str().unwrap();
    assert!(
        said.contains(&format!("declared before as `{URN}:key`")),
        "{said}"
    );
    let _ = declare(&tenant, &[schema(&[room], "key")]).expect(200);
    let shown = silent(&path).expect(200).json();
    assert_eq!(shown[URN]["desk"], json!({ "room": "1" }));
}

#[test]
fn what_is_required_is_asked_of_the_whole() {
    let tenant = Tenant::new("Required");
    let schema = json!({ "id": URN, "name": "Acme", "attributes": [
        { "name": "once", "mutability": "immutable" },
        { "name": "must", "required": true },
        { "name": "other" },
    ] });
    let team = json!({ "id": TEAM, "name": "Team", "resourceType": "Group", "attributes": [
        { "name": "code", "required": true }, { "name": "other" },
    ] });
    let _ = declare(&tenant, &[schema, team]).expect(200);
    let ada = user(&tenant, "ada", &json!({ "once": "1", "must": "2" }))
        .expect(201)
        .id();
    let path = format!("/Users/{ada}");
    // What is set once stays, and then what is required is asked for, too.
    let put = tenant.scim.put(&path, &json!({ "userName": "ada" }));
    let said = detail(put, 400, "invalidValue");
    assert!(
        said.contains(&format!("`{URN}:must` is required")),
        "{said}"
    );
    let put = json!({ "userName": "ada", URN: { "must": "3" } });
    let put = tenant.scim.put(&path, &put).expect(200).json();
    assert_eq!(put[URN], json!({ "must": "3", "once": "1" }));

    // Where nothing stays, the whole extension may go, but no part that it must have.
    let bob = user(&tenant, "bob", &json!({ "must": "2" }))
        .expect(201)
        .id();
    let bob = format!("/Users/{bob}");
    let other = json!({ "op": "add", "path": format!("{URN}:other"), "value": "x" });
    let _ = patch(&tenant, &bob, &other).expect(200);
    let must = json!({ "op": "remove", "path": format!("{URN}:must") });
    let _ = detail(patch(&tenant, &bob, &must), 400, "invalidValue");
    let gone = json!({ "op": "remove", "path": URN });
    let gone = patch(&tenant, &bob, &gone).expect(200).json();
    assert_eq!(gone.get(URN), None);

    // The order of the operations does not matter.
    let group = tenant
        .scim
        .post("/Groups", &json!({ "displayName": "G" }))
        .expect(201)
        .id();
    let group = format!("/Groups/{group}");
    let body = |operations: &Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        })
    };
    let operations = json!([
        { "op": "add", "path": format!("{TEAM}:other"), "value": "x" },
        { "op": "add", "path": "members", "value": [{ "value": ada }] },
        { "op": "add", "path": format!("{TEAM}:code"), "value": "y" },
    ]);
    let _ = tenant.scim.patch(&group, &body(&operations)).expect(204);
    let operations = json!([{ "op": "remove", "path": format!("{TEAM}:code") }]);
    let _ = detail(
        tenant.scim.patch(&group, &body(&operations)),
        400,
        "invalidValue",
    );
}
