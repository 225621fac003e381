use super::*;

#[test]
fn refusals() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};
    let check = |operations: Value, expected: ScimType, part: &str| {
        check_refused(json!({}), operations, expected, part);
    };
    check(json!([]), InvalidSyntax, "at least one operation");
    check(json!({}), InvalidSyntax, "`Operations` must be an array");
    check(
        json!([7]),
        InvalidSyntax,
        "Operations[0]: an operation must be an object",
    );
    check(json!([{"op": "move"}]), InvalidSyntax, "`op` must be");
    check(json!([{"path": "title"}]), InvalidSyntax, "`op` must be");
    check(
        json!([{"op": "add", "path": 7, "value": 1}]),
        InvalidPath,
        "`path` must be a string",
    );
    check(
        json!([{"op": "add", "path": "title", "value": "x"}, {"op": "add", "path": "titel", "value": "x"}]),
        InvalidPath,
        "Operations[1]: `titel` is no attribute",
    );
    check(
        json!([{"op": "add", "path": "name.nick", "value": "x"}]),
        InvalidPath,
        "`name.nick`",
    );
    check(
        json!([{"op": "add", "path": "emails[type eq \"a\"].kind", "value": "x"}]),
        InvalidPath,
        "no sub-attribute `kind`",
    );
    check(
        json!([{"op": "add", "path": "emails[type eq \"a\"] x", "value": "x"}]),
        InvalidPath,
        "cannot follow",
    );
    check(
        json!([{"op": "add", "path": "title[value eq \"a\"]", "value": "x"}]),
        InvalidPath,
        "cannot follow",
    );
    check(
        json!([{"op": "add", "path": "emails[type is 7].value", "value": "x"}]),
        InvalidFilter,
        "expected an operator",
    );
    check(
        json!([{"op": "add", "path": "password", "value": "x"}]),
        InvalidPath,
        "passwords are not kept",
    );
    check(
        json!([{"op": "add", "path": "title"}]),
        InvalidValue,
        "must have a `value`",
    );
    check(
        json!([{"op": "replace", "path": "active", "value": "maybe"}]),
        InvalidValue,
        "`active` must be true or false",
    );
    check(
        json!([{"op": "replace", "value": "x"}]),
        InvalidValue,
        "must be an object of attributes",
    );
    check(
        json!([{"op": "replace", "path": ENTERPRISE, "value": "x"}]),
        InvalidValue,
        "must be an object",
    );
    check(
        json!([{"op": "replace", "path": "emails[type eq \"\"].value", "value": "x@y"}]),
        NoTarget,
        "selects no value",
    );
    check(
        json!([{"op": "remove"}]),
        NoTarget,
        "`remove` must have a `path`",
    );
    check(
        json!([{"op": "remove", "value": {"title": 1}}]),
        NoTarget,
        "`remove` must have a `path`",
    );
    for path in [
        "id",
        "meta.created",
        "meta",
        "groups",
        "groups[value eq \"1\"]",
        &format!("{ENTERPRISE}:manager.displayName"),
    ] {
        check(
            json!([{"op": "replace", "path": path, "value": "x"}]),
            Mutability,
            "is readOnly",
        );
        check(
            json!([{"op": "remove", "path": path}]),
            Mutability,
            "is readOnly",
        );
    }
    check(
        json!([{"op": "remove", "path": "userName"}]),
        Mutability,
        "`userName` is required",
    );
    check(
        json!([{"op": "replace", "path": "userName", "value": ""}]),
        Mutability,
        "`userName` is required",
    );
    check(
        json!([{"op": "replace", "value": {"userName": null}}]),
        Mutability,
        "`userName` is required",
    );
}

#[test]
fn an_attribute_has_no_end_of_values() {
    let many = |from: usize, to: usize| -> Value { (from..to).map(|n| n.to_string()).collect() };
    let before = user(json!({"emails": many(0, 600)}));
    let add = |to: usize| {
        run(
            &before,
            &json!([{"op": "add", "path": "emails", "value": many(600, to)}]),
        )
    };
    assert!(add(1_000).is_ok());
    assert_eq!(add(1_001).unwrap_err().status, 413);
    assert_eq!(
        User::parse(
            json!({"userName": "a", "emails": many(0, 1_001)}),
            Profile::default()
        )
        .unwrap_err()
        .status,
        413
    );
}
