//! Plans: what a change would come to, shown before anybody is concerned, and applied as it was
//! shown or not at all.

mod confirm;
mod model;
mod preview;
mod refused;
mod steps;

use gatewright_tests::{Client, Organization, Reply};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

/// Rows of a mapping: group name, kind, what it gives.
fn mapping(rows: &[(&str, &str, &str)]) -> Value {
    let entries: Vec<Value> = rows
        .iter()
        .map(|(group, kind, target)| {
            json!({ "group": { "name": group }, "kind": kind, "target": target })
        })
        .collect();
    json!({ "entries": entries })
}

/// Makes a plan and waits until it is computed.
pub(crate) fn planned(organization: &Organization, body: &Value) -> Value {
    let made = organization.operator.post("/plans", body).expect(201);
    computed(&organization.operator, made.json()["id"].as_str().unwrap())
}

fn computed(operator: &Client, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let plan = operator.get(&format!("/plans/{id}")).expect(200).json();
        if plan["state"] != "computing" {
            return plan;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{plan}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The accounts of a plan by label, read two at a time.
pub(crate) fn shown(organization: &Organization, plan: &Value, query: &str) -> Vec<Value> {
    let id = plan["id"].as_str().unwrap();
    let mut accounts = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/plans/{id}/accounts?limit=2{query}{after}");
        let page = organization.operator.get(&path).expect(200).json();
        let some = page["accounts"].as_array().unwrap();
        assert!(some.len() <= 2);
        accounts.extend(some.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    accounts.sort_by_key(|account| account["label"].as_str().unwrap().to_owned());
    accounts
}

pub(crate) fn labels(accounts: &[Value]) -> Vec<&str> {
    accounts
        .iter()
        .map(|account| account["label"].as_str().unwrap())
        .collect()
}

pub(crate) fn confirm(organization: &Organization, plan: &Value, body: &Value) -> Reply {
    let id = plan["id"].as_str().unwrap();
    organization
        .operator
        .post(&format!("/plans/{id}/confirm"), body)
}

/// Status, role and seats of an account, or of a side of a plan.
pub(crate) fn holding(account: &Value) -> (String, Option<String>, Vec<String>) {
    let names = |list: &str| {
        let grants = account[list].as_array().unwrap().iter();
        grants.map(|grant| grant["name"].as_str().unwrap().to_owned())
    };
    (
        account["status"].as_str().unwrap().to_owned(),
        account["role"]["name"].as_str().map(str::to_owned),
        names("custom_roles").chain(names("seats")).collect(),
    )
}
