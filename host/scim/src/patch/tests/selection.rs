use super::*;

#[test]
fn selected_elements() {
    let two =
        || json!({"emails": [{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}]});
    check(
        two(),
        json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "c@x"}]),
        json!({"emails": [{"value": "c@x", "type": "work"}, {"value": "b@x", "type": "home"}]}),
    );
    check(
        two(),
        json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]),
        json!({"emails": [{"value": "b@x", "type": "home"}]}),
    );
    check(
        two(),
        json!([{"op": "remove", "path": "emails[type eq \"work\"].value"}]),
        json!({"emails": [{"value": "b@x", "type": "home"}]}),
    );
    check(
        two(),
        json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": ""}]),
        json!({"emails": [{"value": "b@x", "type": "home"}]}),
    );
    check(
        two(),
        json!([{"op": "remove", "path": "emails[type eq \"other\"]"}]),
        two(),
    );
    check(
        two(),
        json!([{"op": "replace", "path": "emails[value co \"@x\"].display", "value": "d"}]),
        json!({"emails": [{"value": "a@x", "type": "work", "display": "d"}, {"value": "b@x", "type": "home", "display": "d"}]}),
    );
    check(
        two(),
        json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "n@x"}}]),
        json!({"emails": [{"value": "a@x", "type": "work"}, {"type": "home", "value": "n@x"}]}),
    );
    check(
        two(),
        json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "d"}}]),
        json!({"emails": [{"value": "a@x", "type": "work"}, {"type": "home", "value": "b@x", "display": "d"}]}),
    );
}

#[test]
fn elements_that_no_filter_selects_are_created_where_it_says_how() {
    let check_created = |path: &str, element: Value| {
        for op in ["add", "Replace"] {
            check(
                json!({}),
                json!([{"op": op, "path": path, "value": "v"}]),
                json!({path.split('[').next().unwrap(): [element]}),
            );
        }
    };
    check_created(
        "emails[type eq \"work\"].value",
        json!({"type": "work", "value": "v"}),
    );
    check_created(
        "addresses[type eq \"work\"].locality",
        json!({"type": "work", "locality": "v"}),
    );
    check_created(
        "phoneNumbers[type eq \"mobile\" and primary eq \"True\"].value",
        json!({"type": "mobile", "primary": true, "value": "v"}),
    );
    check_created(
        "roles[primary eq \"True\"].value",
        json!({"primary": true, "value": "v"}),
    );
    check(
        json!({}),
        json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": null}]),
        json!({}),
    );
    for path in [
        "emails[type ne \"work\"].value",
        "emails[type eq \"work\" or type eq \"home\"].value",
        "emails[value eq \"old\"].value",
        "emails[not (type pr)].value",
    ] {
        check_refused(
            json!({}),
            json!([{"op": "replace", "path": path, "value": "v"}]),
            ScimType::NoTarget,
            "selects no value",
        );
    }
}

#[test]
fn setting_one_primary_clears_the_other() {
    let before = || json!({"emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}]});
    let after = || json!({"emails": [{"value": "a@x", "type": "work", "primary": false}, {"value": "b@x", "type": "home", "primary": true}]});
    check(
        before(),
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}]),
        after(),
    );
    check(
        before(),
        json!([{"op": "add", "path": "emails", "value": [{"value": "b@x", "type": "home", "primary": true}]}]),
        after(),
    );
}
