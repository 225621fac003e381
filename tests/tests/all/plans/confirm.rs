//! When a plan can be confirmed, and what happens then.

use super::{confirm, mapping, planned, shown};
use crate::shared::Tenant;
use serde_json::{Value, json};

const OWNER: (&str, &str, &str) = ("Owners", "base-role", "Owner");

/// An owner, an administrator and two others.
struct Company {
    tenant: Tenant,
    users: Vec<String>,
    groups: Vec<String>,
}

impl Company {
    fn new(name: &str) -> Self {
        let tenant = Tenant::new(name);
        tenant.map(&[OWNER, ("Engineering", "base-role", "Admin")]);
        let users: Vec<String> = ["ada", "bob", "eve", "joe"]
            .map(|name| tenant.user(&format!("{name}@acme.test")).id())
            .into();
        let groups = vec![
            tenant.group("Owners", &[&users[0]]).id(),
            tenant.group("Engineering", &[&users[1]]).id(),
        ];
        let _ = tenant.accounts();
        Self {
            tenant,
            users,
            groups,
        }
    }

    /// Engineering gives Viewer instead of Admin.
    fn lower(&self) -> Value {
        let rows = [OWNER, ("Engineering", "base-role", "Viewer")];
        planned(&self.tenant, &json!({ "mapping": mapping(&rows) }))
    }

    fn join(&self, group: usize, user: usize) {
        let member = json!([{ "value": self.users[user] }]);
        let operation = json!({ "op": "add", "path": "members", "value": member });
        self.patch(group, &operation);
    }

    fn leave(&self, group: usize, user: usize) {
        let path = format!("members[value eq \"{}\"]", self.users[user]);
        self.patch(group, &json!({ "op": "remove", "path": path }));
    }

    fn patch(&self, group: usize, operation: &Value) {
        let path = format!("/Groups/{}", self.groups[group]);
        let body = json!({ "Operations": [operation] });
        let _ = self.tenant.scim.patch(&path, &body).expect(204);
    }

    fn role(&self, name: &str) -> Value {
        self.tenant.account(&format!("{name}@acme.test"))["role"]["name"].clone()
    }
}

#[test]
fn a_confirmed_plan_is_applied_as_it_was_shown() {
    let company = Company::new("Confirm");
    let tenant = &company.tenant;
    let before = tenant.events(1_000).len();
    let plan = company.lower();
    let done = confirm(tenant, &plan, &json!({})).expect(200);
    let revision = done.revision();
    let done = done.json();
    assert_eq!(done["state"], "confirmed");
    assert_eq!(done["confirmed"]["revision"], revision);
    assert_eq!(company.role("bob"), "Viewer");
    assert_eq!(company.role("ada"), "Owner");
    let kinds: Vec<Value> = tenant.events(1_000)[before..]
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "plan.created",
            "plan.ready",
            "plan.confirming",
            "mapping.changed",
            "plan.confirmed",
            "grant.removed",
            "grant.added"
        ]
    );
    // Once.
    let again = confirm(tenant, &plan, &json!({})).expect(409).json();
    assert!(again["detail"].as_str().unwrap().contains("confirmed"));
    // What was shown can still be read.
    assert_eq!(shown(tenant, &plan, "").len(), 1);
}

#[test]
fn facts_that_moved_without_changing_the_plan_do_not_matter() {
    let company = Company::new("Moved without matter");
    let plan = company.lower();
    // Somebody new, somebody renamed, somebody in a group of no matter.
    let _ = company.tenant.user("new@acme.test");
    let _ = company.tenant.group("Any", &[&company.users[2]]);
    company.leave(1, 1);
    company.join(1, 1);
    let _ = confirm(&company.tenant, &plan, &json!({})).expect(200);
    assert_eq!(company.role("bob"), "Viewer");
    assert_eq!(company.role("new"), "Standard");
}

