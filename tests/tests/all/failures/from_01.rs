//! Members that disappear, booleans and paths that are refused, users that are not found.

use super::operations;
use crate::shared::Tenant;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn failure_01_removing_one_member_leaves_the_others() {
    let tenant = Tenant::new("Removing members");
    let names = ["ada", "bob", "cleo", "dora"];
    let ids = names.map(|name| tenant.user(&format!("{name}@acme.test")).id());
    let path = {
        let members: Vec<&str> = ids.iter().map(String::as_str).collect();
        format!("/Groups/{}", tenant.group("Engineering", &members).id())
    };
    let [ada, bob, cleo, dora] = ids;
    let cases = [
        (json!({ "op": "Remove", "path": "members", "value": [] }), 4),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": bob }] }),
            3,
        ),
        (
            json!({ "op": "remove", "path": format!("members[value eq \"{cleo}\"]") }),
            2,
        ),
        (
            json!({ "op": "remove", "path": "members", "value": { "value": dora } }),
            1,
        ),
    ];
    for (operation, left) in cases {
        let patch = operations(&json!([operation]));
        let _ = tenant.scim.patch(&path, &patch).expect(204);
        let group = tenant.scim.get(&path).expect(200).json();
        let members = group["members"].as_array().unwrap();
        assert_eq!(members.len(), left, "{operation}");
        assert_eq!(members[0]["value"], json!(ada), "{operation}");
    }
}

#[test]
fn failure_02_capitals_and_booleans_as_text_are_taken() {
    let tenant = Tenant::new("Capitals");
    let path = format!("/Users/{}", tenant.user("ada@acme.test").id());
    let patch = operations(&json!([
        { "op": "Add", "path": "title", "value": "Countess" },
        { "op": "Replace", "path": "active", "value": "False" },
        { "op": "ADD", "path": "nickName", "value": "A" },
        { "op": "Remove", "path": "nickName" },
    ]));
    let user = tenant.scim.patch(&path, &patch).expect(200).json();
    assert_eq!(
        (&user["title"], &user["active"], &user["nickName"]),
        (&json!("Countess"), &json!(false), &Value::Null)
    );
    assert_eq!(tenant.account("ada@acme.test")["status"], "deactivated");
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
fn failure_04_a_value_by_its_type_is_made_where_there_is_none() {
    let tenant = Tenant::new("By type");
    let body = json!({ "userName": "ada@acme.test" });
    let path = format!(
        "/Users/{}",
        tenant.scim.post("/Users", &body).expect(201).id()
    );
    for op in ["replace", "Add"] {
        let patch = operations(&json!([
            { "op": op, "path": "emails[type eq \"work\"].value", "value": "ada@acme.test" },
            { "op": op, "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+44 1" },
            { "op": op, "path": "addresses[type eq \"work\"].locality", "value": "London" },
        ]));
        let user = tenant.scim.patch(&path, &patch).expect(200).json();
        assert_eq!(
            (&user["emails"], &user["phoneNumbers"], &user["addresses"]),
            (
                &json!([{ "type": "work", "value": "ada@acme.test" }]),
                &json!([{ "type": "mobile", "value": "+44 1" }]),
                &json!([{ "type": "work", "locality": "London" }])
            ),
            "{op}: made once, then found"
        );
    }
}

#[test]
fn failure_05_users_and_groups_take_put_and_patch() {
    let tenant = Tenant::new("Methods");
    let user = format!("/Users/{}", tenant.user("ada@acme.test").id());
    let group = format!("/Groups/{}", tenant.group("Engineering", &[]).id());
    let rename = operations(&json!([{ "op": "replace", "path": "displayName", "value": "Two" }]));
    for (path, whole, patched) in [
        (
            &user,
            json!({ "userName": "ada@acme.test", "displayName": "One" }),
            200,
        ),
        (&group, json!({ "displayName": "One" }), 204),
    ] {
        let put = tenant.scim.put(path, &whole).expect(200);
        assert_eq!(put.json()["displayName"], "One");
        let _ = tenant.scim.patch(path, &rename).expect(patched);
        assert_eq!(
            tenant.scim.get(path).expect(200).json()["displayName"],
            "Two"
        );
    }
}

#[test]
fn failure_06_a_client_without_a_name_may_patch_without_a_path() {
    // The client of these tests always names itself, so this request is written by hand.
    let tenant = Tenant::new("Nameless");
    let id = tenant.server.user("nameless@acme.test").id();
    let base = tenant.server.field("scim_base_url");
    let (host, path) = base.trim_start_matches("http://").split_once('/').unwrap();
    let patch =
        operations(&json!([{ "op": "Replace", "value": { "active": "False" } }])).to_string();
    let request = format!(
        "PATCH /{path}/Users/{id} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{patch}",
        tenant.server.field("token"),
        patch.len(),
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"active\":false"), "{answer}");
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
fn failure_08_the_external_id_is_echoed_and_not_demanded() {
    let tenant = Tenant::new("External ids");
    let body = json!({ "userName": "ada@acme.test", "externalId": "00uA1" });
    let with = tenant.scim.post("/Users", &body).expect(201);
    let body = json!({ "userName": "bob@acme.test" });
    let without = tenant.scim.post("/Users", &body).expect(201);
    assert_eq!(with.json()["externalId"], "00uA1");
    assert_eq!(without.json()["externalId"], Value::Null);
    let shown = tenant
        .scim
        .get(&format!("/Users/{}", with.id()))
        .expect(200);
    assert_eq!(shown.json()["externalId"], "00uA1");
    let body = json!({ "displayName": "Engineering", "externalId": "g1" });
    let group = tenant.scim.post("/Groups", &body).expect(201);
    assert_eq!(group.json()["externalId"], "g1");
    let listed = tenant.scim.get("/Groups").expect(200).json();
    assert_eq!(listed["Resources"][0]["externalId"], "g1");
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
    // Deleted and assigned again, it is the same user, whom the provider knows by its own id.
    let _ = tenant.scim.delete(&format!("/Users/{id}")).expect(204);
    let back = tenant.scim.post("/Users", &again).expect(201);
    assert_eq!(back.id(), id);
}
