//! A directory comes into force by a plan that shows what becomes of whom, and as it was shown.

use super::{Company, account, connect, enter, import, person, preview, verify, waiting};
use crate::plans::{holding, labels, planned, shown};
use gatewright_tests::Reply;
use serde_json::{Value, json};

const WORDS: &str = "I accept to be locked out";

/// Accounts of an owner who is in no directory, an admin and two others; all but the owner are users.
fn company(name: &str) -> (Company, Vec<String>) {
    let company = Company::new(name);
    company.map(&[("Admins", "base-role", "Admin")]);
    groups_alone(&company);
    verify(&company, "acme.test");
    let people = [
        person("root", "Owner"),
        person("ada", "Admin"),
        person("bob", "Admin"),
        person("eve", "Viewer"),
    ];
    let _ = import(&company, &people);
    let users: Vec<String> = ["ada", "bob", "eve"]
        .map(|name| company.draft.user(&format!("{name}@acme.test")))
        .into();
    let _ = company.draft.group("Admins", &[&users[0]]);
    (company, users)
}

/// Roles from before the directory are not kept.
fn groups_alone(company: &Company) {
    let alone = json!({ "plugin": "group-roles", "settings": { "keep_local": false } });
    let _ = company.operator.put("/bindings/roles", &alone).expect(200);
}

fn confirm(company: &Company, plan: &Value, body: &Value) -> Reply {
    let mut body = body.clone();
    body["plan"] = plan["id"].clone();
    enter(company, &company.draft.id, "confirm", &body)
}

/// Without an acting administrator.
fn accept(company: &Company, plan: &Value) -> Reply {
    confirm(company, plan, &json!({ "accept_lockout": WORDS }))
}

