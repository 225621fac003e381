//! From draft to uninstalled.

use super::{
    Company, confirm, connect, count, enter, had, import, names, path_of, person, phase, until,
};
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";

#[test]
fn a_directory_is_connected_at_the_first_call_that_is_let_in_and_receives_when_somebody_comes() {
    let company = Company::new("Phases");
    let draft = &company.draft;
    assert_eq!(phase(&company, &draft.id), "draft");
    let _ = draft
        .scim
        .with_token(Some("gwd_wrong"))
        .get("/Users")
        .expect(401);
    assert_eq!(phase(&company, &draft.id), "draft");
    for _ in 0..3 {
        let _ = draft.scim.get("/Users").expect(200);
    }
    assert_eq!(phase(&company, &draft.id), "connected");
    let _ = draft
        .scim
        .post("/Users", &json!({ "nothing": 1 }))
        .expect(400);
    assert_eq!(phase(&company, &draft.id), "connected", "nobody came");
    let _ = draft.group("Engineering", &[]);
    assert_eq!(phase(&company, &draft.id), "receiving");
    let _ = draft.user(ADA);
    let steps: Vec<(Value, Value)> = company
        .events(1_000)
        .into_iter()
        .filter(|event| event["type"] == "directory.phase_changed")
        .map(|event| (event["data"]["from"].clone(), event["data"]["to"].clone()))
        .collect();
    let expected = [("draft", "connected"), ("connected", "receiving")];
    let expected = expected.map(|(from, to)| (json!(from), json!(to)));
    assert_eq!(steps, expected, "each is written once");
}

#[test]
fn where_there_are_accounts_no_directory_begins_in_force() {
    let company = Company::new("In force unseen");
    let operator = &company.operator;
    let body = json!({ "name": "Second", "phase": "enforcing" });
    let second = operator.post("/directories", &body).expect(201).json();
    assert_eq!(second["phase"], "enforcing", "it concerns nobody");
    let _ = import(&company, &[person("ada", "Owner")]);
    let before = operator.get("/directories").expect(200).json();
    let tokens = operator.get("/tokens").expect(200).json();
    let refused = operator.post("/directories", &body).expect(409);
    for part in ["draft", "POST /plans", "directories confirm"] {
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    assert_eq!(operator.get("/directories").expect(200).json(), before);
    assert_eq!(operator.get("/tokens").expect(200).json(), tokens);
    // The way that it names is open.
    let third = connect(&company, &json!({ "name": "Third", "phase": "draft" }));
    let _ = confirm(&company, &third).expect(200);
    assert_eq!(phase(&company, &third.id), "enforcing");
}

#[test]
fn nothing_is_decided_before_the_confirmation_and_everything_after_it() {
    let company = Company::new("Confirmation");
    company.map(&[("Admins", "base-role", "Admin")]);
    let draft = &company.draft;
    let ada = draft.user(ADA);
    let bob = draft.user("bob@acme.test");
    let admins = draft.group("Admins", &[&ada, &bob]);
    let remove = json!({ "op": "remove", "path": format!("members[value eq \"{bob}\"]") });
    draft.patch(&format!("/Groups/{admins}"), &remove);
    draft.activate(&bob, false);
    draft.activate(&bob, true);
    assert_eq!(company.accounts(), Vec::<Value>::new(), "no accounts");
    assert_eq!(count(&company.events(1_000), "account.created"), 0);
    let confirmed = company.confirm().expect(200);
    assert_eq!(confirmed.json()["phase"], "enforcing");
    assert!(confirmed.revision() > 0);
    let accounts = company.accounts();
    let roles: Vec<_> = accounts
        .iter()
        .map(|account| &account["role"]["name"])
        .collect();
    assert_eq!(roles, ["Admin", "Standard"]);
    assert!(accounts.iter().all(|account| account["status"] == "active"));
    // From now on as ever.
    draft.activate(&ada, false);
    assert_eq!(company.account(ADA)["status"], "deactivated");
    let _ = draft.user("cleo@acme.test");
    assert_eq!(company.account("cleo@acme.test")["status"], "active");
}

#[test]
fn who_is_inactive_when_a_directory_is_confirmed_gets_no_access() {
    let company = Company::new("Inactive");
    let ada = company.draft.user(ADA);
    company.draft.activate(&ada, false);
    let _ = company.confirm().expect(200);
    assert_eq!(company.account(ADA)["status"], "deactivated");
}

#[test]
fn a_directory_of_many_is_confirmed_in_steps_while_others_still_come() {
    let company = Company::new("Many");
    let operations: Vec<Value> = (0..350)
        .map(|n| {
            let name = format!("u{n:03}@acme.test");
            json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "userName": name } })
        })
        .collect();
    let _ = company
        .draft
        .scim
        .post("/Bulk", &json!({ "Operations": operations }))
        .expect(200);
    let _ = company.confirm().expect(200);
    for n in 350..360 {
        let _ = company.draft.user(&format!("u{n:03}@acme.test"));
    }
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 360);
    let told = count(&company.events(1_000), "account.created");
    assert_eq!(told, 360, "each account is opened once");
    assert!(accounts.iter().all(|account| account["status"] == "active"));
}

