//! Users who are deleted, and users who come back.

use crate::shared::Tenant;
use gatewright_tests::Reply;
use serde_json::{Value, json};

fn post(tenant: &Tenant, name: &str, external_id: Option<&str>) -> Reply {
    let mut body = json!({ "userName": name, "active": true });
    if let Some(external_id) = external_id {
        body["externalId"] = external_id.into();
    }
    tenant.scim.post("/Users", &body)
}

fn delete(tenant: &Tenant, id: &str) -> Reply {
    tenant.scim.delete(&format!("/Users/{id}"))
}

fn deleted(tenant: &Tenant) -> Value {
    let path = format!("/directories/{}/deleted-users", tenant.directory);
    tenant.operator.get(&path).expect(200).json()["users"].take()
}

#[test]
fn who_is_created_again_by_external_id_is_the_same_person() {
    let tenant = Tenant::new("Return");
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("Engineering", "seat", "responder"),
    ]);
    let first = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(201)
        .json();
    let id = first["id"].as_str().unwrap();
    let _ = tenant.group("Engineering", &[id]);
    let before = tenant.account("ada@acme.test");
    assert_eq!(
        (&before["role"]["name"], &before["seats"][0]["name"]),
        (&json!("Admin"), &json!("responder"))
    );
    let _ = delete(&tenant, id).expect(204);
    assert_eq!(tenant.account("ada@acme.test")["status"], "deactivated");

    // Another name, as after a marriage: the external id says who it is.
    let again = post(&tenant, "ada.king@acme.test", Some("00ua1")).expect(201);
    let location = again.header("location").unwrap().to_owned();
    let again = again.json();
    assert_eq!(again["id"], first["id"]);
    assert!(location.ends_with(id), "{location}");
    assert_eq!(again["meta"]["created"], first["meta"]["created"]);
    assert_eq!(again["userName"], "ada.king@acme.test");
    assert_eq!(again["groups"], Value::Null);
    let after = tenant.account("ada.king@acme.test");
    assert_eq!(after["id"], before["id"]);
    assert_eq!(
        (&after["status"], &after["role"]["name"]),
        (&json!("active"), &json!("Standard"))
    );
    let seats: Vec<&Value> = after["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| &seat["name"])
        .collect();
    assert!(!seats.contains(&&json!("responder")), "{after:#}");
    assert_eq!(tenant.accounts().len(), 1);
    assert_eq!(deleted(&tenant), json!([]));
    // Sent once more, because the answer got lost: a duplicate, as for everybody.
    let error = post(&tenant, "ada.king@acme.test", Some("00ua1"))
        .expect(409)
        .json();
    assert_eq!(error["scimType"], "uniqueness");
}

#[test]
fn an_equal_user_name_is_a_new_person() {
    let tenant = Tenant::new("New person");
    let old = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(201)
        .id();
    let _ = delete(&tenant, &old).expect(204);
    let other = post(&tenant, "ada@acme.test", Some("00ub2"))
        .expect(201)
        .id();
    assert_ne!(old, other);
    let _ = delete(&tenant, &other).expect(204);
    let nobody = post(&tenant, "ada@acme.test", None).expect(201).id();
    assert!(nobody != old && nobody != other);
    assert_eq!(tenant.accounts().len(), 3);

    // The first one comes back, but its name belongs to somebody else.
    let error = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(409)
        .json();
    assert_eq!(error["scimType"], "uniqueness");
    assert_eq!(deleted(&tenant).as_array().unwrap().len(), 2);
    let back = post(&tenant, "ada.old@acme.test", Some("00ua1")).expect(201);
    assert_eq!(back.id(), old);
}

