use super::{Entra, Settings};
use gatewright_sdk::{Normalized, Provider, Request, testing};
use serde_json::{Value, json};

const MISSPELT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
const RIGHT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PACKED: &str = r#"{"id":"8ae06bd4","value":"Admin","displayName":"The Admin"}"#;

fn normalize(method: &str, body: &Value) -> Option<Normalized> {
    let request = Request {
        method: method.to_owned(),
        resource: "Users".to_owned(),
        id: (method != "POST").then(|| "2819c223".to_owned()),
        query: Vec::new(),
        headers: Vec::new(),
        body: Some(body.to_string()),
        extra: Vec::new(),
    };
    Entra.normalize(request).unwrap()
}

/// The repaired body, and what was repaired.
fn repaired(method: &str, body: &Value) -> (Value, Vec<String>) {
    let normalized = normalize(method, body).expect("something to repair");
    let whats = normalized.repairs.into_iter().map(|repair| repair.what);
    let body = normalized.body.expect("a body");
    (serde_json::from_str(&body).unwrap(), whats.collect())
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": [], "Operations": operations })
}

#[test]
fn a_misspelt_urn_is_corrected() {
    let (user, repairs) = repaired(
        "POST",
        &json!({
            "schemas": [MISSPELT],
            MISSPELT: {"department": "Sales"},
            format!("{MISSPELT}:employeeNumber"): "7",
        }),
    );
    assert_eq!(
        user,
        json!({
            "schemas": [MISSPELT],
            RIGHT: {"department": "Sales"},
            format!("{RIGHT}:employeeNumber"): "7",
        })
    );
    assert_eq!(repairs, ["corrected the URN of the enterprise extension"]);
    let (body, _) = repaired(
        "PATCH",
        &patch(&json!([
            {"op": "Add", "path": format!("{MISSPELT}:manager"), "value": "271"},
            {"op": "replace", "value": {format!("{MISSPELT}:department"): "Sales"}},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "Add", "path": format!("{RIGHT}:manager"), "value": "271"},
            {"op": "replace", "value": {format!("{RIGHT}:department"): "Sales"}},
        ]))
    );
}

#[test]
fn roles_come_out_of_their_text() {
    let role = json!({
        "value": "Admin", "display": "The Admin", "type": "WindowsAzureActiveDirectoryRole",
    });
    let (body, repairs) = repaired(
        "PATCH",
        &patch(&json!([
            {"op": "Add", "path": "roles", "value": [{"value": PACKED}, {"value": "plain"}]},
            {"op": "replace", "value": {"roles": [{"value": PACKED}], "title": "x"}},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "Add", "path": "roles", "value": [role, {"value": "plain"}]},
            {"op": "replace", "value": {"roles": [role], "title": "x"}},
        ]))
    );
    assert_eq!(repairs, ["took a role out of its text"], "told once");
}

#[test]
fn roles_are_created_with_a_display() {
    let (user, _) = repaired(
        "POST",
        &json!({"roles": [
            {"primary": false, "type": "WindowsAzureActiveDirectoryRole", "displayName": "The Admin", "value": "Admin"},
        ]}),
    );
    assert_eq!(
        user,
        json!({"roles": [
            {"primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "The Admin", "value": "Admin"},
        ]})
    );
}

#[test]
fn a_patch_of_nothing_changes_nothing() {
    let (body, _) = repaired("PATCH", &patch(&json!([])));
    assert_eq!(body, patch(&json!([{"op": "replace", "value": {}}])));
}

#[test]
fn what_is_fine_passes_untouched() {
    for user in [
        json!({"userName": "ada", "roles": [{"value": "Admin", "display": "The Admin"}]}),
        // Text of somebody's own, though it is JSON.
        json!({"roles": [{"value": r#"{"value":"Admin"}"#}, {"value": "{}"}, {"value": "7"}]}),
        json!({"roles": [{"value": r#"{"id":"1","value":"a","displayName":"A","more":1}"#}]}),
        json!({"roles": "Admin", RIGHT: {}, format!("{MISSPELT}x"): 1}),
        json!({RIGHT: {"department": "a"}, MISSPELT: {"department": "b"}}),
        json!([]),
    ] {
        assert_eq!(normalize("PUT", &user), None, "{user}");
    }
    for operations in [
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!([{"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Admin"}]),
        json!([{"op": "Remove", "path": "roles"}]),
        json!([{"op": "replace", "value": {"displayName": "x"}}, 7]),
        json!({}),
    ] {
        assert_eq!(
            normalize("PATCH", &patch(&operations)),
            None,
            "{operations}"
        );
    }
    assert_eq!(normalize("PATCH", &json!({})), None);
}

#[test]
fn wants_to_see_only_what_it_may_repair() {
    let [interest] = &Entra::configure(Settings {}).unwrap().interests()[..] else {
        panic!("one interest");
    };
    assert!(interest.normalize && !interest.present);
    assert_eq!(interest.methods, ["POST", "PUT", "PATCH"]);
    assert_eq!(interest.resources, ["Users"]);
    assert!(testing::settings::<Settings>(r#"{"flag": true}"#).is_err());
}
