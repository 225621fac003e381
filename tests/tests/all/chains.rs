//! Slots with more than one policy: what their decisions come to together.

use crate::shared::Tenant;
use gatewright_tests::{Reply, plugin};
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";

/// Installs a component of this workspace, and says its digest.
pub(crate) fn install(tenant: &Tenant, name: &str) -> String {
    let api = tenant.api();
    let reply = api.install(&plugin(name));
    let digest = reply["digest"].clone();
    digest.as_str().unwrap().to_owned()
}

fn put(tenant: &Tenant, slot: &str, chain: &Value) -> Reply {
    let body = json!({ "chain": chain });
    tenant.operator.put(&format!("/bindings/{slot}"), &body)
}

fn names(grants: &Value) -> Vec<&str> {
    let grants = grants.as_array().unwrap();
    grants
        .iter()
        .map(|grant| grant["name"].as_str().unwrap())
        .collect()
}

/// With custom roles, which the shipped catalogue lacks.
fn catalogue(tenant: &Tenant) {
    let catalogue = json!({
        "base_roles": [{ "name": "Owner" }, { "name": "Admin" }, { "name": "Member", "default": true }, { "name": "Guest" }],
        "custom_roles": [{ "name": "Auditor" }, { "name": "Billing" }],
        "seat_types": [{ "name": "full" }, { "name": "light" }],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
}

#[test]
fn a_policy_of_your_own_adds_a_rule_beside_the_mapping() {
    let tenant = Tenant::new("A rule beside");
    catalogue(&tenant);
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("Engineering", "custom-role", "Billing"),
    ]);
    let by_attribute = install(&tenant, "by-attribute");
    let rule = json!({ "attribute": "title", "value": "Controller", "custom_role": "Auditor" });
    let bound = put(
        &tenant,
        "roles",
        &json!([
            { "plugin": "group-roles" },
            { "plugin": by_attribute, "settings": rule },
        ]),
    );
    let version = bound.expect(200).json()["version"].clone();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": ADA, "active": true, "title": "Controller",
    });
    let ada = tenant.scim.post("/Users", &body).expect(201).id();
    let bob = tenant.user("bob@acme.test").id();
    let _ = tenant.group("Engineering", &[&ada, &bob]);
    let account = tenant.account(ADA);
    assert_eq!(account["role"]["name"], "Admin");
    let roles = &account["custom_roles"];
    assert_eq!(names(roles), ["Auditor", "Billing"]);
    assert_eq!(roles[0]["reason"], "title is Controller");
    assert_eq!(roles[1]["reason"], "member of \"Engineering\"");
    // Each grant says which policy of the chain it comes from.
    let by = |place: u32, plugin: &str| {
        json!({
            "slot": "roles", "place": place, "plugin": plugin, "version": "0.1.0",
            "binding": version,
        })
    };
    assert_eq!(roles[0]["by"], by(1, "by-attribute"));
    assert_eq!(roles[1]["by"], by(0, "group-roles"));
    assert_eq!(account["role"]["by"], by(0, "group-roles"));
    assert_eq!(
        names(&tenant.account("bob@acme.test")["custom_roles"]),
        ["Billing"]
    );
}

#[test]
fn the_highest_base_role_wins_and_the_first_of_equals_gives_the_reason() {
    let tenant = Tenant::new("Highest of a chain");
    catalogue(&tenant);
    tenant.map(&[("Guests", "base-role", "Guest")]);
    let ada = tenant.user(ADA).id();
    let _ = tenant.group("Guests", &[&ada]);
    let default = |role: &str| {
        json!({ "plugin": "group-roles", "settings": { "default_role": role }, "grants": {
            "base_roles": { "only": [role, "Guest"] }, "custom_roles": { "only": [] }, "seats": { "only": [] }
        } })
    };
    let chain = |chain: &[&Value]| {
        let _ = put(&tenant, "roles", &json!(chain)).expect(200);
        let _ = tenant.user(&format!("{}@acme.test", chain.len()));
        tenant.account(&format!("{}@acme.test", chain.len()))["role"].clone()
    };
    let (guest, owner, member) = (default("Guest"), default("Owner"), default("Member"));
    // Each has its own grants: what one may not give, another may.
    let role = chain(&[&guest, &owner, &member]);
    assert_eq!(
        (&role["name"], &role["by"]["place"]),
        (&json!("Owner"), &json!(1))
    );
    let role = chain(&[&guest, &member, &member, &guest]);
    assert_eq!(
        (&role["name"], &role["by"]["place"]),
        (&json!("Member"), &json!(1))
    );
    // For who is in the group all of them say the same.
    let role = &tenant.account(ADA)["role"];
    assert_eq!(
        (&role["name"], &role["by"]["place"]),
        (&json!("Guest"), &json!(0))
    );
}

#[test]
fn the_most_restrictive_status_wins_with_its_reason() {
    let tenant = Tenant::new("Most restrictive");
    let lifecycle = |settings: Value| json!({ "plugin": "group-lifecycle", "settings": settings });
    let chain = json!([
        lifecycle(json!({})),
        lifecycle(json!({ "assigned_groups": ["Staff"] })),
        lifecycle(json!({})),
    ]);
    let _ = put(&tenant, "lifecycle", &chain).expect(200);
    let ada = tenant.user(ADA).id();
    let account = tenant.account(ADA);
    assert_eq!(account["status"], "deactivated");
    let reason = account["status_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the user is in none of the groups that give access"),
        "{reason}"
    );
    let _ = tenant.group("staff", &[&ada]);
    let account = tenant.account(ADA);
    assert_eq!(account["status"], "active");
    assert_eq!(
        account["status_reason"],
        "the directory says that the user is active"
    );
}

