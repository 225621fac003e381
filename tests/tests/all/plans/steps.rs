//! Plans over many accounts: step by step, beside others, and over a restart.

use super::{computed, mapping};
use gatewright_tests::{Client, Organization, Server};
use serde_json::{Value, json};

const MANY: usize = 1_000;

/// Users in one group, by Bulk.
fn populate(organization: &Organization, many: usize) {
    for part in (0..many).collect::<Vec<_>>().chunks(500) {
        let operations: Vec<Value> = part
            .iter()
            .map(|n| {
                json!({
                    "method": "POST", "path": "/Users", "bulkId": format!("u{n}"),
                    "data": { "userName": format!("u{n:04}@acme.test"), "active": true },
                })
            })
            .collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": operations,
        });
        let answer = organization.scim.post("/Bulk", &body).expect(200).json();
        let ids: Vec<String> = answer["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let location = one["location"].as_str().unwrap();
                location.rsplit('/').next().unwrap().to_owned()
            })
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let _ = organization.group(&format!("Crowd {}", part[0]), &ids);
    }
}

fn crowd(kind: &str, target: &str) -> Value {
    mapping(&[("Crowd 0", kind, target), ("Crowd 500", kind, target)])
}

fn considered(operator: &Client, id: &str) -> (Value, u64) {
    let plan = operator.get(&format!("/plans/{id}")).expect(200).json();
    let considered = plan["progress"]["considered"].as_u64().unwrap();
    (plan, considered)
}

#[test]
fn a_plan_over_a_thousand_goes_by_steps_and_survives_a_restart() {
    let mut server = Server::generic();
    let organization = Organization::create(&server.api(), "Many");
    populate(&organization, MANY);
    let small = Organization::create(&server.api(), "Small");
    let _ = small.user("ada@small.test");
    assert_eq!(organization.accounts().len(), MANY);
    let body = json!({ "mapping": crowd("base-role", "Viewer"), "expires_hours": 1 });
    let made = organization.operator.post("/plans", &body).expect(201);
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["state"], "computing");
    assert_eq!(made["progress"]["of_about"], MANY);
    // A small one of others is not behind the large one.
    let other = small
        .operator
        .post("/plans", &json!({ "mapping": crowd("seat", "on-call") }))
        .expect(201)
        .json();
    let mut seen = Vec::new();
    let mut small_first = false;
    loop {
        let (plan, considered) = considered(&organization.operator, id);
        seen.push(considered);
        let path = format!("/plans/{}", other["id"].as_str().unwrap());
        let other = small.operator.get(&path).expect(200).json();
        small_first |= plan["state"] == "computing" && other["state"] == "ready";
        if considered > 0 {
            break;
        }
    }
    server.restart();
    let plan = loop {
        let (plan, considered) = considered(&organization.operator, id);
        seen.push(considered);
        if plan["state"] != "computing" {
            break plan;
        }
    };
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(
        seen.iter()
            .all(|count| count % 64 == 0 || *count == MANY as u64)
    );
    assert!(
        seen.iter().any(|count| (1..MANY as u64).contains(count)),
        "no progress was seen"
    );
    assert!(
        small_first || computed(&small.operator, other["id"].as_str().unwrap())["state"] == "ready"
    );
    assert_eq!(plan["counts"]["accounts"], MANY);
    assert_eq!(plan["counts"]["role-down"], MANY);
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let done = organization
        .operator
        .post(&format!("/plans/{id}/confirm"), &words)
        .expect(200);
    assert_eq!(done.json()["state"], "confirmed");
    for account in organization.accounts() {
        assert_eq!(account["role"]["name"], "Viewer");
    }
}
