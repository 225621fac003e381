//! Plans, and confirmations of directories.

use super::Answers;
use crate::shared::Tenant;
use serde_json::json;

/// Those that need no plan to be there.
pub(super) fn plans(answers: &mut Answers<'_>) {
    let operator = answers.tenant.operator.clone();
    let unknown = "/plans/01890000-0000-7000-8000-000000000000";
    for path in ["/plans/nothing", unknown] {
        answers.api(&format!("GET {path}"), operator.get(path));
        let accounts = format!("{path}/accounts");
        answers.api(&format!("GET {accounts}"), operator.get(&accounts));
    }
    answers.api(&format!("DELETE {unknown}"), operator.delete(unknown));
    let confirm = format!("{unknown}/confirm");
    let reply = operator.post(&confirm, &json!({}));
    answers.api(&format!("POST {confirm}"), reply);
    let entry = json!({ "group": { "name": "G" }, "kind": "base-role", "target": "Emperor" });
    for (what, body) in [
        ("nothing", json!({})),
        ("an unknown part", json!({ "weather": {} })),
        (
            "no time",
            json!({ "expires_hours": 0, "mapping": { "entries": [] } }),
        ),
        (
            "an unknown role",
            json!({ "mapping": { "entries": [entry] } }),
        ),
        (
            "a catalogue without base roles",
            json!({ "catalogue": { "base_roles": [] } }),
        ),
        (
            "a catalogue that lacks what is mapped",
            json!({
                "catalogue": { "base_roles": [{ "name": "A" }] }
            }),
        ),
        (
            "an unknown slot",
            json!({ "bindings": { "throne": { "plugin": "group-roles" } } }),
        ),
        (
            "an unknown plugin",
            json!({ "bindings": { "roles": { "plugin": "nothing" } } }),
        ),
        (
            "a plugin of another kind",
            json!({ "bindings": { "roles": { "plugin": "group-seats" } } }),
        ),
        (
            "an unknown setting",
            json!({ "bindings": { "seats": {
            "plugin": "group-seats", "settings": { "colour": "red" }
        } } }),
        ),
    ] {
        answers.api(
            &format!("POST /plans with {what}"),
            operator.post("/plans", &body),
        );
    }
}

#[test]
fn what_a_plan_refuses() {
    let tenant = Tenant::new("Bad confirmations");
    let _ = tenant.user("ada@acme.test");
    let _ = tenant.accounts();
    let viewer = json!({ "plugin": "group-roles", "settings": { "default_role": "Viewer" } });
    let proposal = json!({ "bindings": { "roles": viewer } });
    let plan = crate::plans::planned(&tenant, &proposal);
    let id = plan["id"].as_str().unwrap();
    let mut answers = Answers::of(&tenant, &[(id, "PLAN")]);
    for path in ["?kind=sideways", "?limit=0", "?after=x"] {
        let reply = tenant.operator.get(&format!("/plans/{id}/accounts{path}"));
        answers.api(&format!("GET /plans/PLAN/accounts{path}"), reply);
    }
    let confirm = format!("/plans/{id}/confirm");
    for (what, body) in [
        ("no owner left", json!({})),
        ("other words", json!({ "accept_lockout": "yes" })),
        ("an unknown person", json!({ "acting": "nobody@acme.test" })),
        (
            "an unknown account",
            json!({ "acting": "01890000-0000-7000-8000-000000000000" }),
        ),
    ] {
        let reply = tenant.operator.post(&confirm, &body);
        answers.api(&format!("POST /plans/PLAN/confirm with {what}"), reply);
    }
    let lost = format!("/plans/{id}/links?kind=lost");
    answers.api(
        "GET /plans/PLAN/links?kind=lost",
        tenant.operator.get(&lost),
    );
    insta::assert_json_snapshot!("plans", answers.finish());
}

/// What is wrong with putting a directory into force.
#[test]
fn what_a_confirmation_refuses() {
    let tenant = Tenant::new("Bad confirmations of a directory");
    let draft = json!({ "name": "Draft" });
    let draft = tenant.operator.post("/directories", &draft).expect(201);
    let draft = draft.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/directories/{draft}/confirm");
    let nobody = "01890000-0000-7000-8000-000000000000";
    let words = "I accept to be locked out";
    let early = [
        tenant.operator.post(&path, &json!({})),
        tenant
            .operator
            .post(&path, &json!({ "accept_lockout": "yes" })),
    ];
    let _ = tenant.user("ada@acme.test");
    let _ = tenant.accounts();
    let confirm = json!({ "confirm": draft });
    let plan = crate::plans::planned(&tenant, &confirm);
    let mapping = json!({ "mapping": { "entries": [] } });
    let other = crate::plans::planned(&tenant, &mapping);
    let ids = [
        (plan["id"].as_str().unwrap(), "PLAN"),
        (other["id"].as_str().unwrap(), "OTHER"),
        (&draft, "DRAFT"),
    ];
    let mut answers = Answers::of(&tenant, &ids);
    for (what, reply) in ["where there is no account", "the same with other words"]
        .iter()
        .zip(early)
    {
        answers.api(&format!("POST confirm {what}"), reply);
    }
    for (what, body) in [
        ("no plan", json!({ "accept_lockout": words })),
        (
            "an unknown plan",
            json!({ "plan": nobody, "accept_lockout": words }),
        ),
        (
            "a plan of something else",
            json!({ "plan": other["id"], "accept_lockout": words }),
        ),
        ("nobody who acts", json!({ "plan": plan["id"] })),
        (
            "a stranger who acts",
            json!({ "plan": plan["id"], "acting": "mallory@evil.test" }),
        ),
        (
            "other words",
            json!({ "plan": plan["id"], "accept_lockout": "yes" }),
        ),
        (
            "nobody who is owner",
            json!({ "plan": plan["id"], "acting": "ada@acme.test" }),
        ),
    ] {
        let reply = tenant.operator.post(&path, &body);
        answers.api(&format!("POST confirm with {what}"), reply);
    }
    for (what, directory) in [("in force", tenant.directory.as_str()), ("unknown", nobody)] {
        let body = json!({ "confirm": directory });
        let reply = tenant.operator.post("/plans", &body);
        answers.api(&format!("POST /plans to confirm one that is {what}"), reply);
    }
    insta::assert_json_snapshot!("confirmations", answers.finish());
}
