//! Rules in CEL as settings of the shipped policies, as a provider and an administrator see them.

use crate::plans::{confirm, planned, shown};
use crate::process::manage;
use crate::shared::Tenant;
use gatewright_tests::{Reply, Server};
use serde_json::{Value, json};

const ADA: &str = "ada@acme.test";
const BOB: &str = "bob@acme.test";

/// With a custom role, which the shipped catalogue lacks.
fn tenant(name: &str) -> Tenant {
    let tenant = Tenant::new(name);
    let catalogue = json!({
        "base_roles": [{ "name": "Owner" }, { "name": "Admin" }, { "name": "Member", "default": true }],
        "custom_roles": [{ "name": "Auditor" }, { "name": "Billing" }],
        "seat_types": [{ "name": "full" }, { "name": "light", "default": true }],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    tenant
}

fn auditors(when: &str) -> Value {
    json!({ "when": when, "grant": { "custom_role": "Auditor" }, "reason": "controllers audit" })
}

const CONTROLLERS: &str = "user.title == 'Controller' && 'Finance' in groups";

/// The rules alone, for a chain with the policy that reads the mapping.
fn beside(rules: &Value) -> Value {
    json!({ "rules": rules, "as_mapped": false, "keep_local": false, "default": false })
}

/// A chain of both role policies.
fn chain(rules: &Value) -> Value {
    let settings = beside(rules);
    json!({ "chain": [{ "plugin": "group-roles" }, { "plugin": "rule-roles", "settings": settings }] })
}

fn bind(tenant: &Tenant, slot: &str, body: &Value) -> Reply {
    tenant.operator.put(&format!("/bindings/{slot}"), body)
}

fn user(tenant: &Tenant, name: &str, attributes: &Value) -> String {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name, "active": true,
        "emails": [{ "value": name, "type": "work", "primary": true }],
    });
    for (name, value) in attributes.as_object().unwrap() {
        body[name] = value.clone();
    }
    tenant.scim.post("/Users", &body).expect(201).id()
}

fn patch(tenant: &Tenant, path: &str, operation: &Value) {
    let body = json!({ "Operations": [operation] });
    let reply = tenant.scim.patch(path, &body);
    assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
}

fn set(tenant: &Tenant, user: &str, path: &str, value: &Value) {
    let operation = json!({ "op": "replace", "path": path, "value": value });
    patch(tenant, &format!("/Users/{user}"), &operation);
}

/// Name and reason of each grant of a list.
fn grants<'a>(account: &'a Value, list: &str) -> Vec<(&'a str, &'a str)> {
    let text = |grant: &'a Value, field: &str| grant[field].as_str().unwrap();
    let grants = account[list].as_array().unwrap().iter();
    grants
        .map(|grant| (text(grant, "name"), text(grant, "reason")))
        .collect()
}

/// The message of the only alert, once there is one.
fn alert(tenant: &Tenant) -> String {
    let alerts = || {
        let alerts = tenant.application.get("/alerts").expect(200).json();
        alerts["alerts"].as_array().unwrap().clone()
    };
    tenant.server.until("an alert", |_| !alerts().is_empty());
    let alerts = alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    alerts[0]["message"].as_str().unwrap().to_owned()
}

/// The account as it is now, decided or not.
fn look(tenant: &Tenant) -> Value {
    let path = format!("/accounts?email={ADA}");
    tenant.application.get(&path).expect(200).json()["accounts"][0].clone()
}

