//! Lost updates, users who come back, and success that was none.

use super::operations;
use crate::shared::Tenant;
use serde_json::{Value, json};
use std::thread;

#[test]
fn failure_18_patches_of_a_group_in_parallel_lose_nobody() {
    let tenant = Tenant::new("Parallel");
    let ids: Vec<String> = (0..12)
        .map(|n| tenant.user(&format!("u{n:02}@acme.test")).id())
        .collect();
    let path = format!("/Groups/{}", tenant.group("Engineering", &[]).id());
    thread::scope(|scope| {
        for mine in ids.chunks(3) {
            let (scim, path) = (&tenant.scim, &path);
            scope.spawn(move || {
                for id in mine {
                    let member =
                        json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
                    let _ = scim.patch(path, &operations(&member)).expect(204);
                }
            });
        }
    });
    let group = tenant.scim.get(&path).expect(200).json();
    assert_eq!(group["members"].as_array().unwrap().len(), ids.len());
}

#[test]
fn failure_19_who_is_reactivated_is_back_where_they_were() {
    let tenant = Tenant::new("Reactivation");
    let id = tenant.user("ada@acme.test").id();
    let _ = tenant.group("Engineering", &[&id]);
    let path = format!("/Users/{id}");
    for (value, wanted) in [
        (json!("False"), false),
        (json!("true"), true),
        (json!(false), false),
        (json!("True"), true),
        (json!([{ "value": "False" }]), false),
    ] {
        let body = operations(&json!([{ "op": "Replace", "path": "active", "value": value }]));
        let patched = tenant.scim.patch(&path, &body).expect(200).json();
        assert_eq!(patched["active"], wanted, "{value}");
        assert_eq!(patched["groups"][0]["display"], "Engineering", "{value}");
    }
    // The inactive are listed as well.
    let inactive = tenant.scim.get("/Users?filter=active%20eq%20false").json();
    assert_eq!(inactive["totalResults"], 1);
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
    let body = operations(&json!([{ "op": "replace", "value": { "active": true } }]));
    let _ = tenant.scim.patch(&path, &body).expect(200);
    assert_eq!(tenant.account("ada@acme.test")["status"], "active");
}

#[test]
fn failure_20_a_new_user_is_active_unless_said_otherwise() {
    let tenant = Tenant::new("New users");
    let body = json!({ "userName": "ada@acme.test" });
    let created = tenant.scim.post("/Users", &body).expect(201);
    assert_eq!(
        created.json()["active"],
        true,
        "a provider would try to activate it for ever"
    );
    assert_eq!(tenant.account("ada@acme.test")["status"], "active");
    let body = json!({ "userName": "bob@acme.test", "active": false });
    let created = tenant.scim.post("/Users", &body).expect(201);
    assert_eq!(created.json()["active"], false);
}

#[test]
fn failure_21_what_is_not_done_is_not_answered_as_done() {
    let tenant = Tenant::new("Silence");
    let path = format!("/Groups/{}", tenant.group("Engineering", &[]).id());
    for operation in [
        json!({ "op": "replace", "path": "colour", "value": "red" }),
        json!({ "op": "replace", "path": "members[value eq \"x\"].nothing", "value": "red" }),
        json!({ "op": "copy", "path": "displayName", "value": "red" }),
    ] {
        let refused = tenant.scim.patch(&path, &operations(&json!([operation])));
        assert_eq!(refused.status, 400, "{operation}: {}", refused.text);
    }
}

#[test]
fn failure_22_an_odd_user_spoils_no_list_and_a_group_makes_no_users() {
    let tenant = Tenant::new("Odd rows");
    for body in [
        json!({ "userName": "only" }),
        json!({ "userName": "\u{1f980} crab", "name": {}, "emails": [{ "type": "work" }] }),
        json!({ "userName": "nulls", "displayName": null, "emails": null, "roles": [], "title": "" }),
    ] {
        let _ = tenant.scim.post("/Users", &body).expect(201);
    }
    let unknown = json!({ "displayName": "Ghosts", "members": [{ "value": "nobody@acme.test" }] });
    let _ = tenant.scim.post("/Groups", &unknown).expect(400);
    let listed = tenant.scim.get("/Users").expect(200).json();
    assert_eq!(listed["totalResults"], 3);
    assert_eq!(
        tenant.scim.get("/Groups").expect(200).json()["totalResults"],
        0
    );
}

#[test]
fn failure_23_a_create_that_is_sent_again_neither_doubles_nor_overwrites() {
    let tenant = Tenant::new("Retries");
    let body = json!({ "userName": "ada@acme.test", "externalId": "00ua1", "title": "Countess" });
    let first = tenant.scim.post("/Users", &body).expect(201);
    let again = json!({ "userName": "ADA@acme.test", "externalId": "00ua1", "active": false });
    let refused = tenant.scim.post("/Users", &again).expect(409).json();
    assert_eq!(refused["scimType"], "uniqueness");
    let shown = tenant
        .scim
        .get(&format!("/Users/{}", first.id()))
        .expect(200);
    assert_eq!(shown.json(), first.json(), "nothing of it was taken");
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
    // The same where the create brings a deleted user back.
    let path = format!("/Users/{}", first.id());
    let _ = tenant.scim.delete(&path).expect(204);
    assert_eq!(
        tenant.scim.post("/Users", &body).expect(201).id(),
        first.id()
    );
    let _ = tenant.scim.post("/Users", &again).expect(409);
    assert_eq!(tenant.scim.get(&path).expect(200).json()["active"], true);
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn failure_24_what_is_read_only_stays() {
    let tenant = Tenant::new("Read-only");
    let created = tenant.user("ada@acme.test");
    let id = created.id();
    let path = format!("/Users/{id}");
    let body = json!({
        "id": "other", "userName": "ada@acme.test", "groups": [{ "value": "x" }],
        "meta": { "created": "2001-01-01T00:00:00Z", "resourceType": "Group" }
    });
    let put = tenant.scim.put(&path, &body).expect(200).json();
    assert_eq!(put["id"], json!(id));
    assert_eq!(put["meta"]["created"], created.json()["meta"]["created"]);
    assert_eq!(
        (&put["meta"]["resourceType"], &put["groups"]),
        (&json!("User"), &Value::Null)
    );
    let posted = json!({ "id": "chosen", "userName": "bob@acme.test" });
    assert_ne!(
        tenant.scim.post("/Users", &posted).expect(201).id(),
        "chosen"
    );
    // An operation that asks for it by name is told no, or is without effect.
    let patch = operations(&json!([{ "op": "replace", "path": "id", "value": "other" }]));
    let reply = tenant.scim.patch(&path, &patch);
    assert!(matches!(reply.status, 200 | 400), "{}", reply.text);
    assert_eq!(tenant.scim.get(&path).expect(200).json()["id"], json!(id));
}
