//! The body of a PATCH: read or refused. What it makes of a user is canonical: it prints as a body
//! that reads to the same user.
#![no_main]

use gatewright_scim::{
    Group, GroupOperation, GroupPatch, Limits, Profile, Unknown, User, UserPatch, parse_json,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

static USER: LazyLock<User> = LazyLock::new(|| {
    let body = json!({
        "userName": "ada@example.com", "active": false, "name": { "givenName": "Ada" },
        "emails": [
            { "value": "ada@example.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "R&D" },
    });
    User::parse(body, Profile::default())
        .expect("a sound user")
        .resource
});

/// Other ways to read: only what the RFCs allow, and everything.
fn others() -> [Profile; 2] {
    let strict = Profile {
        strict: true,
        unknown: Unknown::Refuse,
        ..Profile::default()
    };
    let keeping = Profile {
        unknown: Unknown::Keep,
        ..Profile::default()
    };
    [strict, keeping]
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(body) = parse_json(bytes, &limits) else {
        return;
    };
    if let Ok(patch) = UserPatch::parse(&body, Profile::default(), &limits)
        && let Ok(patched) = patch.apply(&USER)
    {
        let user = patched.resource;
        assert!(!user.user_name().is_empty(), "userName is required");
        assert!(
            !user.active() || user.as_map().contains_key("active"),
            "nobody is let in by what is missing"
        );
        let again = User::parse(Value::Object(user.as_map().clone()), Profile::default());
        let again = again.expect("what PATCH makes is a sound body").resource;
        let shown = |user: &User| {
            let mut map = user.as_map().clone();
            // Null where it was taken away from somebody who was inactive: see `User::active`.
            map.remove("active");
            map
        };
        assert_eq!(shown(&again), shown(&user));
    }
    for profile in others() {
        if let Ok(patch) = UserPatch::parse(&body, profile, &limits) {
            let _ = patch.apply(&USER);
        }
    }
    if let Ok(patch) = GroupPatch::parse(&body, Profile::default(), &limits) {
        let group = Group::parse(json!({ "displayName": "G" }), Profile::default());
        let group = group.expect("a sound group").resource.group;
        for operation in patch.operations() {
            if let GroupOperation::Attributes(attributes) = operation {
                let _ = attributes.apply(&group);
            }
        }
    }
});
