//! The options of the shipped policies, as a provider and an administrator see them.

use crate::shared::Tenant;
use serde_json::{Value, json};
use std::time::Instant;

const ADA: &str = "ada@acme.test";

fn bind(tenant: &Tenant, slot: &str, plugin: &str, settings: &Value) {
    let body = json!({ "plugin": plugin, "settings": settings });
    let path = format!("/bindings/{slot}");
    let _ = tenant.operator.put(&path, &body).expect(200);
}

fn patch(tenant: &Tenant, path: &str, operation: &Value) {
    let body = json!({ "Operations": [operation] });
    let reply = tenant.scim.patch(path, &body);
    assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
}

fn leave(tenant: &Tenant, group: &str, user: &str) {
    let path = format!("members[value eq \"{user}\"]");
    let operation = json!({ "op": "remove", "path": path });
    patch(tenant, &format!("/Groups/{group}"), &operation);
}

fn join(tenant: &Tenant, group: &str, user: &str) {
    let operation = json!({ "op": "add", "path": "members", "value": [{ "value": user }] });
    patch(tenant, &format!("/Groups/{group}"), &operation);
}

fn activate(tenant: &Tenant, user: &str, active: bool) {
    let operation = json!({ "op": "replace", "path": "active", "value": active });
    patch(tenant, &format!("/Users/{user}"), &operation);
}

/// The account as it is now, decided or not.
fn look(tenant: &Tenant) -> Value {
    let path = format!("/accounts?email={ADA}");
    let found = tenant.application.get(&path).expect(200).json();
    found["accounts"][0].clone()
}

/// Waits for the account to become so by itself, at the earliest `grace` seconds after `began`.
fn becomes(tenant: &Tenant, began: Instant, grace: u64, holds: impl Fn(&Value) -> bool) -> Value {
    tenant
        .server
        .until("the grace is over", |_| holds(&look(tenant)));
    // Times of leaving are to the second, so up to one of it is over already.
    assert!(began.elapsed().as_secs() + 1 >= grace);
    look(tenant)
}

