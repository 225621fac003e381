//! Compares the state with what was acknowledged, with itself, and with the event log.

use super::replay::Replay;
use super::writer::{Pushed, Writer, members};
use gatewright_tests::{Client, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(server: &Server, writers: &mut [Writer], at: &str) {
    let scim = server.scim();
    for writer in writers.iter_mut() {
        writer.settle(&scim, at);
    }
    let users: BTreeMap<String, Pushed> = writers
        .iter()
        .flat_map(|writer| writer.users.clone())
        .collect();
    let memberships: BTreeSet<(String, String)> = writers
        .iter()
        .flat_map(|writer| writer.members.clone())
        .collect();
    facts(&scim, &users, &memberships, at);

    // Only when everything is decided the log and the decisions are at one point.
    let accounts = server.accounts();
    let replay = Replay::of(&server.events(), at);
    let told: BTreeMap<String, Pushed> = replay
        .users
        .iter()
        .map(|(id, (name, active))| {
            (
                id.clone(),
                Pushed {
                    name: name.clone(),
                    active: *active,
                },
            )
        })
        .collect();
    assert_eq!(told, users, "{at}: users by the event log");
    assert_eq!(
        replay.members, memberships,
        "{at}: memberships by the event log"
    );
    let revisions: Vec<u64> = writers
        .iter()
        .flat_map(|writer| writer.revisions.iter().copied())
        .collect();
    let distinct: BTreeSet<u64> = revisions.iter().copied().collect();
    assert_eq!(
        distinct.len(),
        revisions.len(),
        "{at}: two writes have one revision"
    );
    let unheard: Vec<_> = distinct.difference(&replay.revisions).collect();
    assert!(
        unheard.is_empty(),
        "{at}: no event of the writes of revisions {unheard:?}"
    );
    decisions(&accounts, &users, &replay, at);
}

fn facts(
    scim: &Client,
    users: &BTreeMap<String, Pushed>,
    memberships: &BTreeSet<(String, String)>,
    at: &str,
) {
    let found = walk(scim, "/Users", at);
    let mut by_user = BTreeSet::new();
    let mut seen = BTreeMap::new();
    for user in &found {
        let id = user["id"].as_str().unwrap().to_owned();
        let name = user["userName"].as_str().unwrap().to_owned();
        for group in user["groups"].as_array().into_iter().flatten() {
            by_user.insert((group["value"].as_str().unwrap().to_owned(), id.clone()));
        }
        seen.insert(
            id,
            Pushed {
                name,
                active: user["active"] != false,
            },
        );
    }
    assert_eq!(seen.len(), found.len(), "{at}: a user is listed twice");
    assert_eq!(&seen, users, "{at}: users");
    assert_eq!(&by_user, memberships, "{at}: memberships by user");
    for (id, user) in users {
        let path = format!(
            "/Users?filter=userName%20eq%20%22{}%22&attributes=id",
            user.name
        );
        let answer = scim.get(&path).expect(200).json();
        assert_eq!(answer["totalResults"], 1, "{at}: {}", user.name);
        assert_eq!(answer["Resources"][0]["id"], **id, "{at}: {}", user.name);
    }
    let mut by_group = BTreeSet::new();
    for group in walk(scim, "/Groups", at) {
        let id = group["id"].as_str().unwrap().to_owned();
        let group = scim.get(&format!("/Groups/{id}")).expect(200).json();
        by_group.extend(members(&group).map(|user| (id.clone(), user)));
    }
    assert_eq!(&by_group, memberships, "{at}: memberships by group");
}

/// All resources, page by page; as many as were announced.
fn walk(scim: &Client, path: &str, at: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let page = format!("{path}?startIndex={}&count=50", all.len() + 1);
        let page = scim.get(&page).expect(200).json();
        let total = page["totalResults"].as_u64().unwrap();
        let resources = page["Resources"].as_array().cloned().unwrap_or_default();
        let last = resources.is_empty();
        all.extend(resources);
        if last || all.len() as u64 >= total {
            assert_eq!(all.len() as u64, total, "{at}: totalResults of {path}");
            return all;
        }
    }
}

/// Each user has its account, and what the accounts have is what the log says.
fn decisions(accounts: &[Value], users: &BTreeMap<String, Pushed>, replay: &Replay, at: &str) {
    let mut linked = BTreeMap::new();
    let mut status = BTreeMap::new();
    let mut grants = BTreeSet::new();
    for account in accounts {
        let id = account["id"].as_str().unwrap().to_owned();
        assert!(account["undecided_since"].is_null(), "{at}: {account}");
        for user in account["users"].as_array().unwrap() {
            let user = user["id"].as_str().unwrap().to_owned();
            let active = users.get(&user).is_some_and(|user| user.active);
            let expected = if active { "active" } else { "deactivated" };
            assert_eq!(account["status"], expected, "{at}: {account}");
            assert_eq!(
                linked.insert(user, id.clone()),
                None,
                "{at}: two accounts for one user"
            );
        }
        for (kind, list) in [("custom-role", "custom_roles"), ("seat", "seats")] {
            for grant in account[list].as_array().unwrap() {
                let name = grant["name"].as_str().unwrap();
                grants.insert((id.clone(), kind.to_owned(), name.to_owned()));
            }
        }
        if let Some(name) = account["role"]["name"].as_str() {
            grants.insert((id.clone(), "base-role".to_owned(), name.to_owned()));
        }
        status.insert(id, account["status"].as_str().unwrap().to_owned());
    }
    assert!(
        linked.keys().eq(users.keys()),
        "{at}: each user has one account"
    );
    assert_eq!(status, replay.accounts, "{at}: status by the event log");
    assert_eq!(grants, replay.grants, "{at}: grants by the event log");
}
