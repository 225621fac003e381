//! SCIM errors: bodies, paths, methods, filters, PATCH, members.

use super::{Answers, JSON, PATCH, operations, raw};
use crate::shared::Tenant;
use gatewright_tests::Client;
use serde_json::json;

#[test]
fn scim_bodies() {
    let tenant = Tenant::new("Bad bodies");
    let user = tenant.user("ada@acme.test").id();
    let mut answers = Answers::of(&tenant, &[(&user, "USER")]);
    let scim = &tenant.scim;
    let path = format!("/Users/{user}");
    for (what, body) in [
        ("an empty body", ""),
        ("only spaces", " \n"),
        ("not JSON", "userName=ada"),
        ("JSON that ends early", "{\"userName\": \"ada\""),
        ("two documents", "{} {}"),
        ("a list", "[1]"),
        ("null", "null"),
        ("no userName", "{\"displayName\": \"Ada\"}"),
        ("a userName that is no text", "{\"userName\": {\"a\": 1}}"),
        (
            "active that is no boolean",
            "{\"userName\": \"x@acme.test\", \"active\": \"perhaps\"}",
        ),
        (
            "emails that are numbers",
            "{\"userName\": \"x@acme.test\", \"emails\": [1]}",
        ),
        (
            "a userName that is taken",
            "{\"userName\": \"ADA@acme.test\"}",
        ),
    ] {
        answers.scim(
            &format!("POST /Users with {what}"),
            raw(scim, "POST", "/Users", body),
        );
    }
    let invalid = scim.send("POST", "/Users", &[JSON], Some(b"{\"userName\": \"\xff\"}"));
    answers.scim("POST /Users with bytes that are no text", invalid);
    for (what, method, path) in [
        ("PUT of a user", "PUT", &*path),
        ("PATCH of a user", "PATCH", &*path),
        ("POST of a group", "POST", "/Groups"),
        ("a search", "POST", "/Users/.search"),
    ] {
        answers.scim(
            &format!("{what} with an empty body"),
            raw(scim, method, path, ""),
        );
        answers.scim(
            &format!("{what} with a list"),
            raw(scim, method, path, "[]"),
        );
    }
    for media_type in [
        "text/xml",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
    ] {
        let body = b"{\"userName\": \"x@acme.test\"}";
        let reply = scim.send(
            "POST",
            "/Users",
            &[("Content-Type", media_type)],
            Some(body),
        );
        answers.scim(&format!("POST /Users of {media_type}"), reply);
    }
    insta::assert_json_snapshot!("scim_bodies", answers.finish());
}

#[test]
fn scim_paths_and_methods() {
    let tenant = Tenant::new("Bad paths");
    let user = tenant.user("ada@acme.test").id();
    let mut answers = Answers::of(&tenant, &[(&user, "USER")]);
    for path in [
        "",
        "/users",
        "/Me",
        "/Bulk",
        "/Users/nobody",
        "/Users/01890000-0000-7000-8000-000000000000",
        "/Groups/nothing",
        "/Users/a/b",
        "/Schemas/urn:nothing",
        "/ResourceTypes/Printer",
    ] {
        answers.scim(&format!("GET {path}"), tenant.scim.get(path));
    }
    let upper = user.to_uppercase();
    answers.names.push((upper.clone(), "USER"));
    let reply = tenant.scim.get(&format!("/Users/{upper}"));
    answers.scim("GET of the id in capitals", reply);
    let root = Client::new(&tenant.server.field("api_url").replace("/api/v1", ""), None);
    for path in ["/", "/scim/v2", "/scim", "/nothing"] {
        answers.scim(&format!("GET {path} of the gateway"), root.get(path));
    }
    let user = format!("/Users/{user}");
    for (method, path) in [
        ("DELETE", "/Users"),
        ("PUT", "/Users"),
        ("PATCH", "/Groups"),
        ("POST", &user),
        ("PURGE", &user),
        ("GET", "/Users/.search"),
        ("POST", "/Schemas"),
        ("PUT", "/ServiceProviderConfig"),
        ("DELETE", "/ResourceTypes/User"),
    ] {
        let reply = tenant.scim.send(method, path, &[], None);
        assert_eq!(reply.status, 405, "{method} {path}");
        assert!(
            reply
                .header("allow")
                .is_some_and(|allow| !allow.contains(method)),
            "{path}"
        );
        let shown = if path == user { "/Users/USER" } else { path };
        answers.scim(&format!("{method} {shown}"), reply);
    }
    // No token is for a user, whatever is to be done with it.
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = tenant.scim.send(method, "/Me", &[], None).expect(501);
        assert_eq!(reply.json()["status"], "501", "{method}");
        let stranger = tenant.scim.with_token(Some("wrong"));
        let _ = stranger.send(method, "/Me", &[], None).expect(401);
    }
    insta::assert_json_snapshot!("scim_paths_and_methods", answers.finish());
}

