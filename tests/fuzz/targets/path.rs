//! A path, as PATCH and projections have it: read or refused, never a panic.
#![no_main]

use gatewright_scim::{Profile, Projection, ResourceType, Sort, User};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

static USER: LazyLock<User> = LazyLock::new(|| {
    let body = json!({
        "userName": "ada@example.com", "active": true, "name": { "givenName": "Ada" },
        "emails": [
            { "value": "ada@example.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "R&D", "manager": { "value": "26118915" },
        },
    });
    User::parse(body, Profile::default())
        .expect("a sound user")
        .resource
});

fuzz_target!(|text: &str| {
    let found = USER.attribute(text);
    assert_eq!(found, USER.attribute(text));
    for resource in ResourceType::ALL {
        let mut whole = Value::Object(USER.as_map().clone());
        whole["id"] = "1".into();
        whole["schemas"] = json!([resource.core().id]);
        Projection::parse(Some(text), None, resource).apply(&mut whole, resource);
        assert_eq!(whole["id"], "1", "id is always returned");
        Projection::parse(None, Some(text), resource).apply(&mut whole, resource);
        assert_eq!(whole["id"], "1", "id cannot be excluded");
        let _ = Sort::parse(text, None, resource);
    }
});