#[test]
fn seats_of_a_chain_are_united_and_one_that_keeps_is_enough() {
    let tenant = Tenant::new("Seats of a chain");
    catalogue(&tenant);
    tenant.map(&[("Team", "seat", "full")]);
    let chain = json!([
        { "plugin": "group-seats", "settings": { "keep_when_leaving": false } },
        { "plugin": "group-seats", "settings": { "default_seat": "light" } },
    ]);
    let _ = put(&tenant, "seats", &chain).expect(200);
    let ada = tenant.user(ADA).id();
    assert_eq!(names(&tenant.account(ADA)["seats"]), ["light"]);
    let team = tenant.group("Team", &[&ada]).id();
    assert_eq!(names(&tenant.account(ADA)["seats"]), ["full"]);
    let _ = tenant.scim.delete(&format!("/Groups/{team}")).expect(204);
    let account = tenant.account(ADA);
    let seat = &account["seats"][0];
    assert_eq!(
        (&seat["name"], &seat["by"]["place"]),
        (&json!("full"), &json!(1))
    );
}

#[test]
fn a_refusal_of_any_leaves_the_account_as_it_was() {
    let tenant = Tenant::new("A refusal in a chain");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ada = tenant.user(ADA).id();
    let seats = tenant.account(ADA)["seats"].clone();
    // The default role that the second names is none of the catalogue, so it refuses.
    let chain = json!([
        { "plugin": "group-roles" },
        { "plugin": "group-roles", "settings": { "default_role": "Nobody" } },
        { "plugin": "group-roles" },
    ]);
    let _ = put(&tenant, "roles", &chain).expect(200);
    let bob = tenant.user("bob@acme.test").id();
    let _ = tenant.group("Engineering", &[&bob]);
    let look = |label: &str| {
        let found = tenant.application.get(&format!("/accounts?email={label}"));
        found.expect(200).json()["accounts"][0].clone()
    };
    tenant
        .server
        .until("ada is stale", |_| !look(ADA)["stale"].is_null());
    let stale = look(ADA);
    assert_eq!(
        (&stale["role"]["name"], &stale["seats"]),
        (&json!("Standard"), &seats)
    );
    let message = stale["stale"]["message"].as_str().unwrap();
    assert!(message.contains("Nobody"), "{message}");
    // It has an answer for those who need no default.
    tenant.server.until("bob is decided", |_| {
        look("bob@acme.test")["role"]["name"] == "Admin"
    });
    let patch = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let _ = tenant
        .scim
        .patch(&format!("/Users/{ada}"), &patch)
        .expect(200);
    assert_eq!(look(ADA)["status"], "deactivated");
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    assert_eq!(tenant.account(ADA)["stale"], Value::Null);
}

#[test]
fn a_chain_is_shown_replaced_and_rolled_back_as_a_whole() {
    let tenant = Tenant::new("Chains");
    let get = || tenant.operator.get("/bindings/roles").expect(200).json();
    let plugins = |binding: &Value| -> Vec<Value> {
        let chain = binding["chain"].as_array().unwrap();
        chain.iter().map(|one| one["settings"].clone()).collect()
    };
    assert_eq!(plugins(&get()), [json!({})]);
    let viewer = json!({ "default_role": "Viewer" });
    let two = json!([{ "plugin": "group-roles", "settings": viewer }, { "plugin": "group-roles" }]);
    let set = put(&tenant, "roles", &two).expect(200).json();
    assert_eq!(plugins(&set), [viewer.clone(), json!({})]);
    assert_eq!(get(), set);
    // The fields of the first stand where they stood before there were chains.
    for field in ["plugin", "digest", "settings", "grants"] {
        assert_eq!(set[field], set["chain"][0][field]);
    }
    // One plugin replaces them all.
    let one = json!({ "plugin": "group-roles" });
    let _ = tenant.operator.put("/bindings/roles", &one).expect(200);
    assert_eq!(plugins(&get()), [json!({})]);
    let back = tenant.operator.post("/bindings/roles/rollback", &json!({}));
    let back = back.expect(200).json();
    assert_eq!(plugins(&back), plugins(&set));
    assert_eq!(back["version"].as_u64(), Some(4));
    let back = tenant.operator.post("/bindings/roles/rollback", &json!({}));
    assert_eq!(plugins(&back.expect(200).json()), [json!({})]);
    let events = tenant.events(1_000);
    let changes = events.iter().filter(|one| one["type"] == "binding.changed");
    let lengths = changes.map(|one| one["data"]["chain"].as_array().unwrap().len());
    assert_eq!(lengths.collect::<Vec<_>>(), [2, 1, 2, 1]);
    // Eight are the most.
    let eight = json!(vec![json!({ "plugin": "group-roles" }); 8]);
    let _ = put(&tenant, "roles", &eight).expect(200);
    let _ = tenant.user(ADA);
    assert_eq!(tenant.account(ADA)["role"]["name"], "Standard");
}
