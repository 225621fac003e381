//! Which group an entry of the mapping means that names it by name or external id.

use crate::plans::planned;
use crate::shared::Tenant;
use gatewright_tests::{Organization, Reply};
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";

fn entry(organization: &Organization) -> Value {
    let mapping = organization.operator.get("/mapping").expect(200).json();
    mapping["entries"][0].clone()
}

fn rename(organization: &Organization, group: &str, name: &str) {
    let operation = json!({ "op": "replace", "path": "displayName", "value": name });
    let body = json!({ "Operations": [operation] });
    let path = format!("/Groups/{group}");
    let _ = organization.scim.patch(&path, &body).expect(204);
}

fn delete(organization: &Organization, group: &str) {
    let path = format!("/Groups/{group}");
    let _ = organization.scim.delete(&path).expect(204);
}

fn pin(organization: &Organization, group: &str) -> Reply {
    let id = entry(organization)["id"].as_str().unwrap().to_owned();
    let path = format!("/mapping/{id}/pin");
    organization
        .operator
        .post(&path, &json!({ "group": group }))
}

fn role(organization: &Organization, name: &str) -> Value {
    organization.account(name)["role"]["name"].clone()
}

#[test]
fn the_first_group_of_a_name_is_the_one_and_a_rename_keeps_it() {
    let tenant = Tenant::new("Pins");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    assert_eq!(entry(&tenant)["pin"]["state"], "waiting");
    let ada = tenant.user(ADA).id();
    let bob = tenant.user("bob@acme.test").id();
    let group = tenant.group("ENGINEERING", &[&ada]).id();
    let pinned = entry(&tenant)["pin"].clone();
    assert_eq!(pinned["state"], "pinned");
    assert_eq!(
        pinned["group"],
        json!({ "id": group, "name": "ENGINEERING" })
    );
    assert_eq!(role(&tenant, ADA), "Admin");
    rename(&tenant, &group, "Builders");
    assert_eq!(role(&tenant, ADA), "Admin");
    assert_eq!(entry(&tenant)["pin"]["group"]["name"], "Builders");
    // Another group that takes the name is another group.
    let other = tenant.group("Engineering", &[&bob]).id();
    assert_eq!(role(&tenant, "bob@acme.test"), "Standard");
    assert_eq!(entry(&tenant)["pin"]["state"], "pinned");
    // The same mapping once more changes nothing of it, and a seat from the group stays its.
    tenant.map(&[
        ("Engineering", "base-role", "Admin"),
        ("engineering", "seat", "on-call"),
    ]);
    assert_eq!(entry(&tenant)["pin"]["group"]["id"], group);
    let account = tenant.account(ADA);
    let path = format!(
        "/accounts/{}/seats/on-call",
        account["id"].as_str().unwrap()
    );
    let _ = tenant.application.delete(&path).expect(409);
    // A person may choose the other one.
    let _ = pin(&tenant, &other).expect(200);
    assert_eq!(role(&tenant, "bob@acme.test"), "Admin");
    assert_eq!(role(&tenant, ADA), "Standard");
    let kinds: Vec<Value> = tenant
        .events(1_000)
        .iter()
        .filter(|event| event["type"].as_str().unwrap().starts_with("mapping.pin"))
        .map(|event| event["data"]["group"].clone())
        .collect();
    assert_eq!(kinds, [json!(group), json!(other)]);
}

#[test]
fn a_group_can_be_entered_by_external_id_before_it_comes() {
    let tenant = Tenant::new("Pins by external id");
    let entries = json!([{
        "group": { "external_id": "g-1" }, "kind": "base-role", "target": "Viewer"
    }]);
    let _ = tenant
        .operator
        .put("/mapping", &json!({ "entries": entries }))
        .expect(200);
    let ada = tenant.user(ADA).id();
    let body = json!({
        "displayName": "Any", "externalId": "g-1", "members": [{ "value": ada }]
    });
    let group = tenant.scim.post("/Groups", &body).expect(201).id();
    assert_eq!(entry(&tenant)["pin"]["group"]["id"], group);
    assert_eq!(role(&tenant, ADA), "Viewer");
    let operation = json!({ "op": "replace", "path": "externalId", "value": "g-2" });
    let body = json!({ "Operations": [operation] });
    let path = format!("/Groups/{group}");
    let _ = tenant.scim.patch(&path, &body).expect(204);
    assert_eq!(role(&tenant, ADA), "Viewer");
}

#[test]
fn a_group_that_is_pushed_again_is_proposed_and_not_taken() {
    let tenant = Tenant::new("Pushed again");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ada = tenant.user(ADA).id();
    let first = tenant.group("Engineering", &[&ada]).id();
    assert_eq!(role(&tenant, ADA), "Admin");
    delete(&tenant, &first);
    assert_eq!(role(&tenant, ADA), "Standard");
    let second = tenant.group("Engineering", &[&ada]).id();
    assert_eq!(role(&tenant, ADA), "Standard");
    let proposed = entry(&tenant)["pin"].clone();
    assert_eq!(proposed["state"], "proposed");
    assert_eq!(proposed["group"], json!({ "id": first, "name": null }));
    assert_eq!(
        proposed["proposed"],
        json!([{ "id": second, "name": "Engineering" }])
    );
    // Looked at first, then accepted.
    let id = entry(&tenant)["id"].as_str().unwrap().to_owned();
    let plan = planned(&tenant, &json!({ "pins": { id: second } }));
    assert_eq!(plan["changes"], json!(["pins"]));
    assert_eq!(plan["counts"]["role-up"], 1);
    assert_eq!(role(&tenant, ADA), "Standard");
    let path = format!("/plans/{}/confirm", plan["id"].as_str().unwrap());
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = tenant.operator.post(&path, &words).expect(200);
    assert_eq!(role(&tenant, ADA), "Admin");
    assert_eq!(entry(&tenant)["pin"]["state"], "pinned");
    // Or without a look.
    delete(&tenant, &second);
    let third = tenant.group("Engineering", &[&ada]).id();
    let _ = pin(&tenant, &third).expect(200);
    assert_eq!(role(&tenant, ADA), "Admin");
}

#[test]
fn where_two_groups_match_at_first_a_person_chooses() {
    let tenant = Tenant::new("Ambiguous");
    let ada = tenant.user(ADA).id();
    let bob = tenant.user("bob@acme.test").id();
    let group = |external_id: &str, user: &str| {
        let body = json!({
            "displayName": "Engineering", "externalId": external_id, "members": [{ "value": user }]
        });
        tenant.scim.post("/Groups", &body).expect(201).id()
    };
    let (one, two) = (group("1", &ada), group("2", &bob));
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    assert_eq!(role(&tenant, ADA), "Standard");
    let shown = entry(&tenant)["pin"].clone();
    assert_eq!(
        (&shown["state"], &shown["group"]),
        (&json!("ambiguous"), &Value::Null)
    );
    assert_eq!(
        shown["proposed"],
        json!([{ "id": one, "name": "Engineering" }, { "id": two, "name": "Engineering" }])
    );
    let _ = pin(&tenant, &two).expect(200);
    assert_eq!(role(&tenant, "bob@acme.test"), "Admin");
    assert_eq!(role(&tenant, ADA), "Standard");
    assert_eq!(entry(&tenant)["pin"]["proposed"], json!([]));
}