/// What the plan says of users, or of accounts that nobody claims, by label; read two at a time.
fn links(company: &Company, plan: &Value, kind: &str) -> Vec<Value> {
    let id = plan["id"].as_str().unwrap();
    let filter = match kind {
        "" => String::new(),
        kind => format!("&kind={kind}"),
    };
    let mut links = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/plans/{id}/links?limit=2{filter}{after}");
        let page = company.operator.get(&path).expect(200).json();
        links.extend(page["links"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    links.sort_by_key(|link| link["label"].as_str().unwrap().to_owned());
    links
}

#[test]
fn a_plan_shows_who_is_linked_who_is_new_who_waits_and_who_is_left() {
    let (company, users) = company("Shown");
    let new = company.draft.user("new@acme.test");
    let twins = ["twin-a", "twin-b"]
        .map(|name| company.draft.user_with(name, "twin@acme.test", &json!({})));
    let _ = import(&company, &[person("twin", "Viewer")]);
    let before = company.accounts();
    let plan = preview(&company, &company.draft.id);
    let counts = json!({ "linked": 3, "new": 1, "waiting": 2, "unlinked": 2 });
    assert_eq!(plan["links"], counts);
    assert_eq!(plan["changes"], json!(["confirm"]));
    assert_eq!(plan["proposal"]["confirm"], company.draft.id);
    let linked = links(&company, &plan, "linked");
    let of = |link: &Value| (link["user"].clone(), link["account"].clone());
    assert_eq!(
        linked.iter().map(of).collect::<Vec<_>>(),
        ["ada", "bob", "eve"]
            .iter()
            .zip(&users)
            .map(|(name, user)| {
                let account = account(&company, &format!("app-{name}"));
                (json!(user), account["id"].clone())
            })
            .collect::<Vec<_>>()
    );
    assert_eq!(links(&company, &plan, "new")[0]["user"], new);
    let waits = links(&company, &plan, "waiting");
    assert_eq!(waits.len(), 2);
    for (waits, twin) in waits.iter().zip(&twins) {
        assert_eq!(
            (&waits["user"], &waits["why"], &waits["account"]),
            (&json!(twin), &json!("several-users"), &Value::Null)
        );
        let candidates = json!([account(&company, "app-twin")["id"]]);
        assert_eq!(waits["candidates"], candidates);
        assert!(
            waits["message"]
                .as_str()
                .unwrap()
                .contains("say whose it is")
        );
    }
    let left = links(&company, &plan, "unlinked");
    assert_eq!(labels(&left), ["root", "twin"]);
    assert_eq!(links(&company, &plan, "").len(), 6);
    let unknown = format!("/plans/{}/links?kind=lost", plan["id"].as_str().unwrap());
    let _ = company.operator.get(&unknown).expect(400);
    // Each account that changes, before and after, with reasons. Ada stays what she is.
    let accounts = shown(&company, &plan, "");
    assert_eq!(
        labels(&accounts),
        ["bob@acme.test", "eve@acme.test", "new@acme.test"]
    );
    let (bob, new) = (&accounts[0], &accounts[2]);
    assert_eq!(bob["link"], "linked");
    assert_eq!(bob["kinds"], json!(["gains", "loses", "role-down"]));
    assert_eq!(
        (
            &bob["before"]["role"]["name"],
            &bob["after"]["role"]["name"]
        ),
        (&json!("Admin"), &json!("Standard"))
    );
    assert_eq!(bob["after"]["role"]["reason"], "default role");
    assert_eq!(new["link"], "new");
    assert_eq!(new["kinds"], json!(["gains", "role-up", "activated"]));
    assert_eq!(new["before"]["role"], Value::Null);
    assert_eq!(new["before"]["status_reason"], "there is no account yet");
    assert_eq!(plan["most_losses"][0]["label"], "bob@acme.test");
    assert_eq!(plan["counts"]["accounts"], 3);
    assert_eq!(plan["progress"]["considered"], 6);
    assert_eq!(
        (
            &plan["owners"]["count"],
            &plan["owners"]["accounts"][0]["label"]
        ),
        (&json!(1), &json!("root"))
    );
    // And nobody was concerned by that.
    assert_eq!(company.accounts(), before);
    assert_eq!(waiting(&company), Vec::<Value>::new());
    assert_eq!(super::phase(&company, &company.draft.id), "receiving");
}

#[test]
fn what_was_shown_is_what_comes() {
    let (company, _) = company("As shown");
    let _ = company.draft.user("new@acme.test");
    let plan = preview(&company, &company.draft.id);
    let planned = shown(&company, &plan, "");
    let confirmed = accept(&company, &plan).expect(200);
    assert_eq!(confirmed.json()["phase"], "enforcing");
    assert_eq!(confirmed.json()["plan"], plan["id"]);
    assert_eq!(confirmed.json()["revision"], confirmed.revision());
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 5);
    for one in planned {
        let has = accounts.iter().find(|has| has["id"] == one["account"]);
        assert_eq!(holding(has.unwrap()), holding(&one["after"]), "{one}");
    }
    for link in links(&company, &plan, "") {
        let has = accounts.iter().find(|has| has["id"] == link["account"]);
        assert_eq!(has.unwrap()["users"][0]["id"], link["user"]);
    }
    let plan = format!("/plans/{}", plan["id"].as_str().unwrap());
    let after = company.operator.get(&plan).expect(200).json();
    assert_eq!(after["state"], "confirmed");
}

#[test]
fn without_a_plan_it_is_refused_where_anybody_is_concerned() {
    let company = Company::new("Unseen");
    let id = company.draft.id.clone();
    let words = json!({ "accept_lockout": WORDS });
    let refused = |what: &str, body: &Value, says: &str| {
        let reply = enter(&company, &id, "confirm", body);
        assert_eq!(reply.status, 409, "{what}: {}", reply.text);
        assert!(reply.text.contains(says), "{what}: {}", reply.text);
        assert_ne!(super::phase(&company, &id), "enforcing");
    };
    let user = company.draft.user("ada@acme.test");
    refused("a user", &words, "POST /plans");
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{user}"))
        .expect(204);
    let _ = import(&company, &[person("root", "Owner")]);
    refused("an account", &words, "gatewright directories confirm");
    // Nor by a plan of something else.
    let other = connect(&company, &json!({ "name": "Other" }));
    let of_other = planned(&company, &json!({ "confirm": other.id }));
    let mapping = planned(&company, &json!({ "mapping": { "entries": [] } }));
    for plan in [of_other, mapping] {
        let body = json!({ "plan": plan["id"], "accept_lockout": WORDS });
        refused("another plan", &body, "does not confirm directory");
    }
    let none = json!({
        "plan": "01890000-0000-7000-8000-000000000000", "accept_lockout": WORDS,
    });
    let _ = enter(&company, &id, "confirm", &none).expect(404);
    // Its own may be confirmed where plans are, too.
    let plan = preview(&company, &id);
    let _ = crate::plans::confirm(&company, &plan, &words).expect(200);
    assert_eq!(super::phase(&company, &id), "enforcing");
    let again = json!({ "confirm": id });
    let again = company.operator.post("/plans", &again).expect(409);
    assert!(again.text.contains("it is enforcing"), "{}", again.text);
    let nobody = json!({ "confirm": "01890000-0000-7000-8000-000000000000" });
    let _ = company.operator.post("/plans", &nobody).expect(404);
}

#[test]
fn where_there_is_nobody_to_show_no_plan_is_needed() {
    let company = Company::new("Nobody yet");
    let id = &company.draft.id;
    for body in [json!({}), json!({ "acting": "ada@acme.test" })] {
        let refused = enter(&company, id, "confirm", &body).expect(400);
        assert!(refused.text.contains("no account yet"), "{}", refused.text);
    }
    let words = json!({ "accept_lockout": WORDS });
    let _ = enter(&company, id, "confirm", &words).expect(200);
    let _ = company.draft.user("ada@acme.test");
    assert_eq!(company.account("ada@acme.test")["status"], "active");
}

/// Nothing of it happens where facts moved so that it is no longer true, and the answer says why.
fn moved(what: &str, then: impl FnOnce(&Company, &[String])) -> Vec<Value> {
    let (company, users) = company(&format!("Moved: {what}"));
    let plan = preview(&company, &company.draft.id);
    then(&company, &users);
    let refused = accept(&company, &plan).expect(409).json();
    assert_eq!(super::phase(&company, &company.draft.id), "receiving");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("no longer holds"),
        "{refused}"
    );
    let accounts = company.accounts();
    assert!(accounts.iter().all(|account| account["link"] == "unlinked"));
    // A new plan holds.
    let plan = preview(&company, &company.draft.id);
    let _ = accept(&company, &plan).expect(200);
    let mut differences = refused["differences"]
        .as_array()
        .unwrap_or(&Vec::new())
        .clone();
    differences.sort_by_key(|one| one["label"].as_str().unwrap().to_owned());
    differences
}