#[test]
fn a_plan_that_facts_have_changed_is_refused_with_the_difference() {
    let company = Company::new("Moved");
    let plan = company.lower();
    company.join(1, 2);
    company.leave(1, 1);
    let refused = confirm(&company.tenant, &plan, &json!({}))
        .expect(409)
        .json();
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("2 accounts"),
        "{detail} {:#}",
        refused["differences"]
    );
    let mut differences = refused["differences"].as_array().unwrap().clone();
    differences.sort_by_key(|one| one["label"].as_str().unwrap().to_owned());
    let (bob, eve) = (&differences[0], &differences[1]);
    assert_eq!(bob["label"], "bob@acme.test");
    assert_eq!(bob["planned"]["after"]["role"]["name"], "Viewer");
    assert_eq!(bob["now"], Value::Null, "nothing would change for him");
    assert_eq!(eve["planned"], Value::Null);
    assert_eq!(eve["now"]["after"]["role"]["name"], "Viewer");
    // Nothing of it is applied, and it stays so.
    let stored = company.tenant.operator.get("/mapping").expect(200).json();
    assert_eq!(stored["entries"][1]["target"], "Admin");
    assert_eq!(company.role("eve"), "Admin");
    let _ = confirm(&company.tenant, &plan, &json!({})).expect(409);
    let plan = company.lower();
    let _ = confirm(&company.tenant, &plan, &json!({})).expect(200);
    assert_eq!(company.role("eve"), "Viewer");
}

#[test]
fn a_plan_against_another_configuration_is_refused() {
    let company = Company::new("Other configuration");
    let other = json!({ "bindings": { "seats": { "plugin": "group-seats" } } });
    let (first, second) = (company.lower(), planned(&company.tenant, &other));
    let _ = confirm(&company.tenant, &second, &json!({})).expect(200);
    let refused = confirm(&company.tenant, &first, &json!({}))
        .expect(409)
        .json();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("another than when it was made"), "{detail}");
    assert_eq!(company.role("bob"), "Admin");
}

#[test]
fn a_plan_that_takes_the_role_from_the_last_owner_is_refused_whatever_is_said() {
    let company = Company::new("No owner");
    let tenant = &company.tenant;
    let plan = planned(tenant, &json!({ "mapping": mapping(&[]) }));
    assert_eq!(plan["owners"]["remains"], false);
    let refused = confirm(tenant, &plan, &json!({})).expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("Owner"));
    let wrong = json!({ "accept_lockout": "yes" });
    let _ = confirm(tenant, &plan, &wrong).expect(400);
    assert_eq!(company.role("ada"), "Owner");
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let refused = confirm(tenant, &plan, &words).expect(409);
    assert!(refused.text.contains("somebody else"), "{}", refused.text);
    assert_eq!(company.role("ada"), "Owner");
}

#[test]
fn a_plan_where_there_is_no_owner_takes_the_words() {
    let tenant = Tenant::new("Never an owner");
    let ada = tenant.user("ada@acme.test").id();
    let _ = tenant.group("Engineering", &[&ada]);
    let rows = [("Engineering", "base-role", "Admin")];
    let plan = planned(&tenant, &json!({ "mapping": mapping(&rows) }));
    let refused = confirm(&tenant, &plan, &json!({})).expect(409);
    assert!(
        refused.text.contains("nobody could administer"),
        "{}",
        refused.text
    );
    let words = json!({ "accept_lockout": "I accept to be locked out" });
    let _ = confirm(&tenant, &plan, &words).expect(200);
    assert_eq!(tenant.account("ada@acme.test")["role"]["name"], "Admin");
}

#[test]
fn a_plan_that_takes_the_owner_role_from_who_confirms_is_refused() {
    let company = Company::new("Acting");
    let tenant = &company.tenant;
    let rows = [("Engineering", "base-role", "Owner")];
    let plan = planned(tenant, &json!({ "mapping": mapping(&rows) }));
    assert_eq!(plan["owners"]["count"], 1);
    let id = tenant.account("ada@acme.test")["id"].clone();
    for acting in [json!("ADA@acme.test"), id] {
        let body = json!({ "acting": acting });
        let refused = confirm(tenant, &plan, &body).expect(409).json();
        assert!(refused["detail"].as_str().unwrap().contains("Owner"));
    }
    let nobody = json!({ "acting": "nobody@acme.test" });
    let _ = confirm(tenant, &plan, &nobody).expect(400);
    let words = json!({
        "acting": "ada@acme.test", "accept_lockout": "I accept to be locked out",
    });
    let _ = confirm(tenant, &plan, &words).expect(200);
    assert_eq!(company.role("bob"), "Owner");
}
