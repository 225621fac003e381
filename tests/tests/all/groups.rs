//! Groups under concurrency, in size, and when they change their name.

use crate::shared::Tenant;
use gatewright_tests::{Organization, Server};
use serde_json::{Value, json};
use std::thread;

/// Creates users over several connections.
fn users(organization: &Organization, count: usize) -> Vec<String> {
    const CONNECTIONS: usize = 16;
    let create = |from: usize| -> Vec<String> {
        let numbers = (from..count).step_by(CONNECTIONS);
        numbers
            .map(|n| organization.user(&format!("u{n:05}@acme.test")).id())
            .collect()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|from| scope.spawn(move || create(from)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn add(member: &str) -> Value {
    json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": member }] }] })
}

fn members(organization: &Organization, group: &str) -> Vec<String> {
    let group = organization
        .scim
        .get(&format!("/Groups/{group}"))
        .expect(200)
        .json();
    let members = group["members"].as_array().cloned().unwrap_or_default();
    let mut members: Vec<String> = members
        .iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect();
    members.sort();
    members
}

#[test]
fn fifty_parallel_patches_lose_no_member() {
    let tenant = Tenant::new("Fifty");
    let mut ids = users(&tenant, 50);
    let group = tenant.group("Engineering", &[]).id();
    let path = format!("/Groups/{group}");
    thread::scope(|scope| {
        for id in &ids {
            let (scim, path) = (&tenant.scim, &path);
            scope.spawn(move || scim.patch(path, &add(id)).expect(204));
        }
    });
    ids.sort();
    assert_eq!(members(&tenant, &group), ids);
    // Half of them leave while the other half is added once more.
    thread::scope(|scope| {
        for (place, id) in ids.iter().enumerate() {
            let (scim, path) = (&tenant.scim, &path);
            let remove = json!({ "Operations": [
                { "op": "Remove", "path": "members", "value": [{ "value": id }] }
            ] });
            let body = if place % 2 == 0 { remove } else { add(id) };
            scope.spawn(move || scim.patch(path, &body).expect(204));
        }
    });
    let stayed: Vec<String> = ids.iter().skip(1).step_by(2).cloned().collect();
    assert_eq!(members(&tenant, &group), stayed);
}

#[test]
fn of_parallel_creates_one_wins() {
    let tenant = Tenant::new("Race");
    let (users, groups): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let scim = &tenant.scim;
        let spawn = |n: usize| {
            let spell = if n.is_multiple_of(2) {
                "ada@acme.test"
            } else {
                "Ada@Acme.Test"
            };
            let user = json!({ "userName": spell, "externalId": n.to_string() });
            let group = json!({ "displayName": "Engineering" });
            let user = scope.spawn(move || scim.post("/Users", &user));
            (user, scope.spawn(move || scim.post("/Groups", &group)))
        };
        let threads: Vec<_> = (0..12).map(spawn).collect();
        threads
            .into_iter()
            .map(|(a, b)| (a.join().unwrap(), b.join().unwrap()))
            .unzip()
    });
    for replies in [users, groups] {
        assert_eq!(
            replies.iter().filter(|reply| reply.status == 201).count(),
            1
        );
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(
                (reply.status, &reply.json()["scimType"]),
                (409, &json!("uniqueness"))
            );
        }
    }
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
    assert_eq!(tenant.scim.get("/Groups").json()["totalResults"], 1);
    assert_eq!(tenant.accounts().len(), 1);
}

