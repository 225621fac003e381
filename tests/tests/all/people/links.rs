//! Whose account a user's is.

use super::{
    Company, account, confirm, connect, count, import, names, path_of, person, verify, waiting,
};
use serde_json::{Value, json};

fn resolve(company: &Company, user: &str, account: &str) -> gatewright_tests::Reply {
    let body = json!({ "user": user, "account": account });
    company.operator.post("/links", &body)
}

#[test]
fn a_confirmation_links_by_email_and_leaves_the_unlinked_as_they_are() {
    let company = Company::new("Linking");
    verify(&company, "acme.test");
    let _ = import(
        &company,
        &[
            person("ada", "Owner"),
            person("bob", "Admin"),
            person("zoe", "Viewer"),
        ],
    );
    let zoe = account(&company, "app-zoe");
    let ada = company
        .draft
        .user_with("ada.lovelace", "ADA@acme.test", &json!({}));
    let _ = company.draft.user("bob@acme.test");
    let _ = company.draft.user("new@acme.test");
    let before = account(&company, "app-ada");
    assert_eq!(before["link"], "unlinked", "not before the confirmation");
    let _ = company.confirm().expect(200);
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 4, "three were there, one is new");
    let linked = account(&company, "app-ada");
    assert_eq!(
        (&linked["id"], &linked["users"][0]["id"]),
        (&before["id"], &json!(ada))
    );
    assert_eq!(linked["label"], "ada.lovelace");
    // No group says otherwise: what they had before stays.
    assert_eq!(
        (&linked["role"]["name"], &linked["role"]["origin"]),
        (&json!("Owner"), &json!("import"))
    );
    assert_eq!(account(&company, "app-zoe"), zoe, "whom no user claims");
    let new = company.account("new@acme.test");
    assert_eq!(
        (&new["origin"], &new["role"]["name"]),
        (&json!("directory"), &json!("Standard"))
    );
    assert_eq!(waiting(&company), Vec::<Value>::new());
}

#[test]
fn a_user_who_comes_later_is_linked_as_well() {
    let company = Company::new("Later");
    verify(&company, "acme.test");
    let _ = company.confirm().expect(200);
    let _ = import(&company, &[person("ada", "Owner")]);
    let _ = company.draft.user("ada@acme.test");
    let linked = account(&company, "app-ada");
    assert_eq!(
        (&linked["link"], &linked["role"]["name"]),
        (&json!("linked"), &json!("Owner"))
    );
    assert_eq!(company.accounts().len(), 1);
    // The provider's word on who is active counts from the link on.
    let _ = import(&company, &[person("bob", "Admin")]);
    let body = json!({ "userName": "bob@acme.test", "active": false, "emails": [{ "value": "bob@acme.test" }] });
    let _ = company.draft.scim.post("/Users", &body).expect(201);
    assert_eq!(account(&company, "app-bob")["status"], "deactivated");
}

#[test]
fn only_verified_domains_link_and_verifying_one_links_who_waits() {
    let company = Company::new("Unverified");
    let _ = import(&company, &[person("ada", "Owner")]);
    let ada = company.draft.user("ada@acme.test");
    let _ = company.confirm().expect(200);
    let waits = waiting(&company);
    assert_eq!(
        (&waits[0]["user"], &waits[0]["why"]),
        (&json!(ada), &json!("unverified"))
    );
    assert!(waits[0]["message"].as_str().unwrap().contains("/domains"));
    assert_eq!(account(&company, "app-ada")["link"], "unlinked");
    assert_eq!(
        company.accounts().len(),
        1,
        "no second account in the meantime"
    );
    // A subdomain or another domain does not help.
    verify(&company, "mail.acme.test");
    assert_eq!(waiting(&company).len(), 1);
    verify(&company, "acme.test");
    assert_eq!(waiting(&company), Vec::<Value>::new());
    assert_eq!(account(&company, "app-ada")["users"][0]["id"], ada);
}

