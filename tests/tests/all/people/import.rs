//! Accounts that the application brings.

use super::{Company, account, connect, import, names, person, verify};
use crate::shared::Tenant;
use serde_json::{Value, json};

#[test]
fn imported_accounts_keep_their_present_roles_and_are_listed_as_unlinked() {
    let tenant = Tenant::new("Import");
    let results = import(&tenant, &[person("ada", "Owner"), person("bob", "Viewer")]);
    assert!(
        results.iter().all(|one| one["result"] == "created"),
        "{results:?}"
    );
    let ada = account(&tenant, "app-ada");
    assert_eq!(
        (
            &ada["origin"],
            &ada["link"],
            &ada["status"],
            &ada["role"]["name"],
            &ada["role"]["origin"]
        ),
        (
            &json!("import"),
            &json!("unlinked"),
            &json!("active"),
            &json!("Owner"),
            &json!("import")
        )
    );
    assert_eq!(
        (names(&ada["seats"]), &ada["decided"]),
        (vec!["viewer"], &Value::Null)
    );
    assert_eq!(results[0]["account"], ada["id"]);
    // Beside one whom a directory brings.
    let _ = tenant.user("cleo@acme.test");
    let _ = tenant.accounts();
    let unlinked = |query: &str| {
        let path = format!("/accounts?linked=false{query}");
        tenant.application.get(&path).expect(200).json()
    };
    let page = unlinked("&limit=1");
    let first = page["accounts"][0]["external_id"].clone();
    let next = unlinked(&format!(
        "&limit=1&after={}",
        page["next"].as_str().unwrap()
    ));
    let pair = [first, next["accounts"][0]["external_id"].clone()];
    assert!(
        pair.contains(&json!("app-ada")) && pair.contains(&json!("app-bob")),
        "{pair:?}"
    );
    assert_eq!(next["next"], Value::Null);
    assert_eq!(unlinked("")["accounts"].as_array().unwrap().len(), 2);
    let _ = tenant.application.get("/accounts?linked=maybe").expect(400);
    let by_email = tenant
        .application
        .get("/accounts?email=ADA@acme.test")
        .expect(200)
        .json();
    assert_eq!(by_email["accounts"][0]["id"], ada["id"]);
}

#[test]
fn the_same_can_be_brought_again_and_again() {
    let tenant = Tenant::new("Idempotent");
    let accounts = [person("ada", "Standard"), person("bob", "Viewer")];
    let _ = import(&tenant, &accounts);
    let before = (tenant.accounts(), tenant.revision());
    for _ in 0..3 {
        let again = import(&tenant, &accounts);
        assert!(
            again.iter().all(|one| one["result"] == "unchanged"),
            "{again:?}"
        );
    }
    assert_eq!((tenant.accounts(), tenant.revision()), before);
    // What changed is changed, what is left out stays.
    let changed = json!({ "external_id": "app-ada", "email": "ada@acme.test", "role": "Admin", "status": "deactivated" });
    assert_eq!(import(&tenant, &[changed])[0]["result"], "changed");
    let ada = account(&tenant, "app-ada");
    assert_eq!(
        (&ada["role"]["name"], &ada["status"], &ada["label"]),
        (&json!("Admin"), &json!("deactivated"), &json!("ada"))
    );
    assert_eq!(names(&ada["seats"]), ["viewer"]);
    let kinds: Vec<Value> = tenant
        .events(1_000)
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert!(
        kinds.ends_with(&[
            json!("account.deactivated"),
            json!("grant.removed"),
            json!("grant.added")
        ]),
        "{kinds:?}"
    );
}

#[test]
fn what_was_given_by_hand_stands_above_an_import() {
    let tenant = Tenant::new("By hand and import");
    let _ = import(&tenant, &[person("ada", "Viewer")]);
    let path = super::path_of(&account(&tenant, "app-ada"));
    let _ = tenant
        .application
        .put(&format!("{path}/roles/Admin"), &json!({}))
        .expect(200);
    let _ = tenant
        .application
        .put(&format!("{path}/seats/on-call"), &json!({}))
        .expect(200);
    let _ = import(&tenant, &[person("ada", "Viewer")]);
    let ada = account(&tenant, "app-ada");
    assert_eq!(
        (&ada["role"]["name"], &ada["role"]["origin"]),
        (&json!("Admin"), &json!("manual"))
    );
    assert_eq!(names(&ada["seats"]), ["on-call", "viewer"]);
}