#[test]
fn rules_follow_attributes_and_groups_beside_the_mapping() {
    let tenant = tenant("Rules beside");
    tenant.map(&[
        ("Finance", "base-role", "Admin"),
        ("Finance", "custom-role", "Billing"),
    ]);
    let rules = json!([
        auditors(CONTROLLERS),
        {
            "when": "user['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'] == 'Board' \
                     || user.department == 'Supervision'",
            "grant": { "base_role": "Owner" },
            "reason": "the board owns it",
        },
    ]);
    let bound = bind(&tenant, "roles", &chain(&rules)).expect(200).json();
    let ada = user(&tenant, ADA, &json!({ "title": "Controller" }));
    let bob = user(&tenant, BOB, &json!({}));
    let mapped = "member of \"Finance\"";
    assert_eq!(grants(&tenant.account(ADA), "custom_roles"), []);
    let finance = tenant.group("Finance", &[&ada, &bob]).id();
    let account = tenant.account(ADA);
    assert_eq!(account["role"]["name"], "Admin");
    assert_eq!(
        grants(&account, "custom_roles"),
        [("Auditor", "controllers audit"), ("Billing", mapped)]
    );
    let by = json!({
        "slot": "roles", "place": 1, "plugin": "rule-roles", "version": "0.1.0",
        "binding": bound["version"],
    });
    assert_eq!(account["custom_roles"][0]["by"], by);
    assert_eq!(
        grants(&tenant.account(BOB), "custom_roles"),
        [("Billing", mapped)]
    );

    // Attributes and groups move, and the rules with them.
    set(&tenant, &bob, "title", &json!("Controller"));
    assert_eq!(grants(&tenant.account(BOB), "custom_roles").len(), 2);
    set(&tenant, &ada, "title", &json!("Engineer"));
    assert_eq!(
        grants(&tenant.account(ADA), "custom_roles"),
        [("Billing", mapped)]
    );
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    set(
        &tenant,
        &ada,
        &format!("{extension}:department"),
        &json!("Supervision"),
    );
    let role = &tenant.account(ADA)["role"];
    assert_eq!(
        (&role["name"], &role["reason"]),
        (&json!("Owner"), &json!("the board owns it"))
    );
    set(
        &tenant,
        &bob,
        &format!("{extension}:department"),
        &json!("Board"),
    );
    assert_eq!(tenant.account(BOB)["role"]["name"], "Owner");
    let remove = json!({ "op": "remove", "path": format!("members[value eq \"{bob}\"]") });
    patch(&tenant, &format!("/Groups/{finance}"), &remove);
    assert_eq!(grants(&tenant.account(BOB), "custom_roles"), []);
}

#[test]
fn a_rule_is_planned_and_comes_as_it_was_shown() {
    let tenant = tenant("Rules planned");
    let ada = user(&tenant, ADA, &json!({ "title": "Controller" }));
    let _ = user(&tenant, BOB, &json!({ "title": "Engineer" }));
    let _ = tenant.group("Finance", &[&ada]);
    let _ = tenant.accounts();
    let settings = json!({ "rules": [auditors(CONTROLLERS)] });
    let roles = json!({ "roles": { "plugin": "rule-roles", "settings": settings } });
    let plan = planned(&tenant, &json!({ "bindings": roles }));
    let changes = shown(&tenant, &plan, "");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["label"], ADA);
    let after = [("Auditor", "controllers audit")];
    assert_eq!(grants(&changes[0]["after"], "custom_roles"), after);
    assert_eq!(grants(&tenant.account(ADA), "custom_roles"), []);
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = confirm(&tenant, &plan, &words).expect(200);
    assert_eq!(grants(&tenant.account(ADA), "custom_roles"), after);
    assert_eq!(tenant.account(BOB)["role"]["reason"], "default role");
}