#[test]
fn a_renamed_group_keeps_what_is_mapped() {
    let tenant = Tenant::new("Rename");
    let ada = tenant.user("ada@acme.test").id();
    let group = tenant.group("Engineering", &[&ada]).id();
    let mapping = json!({ "entries": [
        { "group": { "id": group }, "kind": "base-role", "target": "Admin" },
        { "group": { "name": "Engineering" }, "kind": "seat", "target": "responder" },
    ] });
    let _ = tenant.operator.put("/mapping", &mapping).expect(200);
    let before = tenant.account("ada@acme.test");
    assert_eq!(
        (&before["role"]["name"], &before["seats"][0]["name"]),
        (&json!("Admin"), &json!("responder"))
    );
    let rename =
        json!({ "Operations": [{ "op": "replace", "value": { "displayName": "Builders" } }] });
    let _ = tenant
        .scim
        .patch(&format!("/Groups/{group}"), &rename)
        .expect(204);
    let after = tenant.account("ada@acme.test");
    assert_eq!(after["role"]["name"], "Admin");
    assert_eq!(after["role"]["reason"], "member of \"Builders\"");
    assert_eq!(after["seats"][0]["reason"], "member of \"Builders\"");
    assert_eq!(members(&tenant, &group), [ada]);
    // The old name is free again.
    let _ = tenant.group("Engineering", &[]);
    let taken = tenant.scim.put(
        &format!("/Groups/{group}"),
        &json!({ "displayName": "ENGINEERING" }),
    );
    let _ = taken.expect(409);
}

#[test]
fn a_put_brings_in_the_difference() {
    let tenant = Tenant::new("Difference");
    let mut ids = users(&tenant, 6);
    ids.sort();
    let group = tenant
        .group("Engineering", &[&ids[0], &ids[1], &ids[2]])
        .id();
    let since = |user: &str| {
        let page = tenant
            .operator
            .get(&format!("/groups/{group}/members"))
            .expect(200)
            .json();
        let all = page["members"].as_array().unwrap().clone();
        all.into_iter()
            .find(|member| member["user"] == *user)
            .map(|member| member["since"].clone())
    };
    let (stays, leaves) = (since(&ids[2]), since(&ids[0]));
    assert!(stays.is_some() && leaves.is_some());
    let wanted: Vec<Value> = ids[2..5].iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "displayName": "Engineering", "members": wanted });
    let path = format!("/Groups/{group}");
    let put = tenant.scim.put(&path, &body).expect(200);
    assert_eq!(members(&tenant, &group), ids[2..5]);
    // Who stays was in all the time; the one who left is out.
    assert_eq!(since(&ids[2]), stays);
    assert_eq!(since(&ids[0]), None);
    // The same again changes nothing, so nobody has to be decided anew.
    let again = tenant.scim.put(&path, &body).expect(200);
    assert_eq!(
        again.json()["meta"]["lastModified"],
        put.json()["meta"]["lastModified"]
    );
    for path in [
        format!("{path}?excludedAttributes=members"),
        format!("{path}?attributes=displayName"),
    ] {
        let shown = tenant.scim.get(&path).expect(200).json();
        assert_eq!(
            (&shown["members"], &shown["displayName"]),
            (&Value::Null, &json!("Engineering"))
        );
    }
    let listed = tenant
        .scim
        .get("/Groups?excludedAttributes=members")
        .expect(200);
    assert!(!listed.text.contains("members"), "{}", listed.text);
}

#[test]
fn a_deleted_group_of_three_thousand_lets_them_all_go() {
    const COUNT: usize = 3_000;
    let tenant = Tenant::new("Three thousand");
    tenant.without_brake();
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ids = users(&tenant, COUNT);
    let references: Vec<&str> = ids.iter().map(String::as_str).collect();
    let group = tenant.group("Engineering", &references).id();
    let roles = |name: &str| {
        tenant
            .accounts()
            .iter()
            .filter(|account| account["role"]["name"] == name)
            .count()
    };
    assert_eq!(roles("Admin"), COUNT);
    let path = format!("/Groups/{group}");
    let _ = tenant.scim.delete(&path).expect(204);
    // At once, though the memberships end step by step.
    let _ = tenant.scim.get(&path).expect(404);
    let user = tenant
        .scim
        .get(&format!("/Users/{}", ids[COUNT - 1]))
        .expect(200)
        .json();
    assert_eq!(user["groups"], Value::Null);
    assert_eq!(
        tenant.scim.get("/Groups").expect(200).json()["totalResults"],
        0
    );
    let _ = tenant
        .operator
        .get(&format!("/groups/{group}/members"))
        .expect(404);
    assert_eq!(roles("Standard"), COUNT);
    // A group of the same name begins empty.
    let again = tenant.group("Engineering", &[]).id();
    assert!(members(&tenant, &again).is_empty());
}