fn seats(account: &Value) -> Vec<(&str, &str)> {
    let seats = account["seats"].as_array().unwrap();
    seats
        .iter()
        .map(|seat| {
            (
                seat["name"].as_str().unwrap(),
                seat["reason"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_role_from_a_group_is_kept_for_its_grace_through_other_decisions() {
    let tenant = Tenant::new("Role grace");
    tenant.map(&[("Leads", "base-role", "Admin")]);
    bind(&tenant, "roles", "group-roles", &json!({ "grace": "6s" }));
    let ada = tenant.user(ADA).id();
    let leads = tenant.group("Leads", &[&ada]).id();
    assert_eq!(tenant.account(ADA)["role"]["name"], "Admin");
    let began = Instant::now();
    leave(&tenant, &leads, &ada);
    let kept = tenant.account(ADA)["role"].clone();
    let reason = kept["reason"].as_str().unwrap();
    assert_eq!(kept["name"], "Admin");
    assert!(
        reason.starts_with("member of \"Leads\", kept after leaving at 20"),
        "{reason}"
    );
    // The membership was told to one decision only; the next one has what that one noted.
    let rename = json!({ "op": "replace", "path": "displayName", "value": "Ada" });
    patch(&tenant, &format!("/Users/{ada}"), &rename);
    assert_eq!(tenant.account(ADA)["role"]["reason"], *reason);
    let after = becomes(&tenant, began, 6, |account| {
        account["role"]["name"] != "Admin"
    });
    assert_eq!(after["role"]["reason"], "default role");
    // Who comes back before it is over has the role as before.
    join(&tenant, &leads, &ada);
    let _ = tenant.account(ADA);
    leave(&tenant, &leads, &ada);
    let _ = tenant.account(ADA);
    join(&tenant, &leads, &ada);
    let back = tenant.account(ADA);
    assert_eq!(back["role"]["reason"], "member of \"Leads\"");
}

#[test]
fn seat_types_have_rules_of_their_own() {
    let tenant = Tenant::new("Seat rules");
    tenant.map(&[
        ("Team", "seat", "responder"),
        ("Team", "seat", "on-call"),
        ("Team", "seat", "viewer"),
    ]);
    let settings = json!({
        "keep_when_leaving": false,
        "seat_types": { "on-call": { "keep_when_leaving": true }, "responder": { "grace": "6s" } },
    });
    bind(&tenant, "seats", "group-seats", &settings);
    let ada = tenant.user(ADA).id();
    let team = tenant.group("Team", &[&ada]).id();
    assert_eq!(tenant.account(ADA)["seats"].as_array().unwrap().len(), 3);
    let began = Instant::now();
    leave(&tenant, &team, &ada);
    let account = tenant.account(ADA);
    let held = seats(&account);
    let kept = "member of \"Team\", kept after leaving";
    assert_eq!((held.len(), held[0]), (2, ("on-call", kept)), "{held:?}");
    assert!(
        held[1].0 == "responder" && held[1].1.starts_with(&format!("{kept} at 20")),
        "{held:?}"
    );
    let after = becomes(&tenant, began, 6, |account| {
        account["seats"].as_array().unwrap().len() == 1
    });
    assert_eq!(seats(&after), [("on-call", kept)]);
}

#[test]
fn a_seat_is_sticky_though_joining_and_leaving_met_no_decision() {
    let tenant = Tenant::new("Sticky between");
    tenant.map(&[("Team", "seat", "on-call")]);
    let ada = tenant.user(ADA).id();
    let team = tenant.group("Team", &[]).id();
    assert_eq!(seats(&tenant.account(ADA))[0].0, "viewer");
    // Nothing is decided while a policy refuses.
    let nobody = json!({ "default_role": "Nobody" });
    bind(&tenant, "roles", "group-roles", &nobody);
    join(&tenant, &team, &ada);
    leave(&tenant, &team, &ada);
    let rollback = "/bindings/roles/rollback";
    let _ = tenant.operator.post(rollback, &json!({})).expect(200);
    assert_eq!(
        seats(&tenant.account(ADA)),
        [("on-call", "member of \"Team\", kept after leaving")]
    );
}

#[test]
fn seats_of_a_deactivated_account_are_free_or_kept_as_set() {
    let tenant = Tenant::new("Seats while away");
    tenant.map(&[("Team", "seat", "on-call")]);
    let ada = tenant.user(ADA).id();
    let team = tenant.group("Team", &[&ada]).id();
    let _ = tenant.account(ADA);
    leave(&tenant, &team, &ada);
    let sticky = [("on-call", "member of \"Team\", kept after leaving")];
    assert_eq!(seats(&tenant.account(ADA)), sticky);
    let keep = json!({ "when_deactivated": "keep" });
    bind(&tenant, "seats", "group-seats", &keep);
    activate(&tenant, &ada, false);
    let away = tenant.account(ADA);
    assert_eq!(away["status"], "deactivated");
    assert_eq!(seats(&away), sticky);
    bind(&tenant, "seats", "group-seats", &json!({}));
    assert_eq!(tenant.account(ADA)["seats"], json!([]));
}

#[test]
fn who_leaves_all_groups_is_deactivated_after_the_grace_and_not_before() {
    let tenant = Tenant::new("Lifecycle grace");
    let settings = json!({ "when_in_no_group": "deactivate", "grace": "6s" });
    bind(&tenant, "lifecycle", "group-lifecycle", &settings);
    let ada = tenant.user(ADA).id();
    let team = tenant.group("Team", &[&ada]).id();
    assert_eq!(tenant.account(ADA)["status"], "active");
    let began = Instant::now();
    leave(&tenant, &team, &ada);
    let account = tenant.account(ADA);
    assert_eq!(account["status"], "active");
    let reason = account["status_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the user is in no group any more, since 20"),
        "{reason}"
    );
    let rename = json!({ "op": "replace", "path": "displayName", "value": "Ada" });
    patch(&tenant, &format!("/Users/{ada}"), &rename);
    assert_eq!(tenant.account(ADA)["status_reason"], *reason);
    let after = becomes(&tenant, began, 6, |account| account["status"] != "active");
    assert_eq!(
        (&after["status"], &after["status_reason"]),
        (&json!("deactivated"), &json!(reason))
    );
    join(&tenant, &team, &ada);
    assert_eq!(tenant.account(ADA)["status"], "active");
}

#[test]
fn a_chain_deactivates_at_once_and_deletes_later() {
    let tenant = Tenant::new("Deactivate, then delete");
    let lifecycle = |settings: Value| json!({ "plugin": "group-lifecycle", "settings": settings });
    let chain = json!({ "chain": [
        lifecycle(json!({ "when_in_no_group": "deactivate" })),
        lifecycle(json!({ "when_in_no_group": "delete", "grace": "6s" })),
    ] });
    let path = "/bindings/lifecycle";
    let _ = tenant.operator.put(path, &chain).expect(200);
    let ada = tenant.user(ADA).id();
    let team = tenant.group("Team", &[&ada]).id();
    assert_eq!(tenant.account(ADA)["status"], "active");
    let began = Instant::now();
    leave(&tenant, &team, &ada);
    assert_eq!(tenant.account(ADA)["status"], "deactivated");
    let _ = becomes(&tenant, began, 6, |account| account["status"] == "deleted");
}

#[test]
fn settings_that_make_no_sense_are_refused_by_their_place() {
    let tenant = Tenant::new("Bad options");
    for (slot, plugin, settings, place) in [
        (
            "roles",
            "group-roles",
            json!({ "grace": "a week" }),
            "/grace",
        ),
        (
            "seats",
            "group-seats",
            json!({ "seat_types": { "full": { "keep": true } } }),
            "/seat_types/full",
        ),
        (
            "lifecycle",
            "group-lifecycle",
            json!({ "presence": { "sources": [""] } }),
            "/presence/sources/0",
        ),
        (
            "lifecycle",
            "group-lifecycle",
            json!({ "grace": 7 }),
            "/grace",
        ),
    ] {
        let body = json!({ "plugin": plugin, "settings": settings });
        let reply = tenant.operator.put(&format!("/bindings/{slot}"), &body);
        let detail = reply.expect(400).json()["detail"].clone();
        assert!(detail.as_str().unwrap().contains(place), "{detail}");
    }
}
