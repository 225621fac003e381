//! What other sources say of who is there.

use super::{Company, path_of};
use crate::shared::Tenant;
use gatewright_tests::plugin;
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";

fn signal(tenant: &Tenant, path: &str, body: &Value) -> gatewright_tests::Reply {
    tenant
        .application
        .put(&format!("{path}/signals/chat"), body)
}

/// Binds a role policy that refuses, so that nothing is decided.
fn break_policies(tenant: &Tenant) {
    let hostile = plugin("hostile");
    let installed = tenant.api().install(&hostile);
    let body = json!({ "plugin": installed["digest"], "settings": { "behaviour": "refuse" } });
    let _ = tenant.operator.put("/bindings/roles", &body).expect(200);
}

#[test]
fn signals_are_stored_for_each_source_and_an_older_one_changes_nothing() {
    let tenant = Tenant::new("Signals");
    let _ = tenant.user(ADA);
    let path = path_of(&tenant.account(ADA));
    let at = |minute: u32| format!("2026-01-31T12:{minute:02}:00Z");
    let first = signal(&tenant, &path, &json!({ "active": true, "at": at(5) })).expect(200);
    assert_eq!(first.json()["at"], "2026-01-31T12:05:00.000Z");
    let older = signal(&tenant, &path, &json!({ "active": false, "at": at(4) })).expect(200);
    assert_eq!(
        (&older.json()["active"], older.revision()),
        (&json!(true), first.revision())
    );
    let again = signal(&tenant, &path, &json!({ "active": true, "at": at(5) })).expect(200);
    assert_eq!(again.revision(), tenant.revision());
    let newer = signal(&tenant, &path, &json!({ "active": false, "at": at(6) })).expect(200);
    assert!(newer.revision() > first.revision());
    let _ = tenant
        .application
        .put(&format!("{path}/signals/sso"), &json!({ "active": true }))
        .expect(200);
    let signals = tenant.account(ADA)["signals"].clone();
    assert_eq!(
        signals[0],
        json!({ "source": "chat", "active": false, "at": "2026-01-31T12:06:00.000Z" })
    );
    assert_eq!(
        (&signals[1]["source"], &signals[1]["active"]),
        (&json!("sso"), &json!(true))
    );
    for (source, body) in [
        (
            "chat",
            json!({ "active": true, "at": "2999-01-01T00:00:00Z" }),
        ),
        ("chat", json!({ "active": true, "at": "yesterday" })),
        ("chat", json!({})),
        ("a%20b", json!({ "active": true })),
    ] {
        let _ = tenant
            .application
            .put(&format!("{path}/signals/{source}"), &body)
            .expect(400);
    }
    for n in 0..18 {
        let _ = tenant
            .application
            .put(&format!("{path}/signals/s{n}"), &json!({ "active": true }))
            .expect(200);
    }
    let _ = tenant
        .application
        .put(&format!("{path}/signals/s18"), &json!({ "active": true }))
        .expect(400);
    let nobody = "/accounts/01890000-0000-7000-8000-000000000000";
    let _ = signal(&tenant, nobody, &json!({ "active": true })).expect(404);
}

#[test]
fn only_a_signal_that_is_stored_already_defers_what_a_deactivation_does_at_once() {
    let tenant = Tenant::new("Deferred");
    let users = [ADA, "bob@acme.test", "cleo@acme.test"].map(|name| tenant.user(name).id());
    let paths = [ADA, "bob@acme.test", "cleo@acme.test"].map(|name| path_of(&tenant.account(name)));
    let _ = signal(&tenant, &paths[0], &json!({ "active": true })).expect(200);
    let _ = signal(&tenant, &paths[1], &json!({ "active": false })).expect(200);
    let _ = tenant.accounts();
    // With policies that decide nothing the host's own rule is seen alone.
    break_policies(&tenant);
    let operation =
        json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    for user in &users {
        let reply = tenant.scim.patch(&format!("/Users/{user}"), &operation);
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let status =
        |place: usize| tenant.application.get(&paths[place]).expect(200).json()["status"].clone();
    assert_eq!(
        [0, 1, 2].map(status),
        ["active", "deactivated", "deactivated"]
    );
    // One that comes afterwards gives nothing back.
    let _ = signal(&tenant, &paths[2], &json!({ "active": true })).expect(200);
    assert_eq!(status(2), "deactivated");
    // When it ends, so does what it deferred, at once.
    let _ = signal(&tenant, &paths[0], &json!({ "active": false })).expect(200);
    assert_eq!(status(0), "deactivated");
}

#[test]
fn what_is_deferred_is_for_the_lifecycle_policy_to_say() {
    let tenant = Tenant::new("Deferred to a policy");
    let [ada, bob] = [ADA, "bob@acme.test"].map(|name| tenant.user(name).id());
    let path = path_of(&tenant.account(ADA));
    let _ = signal(&tenant, &path, &json!({ "active": true })).expect(200);
    let operation =
        json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    for user in [ada, bob] {
        let _ = tenant.scim.patch(&format!("/Users/{user}"), &operation);
    }
    // Of Bob the host says it, at once; of Ada the policy, in its own words.
    let _ = tenant.accounts();
    let taken: Vec<String> = tenant
        .events(1_000)
        .into_iter()
        .filter(|event| event["type"] == "account.deactivated")
        .map(|event| event["data"]["reason"].as_str().unwrap().to_owned())
        .collect();
    let host = "the identity provider deactivated the user";
    assert_eq!(
        taken.iter().filter(|reason| *reason == host).count(),
        1,
        "{taken:?}"
    );
    assert_eq!(taken.len(), 2, "{taken:?}");
}

#[test]
fn a_deletion_is_deferred_too_and_what_becomes_of_it_is_for_the_lifecycle_policy() {
    let tenant = Tenant::new("Deferred deletion");
    let ada = tenant.user(ADA).id();
    let path = path_of(&tenant.account(ADA));
    let _ = signal(&tenant, &path, &json!({ "active": true })).expect(200);
    let _ = tenant.accounts();
    break_policies(&tenant);
    let _ = tenant.scim.delete(&format!("/Users/{ada}")).expect(204);
    assert_eq!(
        tenant.application.get(&path).expect(200).json()["status"],
        "active"
    );
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    let decided = tenant.account(ADA);
    assert_ne!(decided["decided"], Value::Null);
    assert_eq!(decided["undecided_since"], Value::Null);
}

#[test]
fn a_signal_takes_nothing_from_an_account_that_nobody_manages() {
    let company = Company::new("Signal of an import");
    let _ = super::import(&company, &[super::person("ada", "Owner")]);
    let path = path_of(&super::account(&company, "app-ada"));
    for active in [true, false] {
        let _ = signal(&company, &path, &json!({ "active": active })).expect(200);
        assert_eq!(super::account(&company, "app-ada")["status"], "active");
    }
}