/// One group is written otherwise than a page of them: what is shown must be the same.
#[test]
fn a_group_looks_alike_by_itself_and_in_a_list() {
    let server = Server::generic();
    let ids: Vec<String> = ["ada", "bob"].map(|name| server.user(name).id()).into();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // A name that looks like what is written in its place.
    let groups = [
        server.group("\"members\":[]", &ids).id(),
        server.group("empty", &[]).id(),
    ];
    for query in [
        "",
        "attributes=members",
        "attributes=members.value",
        "attributes=members.type,displayName",
        "attributes=members.display",
        "attributes=displayName",
        "excludedAttributes=members",
        "excludedAttributes=members.value",
        "excludedAttributes=members.$ref,meta",
    ] {
        let listed = server.scim().get(&format!("/Groups?{query}")).expect(200);
        let listed = listed.json()["Resources"].as_array().unwrap().clone();
        for (id, listed) in groups.iter().zip(listed) {
            let shown = server.scim().get(&format!("/Groups/{id}?{query}"));
            assert_eq!(shown.expect(200).text, listed.to_string(), "{query}");
        }
    }
}

/// The names that a user shows are kept between requests; they are those of the groups all the same.
#[test]
fn a_user_shows_what_its_groups_are_called_now() {
    let tenant = Tenant::new("Names of groups");
    let ada = tenant.user("ada@acme.test").id();
    let eve = tenant.user("eve@acme.test").id();
    let groups: Vec<String> = (0..3)
        .map(|n| tenant.group(&format!("G{n}"), &[&ada, &eve]).id())
        .collect();
    let shown = |reply: Value| -> Vec<String> {
        let groups = reply["groups"].as_array().cloned().unwrap_or_default();
        let names = groups.iter().map(|group| group["display"].as_str());
        names.map(|name| name.unwrap().to_owned()).collect()
    };
    let both = || {
        let one = tenant.scim.get(&format!("/Users/{ada}")).expect(200).json();
        let filter = "/Users?filter=userName%20eq%20%22eve@acme.test%22";
        let found = tenant.scim.get(filter).expect(200).json();
        let (one, listed) = (shown(one), shown(found["Resources"][0].clone()));
        assert_eq!(one, listed);
        one
    };
    assert_eq!(both(), ["G0", "G1", "G2"]);
    let other = Tenant::new("Names of other groups");
    let mut last = None;
    for round in 0..20 {
        let name = format!("Round {round}");
        let rename =
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": name }] });
        last = Some(
            tenant
                .scim
                .patch(&format!("/Groups/{}", groups[1]), &rename),
        );
        assert_eq!(both(), ["G0", &name, "G2"]);
        // What another organization does is nothing to it.
        let _ = other.group(&name, &[]);
    }
    let _ = tenant
        .scim
        .delete(&format!("/Groups/{}", groups[0]))
        .expect(204);
    assert_eq!(both(), ["Round 19", "G2"]);
    // A replayed rename is only tried out: nothing of it is kept.
    let rename = format!(
        "/directories/{}/requests/{}",
        tenant.directory,
        last.unwrap().header("gatewright-request-id").unwrap()
    );
    tenant.server.until("the rename is logged", |_| {
        tenant.operator.get(&rename).status == 200
    });
    let replay = format!("{rename}/replay");
    let _ = tenant.operator.post(&replay, &json!({})).expect(200);
    assert_eq!(both(), ["Round 19", "G2"]);
}