#[test]
fn a_new_user_who_was_not_shown_outdates_a_plan() {
    let differences = moved("new", |company, _| {
        let _ = company.draft.user("new@acme.test");
    });
    assert_eq!(labels(&differences), ["new@acme.test"]);
    let new = &differences[0];
    assert_eq!(
        (&new["link"]["planned"], &new["link"]["now"]["kind"]),
        (&Value::Null, &json!("new"))
    );
    assert_eq!(
        (&new["planned"], &new["now"]["after"]["role"]["name"]),
        (&Value::Null, &json!("Standard"))
    );
}

#[test]
fn a_change_of_groups_outdates_a_plan() {
    let differences = moved("groups", |company, users| {
        let _ = company.draft.group("More admins", &[&users[1]]);
        let group = company.draft.group("Any", &[&users[2]]);
        let rename = json!({ "op": "replace", "path": "displayName", "value": "Admins" });
        let body = json!({ "Operations": [rename] });
        let reply = company.draft.scim.patch(&format!("/Groups/{group}"), &body);
        assert_eq!(reply.status, 409, "two of one name: {}", reply.text);
        let groups = company.draft.scim.get("/Groups").expect(200).json();
        let admins = groups["Resources"].as_array().unwrap().iter();
        let mut admins = admins.filter(|group| group["displayName"] == "Admins");
        let admins = admins.next().unwrap()["id"].as_str().unwrap().to_owned();
        let add = json!({ "op": "add", "path": "members", "value": [{ "value": users[1] }] });
        company.draft.patch(&format!("/Groups/{admins}"), &add);
    });
    assert_eq!(labels(&differences), ["bob@acme.test"]);
    let bob = &differences[0];
    assert_eq!(bob["planned"]["after"]["role"]["name"], "Standard");
    assert_eq!(bob["now"], Value::Null, "he would stay what he is");
    assert_eq!(bob["link"], Value::Null);
}

