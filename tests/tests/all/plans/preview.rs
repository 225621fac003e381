//! What a plan shows.

use super::{holding, labels, mapping, planned, shown};
use crate::shared::Tenant;
use gatewright_tests::plugin;
use serde_json::{Value, json};

const OWNER: (&str, &str, &str) = ("Owners", "base-role", "Owner");

#[test]
fn a_plan_shows_before_and_after_with_reasons_and_nothing_changes() {
    let tenant = Tenant::new("Preview");
    tenant.map(&[OWNER, ("Engineering", "base-role", "Admin")]);
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let eve = tenant.user("eve@acme.test").id();
    let _ = tenant.group("Owners", &[&ada]);
    let _ = tenant.group("Engineering", &[&bob]);
    let _ = tenant.group("On-call", &[&eve]);
    let before = tenant.accounts();
    let proposal = mapping(&[
        OWNER,
        ("Engineering", "base-role", "Viewer"),
        ("On-call", "seat", "on-call"),
    ]);
    let plan = planned(&tenant, &json!({ "mapping": proposal }));
    assert_eq!(plan["state"], "ready", "{plan}");
    assert_eq!(plan["changes"], json!(["mapping"]));
    let counts = json!({
        "accounts": 2, "gains": 2, "loses": 2, "role-up": 0, "role-down": 1, "activated": 0,
        "deactivated": 0, "deleted": 0, "failed": 0,
    });
    assert_eq!(plan["counts"], counts);
    assert_eq!(plan["progress"], json!({ "considered": 3, "of_about": 3 }));
    let owner = json!([{ "account": before[0]["id"], "label": "ada@acme.test" }]);
    assert_eq!(
        plan["owners"],
        json!({ "role": "Owner", "remains": true, "count": 1, "accounts": owner })
    );
    let changed = shown(&tenant, &plan, "");
    assert_eq!(labels(&changed), ["bob@acme.test", "eve@acme.test"]);
    let (bob, eve) = (&changed[0], &changed[1]);
    assert_eq!(bob["account"], before[1]["id"]);
    assert_eq!(bob["kinds"], json!(["gains", "loses", "role-down"]));
    assert_eq!(bob["before"]["role"]["name"], "Admin");
    assert_eq!(bob["after"]["role"]["name"], "Viewer");
    assert_eq!(bob["after"]["role"]["reason"], "member of \"Engineering\"");
    assert_eq!(holding(&eve["before"]).2, ["viewer"]);
    assert_eq!(holding(&eve["after"]).2, ["on-call"]);
    assert_eq!(
        labels(&shown(&tenant, &plan, "&kind=role-down")),
        ["bob@acme.test"]
    );
    assert!(shown(&tenant, &plan, "&kind=deleted").is_empty());
    // Only a look: mapping and accounts are what they were.
    assert_eq!(tenant.accounts(), before);
    let stored = tenant.operator.get("/mapping").expect(200).json();
    assert_eq!(stored["entries"].as_array().unwrap().len(), 2);
    let listed = tenant.operator.get("/plans").expect(200).json();
    assert_eq!(listed["plans"][0]["id"], plan["id"]);
    let path = format!("/plans/{}", plan["id"].as_str().unwrap());
    let _ = tenant.operator.delete(&path).expect(200);
    let _ = tenant.operator.get(&path).expect(404);
    let listed = tenant.operator.get("/plans").expect(200).json();
    assert_eq!(listed["plans"], json!([]));
}

#[test]
fn a_plan_says_for_whom_there_is_no_seat() {
    let tenant = Tenant::new("Preview of seats");
    tenant.map(&[OWNER]);
    let people = ["ada", "bob", "eve"].map(|name| tenant.user(&format!("{name}@acme.test")).id());
    let _ = tenant.group("Owners", &[&people[0]]);
    let _ = tenant.group("On-call", &[&people[0], &people[1], &people[2]]);
    let _ = tenant.accounts();
    let catalogue = |capacity: Option<u32>, when_full: &str| {
        json!({
            "base_roles": [{ "name": "Owner" }, { "name": "Standard", "default": true }],
            "seat_types": [
                { "name": "viewer", "default": true },
                { "name": "on-call", "capacity": capacity, "when_full": when_full },
            ],
        })
    };
    let _ = tenant
        .operator
        .put("/catalogue", &catalogue(Some(2), "wait"))
        .expect(200);
    let proposal = mapping(&[OWNER, ("On-call", "seat", "on-call")]);
    let plan = planned(&tenant, &json!({ "mapping": proposal }));
    assert_eq!(
        plan["seats"],
        json!([
            {
                "name": "viewer", "taken": 3, "gained": 0, "lost": 3, "wanted": 0,
                "capacity": null, "beyond": 0, "when_full": "wait",
            },
            {
                "name": "on-call", "taken": 0, "gained": 3, "lost": 0, "wanted": 3,
                "capacity": 2, "beyond": 1, "when_full": "wait",
            },
        ])
    );
    // With a catalogue in the same plan it is that one's capacity.
    let both = json!({ "mapping": proposal, "catalogue": catalogue(Some(1), "refuse") });
    let plan = planned(&tenant, &both);
    let on_call = &plan["seats"][1];
    assert_eq!(
        [
            &on_call["capacity"],
            &on_call["beyond"],
            &on_call["when_full"]
        ],
        [&json!(1), &json!(2), &json!("refuse")]
    );
    // Confirmed, it is so.
    let path = format!("/plans/{}/confirm", plan["id"].as_str().unwrap());
    let _ = tenant.operator.post(&path, &json!({})).expect(200);
    let accounts = tenant.accounts();
    let seated = accounts
        .iter()
        .filter(|account| account["seats"][0]["name"] == "on-call");
    assert_eq!(seated.count(), 1);
    // Who has none still wants one: a plan that changes nothing says so.
    let plan = planned(&tenant, &json!({ "mapping": proposal }));
    assert_eq!(
        [&plan["seats"][1]["taken"], &plan["seats"][1]["beyond"]],
        [1, 2]
    );
}