#[test]
fn while_paused_facts_are_taken_decisions_are_frozen_and_deactivations_take_effect() {
    let company = Company::new("Pause");
    company.map(&[("Admins", "base-role", "Admin")]);
    let draft = &company.draft;
    let people =
        [ADA, "bob@acme.test", "cleo@acme.test", "dan@acme.test"].map(|name| draft.user(name));
    let [ada, bob, cleo, dan] = people.each_ref();
    let admins = draft.group("Admins", &[ada]);
    draft.activate(bob, false);
    let _ = company.confirm().expect(200);
    assert_eq!(company.account(ADA)["role"]["name"], "Admin");
    let paused = enter(&company, &draft.id, "pause", &json!({})).expect(200);
    assert_eq!(paused.json()["phase"], "paused");
    let before = had(&company.accounts());
    let path = format!("/Groups/{admins}");
    draft.patch(
        &path,
        &json!({ "op": "remove", "path": format!("members[value eq \"{ada}\"]") }),
    );
    draft.patch(
        &path,
        &json!({ "op": "add", "path": "members", "value": [{ "value": dan }] }),
    );
    draft.activate(bob, true);
    company.map(&[("Admins", "base-role", "Viewer")]);
    assert_eq!(
        had(&company.accounts()),
        before,
        "frozen, the new mapping too"
    );
    // What the provider said is there.
    let group = draft.scim.get(&path).expect(200).json();
    assert_eq!(group["members"][0]["value"], *dan);
    // Whom it deactivates or deletes is out, in the very next read.
    let status = |name: &str| company.account(name)["status"].clone();
    draft.activate(ada, false);
    let _ = draft.scim.delete(&format!("/Users/{cleo}")).expect(204);
    assert_eq!(
        (status(ADA), status("cleo@acme.test")),
        (json!("deactivated"), json!("deactivated"))
    );
    assert_eq!(
        company.account(ADA)["role"]["name"],
        "Admin",
        "the role is kept"
    );
    let kept = names(&company.account("cleo@acme.test")["seats"]) == ["viewer"];
    assert!(kept, "nothing is decided about who was deleted either");
    // A new user gets an account, about which nothing is decided yet.
    let _ = draft.user("eve@acme.test");
    assert_eq!(status("eve@acme.test"), "deactivated");
    let resumed = enter(&company, &draft.id, "resume", &json!({})).expect(200);
    assert_eq!(resumed.json()["phase"], "enforcing");
    let roles: Vec<(Value, Value, Value)> = company
        .accounts()
        .iter()
        .map(|account| {
            (
                account["label"].clone(),
                account["status"].clone(),
                account["role"]["name"].clone(),
            )
        })
        .collect();
    let expected = [
        (ADA, "deactivated", "Standard"),
        ("bob@acme.test", "active", "Standard"),
        ("cleo@acme.test", "deactivated", "Standard"),
        ("dan@acme.test", "active", "Viewer"),
        ("eve@acme.test", "active", "Standard"),
    ];
    assert_eq!(
        roles,
        expected.map(|(name, status, role)| (json!(name), json!(status), json!(role)))
    );
    assert_eq!(company.account("cleo@acme.test")["seats"], json!([]));
}

