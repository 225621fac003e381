//! Circles, depth, breadth, and members that are not what they are said to be.

use super::{add, adding, path, remove};
use crate::shared::Tenant;
use gatewright_tests::{Client, Reply};
use serde_json::{Value, json};
use std::thread;

/// What a refusal with 400 `invalidValue` says.
fn refused(reply: Reply) -> String {
    let body = reply.expect(400).json();
    assert_eq!(body["scimType"], "invalidValue", "{body}");
    body["detail"].as_str().unwrap().to_owned()
}

fn refuse(scim: &Client, group: &str, member: &str) -> String {
    refused(scim.patch(&path(group), &adding(member)))
}

#[test]
fn a_circle_is_refused_by_the_names_in_it() {
    let tenant = Tenant::new("Circles");
    let scim = &tenant.scim;
    let ada = tenant.user("ada@acme.test").id();
    let low = tenant.group("Low", &[]).id();
    let middle = tenant.group("Middle", &[&low]).id();
    let high = tenant.group("High", &[&middle]).id();
    let told = refuse(scim, &low, &low);
    assert!(told.contains(r#""Low" has the member "Low""#), "{told}");
    let told = refuse(scim, &middle, &high);
    let circle = r#""Middle" has the member "High" has the member "Middle""#;
    assert!(told.contains(circle), "{told}");
    let circle = r#""Low" has the member "High" has the member "Middle" has the member "Low""#;
    assert!(refuse(scim, &low, &high).contains(circle));
    // By PUT too, under the name that it would have, and nothing else of the request is done.
    let body = json!({ "displayName": "Lowest", "members": [{ "value": ada }, { "value": high }] });
    let told = refused(scim.put(&path(&low), &body));
    assert!(told.contains(r#""Lowest" has the member "High""#), "{told}");
    let shown = scim.get(&path(&low)).json();
    assert_eq!(
        (&shown["displayName"], &shown["members"]),
        (&json!("Low"), &json!([]))
    );
    // Other ways to the same group are none.
    add(scim, &high, &low);
    // Once the way is open, it may be closed from the other side, in one request too.
    let swap = json!({ "Operations": [
        { "op": "remove", "path": format!("members[value eq \"{middle}\"]") },
        { "op": "remove", "path": format!("members[value eq \"{low}\"]") },
    ] });
    let _ = scim.patch(&path(&high), &swap).expect(204);
    add(scim, &low, &high);
    assert!(refuse(scim, &high, &middle).contains("\"Low\""));
}

#[test]
fn two_patches_at_once_make_no_circle() {
    let tenant = Tenant::new("Circles at once");
    let scim = &tenant.scim;
    let ids: Vec<String> = ["A", "B", "C"]
        .iter()
        .map(|name| tenant.group(name, &[]).id())
        .collect();
    for _ in 0..40 {
        // Two of the three steps fit, in whichever order they come.
        let statuses: Vec<u16> = thread::scope(|scope| {
            let patch = |at: usize| {
                let (group, member) = (&ids[at], &ids[(at + 1) % 3]);
                scope.spawn(move || scim.patch(&path(group), &adding(member)).status)
            };
            let threads: Vec<_> = (0..3).map(patch).collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let done = statuses.iter().filter(|status| **status == 204).count();
        let refused = statuses.iter().filter(|status| **status == 400).count();
        assert_eq!((done, refused), (2, 1), "{statuses:?}");
        for at in 0..3 {
            remove(scim, &ids[at], &ids[(at + 1) % 3]);
        }
    }
}

#[test]
fn a_type_that_contradicts_the_id_is_refused() {
    let tenant = Tenant::new("Member types");
    let scim = &tenant.scim;
    let ada = tenant.user("ada@acme.test").id();
    let low = tenant.group("Low", &[]).id();
    let high = tenant.group("High", &[]).id();
    let typed = |id: &str, kind: &str| {
        json!({ "Operations": [
            { "op": "add", "path": "members", "value": [{ "value": id, "type": kind }] }
        ] })
    };
    let check = |id: &str, is: &str, said: &str| {
        let told = refused(scim.patch(&path(&high), &typed(id, said)));
        let part = format!("\"{id}\" is the id of a {is}, but its `type` says {said}");
        assert!(told.contains(&part), "{told}");
    };
    check(&ada, "User", "Group");
    check(&low, "Group", "User");
    // Of one who is in it already, too.
    add(scim, &high, &ada);
    add(scim, &high, &low);
    check(&ada, "User", "Group");
    check(&low, "Group", "User");
    let body = json!({ "displayName": "High", "members": [{ "value": ada, "type": "Group" }] });
    assert!(refused(scim.put(&path(&high), &body)).contains("says Group"));
    // A case is no contradiction, and what is no type at all says nothing.
    for said in ["user", "USER", "ServicePrincipal", ""] {
        let _ = scim.patch(&path(&high), &typed(&ada, said)).expect(204);
    }
    // A group of another directory is nobody here.
    let other = tenant.another("Member types elsewhere");
    let elsewhere = other.group("Elsewhere", &[]).id();
    assert!(refuse(scim, &high, &elsewhere).contains("user or group of this directory"));
}

#[test]
fn groups_are_in_each_other_sixteen_levels_deep_and_no_deeper() {
    let tenant = Tenant::new("Depth");
    let scim = &tenant.scim;
    let ada = tenant.user("ada@acme.test").id();
    let mut below = tenant.group("G00", &[&ada]).id();
    let lowest = below.clone();
    for level in 1..=16 {
        below = tenant.group(&format!("G{level:02}"), &[&below]).id();
    }
    assert_eq!(super::groups_of(&tenant, &ada).len(), 17);
    let body = json!({ "displayName": "Higher", "members": [{ "value": below }] });
    let told = refused(scim.post("/Groups", &body));
    assert!(
        told.contains("\"Higher\"") && told.contains("16 levels"),
        "{told}"
    );
    let lower = tenant.group("Lower", &[]).id();
    assert!(refuse(scim, &lowest, &lower).contains("16 levels"));
    // A second way that is short is none too deep.
    let top = tenant.group("Top", &[&lowest]).id();
    add(scim, &top, &lower);
}

#[test]
fn a_thousand_groups_hang_together_and_no_more() {
    const MOST: usize = 1_000;
    let tenant = Tenant::new("Breadth");
    let scim = &tenant.scim;
    let create = |from: usize| -> Vec<String> {
        let numbers = (from..=MOST).step_by(8);
        numbers
            .map(|n| tenant.group(&format!("Team {n}"), &[]).id())
            .collect()
    };
    let teams: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|from| scope.spawn(move || create(from)))
            .collect();
        threads
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let all = tenant.group("All", &[]).id();
    let replace = |teams: &[String]| {
        let members: Vec<Value> = teams.iter().map(|id| json!({ "value": id })).collect();
        json!({ "Operations": [{ "op": "replace", "path": "members", "value": members }] })
    };
    let told = refused(scim.patch(&path(&all), &replace(&teams[..MOST])));
    assert!(
        told.contains("\"All\"") && told.contains("1000 groups"),
        "{told}"
    );
    let told = refused(scim.patch(&path(&all), &replace(&teams)));
    assert!(told.contains("1000 groups"), "{told}");
    let _ = scim
        .patch(&path(&all), &replace(&teams[..MOST - 1]))
        .expect(204);
    // From above, from below and from aside.
    let _ = refuse(scim, &all, &teams[MOST]);
    let _ = refuse(scim, &teams[0], &teams[MOST]);
    let _ = refuse(scim, &teams[MOST], &teams[0]);
    remove(scim, &all, &teams[1]);
    add(scim, &teams[MOST], &teams[0]);
    // Users are not counted.
    let ada = tenant.user("ada@acme.test").id();
    add(scim, &teams[0], &ada);
    assert_eq!(super::groups_of(&tenant, &ada).len(), 3);
    let _ = scim.delete(&path(&all)).expect(204);
    assert_eq!(super::groups_of(&tenant, &ada).len(), 2);
}

#[test]
fn bulk_puts_groups_into_groups_and_refuses_a_circle_whole() {
    let tenant = Tenant::new("Nested bulk");
    let group = |id: &str, members: &[&str]| {
        let members: Vec<Value> = members
            .iter()
            .map(|id| json!({ "value": format!("bulkId:{id}") }))
            .collect();
        json!({ "method": "POST", "path": "/Groups", "bulkId": id, "data": {
            "displayName": id, "members": members
        }})
    };
    let run = |operations: Value| -> Vec<Value> {
        let answer = tenant
            .scim
            .post("/Bulk", &json!({ "Operations": operations }));
        answer.expect(200).json()["Operations"]
            .as_array()
            .unwrap()
            .clone()
    };
    let status = |results: &[Value]| -> Vec<String> {
        let text = |one: &Value| one["status"].as_str().unwrap().to_owned();
        results.iter().map(text).collect()
    };
    let user = json!({ "method": "POST", "path": "/Users", "bulkId": "u", "data": {
        "userName": "ada@acme.test"
    }});
    let results = run(json!([
        group("High", &["Low", "u"]),
        group("Low", &["u"]),
        user
    ]));
    assert_eq!(status(&results), ["201", "201", "201"]);
    let ada = tenant.scim.get("/Users").json()["Resources"][0]["id"].clone();
    assert_eq!(super::groups_of(&tenant, ada.as_str().unwrap()).len(), 2);

    let results = run(json!([
        group("One", &["Two"]),
        group("Two", &["One"]),
        group("Three", &["One"]),
        group("Four", &["Four"]),
        group("Five", &[]),
    ]));
    assert_eq!(status(&results), ["400", "400", "409", "400", "201"]);
    for at in [0, 1] {
        let response = &results[at]["response"];
        assert_eq!(response["scimType"], "invalidValue");
        let told = response["detail"].as_str().unwrap();
        assert!(told.contains("\"One\" has the member \"Two\""), "{told}");
    }
    let listed = tenant.scim.get("/Groups").json();
    assert_eq!(listed["totalResults"], 3, "{listed}");
    // By an operation of its own the circle is closed no more than by a request.
    let patch =
        json!({ "method": "PATCH", "path": "/Groups/bulkId:Seven", "data": adding("bulkId:Six") });
    let results = run(json!([
        group("Six", &["Seven"]),
        group("Seven", &[]),
        patch
    ]));
    assert_eq!(status(&results), ["201", "201", "400"]);
    let told = results[2]["response"]["detail"].as_str().unwrap();
    assert!(told.contains("\"Seven\" has the member \"Six\""), "{told}");
}
