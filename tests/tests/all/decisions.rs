//! From groups to roles and seats: what is decided, when it can be read, and how it is undone.

use crate::shared::Tenant;
use gatewright_tests::{Organization, plugin};
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";

fn patch(organization: &Organization, path: &str, operation: &Value) -> u64 {
    let body = json!({ "Operations": [operation] });
    let reply = organization.scim.patch(path, &body);
    assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
    reply.revision()
}

fn activate(organization: &Organization, user: &str, active: bool) -> u64 {
    let operation = json!({ "op": "replace", "path": "active", "value": active });
    patch(organization, &format!("/Users/{user}"), &operation)
}

fn leave(organization: &Organization, group: &str, user: &str) -> u64 {
    let operation = json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") });
    patch(organization, &format!("/Groups/{group}"), &operation)
}

fn bind(organization: &Organization, slot: &str, plugin: &str, settings: &Value) -> Value {
    let body = json!({ "plugin": plugin, "settings": settings });
    organization
        .operator
        .put(&format!("/bindings/{slot}"), &body)
        .expect(200)
        .json()
}

fn names(grants: &Value) -> Vec<&str> {
    let grants = grants.as_array().unwrap();
    grants
        .iter()
        .map(|grant| grant["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_highest_base_role_wins_and_custom_roles_add_up() {
    let tenant = Tenant::new("Precedence");
    let catalogue = json!({
        "base_roles": [{ "name": "Owner" }, { "name": "Member", "default": true }, { "name": "Guest" }],
        "custom_roles": [{ "name": "Billing", "permissions": ["invoices:read"] }, { "name": "Audit" }],
        "seat_types": [{ "name": "full" }],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    assert_eq!(
        tenant.application.get("/catalogue").expect(200).json()["base_roles"][1]["default"],
        true
    );
    tenant.map(&[
        ("Guests", "base-role", "Guest"),
        ("Owners", "base-role", "Owner"),
        ("Finance", "custom-role", "Billing"),
        ("Guests", "custom-role", "Audit"),
    ]);
    let ada = tenant.user(ADA).id();
    assert_eq!(tenant.account(ADA)["role"]["reason"], "default role");
    let _ = tenant.group("guests", &[&ada]);
    assert_eq!(
        tenant.account(ADA)["role"]["name"],
        "Guest",
        "a group's role goes before the default"
    );
    let eve = tenant.user("eve@acme.test").id();
    let owners = tenant.group("Owners", &[&ada, &eve]).id();
    let _ = tenant.group("Finance", &[&ada]);
    let account = tenant.account(ADA);
    assert_eq!(account["role"]["name"], "Owner");
    assert_eq!(names(&account["custom_roles"]), ["Audit", "Billing"]);
    assert_eq!(
        account["seats"],
        json!([]),
        "the catalogue has no default seat"
    );
    let path = format!("members[value eq \"{ada}\"]");
    let leave = json!({ "Operations": [{ "op": "remove", "path": path }] });
    let _ = tenant
        .scim
        .patch(&format!("/Groups/{owners}"), &leave)
        .expect(204);
    assert_eq!(tenant.account(ADA)["role"]["name"], "Guest");
    // A default of the policy's own.
    let _ = tenant.user("bob@acme.test");
    let _ = bind(
        &tenant,
        "roles",
        "group-roles",
        &json!({ "default_role": "Guest" }),
    );
    assert_eq!(tenant.account("bob@acme.test")["role"]["name"], "Guest");
}

#[test]
fn seats_are_kept_until_revoked_or_go_as_set() {
    let tenant = Tenant::new("Seats");
    tenant.map(&[("On-call", "seat", "on-call")]);
    let ada = tenant.user(ADA).id();
    let group = tenant.group("On-call", &[&ada]).id();
    let account = tenant.account(ADA);
    assert_eq!(
        names(&account["seats"]),
        ["on-call"],
        "the default seat is for those with none"
    );
    let since = account["seats"][0]["since"].clone();
    // The policy knows the entry by its place only, and a seat that is kept by no entry at all.
    let mapping = tenant.operator.get("/mapping").expect(200).json();
    let entry = &mapping["entries"][0]["id"];
    assert!(entry.is_string(), "{mapping}");
    assert_eq!(account["seats"][0]["mapping_entry"], *entry);
    let _ = leave(&tenant, &group, &ada);
    let kept = tenant.account(ADA);
    assert_eq!(kept["seats"][0]["mapping_entry"], *entry);
    assert_eq!(
        kept["seats"][0]["reason"],
        "member of \"On-call\", kept after leaving"
    );
    assert_eq!(kept["seats"][0]["since"], since);
    let path = format!("/accounts/{}/seats/on-call", kept["id"].as_str().unwrap());
    let revoked = tenant.application.delete(&path).expect(200);
    assert!(
        !names(&revoked.json()["seats"]).contains(&"on-call"),
        "{}",
        revoked.text
    );
    assert_eq!(names(&tenant.account(ADA)["seats"]), ["viewer"]);
    let _ = tenant.application.delete(&path).expect(404);
    // Set not to be kept, it goes with the membership.
    let _ = bind(
        &tenant,
        "seats",
        "group-seats",
        &json!({ "keep_when_leaving": false }),
    );
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": ada }] });
    let _ = patch(&tenant, &format!("/Groups/{group}"), &add);
    assert_eq!(names(&tenant.account(ADA)["seats"]), ["on-call"]);
    let _ = leave(&tenant, &group, &ada);
    assert_eq!(names(&tenant.account(ADA)["seats"]), ["viewer"]);
}

#[test]
fn deactivation_takes_access_at_once_whatever_the_policies_do() {
    let tenant = Tenant::new("At once");
    let ada = tenant.user(ADA).id();
    let account = tenant.account(ADA);
    assert_eq!(account["status"], "active");
    let path = format!("/accounts/{}", account["id"].as_str().unwrap());
    let status = || tenant.application.get(&path).expect(200).json()["status"].clone();
    // In the very next read, without waiting for a decision.
    let _ = activate(&tenant, &ada, false);
    assert_eq!(status(), "deactivated");
    assert_eq!(
        tenant.account(ADA)["seats"],
        json!([]),
        "who may not use it needs no seat"
    );
    let _ = activate(&tenant, &ada, true);
    let back = tenant.account(ADA);
    assert_eq!(
        (&back["status"], names(&back["seats"])),
        (&json!("active"), vec!["viewer"])
    );
    // Also behind a policy that fails.
    let hostile = plugin("hostile");
    let installed = tenant.api().install(&hostile);
    let digest = installed["digest"].as_str().unwrap();
    let _ = bind(&tenant, "roles", digest, &json!({ "behaviour": "refuse" }));
    let _ = activate(&tenant, &ada, false);
    assert_eq!(status(), "deactivated");
    // A read that wants the decision is told why there is none.
    let revision = tenant.revision();
    let waited = tenant
        .application
        .get(&format!("{path}?at_least={revision}"))
        .expect(503)
        .json();
    let detail = waited["detail"].as_str().unwrap();
    assert!(
        detail.contains("roles: ") && detail.contains("I would rather not"),
        "{detail}"
    );
    assert_eq!(
        tenant.application.get(&path).json()["stale"]["slot"],
        "roles"
    );
    let alerts = tenant.application.get("/alerts").expect(200).json();
    assert_eq!(alerts["alerts"][0]["slot"], "roles", "{alerts}");
    // Going back to the policy before heals it, and the alert goes.
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    let healed = tenant.account(ADA);
    assert_eq!(
        (&healed["status"], &healed["stale"]),
        (&json!("deactivated"), &Value::Null)
    );
    assert_eq!(
        tenant.application.get("/alerts").expect(200).json()["alerts"],
        json!([])
    );
}

#[test]
fn a_deleted_user_leaves_an_unlinked_account() {
    let tenant = Tenant::new("Deletion");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ada = tenant.user(ADA).id();
    let group = tenant.group("Engineering", &[&ada]).id();
    let id = tenant.account(ADA)["id"].clone();
    let _ = tenant.scim.delete(&format!("/Users/{ada}")).expect(204);
    let path = format!("/accounts/{}", id.as_str().unwrap());
    assert_eq!(
        tenant.application.get(&path).expect(200).json()["status"],
        "deactivated"
    );
    let _ = tenant.scim.get(&format!("/Users/{ada}")).expect(404);
    let _ = tenant.scim.delete(&format!("/Users/{ada}")).expect(404);
    let group = tenant
        .scim
        .get(&format!("/Groups/{group}"))
        .expect(200)
        .json();
    assert!(
        group["members"].as_array().is_none_or(Vec::is_empty),
        "{group}"
    );
    let account = tenant.account(ADA);
    assert_eq!(
        (&account["link"], &account["users"]),
        (&json!("unlinked"), &json!([]))
    );
    assert_eq!(
        (&account["status"], &account["seats"]),
        (&json!("deactivated"), &json!([]))
    );
    // The name is free for another person, who is another account.
    let _ = tenant.user(ADA);
    let accounts = tenant.accounts();
    assert_eq!(
        accounts
            .iter()
            .filter(|account| account["link"] == "linked")
            .count(),
        1
    );
}

#[test]
fn a_change_of_mapping_decides_everybody_anew() {
    let tenant = Tenant::new("Mapping");
    let people = [ADA, "bob@acme.test", "cleo@acme.test"];
    let ids: Vec<String> = people.iter().map(|name| tenant.user(name).id()).collect();
    let _ = tenant.group("Engineering", &[&ids[0], &ids[1]]);
    let roles = || -> Vec<Value> {
        tenant
            .accounts()
            .iter()
            .map(|account| account["role"]["name"].clone())
            .collect()
    };
    assert_eq!(roles(), ["Standard", "Standard", "Standard"]);
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    assert_eq!(roles(), ["Admin", "Admin", "Standard"]);
    tenant.map(&[("Engineering", "base-role", "Viewer")]);
    assert_eq!(roles(), ["Viewer", "Viewer", "Standard"]);
    // An entry that says what it said keeps its id, and nobody is touched.
    let entry = |n: usize| tenant.operator.get("/mapping").json()["entries"][n]["id"].clone();
    let (id, revision) = (entry(0), tenant.revision());
    tenant.map(&[("Engineering", "base-role", "Viewer")]);
    assert_eq!((entry(0), tenant.revision()), (id.clone(), revision));
    tenant.map(&[
        ("Other", "seat", "viewer"),
        ("Engineering", "base-role", "Viewer"),
    ]);
    assert_eq!(entry(1), id);
}

#[test]
fn bindings_roll_back() {
    let tenant = Tenant::new("Rollback");
    let _ = tenant.user(ADA);
    let role = || tenant.account(ADA)["role"]["name"].clone();
    let shipped = tenant.operator.get("/bindings/roles").expect(200).json();
    assert_eq!(
        (&shipped["plugin"], &shipped["can_roll_back"]),
        (&json!("group-roles"), &json!(false))
    );
    let first = bind(
        &tenant,
        "roles",
        "group-roles",
        &json!({ "default_role": "Viewer" }),
    );
    assert_eq!(
        (role(), &first["can_roll_back"]),
        (json!("Viewer"), &json!(true))
    );
    let second = bind(
        &tenant,
        "roles",
        "group-roles",
        &json!({ "default_role": "Admin" }),
    );
    assert_eq!(role(), "Admin");
    let back = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200)
        .json();
    assert_eq!(
        (role(), &back["settings"]),
        (json!("Viewer"), &first["settings"])
    );
    assert!(
        back["version"].as_u64() > second["version"].as_u64(),
        "going back is a change as well"
    );
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    assert_eq!(role(), "Standard");
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(409);
}

#[test]
fn reads_wait_for_the_revision_they_name() {
    let tenant = Tenant::new("Fresh");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ada = tenant.user(ADA);
    let id = ada.id();
    let account = tenant.account(ADA)["id"].as_str().unwrap().to_owned();
    let read = |revision: u64| {
        let path = format!("/accounts/{account}?at_least={revision}");
        tenant.decided(&path)
    };
    let group = tenant.group("Engineering", &[&id]);
    assert_eq!(
        read(group.revision()).expect(200).json()["role"]["name"],
        "Admin"
    );
    for n in 0..5 {
        let revision = leave(&tenant, &group.id(), &id);
        assert_eq!(
            read(revision).expect(200).json()["role"]["name"],
            "Standard",
            "round {n}"
        );
        let add = json!({ "op": "add", "path": "members", "value": [{ "value": id }] });
        let revision = patch(&tenant, &format!("/Groups/{}", group.id()), &add);
        assert_eq!(
            read(revision).expect(200).json()["role"]["name"],
            "Admin",
            "round {n}"
        );
    }
    let path = format!("/accounts/{account}?at_least={}", tenant.revision() + 1_000);
    let future = tenant.application.get(&path).expect(503).json();
    assert!(
        future["detail"]
            .as_str()
            .unwrap()
            .contains("does not exist yet"),
        "{future}"
    );
}

#[test]
fn events_come_in_order_and_none_is_missing() {
    let tenant = Tenant::new("Events");
    tenant.map(&[("Engineering", "base-role", "Admin")]);
    let ids: Vec<String> = (0..20)
        .map(|n| tenant.user(&format!("u{n:02}@acme.test")).id())
        .collect();
    let references: Vec<&str> = ids.iter().map(String::as_str).collect();
    let group = tenant.group("Engineering", &references).id();
    for id in &ids[..5] {
        let _ = activate(&tenant, id, false);
    }
    let _ = tenant.scim.delete(&format!("/Groups/{group}")).expect(204);
    let accounts = tenant.accounts();
    let events = tenant.events(1_000);
    let place = |event: &Value| {
        let id = event["id"].as_str().unwrap().to_owned();
        let (revision, number) = id.split_once('-').unwrap();
        (
            revision.parse::<u64>().unwrap(),
            number.parse::<u64>().unwrap(),
        )
    };
    assert!(events.is_sorted_by_key(place), "not in order");
    for pair in events.windows(2) {
        let ((revision, number), next) = (place(&pair[0]), place(&pair[1]));
        assert!(
            next == (revision, number + 1) || (next.0 > revision && next.1 == 0),
            "{pair:?}"
        );
    }
    // However it is read, it is the same.
    assert_eq!(tenant.events(7), events);
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("user.created"), count("account.created")), (20, 20));
    assert_eq!((count("group.created"), count("group.deleted")), (1, 1));
    // What was granted and removed, one after the other, leaves what the accounts have.
    let mut held: Vec<(Value, Value, Value)> = Vec::new();
    for event in &events {
        let data = &event["data"];
        let grant = (
            data["account"].clone(),
            data["kind"].clone(),
            data["name"].clone(),
        );
        match event["type"].as_str() {
            Some("grant.added") => held.push(grant),
            Some("grant.removed") => held.retain(|known| *known != grant),
            _ => {}
        }
    }
    for account in accounts {
        let own: Vec<_> = held
            .iter()
            .filter(|(id, ..)| *id == account["id"])
            .collect();
        let role = own
            .iter()
            .filter(|(_, kind, _)| kind == "base-role")
            .map(|(.., name)| name);
        assert_eq!(
            role.collect::<Vec<_>>(),
            [&account["role"]["name"]],
            "{account}"
        );
        let seats = own.iter().filter(|(_, kind, _)| kind == "seat").count();
        assert_eq!(
            seats,
            account["seats"].as_array().unwrap().len(),
            "{account}"
        );
    }
    // From the end on there is nothing, and the cursor stays.
    let last = events.last().unwrap()["id"].as_str().unwrap();
    let rest = tenant
        .application
        .get(&format!("/events?after={last}"))
        .expect(200)
        .json();
    assert_eq!(
        (&rest["events"], &rest["next"], &rest["more"]),
        (&json!([]), &json!(last), &json!(false))
    );
}