#[test]
fn a_deleted_user_does_not_exist_for_anybody() {
    let tenant = Tenant::new("Gone");
    let id = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(201)
        .id();
    let path = format!("/Users/{id}");
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    let inactive = tenant.scim.patch(&path, &patch).expect(200).json();
    assert_eq!(inactive["active"], false);
    let _ = tenant.scim.get(&path).expect(200);
    let _ = delete(&tenant, &id).expect(204);
    for reply in [
        tenant.scim.get(&path),
        tenant.scim.put(&path, &json!({ "userName": "x" })),
        tenant.scim.patch(&path, &patch),
        delete(&tenant, &id),
    ] {
        let _ = reply.expect(404);
    }
    for query in ["", "?filter=externalId%20eq%20%2200ua1%22"] {
        let list = tenant
            .scim
            .get(&format!("/Users{query}"))
            .expect(200)
            .json();
        assert_eq!(list["totalResults"], 0);
    }
    let group = json!({ "displayName": "G", "members": [{ "value": id }] });
    let _ = tenant.scim.post("/Groups", &group).expect(400);
    // Deactivated and deleted are two facts.
    let events = tenant.events(100);
    let facts: Vec<(&str, &Value)> = events
        .iter()
        .filter(|event| event["data"]["user"] == json!(id))
        .map(|event| {
            (
                event["type"].as_str().unwrap_or_default(),
                &event["data"]["active"],
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("user.created", &json!(true)),
            ("user.updated", &json!(false)),
            ("user.deleted", &json!(false)),
        ]
    );
}

#[test]
fn an_operator_restores_a_deleted_user_as_it_was() {
    let tenant = Tenant::new("Restore");
    let id = post(&tenant, "ada@acme.test", None).expect(201).id();
    let before = tenant.account("ada@acme.test");
    let _ = delete(&tenant, &id).expect(204);
    let kept = deleted(&tenant);
    assert_eq!(
        (&kept[0]["id"], &kept[0]["user_name"]),
        (&json!(id), &json!("ada@acme.test"))
    );
    let path = format!(
        "/directories/{}/deleted-users/{id}/restore",
        tenant.directory
    );
    let other = post(&tenant, "ada@acme.test", None).expect(201).id();
    let error = tenant.operator.post(&path, &json!({})).expect(409).json();
    assert!(error["detail"].as_str().unwrap().contains("ada@acme.test"));
    let _ = delete(&tenant, &other).expect(204);
    let _ = tenant.operator.post(&path, &json!({})).expect(200);
    let user = tenant.scim.get(&format!("/Users/{id}")).expect(200).json();
    assert_eq!(user["userName"], "ada@acme.test");
    let accounts = tenant.accounts();
    let account = accounts.iter().find(|one| one["id"] == before["id"]);
    assert_eq!(account.unwrap()["status"], "active");
    let _ = tenant.operator.post(&path, &json!({})).expect(404);
    // Nor by the application, or from another organization.
    let _ = tenant.application.post(&path, &json!({})).expect(403);
    let another = tenant.another("Elsewhere");
    let _ = another.operator.post(&path, &json!({})).expect(404);
}

#[test]
fn a_directory_that_keeps_nobody_makes_everybody_new() {
    let tenant = Tenant::new("Keeps nobody");
    let path = format!("/directories/{}", tenant.directory);
    let set = |days: i64| {
        tenant
            .operator
            .patch(&path, &json!({ "keep_deleted_days": days }))
    };
    let error = set(3_651).expect(400).json();
    assert!(
        error["detail"]
            .as_str()
            .unwrap()
            .contains("keep_deleted_days")
    );
    let _ = set(-1).expect(400);
    assert_eq!(set(3_650).expect(200).json()["keep_deleted_days"], 3_650);
    let _ = set(0).expect(200);
    let old = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(201)
        .id();
    let _ = delete(&tenant, &old).expect(204);
    assert_eq!(deleted(&tenant), json!([]));
    let new = post(&tenant, "ada@acme.test", Some("00ua1"))
        .expect(201)
        .id();
    assert_ne!(old, new);
}

#[test]
fn the_unique_identifier_decides_what_user_name_means_in_a_lookup() {
    let tenant = Tenant::new("Identifier");
    let path = format!("/directories/{}", tenant.directory);
    let user = |name: &str, email: &str| {
        let body = json!({ "userName": name, "emails": [{ "value": email, "type": "work" }] });
        tenant.scim.post("/Users", &body)
    };
    let found = |filter: &str| -> Vec<String> {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let list = tenant
            .scim
            .get(&format!("/Users?filter={filter}"))
            .expect(200)
            .json();
        let users = list["Resources"].as_array().unwrap().iter();
        users
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect()
    };
    let _ = user("ada", "ada@acme.test").expect(201);
    assert!(found("userName eq \"ada@acme.test\"").is_empty());
    let wrong = json!({ "unique_identifier": "title" });
    let error = tenant.operator.patch(&path, &wrong).expect(400).json();
    assert!(error["detail"].as_str().unwrap().contains("emails.value"));
    let chosen = json!({ "unique_identifier": "emails.value" });
    let _ = tenant.operator.patch(&path, &chosen).expect(200);

    assert_eq!(found("userName eq \"ADA@acme.test\""), ["ada"]);
    // All else means what it says.
    assert_eq!(found("userName sw \"ad\""), ["ada"]);
    assert_eq!(found("userName eq \"ada\" and active eq true"), ["ada"]);
    let error = user("bob", "Ada@Acme.test").expect(409).json();
    assert_eq!(error["scimType"], "uniqueness");
    let bob = user("bob", "bob@acme.test").expect(201).id();
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{
            "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@acme.test",
        }],
    });
    let _ = tenant
        .scim
        .patch(&format!("/Users/{bob}"), &patch)
        .expect(409);
    let unchanged = tenant.scim.get(&format!("/Users/{bob}")).json();
    assert_eq!(unchanged["emails"][0]["value"], "bob@acme.test");
}
