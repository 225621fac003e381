//! What an administrator does, by the command line.

use crate::process::{manage, manage_with};
use gatewright_tests::{Client, Server};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_company_is_installed_by_the_command_line() {
    let server = Server::generic();
    let go = |arguments: &[&str]| manage(&server, arguments).well();
    let json_of = |arguments: &[&str]| -> Value {
        let all = [arguments, &["--json"]].concat();
        serde_json::from_str(&go(&all)).unwrap()
    };
    let no = |arguments: &[&str], says: &[&str]| manage(&server, arguments).failed(1, says);
    // The application's accounts, more of them than one request takes.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.json");
    let path = file.to_str().unwrap();
    let person = |n: usize| {
        let role = if n == 0 { "Owner" } else { "Viewer" };
        json!({
            "external_id": n.to_string(), "email": format!("p{n}@acme.test"), "role": role,
        })
    };
    let mut accounts: Vec<Value> = (0..1_100).map(person).collect();
    fs::write(&file, json!({ "accounts": accounts }).to_string()).unwrap();
    assert!(go(&["accounts", "import", path]).contains("created: 1100"));
    assert!(go(&["accounts", "import", path]).contains("unchanged: 1100"));
    accounts.truncate(1);
    accounts.push(json!({ "external_id": "x", "email": "x@acme.test", "role": "Emperor" }));
    fs::write(&file, json!({ "accounts": accounts }).to_string()).unwrap();
    let said = [
        "1 accounts were not taken",
        "unchanged: 1",
        "x: role: ",
        "Emperor",
    ];
    no(&["accounts", "import", path], &said);
    let unlinked = json_of(&["accounts", "--unlinked"]);
    assert_eq!(unlinked["accounts"].as_array().unwrap().len(), 1_100);
    // Domains.
    let named = go(&["domains", "add", "acme.test"]);
    assert!(
        named.contains("_gatewright.acme.test") && named.contains("gatewright-verification="),
        "{named}"
    );
    assert!(go(&["domains", "verify", "acme.test", "--by-operator"]).contains("operator"));
    assert!(go(&["domains", "list"]).contains("acme.test"));
    // A directory, in all its phases.
    let created = json_of(&["directories", "create", "Staff", "--provider", "okta"]);
    let id = created["id"].as_str().unwrap();
    assert_eq!(created["phase"], "draft");
    let scim = Client::new(
        created["scim_base_url"].as_str().unwrap(),
        created["token"].as_str(),
    );
    for name in ["p1", "twin a", "twin b"] {
        let email = if name == "p1" {
            "p1@acme.test"
        } else {
            "p2@acme.test"
        };
        let body = json!({ "userName": name, "active": true, "emails": [{ "value": email, "primary": true }] });
        let _ = scim.post("/Users", &body).expect(201);
    }
    // What becomes of whom is shown, and asked about.
    let confirm = ["directories", "confirm", id];
    let yes = [&confirm[..], &["--yes"]].concat();
    let acting = |who| [&yes[..], &["--acting", who]].concat();
    no(&yes, &["400", "acting", "plans show"]);
    no(&acting("p1@acme.test"), &["409", "p1@acme.test", "Owner"]);
    no(&acting("nobody@acme.test"), &["400", "nobody@acme.test"]);
    let silent = manage(&server, &confirm);
    assert_eq!(silent.code, Some(1), "{}", silent.errors);
    assert!(silent.errors.contains("--yes"), "{}", silent.errors);
    let answered = |answer: &str| {
        let acts = [&confirm[..], &["--acting", "p0@acme.test"]].concat();
        manage_with(&server, &acts, answer).well()
    };
    let no_thanks = answered("no\n");
    for says in [
        "users: 1 are linked to accounts, 0 get new ones, 2 wait",
        "accounts that nobody claims: 1099",
        "p1   gains",
        "active with the role Owner afterwards: 1",
        "Nothing has changed",
    ] {
        assert!(no_thanks.contains(says), "no {says:?} in: {no_thanks}");
    }
    let plan = no_thanks
        .lines()
        .find_map(|line| line.strip_prefix("plan "))
        .and_then(|line| line.split(':').next())
        .unwrap();
    let waiting = go(&["plans", "links", plan, "--kind", "waiting"]);
    assert!(
        waiting.contains("twin a") && waiting.contains("say whose it is"),
        "{waiting}"
    );
    let confirmed = answered("yes\n");
    assert!(confirmed.contains("enforcing"), "{confirmed}");
    no(
        &["directories", "create", "Second", "--phase", "enforcing"],
        &["409", "draft", "directories confirm"],
    );
    no(&acting("p0@acme.test"), &["409", "pause, uninstall"]);
    server.until("p1 is linked", |server| {
        server.account("p1")["external_id"] == "1"
    });
    let links = json_of(&["links", "list"]);
    assert_eq!(links["links"].as_array().unwrap().len(), 2);
    let user = links["links"][0]["user"].as_str().unwrap();
    assert!(go(&["links", "list"]).contains(user));
    let account = links["links"][0]["candidates"][0]["id"].as_str().unwrap();
    assert!(go(&["links", "resolve", user, account]).contains(account));
    let other = links["links"][1]["user"].as_str().unwrap();
    let _ = go(&["links", "resolve", other, "new"]);
    assert_eq!(json_of(&["links", "list"])["links"], json!([]));
    assert!(go(&["directories", "pause", id]).contains("paused"));
    assert!(go(&["directories", "list"]).contains("paused"));
    assert!(go(&["directories", "resume", id]).contains("enforcing"));
    let changed = go(&[
        "directories",
        "update",
        id,
        "--link-by",
        "userName",
        "--expose-unlinked",
        "true",
    ]);
    assert!(changed.contains("Staff"));
    let shown = server
        .api()
        .get(&format!("/directories/{id}"))
        .expect(200)
        .json();
    assert_eq!(
        (&shown["link_by"], &shown["expose_unlinked"]),
        (&json!("userName"), &json!(true))
    );
    // By hand, and by another source.
    let seat = go(&["accounts", "give-seat", account, "responder"]);
    assert!(
        seat.contains("responder") && seat.contains("by hand"),
        "{seat}"
    );
    assert!(!go(&["accounts", "take-seat", account, "responder"]).contains("responder"));
    no(
        &["accounts", "give-role", account, "Admin"],
        &["409", "Staff"],
    );
    let signal = go(&[
        "accounts",
        "signal",
        account,
        "chat",
        "--active",
        "true",
        "--at",
        "2026-01-31T12:00:00Z",
    ]);
    assert!(signal.contains("2026-01-31T12:00:00.000Z"), "{signal}");
    manage(&server, &["directories", "uninstall", id]).failed(2, &["--keep-days", "--erase"]);
    assert!(go(&["directories", "uninstall", id, "--keep-days", "30"]).contains("uninstalled"));
    server.until("unlinked", |server| {
        server.account("p1")["link"] == "unlinked"
    });
    let role = go(&["accounts", "give-role", account, "Admin"]);
    assert!(role.contains("Admin"), "{role}");
    assert!(!go(&["accounts", "take-role", account, "Admin"]).contains("Admin"));
    assert!(go(&["domains", "remove", "acme.test"]).contains("acme.test"));
}
