//! Bodies as identity providers send them, restated, from reading to answer.

use gatewright_scim::{
    Error, Filter, Group, GroupOperation, GroupPatch, GroupRef, Limits, ListQuery, MemberKind,
    MemberOut, MemberRef, Meta, Profile, ResourceType, User, UserPatch, parse_json,
};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn meta() -> Meta {
    Meta {
        created: "2026-01-02T03:04:05Z".parse().expect("a moment"),
        last_modified: "2026-01-02T03:04:06.5Z".parse().expect("a moment"),
        location: "https://scim.example/v2/Users/7".to_owned(),
        version: "W/\"1\"".into(),
    }
}

fn meta_json(resource: &str) -> Value {
    json!({
        "resourceType": resource, "created": "2026-01-02T03:04:05Z",
        "lastModified": "2026-01-02T03:04:06.5Z", "location": "https://scim.example/v2/Users/7",
        "version": "W/\"1\"",
    })
}

/// Reads a user from the bytes of a body, and gives the answer without `meta` and what was left
/// out.
fn read(body: &Value) -> (Value, Vec<String>) {
    let body = parse_json(body.to_string().as_bytes(), &Limits::default()).expect("JSON");
    let parsed = User::parse(body, Profile::default()).expect("a user");
    let mut response = parsed
        .resource
        .to_response(Profile::default(), "7", &meta(), &[], None);
    let found = response.as_object_mut().and_then(|all| all.remove("meta"));
    assert_eq!(found, Some(meta_json("User")));
    (response, parsed.ignored)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn patch(before: Value, operations: Value) -> Result<User, Error> {
    let before = User::parse(before, Profile::default())?.resource;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    });
    let patched =
        UserPatch::parse(&body, Profile::default(), &Limits::default())?.apply(&before)?;
    assert_eq!(patched.ignored, [""; 0]);
    Ok(patched.resource)
}

fn query(pairs: &[(&str, &str)], resource: ResourceType) -> ListQuery {
    let pairs: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ListQuery::parse(&pairs, resource, &Limits::default()).expect("a query")
}

#[test]
fn okta_creates_a_user() {
    let (response, ignored) = read(&json!({
        "schemas": [USER], "userName": "ada@example.com",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"primary": true, "value": "ada@example.com", "type": "work"}],
        "displayName": "Ada Lovelace", "locale": "en-GB", "externalId": "00uabc",
        "groups": [], "password": "a1b2c3", "active": true,
    }));
    assert_eq!(
        response,
        json!({
            "schemas": [USER], "id": "7", "userName": "ada@example.com",
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"primary": true, "value": "ada@example.com", "type": "work"}],
            "displayName": "Ada Lovelace", "locale": "en-GB", "externalId": "00uabc",
            "active": true,
        })
    );
    assert_eq!(ignored, ["password"]);
}

#[test]
fn okta_puts_back_what_it_was_given() {
    let user = User::parse(
        json!({
            "userName": "ada", "active": false, "name": {"formatted": "Ada L."},
            ENTERPRISE: {"department": "Engines"},
        }),
        Profile::default(),
    )
    .expect("a user")
    .resource;
    let groups = [GroupRef {
        id: "9".to_owned(),
        display: "Engineers".to_owned(),
        location: "https://scim.example/v2/Groups/9".to_owned(),
        indirect: false,
    }];
    let response = user.to_response(Profile::default(), "7", &meta(), &groups, None);
    assert_eq!(response["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(
        response["groups"],
        json!([{"value": "9", "$ref": "https://scim.example/v2/Groups/9", "display": "Engineers", "type": "direct"}])
    );
    let back = User::parse(response, Profile::default()).expect("a user");
    assert_eq!(back.resource, user);
    assert_eq!(back.ignored, ["id", "groups", "meta"]);
}

#[test]
fn okta_deactivates_renames_and_pushes_members() {
    let user = patch(
        json!({"userName": "ada"}),
        json!([{"op": "replace", "value": {"active": false}}]),
    );
    assert!(!user.expect("a user").active());
    let created = Group::parse(
        json!({"schemas": [GROUP], "displayName": "Test", "members": []}),
        Profile::default(),
    );
    assert_eq!(created.expect("a group").resource.members, Some(Vec::new()));
    let put = Group::parse(
        json!({
            "schemas": [GROUP], "displayName": "Test",
            "members": [{"value": "23a3", "display": "ada@example.com"}],
        }),
        Profile::default(),
    )
    .expect("a group");
    let ids: Vec<String> = put
        .resource
        .members
        .into_iter()
        .flatten()
        .map(MemberRef::into_value)
        .collect();
    assert_eq!((ids, put.ignored), (vec!["23a3".to_owned()], Vec::new()));
    let patch = GroupPatch::parse(
        &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
            {"op": "remove", "path": "members[value eq \"89bb\"]"},
            {"op": "add", "path": "members", "value": [{"value": "23a3", "display": "ada@example.com"}]},
        ]}), Profile::default(),
        &Limits::default())
    .expect("a patch");
    assert!(matches!(
        patch.operations(),
        [GroupOperation::RemoveMembers(gone), GroupOperation::AddMembers(added)]
            if gone.as_slice() == ["89bb"] && added[0].value() == "23a3"
    ));
}