#[test]
fn after_uninstalling_every_account_keeps_exactly_what_it_had() {
    let company = Company::new("Uninstall");
    company.map(&[
        ("Admins", "base-role", "Admin"),
        ("On-call", "seat", "on-call"),
    ]);
    let draft = &company.draft;
    let people: Vec<String> = (0..120)
        .map(|n| draft.user(&format!("u{n:03}@acme.test")))
        .collect();
    let _ = draft.group("Admins", &[&people[0], &people[1]]);
    let _ = draft.group("On-call", &[&people[2]]);
    draft.activate(&people[3], false);
    let _ = company.confirm().expect(200);
    let before = had(&company.accounts());
    let body = json!({ "facts": "keep", "days": 30 });
    let over = enter(&company, &draft.id, "uninstall", &body).expect(200);
    assert_eq!(over.json()["phase"], "uninstalled");
    let _ = draft.scim.get("/Users").expect(401);
    let after = company.accounts();
    assert_eq!(had(&after), before);
    assert!(after.iter().all(|account| account["link"] == "unlinked"));
    assert_eq!(count(&company.events(1_000), "account.unlinked"), 120);
    // Whatever is decided anew does not touch them, and people may.
    company.map(&[]);
    assert_eq!(had(&company.accounts()), before);
    let admin = &after[0];
    let roles = format!("{}/roles", path_of(admin));
    let changed = company
        .application
        .put(&format!("{roles}/Viewer"), &json!({}))
        .expect(200);
    assert_eq!(changed.json()["role"]["name"], "Viewer");
    // No token lets anybody in again.
    let token = json!({ "directory": draft.id });
    let refused = company.operator.post("/tokens", &token).expect(409);
    assert!(refused.text.contains("uninstalled"), "{}", refused.text);
}

#[test]
fn facts_are_erased_where_that_was_chosen() {
    let company = Company::new("Erase");
    let draft = &company.draft;
    let people: Vec<String> = (0..150)
        .map(|n| draft.user(&format!("u{n:03}@acme.test")))
        .collect();
    let members: Vec<&str> = people.iter().map(String::as_str).collect();
    for group in 0..5 {
        let _ = draft.group(&format!("Group {group}"), &members);
    }
    let _ = draft
        .scim
        .delete(&format!("/Users/{}", people[0]))
        .expect(204);
    let _ = company.confirm().expect(200);
    assert_eq!(company.accounts().len(), 149);
    let _ = enter(
        &company,
        &draft.id,
        "uninstall",
        &json!({ "facts": "erase" }),
    )
    .expect(200);
    until("erased", || {
        count(&company.events(1_000), "directory.erased") == 1
    });
    let events = company.events(1_000);
    assert_eq!(
        (
            count(&events, "user.erased"),
            count(&events, "group.erased")
        ),
        (150, 5)
    );
    let groups = company.application.get("/groups").expect(200).json();
    assert_eq!(groups["groups"], json!([]));
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 149);
    assert!(accounts.iter().all(|account| account["status"] == "active"));
}

#[test]
fn a_later_directory_finds_the_accounts_that_the_one_before_left() {
    let company = Company::new("Again");
    super::verify(&company, "acme.test");
    let _ = company.draft.user(ADA);
    let _ = company.confirm().expect(200);
    let id = company.account(ADA)["id"].clone();
    let _ = enter(
        &company,
        &company.draft.id,
        "uninstall",
        &json!({ "facts": "erase" }),
    )
    .expect(200);
    let _ = company.accounts();
    let second = connect(&company, &json!({ "name": "Entra" }));
    let _ = second.user(ADA);
    let _ = confirm(&company, &second).expect(200);
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        (&accounts[0]["id"], &accounts[0]["link"]),
        (&id, &json!("linked"))
    );
}

#[test]
fn a_wrong_step_says_where_the_directory_is_and_what_is_possible() {
    let company = Company::new("Wrong steps");
    let id = company.draft.id.clone();
    let accept = json!({ "accept_lockout": "I accept to be locked out" });
    let uninstall = json!({ "facts": "keep", "days": 1 });
    let step = |how: &str| {
        let body = match how {
            "confirm" => &accept,
            "uninstall" => &uninstall,
            _ => &json!({}),
        };
        enter(&company, &id, how, body)
    };
    let all = ["confirm", "pause", "resume", "uninstall"];
    for (then, phase, possible) in [
        (None, "draft", vec!["confirm", "uninstall"]),
        (Some("confirm"), "enforcing", vec!["pause", "uninstall"]),
        (Some("pause"), "paused", vec!["resume", "uninstall"]),
        (Some("resume"), "enforcing", vec!["pause", "uninstall"]),
        (Some("uninstall"), "uninstalled", vec![]),
    ] {
        if let Some(then) = then {
            let _ = step(then).expect(200);
        }
        assert_eq!(super::phase(&company, &id), phase);
        for how in all.iter().filter(|how| !possible.contains(how)) {
            let refused = step(how).expect(409).json();
            let detail = refused["detail"].as_str().unwrap();
            let told =
                detail.contains(&format!("it is {phase}")) && detail.contains(&possible.join(", "));
            assert!(told, "{how}: {detail}");
        }
    }
    let _ = enter(
        &company,
        "01890000-0000-7000-8000-000000000000",
        "pause",
        &json!({}),
    )
    .expect(404);
}
