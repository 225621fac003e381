//! What users of other SCIM servers reported most often, in the order of that list, where the
//! dialogues do not show it already.

use crate::shared::Tenant;
use serde_json::{Value, json};

fn operations(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

#[test]
fn failure_03_any_json_media_type_is_taken() {
    let tenant = Tenant::new("Media types");
    for (n, media_type) in [
        Some("application/json"),
        Some("application/scim+json"),
        Some("application/json; charset=utf-8"),
        Some("Application/SCIM+JSON;charset=UTF-8"),
        None,
    ]
    .into_iter()
    .enumerate()
    {
        let headers: Vec<_> = media_type
            .iter()
            .map(|value| ("Content-Type", *value))
            .collect();
        let body = json!({ "userName": format!("u{n}@acme.test") }).to_string();
        let created = tenant
            .scim
            .send("POST", "/Users", &headers, Some(body.as_bytes()));
        let created = created.expect(201);
        assert!(
            created
                .header("content-type")
                .unwrap()
                .starts_with("application/scim+json")
        );
    }
    // A body-less request with whatever Accept there is.
    for accept in ["application/json", "*/*", "text/html"] {
        let _ = tenant
            .scim
            .send("GET", "/Users", &[("Accept", accept)], None)
            .expect(200);
    }
}

#[test]
fn failure_07_an_unquoted_filter_finds_one_or_none() {
    let tenant = Tenant::new("Unquoted");
    for (name, external) in [
        ("ada@acme.test", "42"),
        ("bob@acme.test", "true"),
        ("cleo@acme.test", "e-7"),
    ] {
        let body = json!({ "userName": name, "externalId": external });
        let _ = tenant.scim.post("/Users", &body).expect(201);
    }
    let found = |value: &str| {
        let list = tenant
            .scim
            .get(&format!("/Users?filter=externalId%20eq%20{value}"));
        let list = list.expect(200).json();
        list["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["userName"].clone())
            .collect()
    };
    let cases: [(&str, Vec<Value>); 4] = [
        ("42", vec![json!("ada@acme.test")]),
        ("true", vec![json!("bob@acme.test")]),
        ("e-7", vec![json!("cleo@acme.test")]),
        ("E-7", vec![]),
    ];
    for (value, wanted) in cases {
        let users: Vec<Value> = found(value);
        assert_eq!(users, wanted, "{value}");
    }
}

#[test]
fn failure_09_a_partial_replace_leaves_the_rest_of_a_group() {
    let tenant = Tenant::new("Partial");
    let ada = tenant.user("ada@acme.test").id();
    let group = tenant.group("Engineering", &[&ada]).id();
    let path = format!("/Groups/{group}");
    let patch = operations(&json!([{ "op": "replace", "value": { "externalId": "g1" } }]));
    let _ = tenant.scim.patch(&path, &patch).expect(204);
    let after = tenant.scim.get(&path).expect(200).json();
    assert_eq!(
        (
            &after["displayName"],
            &after["externalId"],
            &after["members"][0]["value"]
        ),
        (&json!("Engineering"), &json!("g1"), &json!(ada))
    );
    let patch = operations(&json!([{ "op": "replace", "value": { "members": [] } }]));
    let _ = tenant.scim.patch(&path, &patch).expect(204);
    assert_eq!(tenant.scim.get(&path).json()["displayName"], "Engineering");
}

#[test]
fn failure_10_a_user_that_is_there_is_found_and_taken_over() {
    let tenant = Tenant::new("Take over");
    let id = tenant.user("Ada@Acme.test").id();
    let again = json!({ "userName": "ada@acme.test", "externalId": "00ua1" });
    let _ = tenant.scim.post("/Users", &again).expect(409);
    let found = tenant
        .scim
        .get("/Users?filter=userName%20eq%20%22ADA%40ACME.TEST%22")
        .json();
    assert_eq!(found["Resources"][0]["id"], json!(id));
    let put = tenant
        .scim
        .put(&format!("/Users/{id}"), &again)
        .expect(200)
        .json();
    assert_eq!(
        (&put["id"], &put["externalId"]),
        (&json!(id), &json!("00ua1"))
    );
}

#[test]
fn failures_11_to_14_pages_are_stable_whole_and_counted() {
    let tenant = Tenant::new("Pages");
    let ids: Vec<String> = (0..23)
        .map(|n| tenant.user(&format!("u{n:02}@acme.test")).id())
        .collect();
    // Groups that many are in must not multiply them.
    let references: Vec<&str> = ids.iter().map(String::as_str).collect();
    let _ = tenant.group("One", &references);
    let _ = tenant.group("Two", &references);
    let page = |query: &str| {
        tenant
            .scim
            .get(&format!("/Users?{query}"))
            .expect(200)
            .json()
    };
    let mut seen = Vec::new();
    for start in (1..=23).step_by(5) {
        let page = page(&format!("startIndex={start}&count=5"));
        let users = page["Resources"].as_array().unwrap().clone();
        assert_eq!(
            (&page["totalResults"], &page["startIndex"]),
            (&json!(23), &json!(start))
        );
        assert_eq!(
            page["itemsPerPage"],
            users.len(),
            "what is on the page, not what was asked for"
        );
        seen.extend(
            users
                .iter()
                .map(|user| user["id"].as_str().unwrap().to_owned()),
        );
        // A change of one that was shown moves nobody.
        let body = operations(&json!([{ "op": "replace", "path": "title", "value": "x" }]));
        let _ = tenant
            .scim
            .patch(&format!("/Users/{}", ids[0]), &body)
            .expect(200);
    }
    let unique: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!(
        (seen.len(), unique.len()),
        (23, 23),
        "none twice, none missing"
    );
    assert_eq!(
        page("")["itemsPerPage"],
        23,
        "without paging parameters there is a list as well"
    );
    let past = page("startIndex=24&count=5");
    assert_eq!(
        (&past["totalResults"], &past["Resources"]),
        (&json!(23), &json!([]))
    );
    assert_eq!(page("count=5")["itemsPerPage"], 5);
    assert_eq!(page("startIndex=20")["itemsPerPage"], 4);
}

#[test]
fn failure_15_a_random_password_is_taken_and_kept_nowhere() {
    let tenant = Tenant::new("Password");
    let body = json!({ "userName": "ada@acme.test", "password": "a" });
    let created = tenant.scim.post("/Users", &body).expect(201);
    let shown = tenant
        .scim
        .get(&format!("/Users/{}?attributes=password", created.id()))
        .expect(200);
    assert!(!created.text.contains("password") && !shown.text.contains("password"));
}

#[test]
fn failures_16_and_17_members_with_and_without_trimmings() {
    let tenant = Tenant::new("Members");
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let body = json!({ "displayName": "Engineering", "members": [
        { "value": ada, "display": "Ada", "displayName": "Ada", "$ref": null },
        { "value": bob, "type": "User", "$ref": "https://elsewhere.test/Users/1", "display": null },
        { "value": ada },
    ] });
    let group = tenant.scim.post("/Groups", &body).expect(201);
    assert_eq!(
        group.json()["members"].as_array().unwrap().len(),
        2,
        "{}",
        group.text
    );
    // A member who is gone is the request's fault, neither 404 of the group nor 500.
    let _ = tenant.scim.delete(&format!("/Users/{bob}")).expect(204);
    let add = operations(&json!([{ "op": "Add", "path": "members", "value": [{ "value": bob }] }]));
    let refused = tenant
        .scim
        .patch(&format!("/Groups/{}", group.id()), &add)
        .expect(400);
    assert!(refused.json()["detail"].as_str().unwrap().contains(&bob));
    let remove =
        operations(&json!([{ "op": "Remove", "path": "members", "value": [{ "value": bob }] }]));
    let _ = tenant
        .scim
        .patch(&format!("/Groups/{}", group.id()), &remove)
        .expect(204);
}

#[test]
fn failures_19_and_20_users_are_active_unless_said_otherwise() {
    let tenant = Tenant::new("Active");
    let created = tenant
        .scim
        .post("/Users", &json!({ "userName": "ada@acme.test" }))
        .expect(201);
    assert_eq!(
        created.json()["active"],
        true,
        "a provider would try to activate it for ever"
    );
    assert_eq!(tenant.account("ada@acme.test")["status"], "active");
    let path = format!("/Users/{}", created.id());
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
    }
    // The inactive are listed as well.
    assert_eq!(
        tenant.scim.get("/Users?filter=active%20eq%20false").json()["totalResults"],
        1
    );
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
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
