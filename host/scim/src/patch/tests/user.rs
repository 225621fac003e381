use super::*;

#[test]
fn single_values() {
    check(
        json!({}),
        json!([{"op": "Add", "path": "nickName", "value": "Babs"}]),
        json!({"nickName": "Babs"}),
    );
    check(
        json!({"title": "a"}),
        json!([{"op": "REPLACE", "path": "TITLE", "value": "b"}]),
        json!({"title": "b"}),
    );
    check(
        json!({"title": "a"}),
        json!([{"op": "replace", "path": "title", "value": "a"}]),
        json!({"title": "a"}),
    );
    check(
        json!({"title": "a"}),
        json!([{"op": "remove", "path": "title"}]),
        json!({}),
    );
    check(
        json!({}),
        json!([{"op": "remove", "path": "title"}]),
        json!({}),
    );
    for clear in [json!(null), json!(""), json!([])] {
        check(
            json!({"title": "a"}),
            json!([{"op": "replace", "path": "title", "value": clear}]),
            json!({}),
        );
    }
    check(
        json!({}),
        json!([{"op": "Replace", "path": "active", "value": "False"}]),
        json!({"active": false}),
    );
    check(
        json!({}),
        json!([{"op": "add", "path": "title", "value": [{"value": "x"}]}]),
        json!({"title": "x"}),
    );
}

#[test]
fn complex_values_keep_what_is_not_named() {
    let before = || json!({"name": {"givenName": "A", "familyName": "L"}});
    check(
        before(),
        json!([{"op": "replace", "path": "name", "value": {"givenName": "B"}}]),
        json!({"name": {"givenName": "B", "familyName": "L"}}),
    );
    check(
        before(),
        json!([{"op": "add", "path": "name.middleName", "value": "K"}]),
        json!({"name": {"givenName": "A", "familyName": "L", "middleName": "K"}}),
    );
    check(
        before(),
        json!([{"op": "replace", "path": "name", "value": {"familyName": null}}]),
        json!({"name": {"givenName": "A"}}),
    );
    check(
        before(),
        json!([{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}]),
        json!({}),
    );
    check(
        before(),
        json!([{"op": "remove", "path": "name"}]),
        json!({}),
    );
    check(
        json!({}),
        json!([{"op": "replace", "path": "name", "value": {"givenName": "B"}}]),
        json!({"name": {"givenName": "B"}}),
    );
}

#[test]
fn the_enterprise_extension() {
    let urn = |rest: &str| format!("{ENTERPRISE}:{rest}");
    check(
        json!({}),
        json!([{"op": "Replace", "path": urn("employeeNumber"), "value": "E"}]),
        json!({ENTERPRISE: {"employeeNumber": "E"}}),
    );
    check(
        json!({}),
        json!([{"op": "Add", "path": urn("manager"), "value": "271"}]),
        json!({ENTERPRISE: {"manager": {"value": "271"}}}),
    );
    check(
        json!({}),
        json!([{"op": "Add", "path": "manager", "value": [{"$ref": "https://x.example/Users/9", "value": "9"}]}]),
        json!({ENTERPRISE: {"manager": {"value": "9", "$ref": "https://x.example/Users/9"}}}),
    );
    // The reference to the former manager goes with the manager.
    check(
        json!({ENTERPRISE: {"manager": {"value": "9", "$ref": "https://x.example/Users/9"}}}),
        json!([{"op": "replace", "path": urn("manager.value"), "value": "10"}]),
        json!({ENTERPRISE: {"manager": {"value": "10"}}}),
    );
    check(
        json!({ENTERPRISE: {"division": "d"}}),
        json!([{"op": "remove", "path": urn("division")}]),
        json!({}),
    );
    check(
        json!({ENTERPRISE: {"division": "d", "manager": "7"}, "title": "t"}),
        json!([{"op": "remove", "path": ENTERPRISE}]),
        json!({"title": "t"}),
    );
    check(
        json!({ENTERPRISE: {"division": "d"}}),
        json!([{"op": "add", "path": ENTERPRISE, "value": {"department": "e"}}]),
        json!({ENTERPRISE: {"division": "d", "department": "e"}}),
    );
    check(
        json!({ENTERPRISE: {"division": "d"}}),
        json!([{"op": "replace", "value": {ENTERPRISE: {"division": ""}}}]),
        json!({}),
    );
}

