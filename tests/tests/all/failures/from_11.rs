//! Pages that repeat or skip, passwords, members with and without trimmings.

use super::operations;
use crate::shared::Tenant;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Users `u00`, `u01` and so on; their ids.
fn users(tenant: &Tenant, count: usize) -> Vec<String> {
    (0..count)
        .map(|n| tenant.user(&format!("u{n:02}@acme.test")).id())
        .collect()
}

fn page(tenant: &Tenant, query: &str) -> Value {
    let reply = tenant.scim.get(&format!("/Users?{query}"));
    reply.expect(200).json()
}

fn ids(page: &Value) -> Vec<String> {
    let resources = page["Resources"].as_array().unwrap();
    resources
        .iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn failure_11_pages_show_everybody_once() {
    let tenant = Tenant::new("Pages");
    let all = users(&tenant, 23);
    let mut seen = Vec::new();
    for start in (1..=23).step_by(5) {
        let page = page(&tenant, &format!("startIndex={start}&count=5"));
        assert_eq!(page["startIndex"], json!(start));
        seen.extend(ids(&page));
        // A change of one that was shown moves nobody.
        let body =
            operations(&json!([{ "op": "replace", "path": "title", "value": start.to_string() }]));
        let first = format!("/Users/{}", all[0]);
        let _ = tenant.scim.patch(&first, &body).expect(200);
    }
    let unique: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(seen.len(), 23, "none twice");
    assert_eq!(unique, all.iter().collect(), "none missing");
}

#[test]
fn failure_12_items_per_page_is_what_is_on_the_page() {
    let tenant = Tenant::new("Items per page");
    let _ = users(&tenant, 7);
    for (query, items) in [
        ("startIndex=1&count=5", 5),
        ("startIndex=6&count=5", 2),
        ("count=100", 7),
        ("count=0", 0),
        ("filter=userName%20eq%20%22nobody%22&count=100", 0),
    ] {
        let page = page(&tenant, query);
        assert_eq!(page["itemsPerPage"], json!(items), "{query}");
        assert_eq!(ids(&page).len(), items, "{query}");
    }
}

#[test]
fn failure_13_memberships_multiply_nobody() {
    let tenant = Tenant::new("Totals");
    let all = users(&tenant, 5);
    for name in ["One", "Two", "Three"] {
        let members: Vec<Value> = all
            .iter()
            .map(|id| json!({ "value": id, "display": "shown" }))
            .collect();
        let body = json!({ "displayName": name, "members": members });
        let _ = tenant.scim.post("/Groups", &body).expect(201);
    }
    let page = page(&tenant, "count=3");
    assert_eq!((&page["totalResults"], ids(&page).len()), (&json!(5), 3));
    assert_eq!(
        tenant.scim.get("/Groups").expect(200).json()["totalResults"],
        3
    );
    let _ = tenant.scim.get("/ServiceProviderConfig").expect(200);
}

#[test]
fn failure_14_lists_begin_and_end_where_they_should() {
    let tenant = Tenant::new("Ends");
    let all = users(&tenant, 6);
    let whole = page(&tenant, "");
    assert_eq!(ids(&whole).len(), all.len(), "without any parameter");
    assert_eq!(whole["itemsPerPage"], 6);
    assert_eq!(page(&tenant, "count=5")["itemsPerPage"], 5);
    assert_eq!(page(&tenant, "startIndex=5")["itemsPerPage"], 2);
    let past = page(&tenant, "startIndex=7&count=5");
    assert_eq!(
        (&past["totalResults"], &past["Resources"]),
        (&json!(6), &json!([]))
    );
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
fn failure_16_members_come_with_and_without_trimmings() {
    let tenant = Tenant::new("Trimmings");
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let body = json!({ "displayName": "Engineering", "members": [
        { "value": ada, "display": "Ada", "displayName": "Ada", "$ref": null },
        { "value": bob, "type": "User", "$ref": "https://elsewhere.test/Users/1", "display": null },
        { "value": ada },
    ] });
    let group = tenant.scim.post("/Groups", &body).expect(201);
    let members = group.json()["members"].as_array().unwrap().len();
    assert_eq!(members, 2, "{}", group.text);
}

#[test]
fn failure_17_a_member_who_is_gone_is_the_requests_fault() {
    let tenant = Tenant::new("Stale members");
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let path = format!(
        "/Groups/{}",
        tenant.group("Engineering", &[&ada, &bob]).id()
    );
    let _ = tenant.scim.delete(&format!("/Users/{bob}")).expect(204);
    // Neither 404 of the group nor 500, which a provider repeats for ever.
    let add = operations(&json!([{ "op": "Add", "path": "members", "value": [{ "value": bob }] }]));
    let refused = tenant.scim.patch(&path, &add).expect(400);
    assert!(refused.json()["detail"].as_str().unwrap().contains(&bob));
    let remove =
        operations(&json!([{ "op": "Remove", "path": "members", "value": [{ "value": bob }] }]));
    let _ = tenant.scim.patch(&path, &remove).expect(204);
    let group = tenant.scim.get(&path).expect(200).json();
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
}
