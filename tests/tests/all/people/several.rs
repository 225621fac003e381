//! A person whom two directories of an organization have: one account by link. It may be used while
//! any of its users is active, the memberships of all of them count, and while one of its directories
//! is paused nothing is decided about it.

use super::{Company, Connection, confirm, connect, enter, had, verify};
use serde_json::json;

const ADA: &str = "ada@acme.test";

/// Two directories in force, each with Ada, and the ids of her users.
fn both(name: &str) -> (Company, Connection, String, String) {
    let company = Company::new(name);
    company.map(&[
        ("Admins", "base-role", "Admin"),
        ("On-call", "seat", "on-call"),
    ]);
    verify(&company, "acme.test");
    let first = company.draft.user(ADA);
    let _ = company.confirm().expect(200);
    let second = connect(&company, &json!({ "name": "Contractors" }));
    let other = second.user_with("a.lovelace", "Ada@acme.test", &json!({}));
    let _ = confirm(&company, &second).expect(200);
    (company, second, first, other)
}

#[test]
fn there_is_one_account() {
    let (company, _, first, other) = both("One account");
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 1);
    let users: Vec<_> = accounts[0]["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["id"])
        .collect();
    assert_eq!(users, [&json!(first), &json!(other)]);
}

#[test]
fn it_is_active_while_any_of_its_users_is() {
    let (company, second, first, other) = both("Any active");
    let status = || company.accounts()[0]["status"].clone();
    company.draft.activate(&first, false);
    assert_eq!(status(), "active");
    second.activate(&other, false);
    assert_eq!(status(), "deactivated");
    company.draft.activate(&first, true);
    assert_eq!(status(), "active");
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{first}"))
        .expect(204);
    assert_eq!(status(), "deactivated", "the other one is not active");
}

#[test]
fn memberships_of_all_its_users_count() {
    let (company, second, first, other) = both("All memberships");
    let _ = company.draft.group("On-call", &[&first]);
    let _ = second.group("Admins", &[&other]);
    let ada = company.accounts().remove(0);
    assert_eq!(ada["role"]["name"], "Admin");
    assert_eq!(super::names(&ada["seats"]), ["on-call"]);
}

#[test]
fn while_one_of_its_directories_is_paused_nothing_is_decided_about_it() {
    let (company, second, first, _) = both("One paused");
    let _ = company.draft.user("bob@acme.test");
    let before = had(&company.accounts());
    let _ = enter(&company, &second.id, "pause", &json!({})).expect(200);
    let _ = company.draft.group("Admins", &[&first]);
    assert_eq!(had(&company.accounts()), before);
    let bob = company.accounts().pop().unwrap();
    let users = bob["users"][0]["id"].as_str().unwrap().to_owned();
    let _ = company.draft.group("On-call", &[&users]);
    assert_eq!(
        super::names(&company.account("bob@acme.test")["seats"]),
        ["on-call"],
        "whom the paused one does not have"
    );
    let _ = enter(&company, &second.id, "resume", &json!({})).expect(200);
    assert_eq!(company.accounts()[0]["role"]["name"], "Admin");
}

#[test]
fn when_one_is_uninstalled_the_other_decides_from_its_next_decision_on() {
    let (company, second, first, other) = both("One uninstalled");
    let _ = second.group("Admins", &[&other]);
    let before = had(&company.accounts());
    let _ = enter(
        &company,
        &second.id,
        "uninstall",
        &json!({ "facts": "erase" }),
    )
    .expect(200);
    assert_eq!(had(&company.accounts()), before, "it keeps what it had");
    let _ = company.draft.group("On-call", &[&first]);
    let ada = company.accounts().remove(0);
    assert_eq!(
        (&ada["role"]["name"], &ada["link"]),
        (&json!("Standard"), &json!("linked"))
    );
}