#[test]
fn okta_looks_up_and_imports() {
    let lookup = query(
        &[
            ("filter", "userName eq \"ada@example.com\""),
            ("startIndex", "1"),
            ("count", "100"),
        ],
        ResourceType::User,
    );
    let filter = lookup.filter.expect("a filter");
    assert_eq!(
        filter.equalities(),
        [("userName", &json!("ada@example.com"))]
    );
    assert_eq!((lookup.start_index, lookup.count), (1, Some(100)));
    let page = query(
        &[("startIndex", "101"), ("count", "100")],
        ResourceType::User,
    );
    assert_eq!((page.start_index, page.filter), (101, None));
}

#[test]
fn entra_creates_users_and_groups() {
    let (response, ignored) = read(&json!({
        "schemas": [USER, ENTERPRISE, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
        "externalId": "0a21", "userName": "ada", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "ada@example.com"}],
        "meta": {"resourceType": "User"}, "name": {"formatted": "Ada L", "familyName": "L", "givenName": "Ada"},
        "roles": [], "addresses": null, "phoneNumbers": null, "title": null, "manager": null,
    }));
    assert_eq!(response["schemas"], json!([USER]));
    assert_eq!(response["externalId"], "0a21");
    for cleared in ["roles", "addresses", "title", ENTERPRISE] {
        assert!(response.get(cleared).is_none(), "{cleared}");
    }
    assert_eq!(ignored, ["meta"]);
    let group = Group::parse(json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1", "displayName": "G", "meta": {"resourceType": "Group"},
    }), Profile::default())
    .expect("a group");
    assert_eq!(
        (group.resource.members, group.ignored),
        (None, vec!["meta".to_owned()])
    );
    assert_eq!(group.resource.group.external_id(), Some("8aa1"));
}

#[test]
fn entra_patches_in_both_dialects() {
    let number = format!("{ENTERPRISE}:employeeNumber");
    let by_default = patch(
        json!({"userName": "ada"}),
        json!([
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "Add", "path": "nickName", "value": "Babs"},
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "a@example.com"},
            {"op": "Replace", "path": "name.givenName", "value": "Ada"},
            {"op": "Replace", "path": number, "value": "E7"},
            {"op": "Add", "path": "manager", "value": [{"$ref": "http://x.example/Users/9", "value": "9"}]},
        ]),
    )
    .expect("a user");
    let with_flag = patch(
        json!({"userName": "ada"}),
        json!([
            {"op": "replace", "path": "active", "value": false},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@example.com"},
            {"op": "replace", "value": {
                "nickName": "Babs", "name.givenName": "Ada", number: "E7",
                format!("{ENTERPRISE}:manager"): {"$ref": "http://x.example/Users/9", "value": "9"},
            }},
        ]),
    )
    .expect("a user");
    assert_eq!(by_default, with_flag);
    assert_eq!(by_default.primary_email(), Some("a@example.com"));
    let path = format!("{ENTERPRISE}:manager.value");
    assert_eq!(by_default.attribute(&path), Some(&json!("9")));
    assert_eq!(
        by_default.attribute("emails[type eq \"work\"].value"),
        Some(&json!("a@example.com"))
    );
    assert_eq!(by_default.attribute("title"), None);
}

