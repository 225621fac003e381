//! Accounts that no user claims, shown to the provider as users.

use super::{Company, account, connect, import, person, verify, waiting};
use gatewright_tests::Client;
use serde_json::{Value, json};

fn exposing(name: &str) -> Company {
    let mut company = Company::new(name);
    company.draft = connect(
        &company,
        &json!({ "name": "Okta", "expose_unlinked": true }),
    );
    verify(&company, "acme.test");
    company
}

fn listed(scim: &Client, query: &str) -> (u64, Vec<String>) {
    let list = scim.get(&format!("/Users?{query}")).expect(200).json();
    let resources = list["Resources"].as_array().cloned().unwrap_or_default();
    let names = resources
        .iter()
        .map(|one| one["userName"].as_str().unwrap().to_owned());
    (list["totalResults"].as_u64().unwrap(), names.collect())
}

#[test]
fn an_import_of_the_provider_s_finds_them_in_listings_and_lookups() {
    let company = exposing("Exposed");
    let scim = &company.draft.scim;
    let mut stranger = person("eve", "Viewer");
    stranger["email"] = json!("eve@elsewhere.test");
    let first = company.draft.user("first@acme.test");
    let _ = import(
        &company,
        &[person("ada", "Owner"), person("bob", "Admin"), stranger],
    );
    let _ = company.draft.user("last@acme.test");
    let (total, all) = listed(scim, "");
    let mut sorted: Vec<&str> = all
        .iter()
        .map(|name| name.trim_end_matches("@acme.test"))
        .collect();
    sorted.sort_unstable();
    assert_eq!(
        (total, sorted),
        (4, vec!["ada", "bob", "first", "last"]),
        "of verified domains only"
    );
    let mut walked = Vec::new();
    for start in 1..=4 {
        let (total, page) = listed(scim, &format!("startIndex={start}&count=1"));
        assert_eq!(total, 4);
        walked.extend(page);
    }
    assert_eq!(walked, all);
    let (mut cursor, mut walked) = (String::new(), Vec::new());
    loop {
        let page = scim
            .get(&format!("/Users?count=3&cursor={cursor}"))
            .expect(200)
            .json();
        walked.extend(
            page["Resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["userName"].as_str().unwrap().to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(walked, all);
    for filter in [
        "userName eq \"ADA@acme.test\"",
        "emails.value eq \"ada@acme.test\"",
        "userName sw \"ada\"",
        "userName eq \"ada@acme.test\" and active eq true",
    ] {
        let query = format!("filter={}", filter.replace(' ', "%20").replace('"', "%22"));
        assert_eq!(
            listed(scim, &query),
            (1, vec!["ada@acme.test".to_owned()]),
            "{filter}"
        );
    }
    let none = listed(scim, "filter=userName%20eq%20%22eve@elsewhere.test%22");
    assert_eq!(none.0, 0);
    let id = account(&company, "app-ada")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = scim.get(&format!("/Users/{id}")).expect(200).json();
    assert_eq!((&shown["id"], &shown["active"]), (&json!(id), &json!(true)));
    assert_ne!(shown["id"], json!(first));
    // A directory that does not say so shows its own.
    let other = connect(&company, &json!({ "name": "Other" }));
    assert_eq!(listed(&other.scim, "").0, 0);
    let _ = other.scim.get(&format!("/Users/{id}")).expect(404);
    // None is more than shown before it is written to.
    let _ = scim.delete(&format!("/Users/{id}")).expect(404);
    assert_eq!(company.accounts().len(), 3);
}

#[test]
fn a_write_by_its_id_links_it_under_the_same_id() {
    let company = exposing("Claimed by id");
    let _ = company.confirm().expect(200);
    let scim = &company.draft.scim;
    let _ = import(
        &company,
        &[
            person("ada", "Owner"),
            person("bob", "Admin"),
            person("cleo", "Viewer"),
        ],
    );
    let id = |name: &str| account(&company, name)["id"].as_str().unwrap().to_owned();
    let (ada, bob, cleo) = (id("app-ada"), id("app-bob"), id("app-cleo"));
    let body = json!({ "userName": "ada@acme.test", "externalId": "okta-1", "active": true, "emails": [{ "value": "ada@acme.test" }] });
    let put = scim.put(&format!("/Users/{ada}"), &body).expect(200).json();
    assert_eq!(
        (&put["id"], &put["externalId"]),
        (&json!(ada), &json!("okta-1"))
    );
    company.draft.activate(&bob, false);
    company.draft.activate(&cleo, true);
    assert_eq!(listed(scim, "").0, 3);
    for (external_id, user, status, role) in [
        ("app-ada", &ada, "active", "Owner"),
        ("app-bob", &bob, "deactivated", "Admin"),
        ("app-cleo", &cleo, "active", "Viewer"),
    ] {
        let linked = account(&company, external_id);
        assert_eq!(
            (&linked["id"], &linked["users"][0]["id"]),
            (&json!(user), &json!(user))
        );
        assert_eq!(
            (&linked["status"], &linked["role"]["name"]),
            (&json!(status), &json!(role))
        );
    }
    let _ = scim.delete(&format!("/Users/{ada}")).expect(204);
    assert_eq!(
        listed(scim, "").0,
        2,
        "whom the provider deletes is not shown again"
    );
    let _ = scim.get(&format!("/Users/{ada}")).expect(404);
}

#[test]
fn a_write_before_the_confirmation_links_at_the_confirmation() {
    let company = exposing("Claimed early");
    let _ = import(&company, &[person("ada", "Admin"), person("root", "Owner")]);
    let ada = account(&company, "app-ada")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    company.draft.activate(&ada, false);
    let before = account(&company, "app-ada");
    assert_eq!(
        (&before["link"], &before["status"]),
        (&json!("unlinked"), &json!("active"))
    );
    assert_eq!(listed(&company.draft.scim, "").0, 2, "once");
    let _ = company.confirm().expect(200);
    let after = account(&company, "app-ada");
    assert_eq!(
        (&after["users"][0]["id"], &after["status"]),
        (&json!(ada), &json!("deactivated"))
    );
    assert_eq!(company.accounts().len(), 2);
}

#[test]
fn a_post_with_its_email_links_it_too() {
    let company = exposing("Claimed by post");
    let _ = company.confirm().expect(200);
    let _ = import(&company, &[person("ada", "Owner")]);
    let user = company.draft.user("ada@acme.test");
    assert_eq!(account(&company, "app-ada")["users"][0]["id"], user);
    assert_eq!(
        listed(&company.draft.scim, ""),
        (1, vec!["ada@acme.test".to_owned()])
    );
    assert_eq!(waiting(&company), Vec::<Value>::new());
}
