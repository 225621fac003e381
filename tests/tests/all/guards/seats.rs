//! Seats of which there are only so many.

use crate::shared::Tenant;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;

fn seats(tenant: &Tenant, capacity: usize, when_full: &str) {
    let catalogue = json!({
        "base_roles": [{ "name": "Owner" }, { "name": "Standard", "default": true }],
        "seat_types": [{ "name": "responder", "capacity": capacity, "when_full": when_full }],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
}

fn seated(tenant: &Tenant) -> BTreeSet<String> {
    let accounts = tenant.settle();
    let has = |account: &&Value| !account["seats"].as_array().unwrap().is_empty();
    let accounts = accounts.iter().filter(has);
    accounts
        .map(|account| account["label"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn there_are_never_more_seats_than_there_are_however_many_come_at_once() {
    let tenant = Tenant::new("Seats at once");
    seats(&tenant, 10, "wait");
    tenant.map(&[("Crew", "seat", "responder")]);
    let crew = tenant.group("Crew", &[]).id();
    let people = tenant.people(40);
    thread::scope(|scope| {
        for part in people.chunks(5) {
            let (tenant, crew) = (&tenant, &crew);
            scope.spawn(move || {
                for user in part {
                    let add = json!({ "Operations": [
                        { "op": "add", "path": "members", "value": [{ "value": user }] },
                    ] });
                    let _ = tenant
                        .scim
                        .patch(&format!("/Groups/{crew}"), &add)
                        .expect(204);
                }
            });
        }
    });
    assert_eq!(seated(&tenant).len(), 10);
    assert!(tenant.alerts().contains(&"seats-taken".to_owned()));
    // More seats: those who wait get them.
    seats(&tenant, 25, "wait");
    assert_eq!(seated(&tenant).len(), 25);
    // Fewer: nobody who has one loses it.
    seats(&tenant, 5, "wait");
    assert_eq!(seated(&tenant).len(), 25);
}

#[test]
fn who_waits_longest_gets_the_seat_that_is_given_back() {
    let tenant = Tenant::new("Seats in order");
    seats(&tenant, 1, "wait");
    tenant.map(&[("Crew", "seat", "responder")]);
    let strict = json!({ "plugin": "group-seats", "settings": { "keep_when_leaving": false } });
    let _ = tenant.operator.put("/bindings/seats", &strict).expect(200);
    let crew = tenant.group("Crew", &[]).id();
    let names = ["ada@acme.test", "bob@acme.test", "eve@acme.test"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(tenant.user(name).id());
        let value = json!([{ "value": ids.last().unwrap() }]);
        let add = json!({ "Operations": [{ "op": "add", "path": "members", "value": value }] });
        let _ = tenant
            .scim
            .patch(&format!("/Groups/{crew}"), &add)
            .expect(204);
        let _ = tenant.accounts();
    }
    let explained = |name: &str| {
        let account = tenant.id_of(name);
        let path = format!("/accounts/{account}/explain");
        tenant.application.get(&path).expect(200).json()
    };
    for (at, name) in names.iter().enumerate() {
        assert_eq!(seated(&tenant), BTreeSet::from([(*name).to_owned()]));
        if let Some(next) = names.get(at + 1) {
            let waits = explained(next);
            assert_eq!(waits["waits_for"][0]["seat"], "responder");
            let why = waits["has_not"].as_array().unwrap().iter();
            let why = why.filter(|one| one["name"] == "responder");
            let why: Vec<_> = why.map(|one| one["why"].as_str().unwrap()).collect();
            assert!(why[0].contains("all 1 are taken"), "{why:?}");
        }
        tenant.leave(&crew, &ids[at]);
    }
    assert!(seated(&tenant).is_empty());
    assert!(!tenant.alerts().contains(&"seats-taken".to_owned()));
}

#[test]
fn full_seats_are_refused_or_given_beyond_as_the_catalogue_says() {
    for (when_full, expected) in [("refuse", 2), ("overflow", 5)] {
        let tenant = Tenant::new(&format!("Seats {when_full}"));
        seats(&tenant, 2, when_full);
        tenant.map(&[("Crew", "seat", "responder")]);
        let people = tenant.people(5);
        let _ = tenant.grouped("Crew", &people);
        assert_eq!(seated(&tenant).len(), expected, "{when_full}");
        assert!(tenant.alerts().contains(&"seats-taken".to_owned()));
        let denied = tenant.events(1_000);
        let denied = denied.iter().filter(|event| event["type"] == "seat.denied");
        assert_eq!(denied.count(), 5 - expected, "{when_full}");
    }
}