#[test]
fn a_deleted_user_outdates_a_plan() {
    let differences = moved("deleted", |company, users| {
        let path = format!("/Users/{}", users[1]);
        let _ = company.draft.scim.delete(&path).expect(204);
    });
    assert_eq!(differences.len(), 1);
    let bob = &differences[0];
    assert_eq!(
        (&bob["link"]["planned"]["kind"], &bob["link"]["now"]),
        (&json!("linked"), &Value::Null)
    );
}

#[test]
fn a_second_user_of_one_email_outdates_a_plan_of_the_first() {
    let differences = moved("twin", |company, _| {
        let _ = company
            .draft
            .user_with("other bob", "bob@acme.test", &json!({}));
    });
    let changed = ["other bob", "bob@acme.test"];
    for label in changed {
        let found = differences
            .iter()
            .find(|one| one["link"]["now"]["label"] == label);
        let link = &found.unwrap_or_else(|| panic!("{label}: {differences:?}"))["link"];
        assert_eq!(link["now"]["why"], "several-users", "{link}");
    }
}

#[test]
fn an_account_that_is_imported_outdates_a_plan_of_a_new_one() {
    let differences = moved("import", |company, _| {
        let mut eve = person("eve", "Viewer");
        eve["email"] = json!("elsewhere@acme.test");
        assert_eq!(import(company, &[eve])[0]["result"], "changed");
    });
    let kinds: Vec<_> = differences
        .iter()
        .map(|one| &one["link"]["now"]["kind"])
        .filter(|kind| !kind.is_null())
        .collect();
    assert_eq!(
        kinds,
        ["new"],
        "eve's user is nobody's now: {differences:?}"
    );
}

#[test]
fn a_domain_that_is_verified_outdates_a_plan() {
    let differences = moved("domain", |company, _| verify(company, "other.test"));
    assert_eq!(differences, Vec::<Value>::new());
}

#[test]
fn what_does_not_matter_does_not_outdate_a_plan() {
    let (company, users) = company("No matter");
    let plan = preview(&company, &company.draft.id);
    let _ = company.draft.group("Any", &[&users[1]]);
    let named = json!({ "op": "replace", "path": "displayName", "value": "Robert" });
    company.draft.patch(&format!("/Users/{}", users[1]), &named);
    company.draft.activate(&users[2], false);
    company.draft.activate(&users[2], true);
    let gone = company.draft.user("gone@acme.test");
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{gone}"))
        .expect(204);
    let _ = connect(&company, &json!({ "name": "Another draft" }));
    let _ = accept(&company, &plan).expect(200);
    assert_eq!(account(&company, "app-bob")["role"]["name"], "Standard");
}

#[test]
fn who_confirms_has_to_be_an_active_owner_afterwards() {
    let (company, _) = company("Acting");
    let plan = preview(&company, &company.draft.id);
    for (what, body, status) in [
        ("nobody", json!({}), 400),
        ("a stranger", json!({ "acting": "mallory@acme.test" }), 400),
        ("an admin", json!({ "acting": "ada@acme.test" }), 409),
        (
            "other words",
            json!({ "acting": "root@acme.test", "accept_lockout": "i accept" }),
            400,
        ),
    ] {
        let refused = confirm(&company, &plan, &body);
        assert_eq!(refused.status, status, "{what}: {}", refused.text);
    }
    let acting = json!({ "acting": "ROOT@acme.test" });
    let _ = confirm(&company, &plan, &acting).expect(200);
    let events = company.events(1_000);
    let confirmed = events
        .iter()
        .find(|event| event["data"]["to"] == "enforcing")
        .unwrap();
    assert_eq!(
        confirmed["data"]["acting"],
        account(&company, "app-root")["id"]
    );
    assert_eq!(confirmed["data"]["plan"], plan["id"]);
}