#[test]
fn filters_name_the_position() {
    let tenant = Tenant::new("Bad filters");
    let _ = tenant.user("ada@acme.test");
    let mut answers = Answers::of(&tenant, &[]);
    for filter in [
        "userName",
        "userName eq",
        "userName is \"ada\"",
        "userName eq \"ada",
        "(userName eq \"ada\"",
        "userName eq \"ada\")",
        "userName eq \"ada\" and",
        "userName eq \"ada\" userName eq \"bob\"",
        "emails[type eq \"work\"",
        "shoeSize eq 46",
        "active gt true",
        "not userName pr",
        "meta.lastModified gt \"yesterday\"",
        "",
    ] {
        let query: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let reply = tenant.scim.get(&format!("/Users?filter={query}"));
        assert_eq!(reply.status, 400, "{filter}: {}", reply.text);
        answers.scim(&format!("filter {filter}"), reply);
    }
    for query in [
        "startIndex=x",
        "count=1.5",
        "sortBy=shoeSize",
        "sortBy=userName&sortOrder=up",
    ] {
        answers.scim(
            query,
            tenant.scim.get(&format!("/Users?{query}")).expect(400),
        );
    }
    insta::assert_json_snapshot!("filters", answers.finish());
}

#[test]
fn a_patch_that_fails_half_way_applies_nothing() {
    let tenant = Tenant::new("Half a patch");
    let user = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let group = tenant.group("Engineering", &[&user]).id();
    let mut answers = Answers::of(&tenant, &[(&user, "ADA"), (&bob, "BOB"), (&group, "GROUP")]);
    let good = json!({ "op": "replace", "path": "displayName", "value": "Half" });
    let path = format!("/Users/{user}");
    for (what, bad) in [
        (
            "an unknown operation",
            json!({ "op": "move", "path": "title" }),
        ),
        ("no operation", json!({ "path": "title", "value": "x" })),
        (
            "a path that does not parse",
            json!({ "op": "add", "path": "emails[type eq", "value": "x" }),
        ),
        (
            "an attribute that is not there",
            json!({ "op": "add", "path": "shoeSize", "value": 46 }),
        ),
        (
            "a wrong type",
            json!({ "op": "replace", "path": "active", "value": "perhaps" }),
        ),
        (
            "a removal of userName",
            json!({ "op": "remove", "path": "userName" }),
        ),
        ("a removal without a path", json!({ "op": "remove" })),
        (
            "a name that is taken",
            json!({ "op": "replace", "path": "userName", "value": "bob@acme.test" }),
        ),
    ] {
        let reply = tenant.scim.patch(&path, &operations(&json!([good, bad])));
        assert!(
            matches!(reply.status, 400 | 409),
            "{what}: {} {}",
            reply.status,
            reply.text
        );
        answers.scim(&format!("a user's PATCH with {what}"), reply);
    }
    for (what, body) in [
        ("no Operations", json!({ "schemas": [PATCH] })),
        ("empty Operations", operations(&json!([]))),
        (
            "Operations that are no list",
            operations(&json!({ "op": "add" })),
        ),
    ] {
        answers.scim(
            &format!("a user's PATCH with {what}"),
            tenant.scim.patch(&path, &body).expect(400),
        );
    }
    let path = format!("/Groups/{group}");
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": bob }] });
    for (what, bad) in [
        (
            "a member that does not exist",
            json!({
                "op": "add", "path": "members", "value": [{ "value": "01890000-0000-7000-8000-000000000000" }]
            }),
        ),
        (
            "a member without a value",
            json!({ "op": "add", "path": "members", "value": [{}] }),
        ),
        (
            "an unknown operation",
            json!({ "op": "move", "path": "members" }),
        ),
        (
            "a path that does not parse",
            json!({ "op": "remove", "path": "members[value eq" }),
        ),
    ] {
        let reply = tenant
            .scim
            .patch(&path, &operations(&json!([good, add, bad])))
            .expect(400);
        answers.scim(&format!("a group's PATCH with {what}"), reply);
    }
    insta::assert_json_snapshot!("patches", answers.finish());
}

#[test]
fn unknown_members_are_refused_or_skipped_as_the_directory_is_set() {
    let tenant = Tenant::new("Unknown members");
    let ada = tenant.user("ada@acme.test").id();
    let ghost = "01890000-0000-7000-8000-000000000000";
    let members = json!([{ "value": ada }, { "value": ghost }]);
    let body = json!({ "displayName": "Engineering", "members": members });
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    let refused = tenant.scim.post("/Groups", &body).expect(400);
    assert!(refused.json()["detail"].as_str().unwrap().contains(ghost));
    answers.scim("POST /Groups with a member that does not exist", refused);
    insta::assert_json_snapshot!("unknown_members", answers.finish());
    let directory = format!("/directories/{}", tenant.directory);
    let skip = json!({ "unknown_member": "skip" });
    let _ = tenant.operator.patch(&directory, &skip).expect(200);
    let group = tenant.scim.post("/Groups", &body).expect(201);
    assert_eq!(group.json()["members"].as_array().unwrap().len(), 1);
    let path = format!("/Groups/{}", group.id());
    let add =
        operations(&json!([{ "op": "Add", "path": "members", "value": [{ "value": "no id" }] }]));
    let _ = tenant.scim.patch(&path, &add).expect(204);
    let _ = tenant.scim.put(&path, &body).expect(200);
    let members = tenant.scim.get(&path).expect(200).json()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["value"], json!(ada));
}
