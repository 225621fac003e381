use super::*;

/// What the operations on a group come to, in words.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn check_group(operations: Value, expected: &[&str], ignored: &[&str]) {
    let patch = GroupPatch::parse(&body(&operations), Profile::default(), &Limits::default())
        .unwrap_or_else(|error| panic!("{operations}: {error}"));
    let members = |members: &[crate::MemberRef]| {
        members
            .iter()
            .map(crate::MemberRef::value)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let found: Vec<String> = patch
        .operations()
        .iter()
        .map(|operation| match operation {
            GroupOperation::Attributes(_) => "attributes".to_owned(),
            GroupOperation::AddMembers(added) => format!("add {}", members(added)),
            GroupOperation::RemoveMembers(ids) => format!("remove {}", ids.join(" ")),
            GroupOperation::ReplaceMembers(all) => format!("replace {}", members(all)),
            GroupOperation::RemoveAllMembers => "remove all".to_owned(),
        })
        .collect();
    assert_eq!(found, expected, "{operations}");
    assert_eq!(patch.ignored(), ignored, "{operations}");
}

#[test]
fn members_are_changed_by_id() {
    check_group(
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "f6"}]}]),
        &["add f6"],
        &[],
    );
    check_group(
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "f6"}]}]),
        &["remove f6"],
        &[],
    );
    check_group(
        json!([{"op": "remove", "path": "members[value eq \"7f\"]"}]),
        &["remove 7f"],
        &[],
    );
    check_group(
        json!([{"op": "remove", "path": "members[value eq \"a\" or value eq b or value eq a]"}]),
        &["remove a b"],
        &[],
    );
    check_group(
        json!([{"op": "add", "path": "members", "value": [{"value": "a", "display": "A", "type": "User"}, {"value": "b"}, {"value": "a"}]}]),
        &["add a b"],
        &[],
    );
    check_group(
        json!([{"op": "add", "path": "members", "value": "a"}]),
        &["add a"],
        &[],
    );
    check_group(
        json!([{"op": "add", "path": "members", "value": [{"Value": "a", "displayName": "A"}, {"value": "b", "displayName": "B"}]}]),
        &["add a b"],
        &["members.displayName"],
    );
    check_group(
        json!([{"op": "replace", "path": "members", "value": [{"value": "a"}]}]),
        &["replace a"],
        &[],
    );
    check_group(
        json!([{"op": "add", "path": "members", "value": [{"value": "a"}]}, {"op": "replace", "value": {"id": "g", "displayName": "D"}}, {"op": "replace", "path": "externalId", "value": "e"}, {"op": "remove", "path": "members[value eq \"a\"]"}]),
        &["add a", "attributes", "remove a"],
        &["id"],
    );
    check_group(
        json!([{"op": "add", "value": {"displayName": "D", "members": [{"value": "a"}], "externalId": "e"}}]),
        &["attributes", "add a", "attributes"],
        &[],
    );
}

#[test]
fn a_group_is_emptied_only_by_saying_so() {
    for nothing in [json!([]), json!({}), json!(""), json!([null])] {
        check_group(
            json!([{"op": "remove", "path": "members", "value": nothing}]),
            &[],
            &["members"],
        );
        check_group(
            json!([{"op": "add", "path": "members", "value": nothing}]),
            &[],
            &[],
        );
    }
    check_group(
        json!([{"op": "remove", "path": "members"}]),
        &["remove all"],
        &[],
    );
    check_group(
        json!([{"op": "replace", "path": "members", "value": []}]),
        &["remove all"],
        &[],
    );
    check_group(
        json!([{"op": "replace", "value": {"displayName": "D"}}]),
        &["attributes"],
        &[],
    );
}

#[test]
fn what_a_member_is_said_to_be_is_read() {
    let value = json!([
        {"value": "a", "type": "group"}, {"value": "b", "type": "User"}, {"value": "c"},
        {"value": "d", "type": null}, {"value": "e", "type": "ServicePrincipal"}, "f",
    ]);
    let patch = json!([{"op": "add", "path": "members", "value": value}]);
    let patch = GroupPatch::parse(&body(&patch), Profile::default(), &Limits::default()).unwrap();
    let [GroupOperation::AddMembers(members)] = patch.operations() else {
        panic!("{patch:?}");
    };
    let kinds: Vec<_> = members.iter().map(crate::MemberRef::kind).collect();
    let (user, group) = (
        Some(crate::MemberKind::User),
        Some(crate::MemberKind::Group),
    );
    assert_eq!(kinds, [group, user, None, None, None, None]);
}

#[test]
fn refusals_for_groups() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidValue, Mutability};
    let check = |operation: Value, expected: ScimType, part: &str| {
        let error = GroupPatch::parse(
            &body(&json!([operation])),
            Profile::default(),
            &Limits::default(),
        )
        .unwrap_err();
        assert_eq!(error.scim_type, Some(expected), "{error}");
        assert!(error.detail.contains(part), "{error}");
    };
    check(
        json!({"op": "add", "path": "members", "value": [{"value": "a"}, {"display": "x"}]}),
        InvalidValue,
        "`members[1].value` must be the id of a user or group, but is missing",
    );
    check(
        json!({"op": "remove", "path": "members", "value": [{"value": ""}]}),
        InvalidValue,
        "but is empty",
    );
    check(
        json!({"op": "remove", "path": "members", "value": [{"value": 7}]}),
        InvalidValue,
        "but is a number",
    );
    check(
        json!({"op": "add", "path": "members", "value": 7}),
        InvalidValue,
        "`members` must be an array",
    );
    check(
        json!({"op": "remove", "path": "members[type eq \"User\"]"}),
        InvalidFilter,
        "selected by id",
    );
    check(
        json!({"op": "remove", "path": "members[not (value eq \"a\")]"}),
        InvalidFilter,
        "selected by id",
    );
    check(
        json!({"op": "replace", "path": "members[value eq \"a\"].value", "value": "b"}),
        Mutability,
        "whole member",
    );
    check(
        json!({"op": "replace", "path": "members[value eq \"a\"]", "value": {"value": "b"}}),
        InvalidPath,
        "cannot choose members",
    );
    check(
        json!({"op": "remove", "path": "displayName"}),
        Mutability,
        "`displayName` is required",
    );
    check(
        json!({"op": "remove", "path": "userName"}),
        InvalidPath,
        "no attribute of a Group",
    );
    check(
        json!({"op": "add", "path": "members.display", "value": "x"}),
        Mutability,
        "readOnly",
    );
}

#[test]
fn a_group_is_renamed_without_its_members() {
    let group = Group::parse(
        json!({"displayName": "A", "externalId": "e"}),
        Profile::default(),
    )
    .unwrap()
    .resource
    .group;
    let patch = GroupPatch::parse(
        &body(&json!([{"op": "replace", "value": {"id": "g", "displayName": "B"}}])),
        Profile::default(),
        &Limits::default(),
    )
    .unwrap();
    let [GroupOperation::Attributes(changes)] = patch.operations() else {
        panic!("{patch:?}");
    };
    let renamed = changes.apply(&group).unwrap();
    assert_eq!(
        (renamed.display_name(), renamed.external_id()),
        ("B", Some("e"))
    );
    assert_eq!(changes.apply(&renamed).unwrap(), renamed);
}
