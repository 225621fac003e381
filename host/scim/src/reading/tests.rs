use crate::{Profile, User};
use serde_json::{Value, json};

/// Reads a user with one attribute; the expectation is what is kept of it, or a part of the
/// error, and the paths that were left out.
fn check(name: &str, value: Value, expected: Result<Value, &str>, left_out: &[&str]) {
    let mut body = json!({"userName": "ada"});
    body[name] = value;
    match (User::parse(body.clone(), Profile::default()), expected) {
        (Ok(parsed), Ok(expected)) => {
            // Who is said to be neither is active.
            let mut wanted = json!({"userName": "ada", "active": true});
            for (name, value) in expected.as_object().unwrap() {
                wanted[name] = value.clone();
            }
            assert_eq!(Value::Object(parsed.resource.into_map()), wanted, "{body}");
            assert_eq!(parsed.ignored, left_out, "{body}");
        }
        (Err(error), Err(part)) => {
            assert_eq!(error.status, 400, "{body}");
            assert!(error.detail.contains(part), "{body}: {}", error.detail);
        }
        (result, expected) => panic!("{body}: {result:?}, expected {expected:?}"),
    }
}

#[test]
fn booleans_as_strings() {
    for (sent, read) in [
        ("True", true),
        ("False", false),
        ("true", true),
        ("FALSE", false),
    ] {
        check("active", json!(sent), Ok(json!({"active": read})), &[]);
    }
    check("active", json!([true]), Ok(json!({"active": true})), &[]);
    check(
        "active",
        json!("yes"),
        Err("`active` must be true or false, but is a string"),
        &[],
    );
    check(
        "active",
        json!(1),
        Err("`active` must be true or false, but is a number"),
        &[],
    );
}

#[test]
fn lists_of_one_and_strings_for_objects() {
    check("title", json!(["Dr"]), Ok(json!({"title": "Dr"})), &[]);
    check(
        "title",
        json!([{"value": "Dr"}]),
        Ok(json!({"title": "Dr"})),
        &[],
    );
    check(
        "title",
        json!({"value": "Dr"}),
        Err("`title` must be a string, but is an object"),
        &[],
    );
    check(
        "title",
        json!(["a", "b"]),
        Err("but is an array of several values"),
        &[],
    );
    check(
        "title",
        json!([["a"]]),
        Err("`title` must be a string, but is an array"),
        &[],
    );
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let manager = || Ok(json!({urn: {"manager": {"value": "271"}}}));
    check("manager", json!("271"), manager(), &[]);
    check("manager", json!([{"value": "271"}]), manager(), &[]);
    check(urn, json!({"manager": "271"}), manager(), &[]);
    check(
        "name",
        json!("Ada"),
        Err("`name` must be an object, but is a string"),
        &[],
    );
    check(
        "name",
        json!({"givenName": 7}),
        Err("`name.givenName` must be a string, but is a number"),
        &[],
    );
}

#[test]
fn multi_valued_attributes_without_their_list() {
    let kept = || Ok(json!({"emails": [{"value": "a@example.com"}]}));
    check("emails", json!({"value": "a@example.com"}), kept(), &[]);
    check("emails", json!("a@example.com"), kept(), &[]);
    check("emails", json!(["a@example.com", null]), kept(), &[]);
    check(
        "emails",
        json!(7),
        Err("`emails` must be an array, but is a number"),
        &[],
    );
    check(
        "emails",
        json!([{"value": {}}]),
        Err("`emails[0].value` must be a string"),
        &[],
    );
    check(
        "addresses",
        json!(["here"]),
        Err("`addresses[0]` must be an object"),
        &[],
    );
}

#[test]
fn clearing() {
    for clear in [json!(null), json!(""), json!([])] {
        check("title", clear.clone(), Ok(json!({})), &[]);
        check("emails", clear.clone(), Ok(json!({})), &[]);
        check("manager", clear.clone(), Ok(json!({})), &[]);
        check("id", clear.clone(), Ok(json!({})), &[]);
        check("unheardOf", clear, Ok(json!({})), &[]);
    }
    check(
        "emails",
        json!([{"type": "work", "primary": true, "value": ""}]),
        Ok(json!({})),
        &[],
    );
    check("name", json!({"givenName": null}), Ok(json!({})), &[]);
}

#[test]
fn what_is_left_out_is_named() {
    check("password", json!("secret"), Ok(json!({})), &["password"]);
    check(
        "groups",
        json!([{"value": "g"}]),
        Ok(json!({})),
        &["groups"],
    );
    check(
        "prefferedLanguage",
        json!("en"),
        Ok(json!({})),
        &["prefferedLanguage"],
    );
    check(
        "urn:example:custom:2.0:User",
        json!({"a": 1}),
        Ok(json!({})),
        &["urn:example:custom:2.0:User"],
    );
    check(
        "emails",
        json!([{"value": "a", "verified": true}]),
        Ok(json!({"emails": [{"value": "a"}]})),
        &["emails[0].verified"],
    );
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(
        urn,
        json!({"manager": {"value": "7", "displayName": "Bo"}, "shoe": 9}),
        Ok(json!({urn: {"manager": {"value": "7"}}})),
        &[
            &format!("{urn}:shoe"),
            &format!("{urn}:manager.displayName"),
        ],
    );
}

#[test]
fn keys_may_be_paths_in_any_case() {
    check("NICKNAME", json!("A"), Ok(json!({"nickName": "A"})), &[]);
    check(
        "name.givenName",
        json!("A"),
        Ok(json!({"name": {"givenName": "A"}})),
        &[],
    );
    check(
        "emails[type eq \"work\"].value",
        json!("a@example.com"),
        Ok(json!({"emails": [{"type": "work", "value": "a@example.com"}]})),
        &[],
    );
    check(
        "emails[kind eq \"work\"].value",
        json!("a"),
        Err("no attribute `kind`"),
        &[],
    );
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    check(
        &format!("{urn}:employeeNumber"),
        json!("7"),
        Ok(json!({urn: {"employeeNumber": "7"}})),
        &[],
    );
    check(
        "urn:ietf:params:scim:schemas:core:2.0:User:title",
        json!("Dr"),
        Ok(json!({"title": "Dr"})),
        &[],
    );
}

#[test]
fn only_the_first_primary_stays() {
    check(
        "emails",
        json!([{"value": "a", "primary": "true"}, {"value": "b", "primary": true}]),
        Ok(json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": false}]})),
        &[],
    );
}

#[test]
fn required_attributes_are_named_with_the_remedy() {
    for body in [
        json!({}),
        json!({"userName": ""}),
        json!({"username": null}),
    ] {
        let error = User::parse(body, Profile::default()).unwrap_err();
        assert_eq!(error.scim_type, Some(crate::ScimType::InvalidValue));
        assert!(error.detail.contains("`userName` is required"), "{error}");
    }
}