#[test]
fn entra_looks_up() {
    let user = json!({"id": "7", "externalId": "jyoung", ENTERPRISE: {"manager": {"value": "9"}},
        "emails": [{"type": "work", "value": "user@example.com"}]});
    for text in [
        "externalId eq jyoung",
        "emails[type eq \"work\"].value eq \"user@example.com\"",
        "id eq \"7\" and manager eq \"9\"",
        "manager eq \"9\" and id eq \"7\"",
    ] {
        let filter = Filter::parse(text, ResourceType::User, &Limits::default()).expect(text);
        assert!(filter.matches(&user), "{text}");
    }
    let groups = query(
        &[
            ("excludedAttributes", "members"),
            ("filter", "displayName eq \"G\""),
        ],
        ResourceType::Group,
    );
    assert!(!groups.projection.includes("members"));
    let ids = query(
        &[
            ("filter", "id eq \"7\" and members eq \"9\""),
            ("attributes", "id"),
        ],
        ResourceType::Group,
    );
    assert!(!ids.projection.includes("members"));
    let expected = [("id", &json!("7")), ("members.value", &json!("9"))];
    assert_eq!(ids.filter.expect("a filter").equalities(), expected);
}

#[test]
fn others_create_users() {
    let (response, ignored) = read(&json!({
        "schemas": ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"],
        "id": null, "userName": "one", "active": "true", "meta": {"resourceType": "User"},
        "emails": {"value": "one@example.com"}, "prefferedLanguage": "en",
    }));
    assert_eq!(
        response,
        json!({"schemas": [USER], "id": "7", "userName": "one", "active": true, "emails": [{"value": "one@example.com"}]})
    );
    assert_eq!(ignored, ["meta", "prefferedLanguage"]);
    let (response, ignored) = read(&json!({
        "active": true, "emails": null, "id": "7", "name": {"givenName": "J"}, "schemas": [ENTERPRISE, USER],
        "userName": "jump", "addresses": [], "photos": [{"value": "https://x.example/p.png"}],
        "phoneNumbers": [{"type": "work", "value": "tel:+1-555-0100"}],
    }));
    assert_eq!(response["schemas"], json!([USER]));
    assert_eq!(response["phoneNumbers"][0]["value"], "tel:+1-555-0100");
    assert!(response.get("emails").is_none());
    assert_eq!(ignored, ["id"]);
}

#[test]
fn a_group_is_answered_with_or_without_its_members() {
    let group = Group::parse(json!({"displayName": "G"}), Profile::default())
        .expect("a group")
        .resource
        .group;
    let members = [MemberOut {
        value: "7".to_owned(),
        kind: MemberKind::User,
        display: Some("Ada".to_owned()),
        location: "https://scim.example/v2/Users/7".to_owned(),
    }];
    assert_eq!(
        group.to_response(Profile::default(), "9", &meta(), Some(&members)),
        json!({
            "schemas": [GROUP], "id": "9", "displayName": "G",
            "members": [{"value": "7", "$ref": "https://scim.example/v2/Users/7", "type": "User", "display": "Ada"}],
            "meta": meta_json("Group"),
        })
    );
    assert_eq!(
        group
            .to_response(Profile::default(), "9", &meta(), None)
            .get("members"),
        None
    );
    assert_eq!(
        group.to_response(Profile::default(), "9", &meta(), Some(&[]))["members"],
        json!([])
    );
    let error = Group::parse(json!({"members": []}), Profile::default()).expect_err("no name");
    assert!(error.detail.contains("`displayName` is required"));
}

#[test]
fn what_is_stored_comes_back_the_same() {
    let user = User::parse(
        json!({"userName": "ada", "manager": "9", "emails": ["a@example.com"]}),
        Profile::default(),
    )
    .expect("a user")
    .resource;
    let stored = serde_json::to_vec(&user).expect("JSON");
    let back: User = serde_json::from_slice(&stored).expect("a user");
    assert_eq!(back, user);
    assert_eq!(User::from_stored(user.as_map().clone()), user);
    assert_eq!(user.emails().collect::<Vec<_>>(), ["a@example.com"]);
    assert!(user.active());
}
