//! Roles and seats by groups that hold the user's groups.

use super::{add, path, remove};
use crate::shared::Tenant;
use serde_json::{Value, json};
use std::thread;

const ADA: &str = "ada@acme.test";

fn role(tenant: &Tenant, label: &str) -> (String, String) {
    let account = tenant.account(label);
    let text = |name: &str| {
        account["role"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (text("name"), text("reason"))
}

fn admin(group: &str) -> (String, String) {
    ("Admin".to_owned(), format!("member of \"{group}\""))
}

#[test]
fn a_role_of_a_group_reaches_the_members_of_the_groups_in_it() {
    let tenant = Tenant::new("Nested roles");
    let scim = &tenant.scim;
    tenant.map(&[("All", "base-role", "Admin")]);
    let ada = tenant.user(ADA).id();
    let low = tenant.group("Low", &[&ada]).id();
    let middle = tenant.group("Middle", &[&low]).id();
    let other = tenant.group("Other", &[&low]).id();
    let all = tenant.group("All", &[]).id();
    let standard = role(&tenant, ADA);
    assert_ne!(standard.0, "Admin");
    add(scim, &all, &middle);
    assert_eq!(role(&tenant, ADA), admin("All"));
    // As long as there is another way, nothing ends.
    add(scim, &all, &other);
    remove(scim, &all, &middle);
    assert_eq!(role(&tenant, ADA), admin("All"));
    remove(scim, &other, &low);
    assert_eq!(role(&tenant, ADA), standard);
    // A step in the middle, a new member, and a name.
    add(scim, &other, &low);
    assert_eq!(role(&tenant, ADA), admin("All"));
    let bob = tenant.user("bob@acme.test").id();
    add(scim, &low, &bob);
    assert_eq!(role(&tenant, "bob@acme.test"), admin("All"));
    let rename = |name: &str| {
        let body = json!({ "Operations": [{ "op": "replace", "value": { "displayName": name } }] });
        let _ = scim.patch(&path(&all), &body).expect(204);
    };
    rename("Everybody");
    assert_eq!(role(&tenant, ADA), standard);
    rename("All");
    assert_eq!(role(&tenant, ADA), admin("All"));
    // A deleted group leads nowhere.
    let _ = scim.delete(&path(&other)).expect(204);
    assert_eq!(role(&tenant, ADA), standard);
    add(scim, &all, &low);
    assert_eq!(role(&tenant, ADA), admin("All"));
    let _ = scim.delete(&path(&all)).expect(204);
    assert_eq!(role(&tenant, ADA), standard);
    assert_eq!(role(&tenant, "bob@acme.test"), standard);
}

#[test]
fn a_seat_by_way_of_a_group_is_kept_like_any_other() {
    let tenant = Tenant::new("Nested seats");
    let scim = &tenant.scim;
    tenant.map(&[("All", "seat", "on-call")]);
    let ada = tenant.user(ADA).id();
    let low = tenant.group("Low", &[&ada]).id();
    let all = tenant.group("All", &[&low]).id();
    let seats = || {
        let seats = tenant.account(ADA)["seats"].clone();
        let text = |seat: &Value, name: &str| seat[name].as_str().unwrap().to_owned();
        let seats = seats.as_array().unwrap().iter();
        seats
            .map(|seat| (text(seat, "name"), text(seat, "reason")))
            .collect::<Vec<_>>()
    };
    let seat = |reason: &str| vec![("on-call".to_owned(), reason.to_owned())];
    assert_eq!(seats(), seat("member of \"All\""));
    // It cannot be taken away while it is given.
    let id = tenant.account(ADA)["id"].as_str().unwrap().to_owned();
    let revoke = format!("/accounts/{id}/seats/on-call");
    let refused = tenant.application.delete(&revoke).expect(409).json();
    assert!(
        refused["detail"].as_str().unwrap().contains("All"),
        "{refused}"
    );
    remove(scim, &all, &low);
    assert_eq!(seats(), seat("member of \"All\", kept after leaving"));
    let _ = tenant.application.delete(&revoke).expect(200);
    assert_eq!(seats()[0].0, "viewer");
}

#[test]
fn who_is_in_a_group_by_way_of_another_is_in_one() {
    let tenant = Tenant::new("Nested lifecycle");
    let body =
        json!({ "plugin": "group-lifecycle", "settings": { "when_in_no_group": "deactivate" } });
    let _ = tenant
        .operator
        .put("/bindings/lifecycle", &body)
        .expect(200);
    let ada = tenant.user(ADA).id();
    let low = tenant.group("Low", &[&ada]).id();
    let all = tenant.group("All", &[&low]).id();
    let status = || tenant.account(ADA)["status"].clone();
    assert_eq!(status(), "active");
    let _ = tenant.scim.delete(&path(&all)).expect(204);
    assert_eq!(status(), "active");
    let _ = tenant.scim.delete(&path(&low)).expect(204);
    assert_eq!(status(), "deactivated");
}

#[test]
fn a_group_of_two_thousand_comes_and_goes() {
    const COUNT: usize = 2_000;
    let tenant = Tenant::new("Nested crowd");
    tenant.without_brake();
    tenant.map(&[("All", "base-role", "Admin")]);
    let create = |from: usize| -> Vec<String> {
        let numbers = (from..COUNT).step_by(8);
        numbers
            .map(|n| tenant.user(&format!("u{n:04}@acme.test")).id())
            .collect()
    };
    let ids: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|from| scope.spawn(move || create(from)))
            .collect();
        threads
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let references: Vec<&str> = ids.iter().map(String::as_str).collect();
    let crowd = tenant.group("Crowd", &references).id();
    let all = tenant.group("All", &[]).id();
    let admins = || {
        let accounts = tenant.accounts();
        let admins = accounts
            .iter()
            .filter(|account| account["role"]["name"] == "Admin");
        admins.count()
    };
    let events = || tenant.revision();
    let before = events();
    add(&tenant.scim, &all, &crowd);
    assert_eq!(admins(), COUNT);
    assert!(events() > before);
    remove(&tenant.scim, &all, &crowd);
    assert_eq!(admins(), 0);
    add(&tenant.scim, &all, &crowd);
    assert_eq!(admins(), COUNT);
    // All leave at once, and what they lose is more than one request writes.
    let empty = json!({ "Operations": [{ "op": "remove", "path": "members" }] });
    let _ = tenant.scim.patch(&path(&crowd), &empty).expect(204);
    assert_eq!(admins(), 0);
}
