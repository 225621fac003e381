//! Roles and seats that people give and take.

use super::{Company, account, enter, import, names, path_of, person, verify};
use crate::shared::Tenant;
use serde_json::{Value, json};

#[test]
fn roles_of_accounts_that_no_directory_manages_are_open_to_people() {
    let tenant = Tenant::new("Roles by hand");
    let mut catalogue = tenant.operator.get("/catalogue").expect(200).json();
    catalogue["custom_roles"] = json!([{ "name": "Billing clerk" }]);
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    let _ = import(&tenant, &[person("ada", "Viewer"), person("bob", "Admin")]);
    let path = path_of(&account(&tenant, "app-ada"));
    let put = |what: &str| {
        tenant
            .application
            .put(&format!("{path}/{what}"), &json!({}))
    };
    let given = put("roles/Owner").expect(200);
    assert!(given.revision() > 0);
    let given = given.json();
    assert_eq!(
        (&given["role"]["name"], &given["role"]["origin"]),
        (&json!("Owner"), &json!("manual"))
    );
    let given = put("roles/Billing%20clerk").expect(200).json();
    assert_eq!(names(&given["custom_roles"]), ["Billing clerk"]);
    let revision = tenant.revision();
    let _ = put("roles/Owner").expect(200);
    assert_eq!(tenant.revision(), revision, "given again, nothing changes");
    let delete = |what: &str| tenant.application.delete(&format!("{path}/{what}"));
    let taken = delete("roles/Billing%20clerk").expect(200).json();
    assert_eq!(taken["custom_roles"], json!([]));
    // Nobody leaves an organization without an owner.
    let last = delete("roles/Owner").expect(409);
    assert!(last.text.contains("last active owner"), "{}", last.text);
    let _ = put("roles/Viewer").expect(409);
    let bob = path_of(&account(&tenant, "app-bob"));
    let _ = tenant
        .application
        .put(&format!("{bob}/roles/Owner"), &json!({}))
        .expect(200);
    let taken = delete("roles/Owner").expect(200).json();
    assert_eq!(taken["role"], Value::Null);
    let _ = delete("roles/Owner").expect(404);
    let unknown = put("roles/Emperor").expect(400);
    assert!(
        unknown
            .text
            .contains("Owner, Admin, Standard, Viewer, Billing clerk"),
        "{}",
        unknown.text
    );
    let _ = put("seats/throne").expect(400);
    let nobody = "/accounts/01890000-0000-7000-8000-000000000000/roles/Owner";
    let _ = tenant.application.put(nobody, &json!({})).expect(404);
    assert_eq!(account(&tenant, "app-ada")["undecided_since"], Value::Null);
}

#[test]
fn while_a_directory_manages_an_account_its_roles_are_not_and_it_is_said_why() {
    let company = Company::new("Managed");
    company.map(&[("Admins", "base-role", "Admin")]);
    let ada = company.draft.user("ada@acme.test");
    let _ = company.draft.group("Admins", &[&ada]);
    let _ = company.draft.user("bob@acme.test");
    let _ = company.confirm().expect(200);
    let refused = |name: &str| {
        let path = path_of(&company.account(name));
        let given = company
            .application
            .put(&format!("{path}/roles/Owner"), &json!({}))
            .expect(409);
        let role = company.account(name)["role"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let taken = company
            .application
            .delete(&format!("{path}/roles/{role}"))
            .expect(409);
        assert_eq!(given.json()["detail"], taken.json()["detail"]);
        given.json()["detail"].as_str().unwrap().to_owned()
    };
    let detail = refused("ada@acme.test");
    for told in [
        "\"Okta\"",
        "\"Admin\" comes from the group \"Admins\"",
        "the mapping",
        "uninstall",
    ] {
        assert!(detail.contains(told), "no {told} in: {detail}");
    }
    let detail = refused("bob@acme.test");
    assert!(
        detail.contains("\"Okta\"") && !detail.contains("comes from"),
        "{detail}"
    );
    // Also while it is paused; not any more when it is over.
    let _ = enter(&company, &company.draft.id, "pause", &json!({})).expect(200);
    let _ = refused("ada@acme.test");
    let _ = enter(
        &company,
        &company.draft.id,
        "uninstall",
        &json!({ "facts": "erase" }),
    )
    .expect(200);
    let path = path_of(&company.account("ada@acme.test"));
    let _ = company
        .application
        .put(&format!("{path}/roles/Owner"), &json!({}))
        .expect(200);
    assert_eq!(company.account("ada@acme.test")["role"]["name"], "Owner");
}

#[test]
fn seats_can_be_given_and_taken_but_for_those_that_a_group_gives() {
    let company = Company::new("Seats by hand");
    company.map(&[("On-call", "seat", "on-call")]);
    let ada = company.draft.user("ada@acme.test");
    let group = company.draft.group("On-call", &[&ada]);
    let _ = company.confirm().expect(200);
    let path = path_of(&company.account("ada@acme.test"));
    let seat = |name: &str| format!("{path}/seats/{name}");
    let given = company
        .application
        .put(&seat("responder"), &json!({}))
        .expect(200)
        .json();
    assert_eq!(names(&given["seats"]), ["on-call", "responder"]);
    // The decision that follows keeps it, and every later one.
    let _ = company.draft.group("Other", &[&ada]);
    let decided = company.account("ada@acme.test");
    assert_eq!(names(&decided["seats"]), ["on-call", "responder"]);
    assert_eq!(decided["seats"][1]["origin"], "manual");
    let refused = company.application.delete(&seat("on-call")).expect(409);
    assert!(refused.text.contains("On-call"), "{}", refused.text);
    let _ = company.application.delete(&seat("responder")).expect(200);
    assert_eq!(
        names(&company.account("ada@acme.test")["seats"]),
        ["on-call"]
    );
    let _ = company
        .draft
        .scim
        .delete(&format!("/Groups/{group}"))
        .expect(204);
    let _ = company.accounts();
    let _ = company.application.delete(&seat("on-call")).expect(200);
    assert_eq!(
        names(&company.account("ada@acme.test")["seats"]),
        ["viewer"]
    );
}

#[test]
fn a_manual_seat_of_an_import_survives_the_link() {
    let company = Company::new("Manual before the link");
    verify(&company, "acme.test");
    let _ = import(&company, &[person("ada", "Viewer")]);
    let path = path_of(&account(&company, "app-ada"));
    let _ = company
        .application
        .put(&format!("{path}/seats/responder"), &json!({}))
        .expect(200);
    let _ = company
        .application
        .put(&format!("{path}/roles/Admin"), &json!({}))
        .expect(200);
    let _ = company.draft.user("ada@acme.test");
    let _ = company.confirm().expect(200);
    let ada = account(&company, "app-ada");
    assert_eq!(
        (&ada["role"]["name"], &ada["role"]["origin"]),
        (&json!("Admin"), &json!("manual"))
    );
    assert_eq!(names(&ada["seats"]), ["responder", "viewer"]);
}
