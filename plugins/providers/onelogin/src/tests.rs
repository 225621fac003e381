use super::{OneLogin, Settings, urn};
use gatewright_sdk::{Normalized, Parameter, Provider, Request, testing};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn normalize(method: &str, query: &[(&str, &str)], body: Option<&Value>) -> Option<Normalized> {
    let parameter = |(name, value): &(&str, &str)| Parameter {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    let request = Request {
        method: method.to_owned(),
        resource: "Users".to_owned(),
        id: None,
        query: query.iter().map(parameter).collect(),
        headers: Vec::new(),
        body: body.map(Value::to_string),
        extra: Vec::new(),
    };
    OneLogin.normalize(request).unwrap()
}

/// The repaired body, and what was repaired.
fn repaired(method: &str, body: &Value) -> (Value, Vec<String>) {
    let normalized = normalize(method, &[], Some(body)).expect("something to repair");
    let whats = normalized.repairs.into_iter().map(|repair| repair.what);
    let body = normalized.body.expect("a body");
    (serde_json::from_str(&body).unwrap(), whats.collect())
}

fn patch(operations: &Value) -> Value {
    json!({ "schemas": [], "Operations": operations })
}

#[test]
fn a_user_of_the_enterprise_template_is_read() {
    let (user, repairs) = repaired(
        "POST",
        &json!({
            "schemas": ["urn:scim:schemas:core:1.0", "urn:scim:schemas:extension:enterprise:1.0"],
            "userName": "ada@acme.test",
            "emails": {"value": "ada@acme.test", "type": "work", "primary": true},
            "prefferedLanguage": "en",
            "urn:scim:schemas:extension:enterprise:1.0": {
                "department": "Engines",
                "manager": {"managerId": "26118915", "displayName": "Mae"},
            },
        }),
    );
    assert_eq!(
        user,
        json!({
            "schemas": ["urn:scim:schemas:core:1.0", "urn:scim:schemas:extension:enterprise:1.0"],
            "userName": "ada@acme.test",
            "emails": {"value": "ada@acme.test", "type": "work", "primary": true},
            "preferredLanguage": "en",
            ENTERPRISE: {
                "department": "Engines",
                "manager": {"value": "26118915", "displayName": "Mae"},
            },
        })
    );
    assert_eq!(repairs.len(), 3);
}

#[test]
fn the_manager_is_found_in_each_of_its_places() {
    let (user, repairs) = repaired("PUT", &json!({"manager": {"managerId": "7"}}));
    assert_eq!(user, json!({"manager": {"value": "7"}}));
    assert_eq!(repairs, ["read manager.managerId as manager.value"]);
    let full = format!("{ENTERPRISE}:manager");
    let (user, _) = repaired("PUT", &json!({&full: {"managerId": "7"}}));
    assert_eq!(user, json!({ &full: {"value": "7"} }));
    let both = json!({"manager": {"managerId": "7", "value": "8"}});
    assert_eq!(normalize("PUT", &[], Some(&both)), None);
}

#[test]
fn operations_are_read_like_users() {
    let (body, _) = repaired(
        "PATCH",
        &patch(&json!([
            {"op": "replace", "value": {"prefferedLanguage": "en", "title": "x"}},
            {"op": "replace", "path": "urn:scim:schemas:extension:enterprise:2.0:manager", "value": {"managerId": "7"}},
            {"op": "remove", "path": "prefferedLanguage"},
            {"op": "replace", "path": "title", "value": "y"},
        ])),
    );
    assert_eq!(
        body,
        patch(&json!([
            {"op": "replace", "value": {"preferredLanguage": "en", "title": "x"}},
            {"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": {"value": "7"}},
            {"op": "remove", "path": "preferredLanguage"},
            {"op": "replace", "path": "title", "value": "y"},
        ]))
    );
}

#[test]
fn urns_of_drafts_are_replaced_and_no_others() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    for (old, new) in [
        ("urn:scim:schemas:core:1.0", core.to_owned()),
        (
            "URN:scim:schemas:core:2.0:userName",
            format!("{core}:userName"),
        ),
        (
            "urn:scim:schemas:core:2.0:User:name.givenName",
            format!("{core}:name.givenName"),
        ),
        (
            "urn:scim:schemas:extension:enterprise:2.0",
            ENTERPRISE.to_owned(),
        ),
        (
            "urn:scim:schemas:extension:enterprise:2.0:User:department",
            format!("{ENTERPRISE}:department"),
        ),
    ] {
        assert_eq!(urn::modern(old), Some(new), "{old}");
    }
    for other in [
        ENTERPRISE,
        "urn:scim:schemas:core:2.0x",
        "urn:scim:schemas:extension:custom:2.0:a",
        "userName",
        "\u{e9}",
    ] {
        assert_eq!(urn::modern(other), None, "{other}");
    }
}

#[test]
fn filters_are_read_too() {
    let sent = [
        ("filter", "urn:scim:schemas:core:2.0:userName eq \"ada\""),
        ("count", "1"),
    ];
    let normalized = normalize("GET", &sent, None).unwrap();
    assert_eq!(
        normalized.query[0].value,
        "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\""
    );
    assert_eq!(normalized.query[1].value, "1");
}

#[test]
fn what_is_fine_passes_untouched() {
    for body in [
        json!({"userName": "ada", ENTERPRISE: {"manager": {"value": "7"}}, "emails": []}),
        json!({"userName": "ada", "manager": "7"}),
        json!({"prefferedLanguage": "xx", "preferredLanguage": "en"}),
        json!([]),
    ] {
        assert_eq!(normalize("PUT", &[], Some(&body)), None, "{body}");
    }
    for operations in [
        json!([{"op": "replace", "path": "active", "value": "False"}]),
        json!([7]),
        json!(1),
    ] {
        assert_eq!(
            normalize("PATCH", &[], Some(&patch(&operations))),
            None,
            "{operations}"
        );
    }
    assert_eq!(
        normalize(
            "GET",
            &[("filter", "userName eq \"urn:scim:schemas:core:1.0\"")],
            None
        ),
        None
    );
}

#[test]
fn wants_to_see_only_what_it_may_repair() {
    let [interest] = &OneLogin::configure(Settings {}).unwrap().interests()[..] else {
        panic!("one interest");
    };
    assert!(interest.normalize && !interest.present);
    assert_eq!(interest.methods, ["GET", "POST", "PUT", "PATCH"]);
    assert_eq!(interest.resources, ["Users"]);
    assert!(testing::settings::<Settings>(r#"{"template": {}}"#).is_err());
}
