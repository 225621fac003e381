//! Versions of resources: `meta.version`, ETag, and requests that depend on them.

use crate::shared::Tenant;
use gatewright_tests::Reply;
use serde_json::{Value, json};
use std::thread;

fn version(reply: &Reply) -> String {
    let version = reply.json()["meta"]["version"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("etag"), Some(version.as_str()));
    assert!(version.starts_with("W/\""), "{version}");
    version
}

fn send(
    tenant: &Tenant,
    method: &str,
    path: &str,
    condition: (&str, &str),
    body: Option<Value>,
) -> Reply {
    let headers = [condition, ("Content-Type", "application/scim+json")];
    let body = body.map(|body| body.to_string());
    let body = body.as_ref().map(String::as_bytes);
    tenant.scim.send(method, path, &headers, body)
}

/// The version now, and that who has it is told so without a body.
fn now(tenant: &Tenant, path: &str) -> String {
    let version = version(&tenant.scim.get(path).expect(200));
    let known = send(tenant, "GET", path, ("If-None-Match", &version), None).expect(304);
    assert_eq!(
        (known.text.as_str(), known.header("etag")),
        ("", Some(&*version))
    );
    version
}

/// That who has `before` is shown the present state.
fn moved(tenant: &Tenant, path: &str, before: &str) -> String {
    let shown = send(tenant, "GET", path, ("If-None-Match", before), None).expect(200);
    let now = now(tenant, path);
    assert_eq!(version(&shown), now);
    assert_ne!(now, before);
    now
}

fn refused(reply: Reply) {
    let body = reply.expect(412).json();
    assert_eq!(body["status"], "412");
    assert!(
        body["detail"].as_str().unwrap().contains("If-Match"),
        "{body}"
    );
}

#[test]
fn a_change_that_depends_on_another_version_is_refused() {
    let tenant = Tenant::new("Versions");
    let created = tenant.user("ada@acme.test");
    let path = format!("/Users/{}", created.id());
    let first = version(&created);
    let title = |title: &str| json!({ "userName": "ada@acme.test", "title": title });
    let patch =
        |title: &str| json!({ "Operations": [{ "op": "add", "path": "title", "value": title }] });
    let put = send(
        &tenant,
        "PUT",
        &path,
        ("If-Match", &first),
        Some(title("A")),
    )
    .expect(200);
    let second = version(&put);
    assert_ne!(first, second);
    for (method, body) in [
        ("PUT", Some(title("B"))),
        ("PATCH", Some(patch("B"))),
        ("DELETE", None),
    ] {
        refused(send(
            &tenant,
            method,
            &path,
            ("If-Match", &first),
            body.clone(),
        ));
        refused(send(&tenant, method, &path, ("If-None-Match", "*"), body));
    }
    assert_eq!(tenant.scim.get(&path).json()["title"], "A");
    // The same once more changes nothing, so the version stays.
    let same = send(
        &tenant,
        "PUT",
        &path,
        ("If-Match", &second),
        Some(title("A")),
    )
    .expect(200);
    assert_eq!(version(&same), second);
    let list = format!("W/\"1\", {second}");
    let patched = send(
        &tenant,
        "PATCH",
        &path,
        ("If-Match", &list),
        Some(patch("C")),
    )
    .expect(200);
    refused(send(&tenant, "GET", &path, ("If-Match", &second), None));
    let known = format!("W/\"1\", {}", version(&patched));
    let _ = send(&tenant, "GET", &path, ("If-None-Match", &known), None).expect(304);
    let _ = send(&tenant, "GET", &path, ("If-None-Match", "*"), None).expect(304);
    let _ = send(&tenant, "DELETE", &path, ("If-Match", "*"), None).expect(204);
    let _ = send(&tenant, "DELETE", &path, ("If-Match", "*"), None).expect(404);
}

#[test]
fn of_parallel_changes_of_one_version_one_wins() {
    let tenant = Tenant::new("Versions in parallel");
    let group = tenant.group("Engineering", &[]);
    let (path, seen) = (format!("/Groups/{}", group.id()), version(&group));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (tenant, path, seen) = (&tenant, &path, &seen);
                let body = json!({ "displayName": format!("Engineering {n}") });
                scope
                    .spawn(move || send(tenant, "PUT", path, ("If-Match", seen), Some(body)).status)
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 7);
}

#[test]
fn whatever_is_shown_moves_the_version() {
    let tenant = Tenant::new("Versions shown");
    let user = tenant.user("ada@acme.test").id();
    let other = tenant.user("bob@acme.test").id();
    let group = tenant.group("Engineering", &[]).id();
    let (user_path, group_path) = (format!("/Users/{user}"), format!("/Groups/{group}"));
    let (mut of_user, mut of_group) = (now(&tenant, &user_path), now(&tenant, &group_path));
    let members = |op: &str, id: &str| json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] });
    let patched = tenant
        .scim
        .patch(&group_path, &members("add", &user))
        .expect(204);
    of_user = moved(&tenant, &user_path, &of_user);
    of_group = moved(&tenant, &group_path, &of_group);
    assert_eq!(patched.header("etag"), Some(of_group.as_str()));
    // The user shows the group's name.
    let rename =
        json!({ "Operations": [{ "op": "replace", "value": { "displayName": "Builders" } }] });
    let _ = tenant.scim.patch(&group_path, &rename).expect(204);
    of_user = moved(&tenant, &user_path, &of_user);
    of_group = moved(&tenant, &group_path, &of_group);
    // Somebody else's membership is none of the user's.
    let _ = tenant
        .scim
        .patch(&group_path, &members("add", &other))
        .expect(204);
    assert_eq!(now(&tenant, &user_path), of_user);
    of_group = moved(&tenant, &group_path, &of_group);
    // The group no longer shows a deleted user.
    let _ = tenant.scim.delete(&format!("/Users/{other}")).expect(204);
    let _ = moved(&tenant, &group_path, &of_group);
    let stale = json!({ "displayName": "Builders", "members": [] });
    refused(send(
        &tenant,
        "PUT",
        &group_path,
        ("If-Match", &of_group),
        Some(stale),
    ));
    let _ = tenant.scim.delete(&group_path).expect(204);
    let _ = moved(&tenant, &user_path, &of_user);
}

#[test]
fn the_version_is_one_whatever_part_is_asked_for() {
    let tenant = Tenant::new("Version parts");
    let user = tenant.user("ada@acme.test").id();
    let _ = tenant.group("Engineering", &[&user]);
    let path = format!("/Users/{user}");
    let version = now(&tenant, &path);
    let listed = |query: &str| {
        let list = tenant
            .scim
            .get(&format!("/Users?{query}"))
            .expect(200)
            .json();
        list["Resources"][0]["meta"]["version"].clone()
    };
    assert_eq!(listed("count=1"), version);
    assert_eq!(listed("excludedAttributes=groups"), version);
    assert_eq!(listed("attributes=meta.version"), version);
    let part = tenant
        .scim
        .get(&format!("{path}?attributes=userName"))
        .expect(200);
    assert_eq!(part.header("etag"), Some(version.as_str()));
    let config = tenant.scim.get("/ServiceProviderConfig").expect(200).json();
    assert_eq!(config["etag"]["supported"], true);
}