#[test]
fn who_confirms_may_be_owner_by_the_directory_itself() {
    let company = Company::new("New owner");
    company.map(&[("Owners", "base-role", "Owner")]);
    let ada = company.draft.user("ada@acme.test");
    let _ = company.draft.user("bob@acme.test");
    let _ = company.draft.group("Owners", &[&ada]);
    let plan = preview(&company, &company.draft.id);
    let bob = json!({ "acting": "bob@acme.test" });
    let _ = confirm(&company, &plan, &bob).expect(409);
    let ada = json!({ "acting": "ada@acme.test" });
    let _ = confirm(&company, &plan, &ada).expect(200);
    assert_eq!(company.account("ada@acme.test")["role"]["name"], "Owner");
}

#[test]
fn a_plan_that_leaves_no_owner_is_refused_whatever_is_said() {
    let (company, _) = company("Owner lost");
    let root = company.draft.user("root@acme.test");
    let plan = preview(&company, &company.draft.id);
    assert_eq!(plan["owners"]["remains"], false);
    for body in [
        json!({ "acting": "root@acme.test" }),
        json!({ "accept_lockout": WORDS }),
    ] {
        let refused = confirm(&company, &plan, &body).expect(409);
        assert!(refused.text.contains("last active"), "{}", refused.text);
    }
    assert_eq!(account(&company, "app-root")["link"], "unlinked");
    // With a mapping that makes the person owner, in one plan with it.
    let _ = company.draft.group("Owners", &[&root]);
    let entries = [("Admins", "Admin"), ("Owners", "Owner")].map(
        |(group, role)| json!({ "group": { "name": group }, "kind": "base-role", "target": role }),
    );
    let body = json!({ "confirm": company.draft.id, "mapping": { "entries": entries } });
    let both = planned(&company, &body);
    assert_eq!(both["changes"], json!(["mapping", "confirm"]));
    let _ = confirm(&company, &both, &json!({ "acting": "root@acme.test" })).expect(200);
    let role = |name: &str| account(&company, &format!("app-{name}"))["role"]["name"].clone();
    assert_eq!(
        ["root", "ada", "bob"].map(role),
        ["Owner", "Admin", "Standard"].map(Value::from)
    );
}

#[test]
fn an_owner_who_stops_being_one_before_it_is_applied_outdates_a_plan() {
    let (company, _) = company("Owner gone");
    let _ = import(&company, &[person("second", "Owner")]);
    let _ = company.draft.user("second@acme.test");
    let plan = preview(&company, &company.draft.id);
    assert_eq!(plan["owners"]["count"], 1);
    // Of two owners one is taken the role by hand: the plan takes the other's.
    let root = account(&company, "app-root")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/accounts/{root}/roles/Viewer");
    let _ = company.application.put(&path, &json!({})).expect(200);
    let refused = accept(&company, &plan).expect(409);
    assert!(refused.text.contains("last active"), "{}", refused.text);
    assert_eq!(account(&company, "app-second")["role"]["name"], "Owner");
}

#[test]
fn a_mass_of_downgrades_that_a_plan_showed_is_not_held() {
    let company = Company::new("Mass");
    groups_alone(&company);
    verify(&company, "acme.test");
    let names: Vec<String> = (0..150).map(|n| format!("p{n:03}")).collect();
    let mut people: Vec<Value> = names.iter().map(|name| person(name, "Admin")).collect();
    people.push(person("root", "Owner"));
    let _ = import(&company, &people);
    let operations: Vec<Value> = names
        .iter()
        .map(|name| {
            let email = format!("{name}@acme.test");
            json!({
                "method": "POST", "path": "/Users", "bulkId": name,
                "data": { "userName": email, "emails": [{ "value": email, "primary": true }] },
            })
        })
        .collect();
    let bulk = json!({ "Operations": operations });
    let _ = company.draft.scim.post("/Bulk", &bulk).expect(200);
    let plan = preview(&company, &company.draft.id);
    assert_eq!(plan["counts"]["role-down"], 150);
    assert_eq!(plan["links"]["linked"], 150);
    let _ = accept(&company, &plan).expect(200);
    let accounts = company.accounts();
    let lowered = accounts
        .iter()
        .filter(|one| one["role"]["name"] == "Standard");
    assert_eq!(lowered.count(), 150);
    let holds = company.operator.get("/holds").expect(200).json();
    assert_eq!(holds["holds"], json!([]));
}
