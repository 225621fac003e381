//! Every policy is broken: the gateway goes on taking facts, whom the provider deactivates is out,
//! everybody keeps what they have, and when the policies are mended nobody has to do anything more.

use crate::shared::Tenant;
use gatewright_tests::plugin;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Slots with a component for each that traps for everybody.
const SLOTS: [(&str, &str); 3] = [
    ("lifecycle", "broken-lifecycle"),
    ("roles", "hostile"),
    ("seats", "broken-seats"),
];

const PEOPLE: usize = 30;

struct Broken {
    tenant: Tenant,
    users: Vec<String>,
    admins: String,
    before: Vec<Value>,
}

impl Broken {
    /// Everybody was decided before.
    fn new() -> Self {
        let tenant = Tenant::new("All broken");
        tenant.map(&[
            ("Admins", "base-role", "Admin"),
            ("On-call", "seat", "on-call"),
        ]);
        let users: Vec<String> = (0..PEOPLE)
            .map(|number| tenant.user(&format!("p{number:02}@acme.test")).id())
            .collect();
        let admins = tenant.group("Admins", &[&users[0], &users[1]]).id();
        let _ = tenant.group("On-call", &[&users[2]]);
        let before = had(&tenant.accounts());
        let broken = Self {
            tenant,
            users,
            admins,
            before,
        };
        for (slot, component) in SLOTS {
            broken.bind(slot, component);
        }
        broken
    }

    fn bind(&self, slot: &str, component: &str) {
        let installed = self.tenant.api().install(&plugin(component));
        let settings = match component {
            "hostile" => json!({ "behaviour": "trap" }),
            _ => json!({}),
        };
        let body = json!({ "plugin": installed["digest"], "settings": settings });
        let path = format!("/bindings/{slot}");
        let _ = self.tenant.operator.put(&path, &body).expect(200);
    }

    fn roll_back(&self, slot: &str) {
        let path = format!("/bindings/{slot}/rollback");
        let _ = self.tenant.operator.post(&path, &json!({})).expect(200);
    }

    fn patch(&self, path: &str, operation: &Value) {
        let body = json!({ "Operations": [operation] });
        let reply = self.tenant.scim.patch(path, &body);
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
    }

    /// As they are now, decided or not.
    fn now(&self) -> Vec<Value> {
        let page = self.tenant.application.get("/accounts?limit=1000");
        let mut accounts = page.expect(200).json()["accounts"]
            .as_array()
            .unwrap()
            .clone();
        accounts.sort_by_key(|account| account["label"].as_str().unwrap().to_owned());
        accounts
    }

    fn alerts(&self) -> Vec<Value> {
        let alerts = self.tenant.application.get("/alerts").expect(200).json();
        alerts["alerts"].as_array().unwrap().clone()
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let late = began.elapsed() > Duration::from_secs(30);
            assert!(!late, "never: {what}: {:?}", self.alerts());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What accounts have.
fn had(accounts: &[Value]) -> Vec<Value> {
    let of = |account: &Value| {
        let fields = ["label", "status", "role", "custom_roles", "seats"];
        fields.iter().map(|field| account[*field].clone()).collect()
    };
    accounts.iter().map(of).collect()
}

/// All of it, as one test: what is there after each step is what the next begins with.
#[test]
fn with_every_policy_broken_facts_arrive_deactivations_take_effect_and_nobody_loses_anything() {
    let broken = Broken::new();
    let tenant = &broken.tenant;
    // The alert is there, and says which policy and why.
    broken.until("an alert about the slot", |broken| {
        broken.alerts().iter().any(|alert| {
            alert["slot"] == "lifecycle"
                && alert["account"].is_null()
                && alert["kind"] == "policy-failing"
        })
    });
    let alerts = broken.alerts();
    let said = alerts.iter().all(|alert| {
        let message = alert["message"].as_str().unwrap();
        message.contains("broken-lifecycle@") && message.contains("trapped")
    });
    assert!(said, "{alerts:?}");
    // Assignments stay.
    assert_eq!(had(&broken.now()), broken.before);
    // Facts keep arriving, and are read as they were said.
    let new = tenant.user("new@acme.test").id();
    let leaves = format!("members[value eq \"{}\"]", broken.users[0]);
    let group = format!("/Groups/{}", broken.admins);
    broken.patch(&group, &json!({ "op": "remove", "path": leaves }));
    let joins = json!([{ "value": broken.users[5] }, { "value": new }]);
    let joins = json!({ "op": "add", "path": "members", "value": joins });
    broken.patch(&group, &joins);
    let members = tenant.scim.get(&group).expect(200).json()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 3);
    let accounts = broken.now();
    assert_eq!(accounts.len(), PEOPLE + 1);
    let newcomer = &accounts[0];
    assert_eq!(
        (&newcomer["label"], &newcomer["status"], &newcomer["role"]),
        (&json!("new@acme.test"), &json!("deactivated"), &Value::Null),
        "nobody comes to anything by the want of a decision"
    );
    assert_eq!(had(&accounts[1..]), broken.before);
    // Whom the provider deactivates or deletes is out, with the answer; roles are kept.
    let out = json!({ "op": "replace", "path": "active", "value": false });
    broken.patch(&format!("/Users/{}", broken.users[1]), &out);
    let gone = format!("/Users/{}", broken.users[2]);
    let _ = tenant.scim.delete(&gone).expect(204);
    let accounts = broken.now();
    for (number, role) in [(1, "Admin"), (2, "Standard")] {
        let account = &accounts[number + 1];
        assert_eq!(account["status"], "deactivated", "{account}");
        assert_eq!(account["role"]["name"], role);
    }
    // One slot after the other is mended: what is broken behind it still holds everybody up.
    for (mended, next) in [("lifecycle", "roles"), ("roles", "seats")] {
        broken.roll_back(mended);
        broken.until("an alert about the next slot", |broken| {
            let mut alerts = broken.alerts().into_iter();
            alerts.any(|alert| alert["slot"] == next)
        });
        assert_eq!(
            broken.now()[1]["role"]["name"],
            "Admin",
            "he left, undecided"
        );
    }
    broken.roll_back("seats");
    // Nobody does anything more: everybody is decided, by what was said meanwhile.
    let after = tenant.accounts();
    assert_eq!(after.len(), PEOPLE + 1);
    assert!(after.iter().all(|one| one["undecided_since"].is_null()));
    assert!(after.iter().all(|one| one["stale"].is_null()));
    let has = |number: usize| (&after[number]["status"], &after[number]["role"]["name"]);
    let active = &json!("active");
    let deactivated = &json!("deactivated");
    let (admin, standard) = (&json!("Admin"), &json!("Standard"));
    assert_eq!(
        [0, 1, 2, 3, 4, 6].map(has),
        [
            (active, admin),
            (active, standard),
            (deactivated, admin),
            (deactivated, standard),
            (active, standard),
            (active, admin)
        ]
    );
    let on_call = after[3]["seats"].as_array().unwrap();
    assert_eq!(on_call.len(), 0, "who is gone holds no seat");
    broken.until("no alert is left", |broken| broken.alerts().is_empty());
}