#[test]
fn mistakes_are_told_when_the_rules_are_entered_and_change_nothing() {
    let tenant = tenant("Rules refused");
    let refused = |rules: &[Value]| {
        let settings = json!({ "rules": rules });
        let body = json!({ "plugin": "rule-roles", "settings": settings });
        bind(&tenant, "roles", &body).expect(400).json()["detail"].clone()
    };
    assert_eq!(
        refused(&[auditors("user.titel == 'Controller'")]),
        "the plugin was refused: the settings are refused: /rules/0/when: at column 6: a user has no \
         attribute \"titel\": there are id, userName, displayName, email, active, externalId, \
         provider, directory, title, nickName, profileUrl, userType, preferredLanguage, locale, \
         timezone, employeeNumber, costCenter, organization, division, department, \
         name.familyName, manager.value; an attribute of a schema of your own is \
         user[\"urn:...:titel\"]"
    );
    // What would break a parser in an instance, whose stack is small, is a mistake like others; each
    // is told with its place.
    let many =
        |unit: &str, end: &str| format!("{}{end}", unit.repeat((2_000 - end.len()) / unit.len()));
    let hostile = [
        many("(", ""),
        many("[", "1"),
        many("{1:", ""),
        many("!(", "true"),
        many("f(", ""),
        many("true?", "true"),
        many("true?false:", "true"),
        many("groups.all(x,", ""),
        many("1+", "1"),
        many("1-", "1"),
        many("1<", "1"),
        many("user.", "x"),
        many("groups[0].", "x"),
        many("groups[0]", ""),
        many("x.y().", "z"),
        "groups = 1".to_owned(),
        "now > 1".to_owned(),
    ];
    let rules: Vec<Value> = hostile.iter().map(|when| auditors(when)).collect();
    let detail = refused(&rules);
    let detail = detail.as_str().unwrap();
    for place in 0..hostile.len() {
        assert!(
            detail.contains(&format!("/rules/{place}/when: ")),
            "{place}: {detail}"
        );
    }
    assert_eq!(
        detail
            .matches("/when: nests too deeply: 32 levels are allowed")
            .count(),
        7,
        "{detail}"
    );
    // Before the policy sees them, the host has looked at its schema.
    let detail = refused(&[auditors(&"(".repeat(10_000))]);
    let detail = detail.as_str().unwrap();
    assert!(
        detail.contains("/rules/0/when: ") && detail.contains("longer than 2000"),
        "{detail}"
    );
    let detail = refused(&[]);
    assert!(detail.as_str().unwrap().contains("/rules: "), "{detail}");
    let bound = tenant.operator.get("/bindings/roles").expect(200).json();
    assert_eq!(bound["plugin"], "group-roles");
}

#[test]
fn a_grant_that_the_catalogue_lacks_leaves_people_as_they_were() {
    let tenant = tenant("Rules beyond");
    let _ = bind(
        &tenant,
        "roles",
        &chain(&json!([auditors("user.title == 'Controller'")])),
    )
    .expect(200);
    let ada = user(&tenant, ADA, &json!({ "title": "Controller" }));
    let _ = user(&tenant, BOB, &json!({}));
    assert_eq!(grants(&tenant.account(ADA), "custom_roles").len(), 1);
    let pilots = json!([
        auditors("user.title == 'Controller'"),
        { "when": "user.title > 'A'", "grant": { "custom_role": "Pilot" }, "reason": "they fly" },
    ]);
    let _ = bind(&tenant, "roles", &chain(&pilots)).expect(200);
    set(&tenant, &ada, "displayName", &json!("Ada"));
    assert_eq!(
        alert(&tenant),
        "plugin rule-roles@0.1.0 has no valid answer in role-policy.decide: the plugin refused: rule 2 (\"they fly\"): it grants the custom role \"Pilot\", which the \
         catalogue does not have"
    );
    let account = look(&tenant);
    assert_eq!(
        grants(&account, "custom_roles"),
        [("Auditor", "controllers audit")]
    );
    assert_eq!(account["stale"]["slot"], "roles", "{account}");
    // Whom the rule is not about is decided.
    let revision = tenant.revision();
    let path = format!("/accounts?email={BOB}&at_least={revision}");
    let bob = tenant.application.get(&path).json();
    assert_eq!(bob["accounts"][0]["stale"], Value::Null, "{bob}");
    // It heals by itself when the catalogue has it.
    let mut catalogue = tenant.operator.get("/catalogue").expect(200).json();
    let roles = catalogue["custom_roles"].as_array_mut().unwrap();
    roles.push(json!({ "name": "Pilot" }));
    let catalogue = json!({
        "base_roles": catalogue["base_roles"], "custom_roles": catalogue["custom_roles"],
        "seat_types": catalogue["seat_types"],
    });
    let _ = tenant.operator.put("/catalogue", &catalogue).expect(200);
    assert_eq!(grants(&tenant.account(ADA), "custom_roles").len(), 2);
    let alerts = tenant.application.get("/alerts").expect(200).json();
    assert_eq!(alerts["alerts"], json!([]));
}

