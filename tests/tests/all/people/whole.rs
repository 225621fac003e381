//! The whole way: a company of 200 with accounts of its own installs a directory and leaves it again.

use super::{Company, account, count, enter, had, import, person, verify, waiting};
use serde_json::{Value, json};

#[test]
fn a_company_of_200_with_accounts_of_its_own_installs_a_directory() {
    let company = Company::new("Two hundred");
    company.map(&[
        ("Admins", "base-role", "Admin"),
        ("Viewers", "base-role", "Viewer"),
    ]);
    let names: Vec<String> = (0..200).map(|n| format!("p{n:03}")).collect();
    // What the application has: an owner, two admins, and others; the last 20 are in no directory.
    let role = |n: usize| match n {
        0 => "Owner",
        1 | 2 => "Admin",
        _ => "Standard",
    };
    let accounts: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(n, name)| person(name, role(n)))
        .collect();
    let results = import(&company, &accounts);
    assert!(results.iter().all(|one| one["result"] == "created"));
    verify(&company, "acme.test");
    // What the provider pushes: 180 of them and 10 new ones.
    let new: Vec<String> = (0..10).map(|n| format!("new{n}")).collect();
    let pushed = names.iter().take(180).chain(&new);
    let users: Vec<String> = pushed
        .map(|name| company.draft.user(&format!("{name}@acme.test")))
        .collect();
    let _ = company.draft.group("Admins", &[&users[1]]);
    // One who was an admin is in the viewers' group, and in no admins' group.
    let _ = company.draft.group("Viewers", &[&users[2], &users[3]]);
    company.draft.activate(&users[4], false);
    let before = company.accounts();
    assert_eq!(before.len(), 200);
    assert!(
        before
            .iter()
            .all(|account| account["link"] == "unlinked" && account["status"] == "active")
    );
    let confirmed = enter(
        &company,
        &company.draft.id,
        "confirm",
        &json!({ "acting": "p000@acme.test" }),
    );
    assert_eq!(confirmed.expect(200).json()["phase"], "enforcing");
    let after = company.accounts();
    assert_eq!(after.len(), 210);
    assert_eq!(waiting(&company), Vec::<Value>::new());
    let unlinked = company
        .application
        .get("/accounts?linked=false&limit=1000")
        .expect(200)
        .json();
    assert_eq!(unlinked["accounts"].as_array().unwrap().len(), 20);
    let role = |name: &str| account(&company, &format!("app-{name}"))["role"]["name"].clone();
    let roles = ["p000", "p001", "p002", "p003", "p005", "p199"].map(role);
    assert_eq!(
        roles,
        ["Owner", "Admin", "Viewer", "Viewer", "Standard", "Standard"].map(Value::from)
    );
    assert_eq!(account(&company, "app-p004")["status"], "deactivated");
    assert_eq!(account(&company, "app-p199")["status"], "active");
    assert_eq!(
        company.account("new0@acme.test")["role"]["name"],
        "Standard"
    );
    // And out again: everybody keeps what they have.
    let kept = had(&company.accounts());
    let _ = enter(
        &company,
        &company.draft.id,
        "uninstall",
        &json!({ "facts": "erase" }),
    )
    .expect(200);
    assert_eq!(had(&company.accounts()), kept);
    assert_eq!(count(&company.events(1_000), "account.unlinked"), 190);
}
