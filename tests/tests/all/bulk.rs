//! `POST /Bulk` (RFC 7644 section 3.7).

use crate::shared::Tenant;
use gatewright_tests::{Client, Organization, Reply};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn bulk(scim: &Client, body: &Value) -> Vec<Value> {
    let answer = scim.post("/Bulk", body).expect(200).json();
    assert_eq!(
        answer["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    answer["Operations"].as_array().unwrap().clone()
}

fn run(scim: &Client, operations: &Value) -> Vec<Value> {
    bulk(
        scim,
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": operations,
        }),
    )
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

/// The path of the resource that a result is about.
fn path(result: &Value) -> String {
    let location = result["location"].as_str().unwrap();
    let at = location
        .find("/Users/")
        .or_else(|| location.find("/Groups/"))
        .unwrap();
    location[at..].to_owned()
}

fn user(bulk_id: &str, manager: Option<&str>) -> Value {
    let name = format!("{bulk_id}@acme.test");
    let mut data = json!({ "userName": name, "displayName": name });
    if let Some(manager) = manager {
        data[ENTERPRISE] = json!({ "manager": { "value": format!("bulkId:{manager}") } });
    }
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

fn manager(tenant: &Organization, user: &Value) -> Value {
    let user = tenant.scim.get(&path(user)).expect(200).json();
    user[ENTERPRISE]["manager"]["displayName"].clone()
}

#[test]
fn references_go_from_operation_to_operation() {
    let tenant = Tenant::new("Bulk");
    let old = tenant.user("old@acme.test");
    let old_path = format!("/Users/{}", old.id());
    let results = run(
        &tenant.scim,
        &json!([
            // It refers to what only comes after it.
            {
                "method": "POST", "path": "/Groups", "bulkId": "g",
                "data": {
                    "displayName": "Engineering",
                    "members": [{ "value": "bulkId:ada" }, { "type": "User", "value": "bulkId:bob" }],
                },
            },
            user("ada", None),
            user("bob", Some("ada")),
            {
                "method": "PATCH", "path": "/Users/bulkId:ada",
                "data": { "Operations": [{ "op": "add", "path": "title", "value": "bulkId:bob" }] },
            },
            {
                "method": "PATCH", "path": "/Groups/bulkId:g",
                "data": { "Operations": [
                    { "op": "remove", "path": "members[value eq \"bulkId:bob\"]" },
                    { "op": "add", "path": "displayName", "value": "Builders" },
                ] },
            },
            { "method": "put", "path": old_path, "data": { "userName": "new@acme.test" } },
            { "method": "DELETE", "path": old_path },
        ]),
    );
    assert_eq!(
        statuses(&results),
        ["201", "201", "201", "200", "204", "200", "204"]
    );
    assert_eq!(results[1]["bulkId"], "ada");
    assert_eq!(results[5]["method"], "PUT");
    assert!(
        results
            .iter()
            .all(|result| result.get("response").is_none())
    );
    let (ada, group) = (path(&results[1]), path(&results[0]));
    let ada = tenant.scim.get(&ada).expect(200);
    assert_eq!(ada.json()["meta"]["location"], results[3]["location"]);
    assert_eq!(ada.json()["meta"]["location"], results[1]["location"]);
    // A title is no place for a reference.
    let title = results
        .iter()
        .find(|result| result["method"] == "PATCH")
        .unwrap();
    assert_eq!(
        (&title["status"], &ada.json()["title"]),
        (&json!("200"), &json!("bulkId:bob"))
    );
    let group = tenant.scim.get(&group).expect(200);
    assert_eq!(group.json()["displayName"], "Builders");
    assert_eq!(group.json()["members"].as_array().map(Vec::len), Some(1));
    assert_eq!(group.json()["members"][0]["value"], ada.id().as_str());
    assert_eq!(group.json()["meta"]["version"], results[4]["version"]);
    assert_eq!(manager(&tenant, &results[2]), "ada@acme.test");
    let _ = tenant.scim.get(&old_path).expect(404);
}

#[test]
fn references_may_go_round() {
    let tenant = Tenant::new("Bulk circle");
    let results = run(
        &tenant.scim,
        &json!([
            user("ada", Some("bob")),
            user("bob", Some("cleo")),
            user("cleo", Some("ada")),
            user("own", Some("own")),
        ]),
    );
    assert_eq!(statuses(&results), ["201"; 4]);
    for (at, boss) in [(0, "bob"), (1, "cleo"), (2, "ada"), (3, "own")] {
        assert_eq!(manager(&tenant, &results[at]), format!("{boss}@acme.test"));
        let now = tenant.scim.get(&path(&results[at])).json();
        assert_eq!(now["meta"]["location"], results[at]["location"]);
    }
    // A circle that one of them cannot join falls apart, and nobody of it is left.
    let failed = run(
        &tenant.scim,
        &json!([
            user("dan", Some("eve")),
            user("eve", Some("ada")),
            user("ada", Some("dan")),
            user("zoe", None),
        ]),
    );
    let answered = statuses(&failed);
    assert_eq!(answered[2], "409", "{failed:?}");
    assert_eq!(
        (answered[0], answered[1], answered[3]),
        ("409", "409", "201"),
        "{failed:?}"
    );
    let list = tenant
        .scim
        .get("/Users?attributes=userName")
        .expect(200)
        .json();
    assert_eq!(list["totalResults"], 5, "{list}");
}

#[test]
fn errors_are_each_operations_own_up_to_a_number() {
    let tenant = Tenant::new("Bulk errors");
    let taken = tenant.user("taken@acme.test");
    let taken_path = format!("/Users/{}", taken.id());
    let half = json!({ "Operations": [
        { "op": "add", "path": "title", "value": "Half" },
        { "op": "add", "path": "shoeSize", "value": 9 },
    ] });
    let operations = json!([
        user("taken", None),
        user("under", Some("taken")),
        { "method": "PATCH", "path": taken_path, "data": half },
        { "method": "DELETE", "path": taken_path, "version": "W/\"0\"" },
        { "method": "DELETE", "path": "/Users/nobody" },
        { "method": "POST", "path": "/Users", "bulkId": "x" },
        { "method": "DELETE", "path": taken_path, "version": taken.json()["meta"]["version"] },
    ]);
    let limited = bulk(
        &tenant.scim,
        &json!({ "failOnErrors": 2, "Operations": operations }),
    );
    assert_eq!(statuses(&limited), ["409", "409"]);
    let results = run(&tenant.scim, &operations);
    assert_eq!(
        statuses(&results),
        ["409", "409", "400", "412", "404", "400", "204"]
    );
    assert_eq!(results[0]["response"]["scimType"], "uniqueness");
    assert_eq!(results[0]["location"], Value::Null);
    assert!(
        results[1]["response"]["detail"]
            .as_str()
            .unwrap()
            .contains("bulkId:taken")
    );
    assert_eq!(results[2]["response"]["scimType"], "invalidPath");
    assert!(
        results[2]["location"]
            .as_str()
            .unwrap()
            .ends_with(&taken_path)
    );
    assert_eq!(results[5]["response"]["scimType"], "invalidSyntax");
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 0);
    let none = bulk(&tenant.scim, &json!({ "Operations": [] }));
    assert!(none.is_empty());
}

#[test]
fn a_circle_that_is_cut_off_is_taken_back() {
    let tenant = Tenant::new("Bulk cut off");
    let operations = json!([
        { "method": "DELETE", "path": "/Users/nobody" },
        user("ada", Some("bob")), user("bob", Some("ada")),
    ]);
    let first = bulk(
        &tenant.scim,
        &json!({ "failOnErrors": 1, "Operations": operations }),
    );
    assert_eq!(statuses(&first), ["404"]);
    let _ = tenant.user("ada@acme.test");
    let operations = json!([
        user("ada", Some("bob")),
        user("bob", Some("ada")),
        user("cleo", None)
    ]);
    let results = bulk(
        &tenant.scim,
        &json!({ "failOnErrors": 1, "Operations": operations }),
    );
    assert_eq!(statuses(&results), ["409", "409"]);
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn a_bulk_request_is_bounded() {
    let tenant = Tenant::new("Bulk limits");
    let gone = json!({ "method": "DELETE", "path": "/Users/nobody" });
    let refused = |reply: Reply, part: &str| {
        let body = reply.expect(413).json();
        assert!(body["detail"].as_str().unwrap().contains(part), "{body}");
    };
    let most = run(&tenant.scim, &json!(vec![gone.clone(); 1_000]));
    assert_eq!(most.len(), 1_000);
    let past = json!({ "Operations": vec![gone.clone(); 1_001] });
    refused(tenant.scim.post("/Bulk", &past), "1000");
    let large = json!({ "Operations": [gone], "x": "x".repeat(16 << 20) });
    refused(tenant.scim.post("/Bulk", &large), "16777216");
    // Each operation is held to what it could have alone.
    let mut one = user("ada", None);
    one["data"]["title"] = "x".repeat(1 << 20).into();
    let results = run(&tenant.scim, &json!([one]));
    assert_eq!(statuses(&results), ["413"]);
    let config = tenant.scim.get("/ServiceProviderConfig").expect(200).json();
    assert_eq!(
        config["bulk"],
        json!({ "supported": true, "maxOperations": 1_000, "maxPayloadSize": 16 << 20 })
    );
    for wrong in [
        json!([]),
        json!({ "Operations": {} }),
        json!({ "Operations": [], "failOnErrors": -1 }),
    ] {
        let body = tenant.scim.post("/Bulk", &wrong).expect(400).json();
        assert_eq!(body["scimType"], "invalidSyntax");
    }
}

#[test]
fn each_operation_passes_the_providers_plugin() {
    let tenant = Tenant::new("Bulk plugin");
    let created = tenant
        .operator
        .post(
            "/directories",
            &json!({ "name": "Okta", "provider": "okta" }),
        )
        .expect(201)
        .json();
    let (url, token) = (created["scim_base_url"].as_str(), created["token"].as_str());
    let scim = Client::new(url.unwrap(), token);
    let mut one = user("ada", None);
    one["data"]["password"] = "1mz050nq".into();
    let reply = scim
        .post("/Bulk", &json!({ "Operations": [one] }))
        .expect(200);
    assert_eq!(
        statuses(reply.json()["Operations"].as_array().unwrap()),
        ["201"]
    );
    let repaired = reply.header("gatewright-repaired").unwrap_or_default();
    assert!(
        repaired.starts_with("Operations[0]: ") && repaired.contains("password"),
        "{repaired}"
    );
    assert!(reply.revision() > 0);
}