#[test]
fn a_value_of_another_type_is_refused_for_whom_it_is() {
    let tenant = tenant("Rules of types");
    let ada = user(&tenant, ADA, &json!({ "title": "Controller" }));
    let _ = tenant.account(ADA);
    let rules = json!([auditors("user.title > 3")]);
    let _ = bind(&tenant, "roles", &chain(&rules)).expect(200);
    assert_eq!(
        alert(&tenant),
        "plugin rule-roles@0.1.0 has no valid answer in role-policy.decide: the plugin refused: rule 1 (\"controllers audit\"): its condition applies > to string and \
         int, which it does not take"
    );
    assert_eq!(look(&tenant)["role"]["name"], "Member");
    // Without a title there is nothing of another type.
    patch(
        &tenant,
        &format!("/Users/{ada}"),
        &json!({ "op": "remove", "path": "title" }),
    );
    assert_eq!(tenant.account(ADA)["stale"], Value::Null);
}

#[test]
fn a_condition_that_is_too_much_work_ends_at_the_deadline() {
    let tenant = tenant("Rules without end");
    let _ = user(&tenant, ADA, &json!({}));
    let _ = tenant.account(ADA);
    let numbers = vec!["1"; 450].join(",");
    let when = format!("[{numbers}].all(a, [{numbers}].all(b, a + b < 3))");
    let _ = bind(&tenant, "roles", &chain(&json!([auditors(&when)]))).expect(200);
    let message = alert(&tenant);
    assert!(
        message.contains("it was not done at its deadline"),
        "{message}"
    );
    assert_eq!(look(&tenant)["role"]["name"], "Member");
    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    assert_eq!(tenant.account(ADA)["stale"], Value::Null);
}

#[test]
fn a_rule_for_newcomers_ends_by_itself() {
    let tenant = tenant("Rules for a time");
    let rules = json!([{
        "when": "user.active", "grant": { "custom_role": "Auditor" }, "reason": "new here",
        "account_younger_than": "20s",
    }]);
    let _ = bind(&tenant, "roles", &chain(&rules)).expect(200);
    let _ = user(&tenant, ADA, &json!({}));
    assert_eq!(
        grants(&tenant.account(ADA), "custom_roles"),
        [("Auditor", "new here")]
    );
    tenant.server.until("the time is over", |_| {
        grants(&look(&tenant), "custom_roles").is_empty()
    });
}

#[test]
fn seats_follow_from_roles() {
    let tenant = tenant("Rules of seats");
    let _ = bind(
        &tenant,
        "roles",
        &chain(&json!([auditors("user.title == 'Controller'")])),
    )
    .expect(200);
    let rules = json!([
        { "when": "'Auditor' in roles", "grant": { "seat": "full" }, "reason": "auditors need one" }
    ]);
    let seats = json!({ "plugin": "rule-seats", "settings": { "rules": rules } });
    let _ = bind(&tenant, "seats", &seats).expect(200);
    let ada = user(&tenant, ADA, &json!({ "title": "Controller" }));
    assert_eq!(
        grants(&tenant.account(ADA), "seats"),
        [("full", "auditors need one")]
    );
    set(&tenant, &ada, "title", &json!("Engineer"));
    assert_eq!(
        grants(&tenant.account(ADA), "seats"),
        [("light", "default seat")]
    );
    set(&tenant, &ada, "active", &json!(false));
    assert_eq!(grants(&tenant.account(ADA), "seats"), []);
}

#[test]
fn an_administrator_binds_rules_from_the_command_line() {
    let server = Server::generic();
    let settings = beside(&json!([{
        "when": "'Finance' in groups", "grant": { "base_role": "Viewer" }, "reason": "finance looks",
    }]));
    let settings = settings.to_string();
    let bound = manage(
        &server,
        &[
            "bindings",
            "set",
            "roles",
            "rule-roles",
            "--settings",
            &settings,
        ],
    );
    assert!(bound.well().contains("rule-roles"));
    let ada = server.user(ADA).id();
    let _ = server.group("Finance", &[&ada]);
    assert_eq!(server.account(ADA)["role"]["reason"], "finance looks");
    let explained = manage(&server, &["explain", ADA]).well();
    assert!(
        explained.contains("finance looks") && explained.contains("rule-roles"),
        "{explained}"
    );
    let wrong = settings.replace("groups", "group");
    manage(&server, &["bindings", "set", "roles", "rule-roles", "--settings", &wrong]).failed(
        1,
        &["/rules/0/when: at column 14: \"group\" is not known: there are user, users, groups, account, signals"],
    );
}