#[test]
fn two_accounts_for_one_user_are_for_a_person_to_choose_between() {
    let company = Company::new("Two accounts");
    verify(&company, "acme.test");
    let mut other = person("ada", "Viewer");
    other["external_id"] = json!("app-ada-2");
    let _ = import(&company, &[person("ada", "Owner"), other]);
    let ada = company.draft.user("ada@acme.test");
    let _ = company.confirm().expect(200);
    let waits = waiting(&company);
    assert_eq!(
        (waits.len(), &waits[0]["why"]),
        (1, &json!("several-accounts"))
    );
    let mut ids: Vec<&str> = waits[0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["external_id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["app-ada", "app-ada-2"]);
    assert!(
        company
            .accounts()
            .iter()
            .all(|account| account["link"] == "unlinked")
    );
    let wanted = account(&company, "app-ada-2");
    let done = resolve(&company, &ada, wanted["id"].as_str().unwrap()).expect(200);
    assert!(done.revision() > 0);
    assert_eq!(account(&company, "app-ada-2")["users"][0]["id"], ada);
    assert_eq!(account(&company, "app-ada")["link"], "unlinked");
    assert_eq!(waiting(&company), Vec::<Value>::new());
    assert_eq!(count(&company.events(1_000), "link.resolved"), 1);
    // It was said once.
    let again = resolve(&company, &ada, "new").expect(409);
    assert!(again.text.contains("does not wait"), "{}", again.text);
}

#[test]
fn two_users_for_one_account_are_for_a_person_to_choose_between() {
    let company = Company::new("Two users");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner")]);
    let one = company
        .draft
        .user_with("ada.one", "ada@acme.test", &json!({}));
    let two = company
        .draft
        .user_with("ada.two", "ada@acme.test", &json!({}));
    let _ = company.confirm().expect(200);
    let waits = waiting(&company);
    let users: Vec<&Value> = waits.iter().map(|one| &one["user"]).collect();
    assert_eq!(users, [&json!(one), &json!(two)]);
    assert!(waits.iter().all(|one| one["why"] == "several-users"));
    let id = account(&company, "app-ada")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let _ = resolve(&company, &two, &id).expect(200);
    let refused = resolve(&company, &one, &id).expect(409);
    assert!(refused.text.contains("two people"), "{}", refused.text);
    let _ = resolve(&company, &one, "01890000-0000-7000-8000-000000000000").expect(400);
    let _ = resolve(&company, &one, "maybe").expect(400);
    let _ = resolve(&company, &one, "new").expect(200);
    let accounts = company.accounts();
    assert_eq!(accounts.len(), 2);
    assert_eq!(account(&company, "app-ada")["users"][0]["id"], two);
    assert_eq!(company.account("ada.one")["status"], "active");
    // A third one comes later: the account is taken.
    let _ = company
        .draft
        .user_with("ada.three", "ada@acme.test", &json!({}));
    assert_eq!(waiting(&company)[0]["why"], "claimed");
}

#[test]
fn a_change_of_email_never_links() {
    let company = Company::new("Change of email");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner"), person("bob", "Viewer")]);
    let ada = company.draft.user("ada@acme.test");
    let eve = company.draft.user("eve@acme.test");
    let _ = company.confirm().expect(200);
    let before = account(&company, "app-ada")["id"].clone();
    for user in [&ada, &eve] {
        let emails = json!([{ "value": "bob@acme.test", "type": "work", "primary": true }]);
        company.draft.patch(
            &format!("/Users/{user}"),
            &json!({ "op": "replace", "path": "emails", "value": emails }),
        );
    }
    let linked = account(&company, "app-ada");
    assert_eq!(
        (&linked["id"], &linked["users"][0]["id"]),
        (&before, &json!(ada))
    );
    assert_eq!(account(&company, "app-bob")["link"], "unlinked");
    // Nor does one of the account.
    let mut moved = person("bob", "Viewer");
    moved["email"] = json!("eve@acme.test");
    assert_eq!(import(&company, &[moved])[0]["result"], "changed");
    assert_eq!(account(&company, "app-bob")["link"], "unlinked");
    assert_eq!(waiting(&company), Vec::<Value>::new());
}

#[test]
fn a_name_that_is_given_to_somebody_else_does_not_take_over_the_account() {
    let company = Company::new("Reused email");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner")]);
    let first = company.draft.user("ada@acme.test");
    let _ = company.confirm().expect(200);
    let _ = company.accounts();
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{first}"))
        .expect(204);
    let second = company.draft.user("ada@acme.test");
    let waits = waiting(&company);
    assert_eq!(
        (&waits[0]["user"], &waits[0]["why"]),
        (&json!(second), &json!("left"))
    );
    assert_eq!(account(&company, "app-ada")["status"], "deactivated");
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{second}"))
        .expect(204);
    assert_eq!(
        waiting(&company),
        Vec::<Value>::new(),
        "who is gone waits no longer"
    );
}

#[test]
fn a_directory_may_link_by_the_user_name_or_by_the_application_s_own_id() {
    let company = Company::new("Link by");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner"), person("bob", "Admin")]);
    for (link_by, name, email, more, expected) in [
        (
            "userName",
            "ada@acme.test",
            "other@acme.test",
            json!({}),
            "app-ada",
        ),
        (
            "externalId",
            "b",
            "b@nowhere.test",
            json!({ "externalId": "app-bob" }),
            "app-bob",
        ),
    ] {
        let directory = connect(&company, &json!({ "name": link_by, "link_by": link_by }));
        let user = directory.user_with(name, email, &more);
        let _ = confirm(&company, &directory).expect(200);
        assert_eq!(
            account(&company, expected)["users"][0]["id"],
            user,
            "{link_by}"
        );
    }
    let shown = company
        .operator
        .get(&format!("/directories/{}", company.draft.id))
        .expect(200)
        .json();
    assert_eq!(shown["link_by"], "email");
}

#[test]
fn a_linked_import_keeps_its_grants_until_it_is_decided() {
    let company = Company::new("Kept until decided");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner")]);
    // A policy that refuses to decide.
    let hostile = gatewright_tests::plugin("hostile");
    let installed = company.api().install(&hostile);
    let body = json!({ "plugin": installed["digest"], "settings": { "behaviour": "refuse" } });
    let _ = company.operator.put("/bindings/roles", &body).expect(200);
    let _ = company.draft.user("ada@acme.test");
    let _ = company.confirm().expect(200);
    let found = || {
        company
            .application
            .get("/accounts?email=ada@acme.test")
            .expect(200)
            .json()["accounts"][0]
            .clone()
    };
    super::until("linked and tried", || found()["stale"]["slot"] == "roles");
    let ada = found();
    assert_eq!(
        (&ada["link"], &ada["role"]["name"], &ada["status"]),
        (&json!("linked"), &json!("Owner"), &json!("active"))
    );
    assert_eq!(names(&ada["seats"]), ["viewer"]);
    assert_eq!(path_of(&ada), path_of(&found()));
}

#[test]
fn who_comes_back_after_others_were_linked_is_still_the_same_person() {
    let company = Company::new("Return");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Owner")]);
    let more = json!({ "externalId": "okta-1" });
    // Deleted before the confirmation, back after it.
    let first = company.draft.user_with("ada", "ada@acme.test", &more);
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{first}"))
        .expect(204);
    let _ = company.confirm().expect(200);
    assert_eq!(account(&company, "app-ada")["link"], "unlinked");
    let back = company.draft.user_with("ada", "ada@acme.test", &more);
    assert_eq!(back, first);
    assert_eq!(account(&company, "app-ada")["users"][0]["id"], back);
    // And once more, with its account.
    let _ = company
        .draft
        .scim
        .delete(&format!("/Users/{first}"))
        .expect(204);
    assert_eq!(account(&company, "app-ada")["status"], "deactivated");
    let _ = company.draft.user_with("ada", "ada@acme.test", &more);
    let ada = account(&company, "app-ada");
    assert_eq!(
        (&ada["link"], &ada["status"], &ada["role"]["name"]),
        (&json!("linked"), &json!("active"), &json!("Owner"))
    );
}
