use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The ways to write one simple attribute, and what the model calls it.
const PLAIN: [(&str, &str); 5] = [
    ("title", "/title"),
    ("NickName", "/nickName"),
    ("name.givenName", "/name/givenName"),
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
        "/name/familyName",
    ),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
    ),
];
const TYPES: [&str; 3] = ["work", "home", "other"];

#[derive(Debug, Clone)]
enum Step {
    Plain {
        action: usize,
        place: usize,
        value: Option<String>,
        pathless: bool,
    },
    Email {
        action: usize,
        kind: usize,
        value: Option<String>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::option::of("[a-c]{0,2}");
    prop_oneof![
        (0..3_usize, 0..PLAIN.len(), value(), any::<bool>()).prop_map(
            |(action, place, value, pathless)| Step::Plain {
                action,
                place,
                value,
                pathless
            }
        ),
        (0..3_usize, 0..TYPES.len(), value()).prop_map(|(action, kind, value)| Step::Email {
            action,
            kind,
            value
        }),
    ]
}

/// The operation that a step is, in the model too: a table of paths and texts.
fn operation(step: &Step, model: &mut BTreeMap<String, String>) -> Value {
    let op = |action: usize| ["Add", "replace", "REMOVE"][action];
    let mut set = |key: String, action: usize, value: &Option<String>| match value {
        Some(value) if action < 2 && !value.is_empty() => {
            model.insert(key, value.clone());
        }
        _ => {
            model.remove(&key);
        }
    };
    match step {
        Step::Plain {
            action,
            place,
            value,
            pathless,
        } => {
            let (path, pointer) = PLAIN[*place];
            set(pointer.to_owned(), *action, value);
            if *pathless && *action < 2 {
                json!({"op": op(*action), "value": {path: value}})
            } else {
                json!({"op": op(*action), "path": path, "value": value})
            }
        }
        Step::Email {
            action,
            kind,
            value,
        } => {
            let kind = TYPES[*kind];
            set(format!("email {kind}"), *action, value);
            json!({"op": op(*action), "path": format!("emails[type eq \"{kind}\"].value"), "value": value})
        }
    }
}

proptest! {
    #[test]
    fn patches_agree_with_a_table(steps in prop::collection::vec(step(), 1..12)) {
        let mut model = BTreeMap::new();
        let operations: Vec<Value> = steps.iter().map(|step| operation(step, &mut model)).collect();
        let patched = run(&user(json!({})), &json!(operations)).map_err(|error| TestCaseError::fail(error.detail))?;
        let mut found = BTreeMap::new();
        let mut document = Value::Object(patched.resource.clone().into_map());
        for (_, pointer) in PLAIN {
            if let Some(text) = document.pointer(pointer).and_then(Value::as_str) {
                found.insert(pointer.to_owned(), text.to_owned());
            }
        }
        if let Some(emails) = document.as_object_mut().unwrap().remove("emails") {
            for email in emails.as_array().unwrap() {
                found.insert(format!("email {}", email["type"].as_str().unwrap()), email["value"].as_str().unwrap().to_owned());
            }
        }
        prop_assert_eq!(&found, &model);
        prop_assert_eq!(patched.changed, !model.is_empty());
        let text = document.to_string();
        prop_assert!(!text.contains("null") && !text.contains("{}"), "{}", text);
        let again = User::parse(Value::Object(patched.resource.clone().into_map()), Profile::default()).unwrap();
        prop_assert_eq!(again.resource, patched.resource);
    }

    #[test]
    fn no_path_makes_the_reader_panic(path in "\\PC*", value in "[a-z\"]*") {
        for op in ["add", "remove"] {
            let _ = run(&user(json!({"emails": ["a"]})), &json!([{"op": op, "path": path, "value": value}]));
            let _ = run(&user(json!({})), &json!([{"op": op, "value": {&path: value}}]));
        }
    }
}