#[test]
fn multi_valued_attributes() {
    let one = || json!({"emails": [{"value": "a@x", "type": "work"}]});
    check(
        one(),
        json!([{"op": "add", "path": "emails", "value": [{"value": "b@x"}]}]),
        json!({"emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}]}),
    );
    check(
        one(),
        json!([{"op": "add", "path": "emails", "value": {"value": "A@X", "type": "Work"}}]),
        json!({"emails": [{"value": "A@X", "type": "Work"}]}),
    );
    check(
        one(),
        json!([{"op": "replace", "path": "emails", "value": [{"value": "b@x"}]}]),
        json!({"emails": [{"value": "b@x"}]}),
    );
    check(
        one(),
        json!([{"op": "add", "path": "emails", "value": []}]),
        one(),
    );
    check(
        one(),
        json!([{"op": "replace", "path": "emails", "value": []}]),
        json!({}),
    );
    check(
        one(),
        json!([{"op": "replace", "path": "emails", "value": null}]),
        json!({}),
    );
    check(
        one(),
        json!([{"op": "remove", "path": "emails"}]),
        json!({}),
    );
    check(
        one(),
        json!([{"op": "remove", "path": "emails", "value": [{"value": "A@x"}]}]),
        json!({}),
    );
    check(
        one(),
        json!([{"op": "remove", "path": "emails", "value": [{"value": "c@x"}]}]),
        one(),
    );
    check(
        one(),
        json!([{"op": "replace", "path": "emails.value", "value": "c@x"}]),
        json!({"emails": [{"value": "c@x", "type": "work"}]}),
    );
    check(
        json!({}),
        json!([{"op": "add", "path": "emails.value", "value": "c@x"}]),
        json!({"emails": [{"value": "c@x"}]}),
    );
}

#[test]
fn a_removal_of_nothing_removes_nothing_and_is_reported() {
    let before = user(json!({"emails": ["a@x"]}));
    let patched = run(
        &before,
        &json!([{"op": "remove", "path": "emails", "value": []}]),
    )
    .unwrap();
    assert!(!patched.changed);
    assert_eq!(patched.ignored, ["emails"]);
}

#[test]
fn without_a_path() {
    check(
        json!({"title": "t", "name": {"familyName": "L"}}),
        json!([{"op": "replace", "value": {
            "displayName": "B", "name.givenName": "K", "active": "false",
            format!("{ENTERPRISE}:employeeNumber"): "A", "emails[type eq \"work\"].value": "a@x",
        }}]),
        json!({"title": "t", "displayName": "B", "active": false, "name": {"familyName": "L", "givenName": "K"},
            "emails": [{"type": "work", "value": "a@x"}], ENTERPRISE: {"employeeNumber": "A"}}),
    );
    check(
        json!({"emails": ["a@x"]}),
        json!([{"op": "add", "path": "", "value": {"emails": ["b@x"]}}]),
        json!({"emails": ["a@x", "b@x"]}),
    );
    check(
        json!({"emails": ["a@x"]}),
        json!([{"op": "replace", "path": null, "value": {"emails": ["b@x"]}}]),
        json!({"emails": ["b@x"]}),
    );
    let patched = run(&user(json!({})), &json!([{"op": "add", "value": {"id": "7", "schemas": [], "unheardOf": 1, "password": "x", "title": "t"}}])).unwrap();
    assert_eq!(patched.ignored, ["id", "unheardOf", "password"]);
    assert_eq!(patched.resource, user(json!({"title": "t"})));
}

#[test]
fn schemas_follow_from_the_content() {
    let patched = run(
        &user(json!({})),
        &json!([{"op": "add", "path": "schemas", "value": [ENTERPRISE]}]),
    )
    .unwrap();
    assert_eq!(
        (patched.changed, patched.ignored),
        (false, vec!["schemas".to_owned()])
    );
    check_refused(
        json!({}),
        json!([{"op": "remove", "path": "schemas"}]),
        ScimType::Mutability,
        "readOnly",
    );
}

#[test]
fn removing_active_lets_nobody_in() {
    for (active, after) in [
        (json!(false), false),
        (json!(true), true),
        (json!(null), true),
    ] {
        let before = user(json!({"active": active}));
        let patched = run(&before, &json!([{"op": "remove", "path": "active"}])).unwrap();
        assert_eq!(patched.resource.active(), after);
        let again = run(&patched.resource, &json!([{"op": "replace", "path": "active", "value": ""}, {"op": "add", "path": "title", "value": "t"}])).unwrap();
        assert_eq!(again.resource.active(), after);
        let back = run(
            &again.resource,
            &json!([{"op": "replace", "path": "active", "value": true}]),
        )
        .unwrap();
        assert!(back.resource.active());
    }
}

#[test]
fn too_many_operations_are_too_large() {
    let limits = Limits {
        patch_operations: 1,
        ..Limits::default()
    };
    let operation = json!({"op": "remove", "path": "title"});
    let error = UserPatch::parse(
        &body(&json!([operation, operation])),
        Profile::default(),
        &limits,
    )
    .unwrap_err();
    assert_eq!(error.status, 413);
}
