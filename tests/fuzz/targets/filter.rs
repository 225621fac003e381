//! A filter: whatever is sent is read or refused; what was read prints as text that reads to the
//! same filter, and can be asked about a resource.
#![no_main]

use gatewright_scim::{Filter, Limits, Profile, ResourceType, User};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

static USER: LazyLock<Value> = LazyLock::new(|| {
    let body = json!({
        "userName": "ada@example.com", "externalId": "1", "active": true, "title": "Dr",
        "name": { "givenName": "Ada", "familyName": "King" },
        "emails": [
            { "value": "ada@example.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "R&D" },
    });
    let user = User::parse(body, Profile::default())
        .expect("a sound user")
        .resource;
    Value::Object(user.into_map())
});

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    for resource in ResourceType::ALL {
        let Ok(filter) = Filter::parse(text, resource, &limits) else {
            continue;
        };
        let printed = filter.to_string();
        let again = Filter::parse(&printed, resource, &limits);
        assert_eq!(again.as_ref(), Ok(&filter), "printed as {printed}");
        let _ = filter.equalities();
        if resource == ResourceType::User {
            assert_eq!(
                filter.matches(&USER),
                again.is_ok_and(|again| again.matches(&USER))
            );
        }
    }
});
