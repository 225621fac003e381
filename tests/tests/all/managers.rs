//! What a user says of its manager is the manager's own.

use crate::shared::Tenant;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn manager(tenant: &Tenant, path: &str) -> Value {
    tenant.scim.get(path).expect(200).json()[ENTERPRISE]["manager"].clone()
}

fn set(attribute: &str, value: &str) -> Value {
    json!({ "Operations": [{ "op": "replace", "path": attribute, "value": value }] })
}

#[test]
fn the_name_of_a_manager_is_that_of_its_user() {
    let tenant = Tenant::new("Managers");
    let boss = tenant.user("boss@acme.test");
    let (boss_id, boss_at) = (boss.id(), boss.json()["meta"]["location"].clone());
    let ada = tenant.user("ada@acme.test").id();
    let path = format!("/Users/{ada}");
    let shown = |name: &str| json!({ "value": boss_id, "$ref": boss_at, "displayName": name });
    // What a client says about it is not believed.
    let body = json!({
        "userName": "ada@acme.test",
        ENTERPRISE: { "manager": {
            "value": boss_id, "$ref": "https://elsewhere.test/1", "displayName": "Mallory",
        } },
    });
    let put = tenant.scim.put(&path, &body).expect(200).json();
    let nameless = json!({ "value": boss_id, "$ref": boss_at });
    assert_eq!(put[ENTERPRISE]["manager"], nameless);
    let before = tenant.scim.get(&path).json()["meta"]["version"].clone();
    let boss_path = format!("/Users/{boss_id}");
    let _ = tenant
        .scim
        .patch(&boss_path, &set("displayName", "The Boss"))
        .expect(200);
    assert_eq!(manager(&tenant, &path), shown("The Boss"));
    assert_ne!(tenant.scim.get(&path).json()["meta"]["version"], before);
    for query in ["manager", "manager.displayName", ENTERPRISE] {
        let part = manager(&tenant, &format!("{path}?attributes={query}"));
        assert_eq!(part["displayName"], "The Boss", "{query}");
    }
    for filter in ["manager.displayName eq \"the boss\"", "manager.$ref pr"] {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        let found = tenant
            .scim
            .get(&format!("/Users?attributes=id&filter={filter}"));
        assert_eq!(found.expect(200).json()["Resources"][0]["id"], ada.as_str());
    }
    let _ = tenant
        .scim
        .patch(&path, &set("manager.displayName", "Mallory"))
        .expect(400);
    // Who is gone, or was never here, is only what the provider said.
    let _ = tenant.scim.delete(&boss_path).expect(204);
    assert_eq!(manager(&tenant, &path)["value"], boss_id.as_str());
    assert_eq!(manager(&tenant, &path)["displayName"], Value::Null);
    let _ = tenant
        .scim
        .patch(&path, &set("manager.value", "M-42"))
        .expect(200);
    assert_eq!(manager(&tenant, &path), json!({ "value": "M-42" }));
}
