//! What one organization's policy does is not felt by another one. How little is a measurement,
//! made by `cargo xtask bench`; here it is only that nothing fails and everybody is decided.

use crate::shared::Tenant;
use gatewright_tests::{Organization, plugin};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn another_organization_is_served_and_decided_beside_each_misdeed() {
    let hostile = Tenant::new("hostile");
    let other = hostile.another("other");
    let wasm = plugin("hostile");
    let installed = hostile.api().install(&wasm);
    let digest = installed["digest"].as_str().unwrap().to_owned();
    let behaviours = [
        "loop",
        "allocate",
        "recurse",
        "trap",
        "flood",
        "big-output",
        "garbage",
        "wrong-count",
    ];
    for (round, behaviour) in behaviours.into_iter().enumerate() {
        let settings = json!({ "behaviour": behaviour });
        let body = json!({ "plugin": digest, "settings": settings });
        let _ = hostile.operator.put("/bindings/roles", &body).expect(200);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (organization, stop) = (&*hostile, &stop);
            scope.spawn(move || push_until(organization, behaviour, stop));
            let ids: Vec<String> = (0..10)
                .map(|n| other.user(&format!("{behaviour}-{n}@example.com")).id())
                .collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let _ = other.group(behaviour, &ids);
            let accounts = other.accounts();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(accounts.len(), 10 * (round + 1));
            for account in &accounts {
                assert_eq!(
                    account["role"]["name"], "Standard",
                    "{behaviour}: {account}"
                );
                assert_eq!(account["status"], "active", "{behaviour}: {account}");
            }
        });
        let alerts = other.operator.get("/alerts").expect(200).json();
        assert_eq!(alerts["alerts"], json!([]), "{behaviour}");
    }
    assert_eq!(
        hostile.operator.get("/alerts").expect(200).json()["alerts"]
            .as_array()
            .map(Vec::is_empty),
        Some(false)
    );
}

/// Each push is answered, whatever becomes of the decision.
fn push_until(organization: &Organization, behaviour: &str, stop: &AtomicBool) {
    let mut pushed = 0;
    while !stop.load(Ordering::Relaxed) {
        let _ = organization.user(&format!("{behaviour}-{pushed}@example.com"));
        pushed += 1;
    }
    assert!(pushed > 0);
}