#[test]
fn catalogue_and_bindings_can_be_planned_too_and_together() {
    let tenant = Tenant::new("Preview of all");
    tenant.map(&[OWNER]);
    let ada = tenant.user("ada@acme.test").id();
    let _ = tenant.user("bob@acme.test");
    let _ = tenant.group("Owners", &[&ada]);
    let _ = tenant.accounts();
    let settings = json!({ "default_role": "Viewer" });
    let roles = json!({ "roles": { "plugin": "group-roles", "settings": settings } });
    let plan = planned(&tenant, &json!({ "bindings": roles }));
    assert_eq!(plan["changes"], json!(["bindings.roles"]));
    let changed = shown(&tenant, &plan, "");
    assert_eq!(labels(&changed), ["bob@acme.test"]);
    assert_eq!(changed[0]["after"]["role"]["name"], "Viewer");
    // A role that people have is not there any more, and the mapping goes with it.
    let catalogue = json!({
        "base_roles": [{ "name": "Boss" }, { "name": "Guest", "default": true }],
        "seat_types": [{ "name": "full", "default": true }],
    });
    let all = json!({
        "catalogue": catalogue,
        "mapping": mapping(&[("Owners", "base-role", "Boss")]),
    });
    let plan = planned(&tenant, &all);
    assert_eq!(plan["changes"], json!(["catalogue", "mapping"]));
    let roles: Vec<Value> = shown(&tenant, &plan, "")
        .iter()
        .map(|account| account["after"]["role"]["name"].clone())
        .collect();
    assert_eq!(roles, ["Boss", "Guest"]);
    assert_eq!(plan["owners"]["role"], "Boss");
    assert_eq!(plan["owners"]["count"], 1);
    assert_eq!(plan["counts"]["role-down"], 2);
    // What the mapping gives has to be in the catalogue that is proposed, and the other way round.
    let wrong = tenant
        .operator
        .post("/plans", &json!({ "catalogue": catalogue }));
    assert!(wrong.expect(409).text.contains("Owner"));
    let wrong = json!({ "mapping": mapping(&[("Owners", "base-role", "Boss")]) });
    let _ = tenant.operator.post("/plans", &wrong).expect(400);
}

#[test]
fn who_loses_the_most_comes_first() {
    let tenant = Tenant::new("Losses");
    tenant.map(&[
        OWNER,
        ("Many", "seat", "on-call"),
        ("Many", "seat", "responder"),
        ("Few", "seat", "responder"),
    ]);
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let _ = tenant.group("Owners", &[&bob]);
    let _ = tenant.group("Few", &[&bob]);
    let _ = tenant.group("Many", &[&ada]);
    let _ = tenant.accounts();
    let settings = json!({ "keep_when_leaving": false });
    let plan = planned(
        &tenant,
        &json!({
            "mapping": mapping(&[OWNER]),
            "bindings": { "seats": { "plugin": "group-seats", "settings": settings } },
        }),
    );
    let most: Vec<(&str, u64)> = plan["most_losses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["label"].as_str().unwrap(),
                one["losses"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(most, [("ada@acme.test", 2), ("bob@acme.test", 1)]);
}

#[test]
fn a_policy_that_fails_ends_its_plan_and_one_that_mends_is_planned_beside_one_that_fails() {
    let tenant = Tenant::new("Broken plans");
    let wasm = plugin("hostile");
    let _ = tenant.api().install(&wasm);
    let names: Vec<String> = (0..60).map(|n| format!("u{n:02}@acme.test")).collect();
    for name in &names {
        let _ = tenant.user(name);
    }
    let _ = tenant.accounts();
    let trap = json!({ "plugin": "hostile", "settings": { "behaviour": "trap" } });
    let plan = planned(&tenant, &json!({ "bindings": { "roles": trap } }));
    assert_eq!(plan["state"], "failed", "{plan}");
    assert!(plan["why"].as_str().unwrap().contains("hostile"), "{plan}");
    // The same in force: nobody is decided any more, and a plan says what would mend it.
    let _ = tenant.operator.put("/bindings/roles", &trap).expect(200);
    let settings = json!({ "default_role": "Viewer" });
    let good = json!({ "roles": { "plugin": "group-roles", "settings": settings } });
    let plan = planned(&tenant, &json!({ "bindings": good }));
    assert_eq!(plan["state"], "ready", "{plan}");
    assert_eq!(plan["counts"]["role-down"], 60);
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = super::confirm(&tenant, &plan, &words).expect(200);
    for account in tenant.accounts() {
        assert_eq!(account["role"]["name"], "Viewer");
    }
}