#[test]
fn each_item_is_judged_for_itself_and_a_wrong_one_names_its_field() {
    let tenant = Tenant::new("Items");
    let with = |field: &str, value: Value| {
        let mut one = person(&format!("wrong {field}"), "Viewer");
        one["email"] = json!("wrong@acme.test");
        one[field] = value;
        one
    };
    let results = import(
        &tenant,
        &[
            person("ada", "Owner"),
            with("role", json!("Emperor")),
            with("custom_roles", json!(["Nothing"])),
            with("seats", json!(["viewer", "throne"])),
            with("email", json!("wrong")),
            with("external_id", json!(" ")),
            person("ada", "Viewer"),
        ],
    );
    let fields: Vec<&Value> = results.iter().map(|one| &one["field"]).collect();
    let expected = [
        Value::Null,
        json!("role"),
        json!("custom_roles[0]"),
        json!("seats[1]"),
        json!("email"),
        json!("external_id"),
        json!("external_id"),
    ];
    assert_eq!(fields, expected.iter().collect::<Vec<_>>());
    let problem = results[1]["problem"].as_str().unwrap();
    assert!(
        problem.contains("Emperor") && problem.contains("Owner, Admin"),
        "{problem}"
    );
    let accounts = tenant.accounts();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["role"]["name"], "Owner");
    let many: Vec<Value> = (0..1_001)
        .map(|n| person(&format!("p{n}"), "Viewer"))
        .collect();
    let _ = tenant
        .application
        .put("/accounts/import", &json!({ "accounts": many }))
        .expect(400);
    assert_eq!(tenant.accounts().len(), 1);
    let results = import(&tenant, &many[..1_000]);
    assert!(results.iter().all(|one| one["result"] == "created"));
    assert_eq!(tenant.accounts().len(), 1_001);
}

#[test]
fn an_import_adopts_the_account_that_the_gateway_opened_within_a_verified_domain() {
    let tenant = Tenant::new("Adoption");
    let _ = tenant.user("ada@acme.test");
    let before = tenant.account("ada@acme.test");
    // Not before it is known whose domain it is.
    let refused = import(&tenant, &[person("ada", "Owner")]);
    assert_eq!(
        (&refused[0]["result"], &refused[0]["field"]),
        (&json!("refused"), &json!("email"))
    );
    verify(&tenant, "acme.test");
    let adopted = import(&tenant, &[person("ada", "Owner")]);
    assert_eq!(
        (&adopted[0]["result"], &adopted[0]["account"]),
        (&json!("adopted"), &before["id"])
    );
    assert_eq!(adopted[0]["managed_by"], tenant.directory);
    let after = tenant.accounts();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["external_id"], "app-ada");
    assert_eq!(
        after[0]["role"], before["role"],
        "the directory decides about its role"
    );
    assert_eq!(
        import(&tenant, &[person("ada", "Owner")])[0]["result"],
        "unchanged"
    );
}

#[test]
fn two_accounts_of_one_email_are_not_guessed_between() {
    let tenant = Tenant::new("Adoption of two");
    verify(&tenant, "acme.test");
    for name in ["one", "two"] {
        let body = json!({ "userName": name, "emails": [{ "value": "ada@acme.test" }] });
        let _ = tenant.scim.post("/Users", &body).expect(201);
    }
    let refused = import(&tenant, &[person("ada", "Owner")]);
    assert_eq!(refused[0]["result"], "refused");
    assert_eq!(tenant.accounts().len(), 2);
}

#[test]
fn a_directory_that_links_by_external_id_is_adopted_by_it() {
    let company = Company::new("Adoption by id");
    verify(&company, "acme.test");
    let by_id = connect(
        &company,
        &json!({ "name": "HR", "phase": "enforcing", "link_by": "externalId" }),
    );
    let user = by_id.user_with(
        "ada",
        "a.lovelace@acme.test",
        &json!({ "externalId": "app-ada" }),
    );
    let results = import(&company, &[person("ada", "Owner")]);
    assert_eq!(results[0]["result"], "adopted");
    assert_eq!(account(&company, "app-ada")["users"][0]["id"], user);
}

#[test]
fn the_last_active_owner_stays_owner() {
    let company = Company::new("Last owner imported");
    let owner = person("ada", "Owner");
    let _ = import(&company, &[owner.clone(), person("bob", "Viewer")]);
    let mut out = owner.clone();
    out["status"] = json!("deactivated");
    let mut renamed = person("ada", "Viewer");
    renamed["label"] = json!("Ada L.");
    let before = company.accounts();
    for (item, field) in [
        (person("ada", "Viewer"), "role"),
        (renamed.clone(), "role"),
        (out.clone(), "status"),
    ] {
        let items = [item, person("bob", "Viewer")];
        let results = import(&company, &items);
        assert_eq!(results[0]["result"], "refused", "{}", results[0]);
        assert_eq!(results[0]["external_id"], "app-ada");
        assert_eq!(results[0]["field"], field, "{}", results[0]);
        let says = results[0]["problem"].as_str().unwrap();
        assert!(says.contains("last active account with the role \"Owner\""));
        assert_eq!(results[1]["result"], "unchanged");
        assert_eq!(company.accounts(), before, "nothing of it is taken");
    }
    // With another one it may, in the same request, too.
    let results = import(&company, &[person("bob", "Owner"), renamed]);
    assert!(results.iter().all(|one| one["result"] == "changed"));
    let role = |name: &str| account(&company, &format!("app-{name}"))["role"]["name"].clone();
    assert_eq!(["ada", "bob"].map(role), ["Viewer", "Owner"]);
    // Who is out of use is no active owner.
    let _ = import(&company, &[owner]);
    assert_eq!(import(&company, &[out])[0]["result"], "changed");
    assert_eq!(
        import(&company, &[person("ada", "Viewer")])[0]["result"],
        "changed"
    );
    assert_eq!(
        import(&company, &[person("bob", "Viewer")])[0]["field"],
        "role"
    );
}
