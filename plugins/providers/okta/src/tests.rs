use super::{Okta, Settings};
use gatewright_sdk::{Normalized, Parameter, Provider, Request, testing};
use serde_json::{Value, json};

fn normalize(method: &str, resource: &str, body: &Value) -> Option<Normalized> {
    let request = Request {
        method: method.to_owned(),
        resource: resource.to_owned(),
        id: (method != "POST").then(|| "2819c223".to_owned()),
        query: vec![Parameter {
            name: "attributes".to_owned(),
            value: "userName".to_owned(),
        }],
        headers: Vec::new(),
        body: Some(body.to_string()),
        extra: Vec::new(),
    };
    Okta.normalize(request).unwrap()
}

/// The repaired body, and what was repaired.
fn repaired(method: &str, resource: &str, body: &Value) -> (Value, Vec<String>) {
    let normalized = normalize(method, resource, body).expect("something to repair");
    assert_eq!(normalized.query.len(), 1, "the query is as it was");
    let whats = normalized.repairs.into_iter().map(|repair| {
        assert!(!repair.why.is_empty());
        repair.what
    });
    let body = normalized.body.expect("a body");
    (serde_json::from_str(&body).unwrap(), whats.collect())
}

fn patch(operations: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

#[test]
fn a_new_user_comes_without_password_and_groups() {
    let (user, repairs) = repaired(
        "POST",
        "Users",
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "grace@example.com",
            "name": {"givenName": "Grace", "familyName": "Hopper"},
            "emails": [{"primary": true, "value": "grace@example.com", "type": "work"}],
            "locale": "en-US",
            "externalId": "00u1a2b3c4",
            "groups": [],
            "password": "k3jH82ll",
            "active": true,
        }),
    );
    assert_eq!(
        user,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "grace@example.com",
            "name": {"givenName": "Grace", "familyName": "Hopper"},
            "emails": [{"primary": true, "value": "grace@example.com", "type": "work"}],
            "locale": "en-US",
            "externalId": "00u1a2b3c4",
            "active": true,
        })
    );
    assert_eq!(repairs, ["removed password", "removed groups"]);
}

#[test]
fn a_replaced_user_comes_without_the_echo_of_the_last_answer() {
    let (user, repairs) = repaired(
        "PUT",
        "Users",
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "2819c223",
            "userName": "grace@example.com",
            "name": {"formatted": "Grace Murray", "givenName": "Grace", "familyName": "Hopper"},
            "groups": [{"value": "e9e30dba", "display": "Navy"}],
            "active": false,
            "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00Z"},
        }),
    );
    assert_eq!(
        user,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "grace@example.com",
            "name": {"givenName": "Grace", "familyName": "Hopper"},
            "active": false,
        })
    );
    assert_eq!(
        repairs,
        ["removed id, meta, groups", "removed name.formatted"]
    );
}

#[test]
fn a_formatted_name_that_may_be_right_stays() {
    for name in [
        json!({"formatted": "Hopper, Grace", "givenName": "Grace", "familyName": "Hopper"}),
        json!({"formatted": "Adm. GRACE HOPPER", "givenName": "Grace", "familyName": "Hopper"}),
        json!({"formatted": "Amazing Grace", "givenName": "Grace", "familyName": ""}),
        json!({"formatted": "Amazing Grace", "familyName": "Hopper"}),
        json!({"givenName": "Grace", "familyName": "Hopper"}),
        json!("Grace"),
        json!(null),
    ] {
        let user = json!({"userName": "grace@example.com", "name": name});
        assert_eq!(normalize("PUT", "Users", &user), None, "{name}");
    }
}

#[test]
fn a_patch_of_a_user_sets_no_password() {
    let (body, repairs) = repaired(
        "PATCH",
        "Users",
        &patch(&json!([
            {"op": "replace", "value": {"password": "k3jH82ll", "active": true}},
            {"op": "replace", "path": "password", "value": "k3jH82ll"},
            {"op": "add", "path": "title", "value": "Rear Admiral"},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "replace", "value": {"active": true}},
            {"op": "replace", "value": {}},
            {"op": "add", "path": "title", "value": "Rear Admiral"},
        ]))
    );
    assert_eq!(repairs, ["removed password"], "told once");
}

#[test]
fn active_is_taken_out_of_a_list() {
    let (body, _) = repaired(
        "PATCH",
        "Users",
        &patch(&json!([
            {"op": "replace", "path": "active", "value": [true]},
            {"op": "replace", "value": {"active": [false]}},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "replace", "path": "active", "value": true},
            {"op": "replace", "value": {"active": false}},
        ]))
    );
}

#[test]
fn a_renamed_group_comes_without_its_id() {
    let (body, repairs) = repaired(
        "PATCH",
        "Groups",
        &patch(&json!([
            {"op": "replace", "value": {"id": "abf4dd94", "displayName": "Admirals"}},
            {"op": "add", "path": "members", "value": [{"value": "23a35c27", "display": "grace"}]},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "replace", "value": {"displayName": "Admirals"}},
            {"op": "add", "path": "members", "value": [{"value": "23a35c27", "display": "grace"}]},
        ]))
    );
    assert_eq!(repairs, ["removed id"]);
}

#[test]
fn what_is_fine_passes_untouched() {
    let operations = [
        json!([{"op": "replace", "value": {"active": false}}]),
        json!([{"op": "remove", "path": "members[value eq \"89bb1940\"]"}]),
        json!([{"op": "add", "path": "members", "value": [{"value": "id", "id": "x"}]}]),
        json!([{"op": "replace", "path": "active", "value": [true, false]}]),
        json!([{"op": "replace", "path": "active", "value": true}]),
        json!(["not an operation"]),
        json!("not a list"),
    ];
    for operations in operations {
        for resource in ["Users", "Groups"] {
            assert_eq!(
                normalize("PATCH", resource, &patch(&operations)),
                None,
                "{operations}"
            );
        }
    }
    let user = json!({"userName": "grace@example.com"});
    assert_eq!(normalize("PUT", "Users", &user), None);
    assert_eq!(normalize("POST", "Users", &json!([])), None);
    assert_eq!(normalize("PATCH", "Users", &json!({})), None);
}

#[test]
fn wants_to_see_only_what_it_may_repair() {
    let okta = Okta::configure(Settings {}).unwrap();
    let seen: Vec<_> = okta
        .interests()
        .into_iter()
        .map(|interest| {
            assert!(interest.normalize && !interest.present);
            (interest.resources, interest.methods.join(" "))
        })
        .collect();
    assert_eq!(
        seen,
        [
            (vec!["Users".to_owned()], "POST PUT PATCH".to_owned()),
            (vec!["Groups".to_owned()], "PATCH".to_owned()),
        ]
    );
    assert!(testing::settings::<Settings>(r#"{"dialect": "put"}"#).is_err());
}
