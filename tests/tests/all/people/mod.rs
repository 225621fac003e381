//! People and accounts: how far a directory is, whose account a user's is, what people give by hand.

mod cli;
mod company;
mod domains;
mod exposed;
mod hand;
mod import;
mod links;
mod model;
mod phases;
mod presence;
mod preview;
mod several;

use crate::plans::planned;
use crate::shared::Tenant;
use gatewright_tests::{Client, Organization, Reply};
use serde_json::{Value, json};
use std::ops::Deref;
use std::time::{Duration, Instant};

/// An organization with one directory more, which begins as a draft.
struct Company {
    tenant: Tenant,
    draft: Connection,
}

/// A directory as its provider and its administrator see it.
struct Connection {
    id: String,
    scim: Client,
}

impl Company {
    fn new(name: &str) -> Self {
        let tenant = Tenant::new(name);
        let draft = connect(&tenant, &json!({ "name": "Okta" }));
        Self { tenant, draft }
    }

    /// Puts the directory into force.
    fn confirm(&self) -> Reply {
        confirm(&self.tenant, &self.draft)
    }
}

impl Deref for Company {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.tenant
    }
}

fn connect(tenant: &Tenant, body: &Value) -> Connection {
    let created = tenant.operator.post("/directories", body).expect(201);
    let created = created.json();
    let text = |field: &str| created[field].as_str().unwrap().to_owned();
    Connection {
        id: text("id"),
        scim: Client::new(&text("scim_base_url"), Some(&text("token"))),
    }
}

impl Connection {
    fn user(&self, name: &str) -> String {
        self.user_with(name, name, &json!({}))
    }

    fn user_with(&self, name: &str, email: &str, more: &Value) -> String {
        let mut body = json!({
            "userName": name, "active": true,
            "emails": [{ "value": email, "type": "work", "primary": true }],
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        self.scim.post("/Users", &body).expect(201).id()
    }

    fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": name, "members": members });
        self.scim.post("/Groups", &body).expect(201).id()
    }

    fn patch(&self, path: &str, operation: &Value) {
        let reply = self.scim.patch(path, &json!({ "Operations": [operation] }));
        assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
    }

    fn activate(&self, user: &str, active: bool) {
        let operation = json!({ "op": "replace", "path": "active", "value": active });
        self.patch(&format!("/Users/{user}"), &operation);
    }
}

fn enter(tenant: &Organization, directory: &str, how: &str, body: &Value) -> Reply {
    let path = format!("/directories/{directory}/{how}");
    tenant.operator.post(&path, body)
}

/// What the confirmation of a directory would come to.
fn preview(tenant: &Organization, directory: &str) -> Value {
    let plan = planned(tenant, &json!({ "confirm": directory }));
    assert_eq!(plan["state"], "ready", "{plan}");
    plan
}

/// Confirms as a plan shows it, without an acting administrator.
fn confirm(tenant: &Tenant, directory: &Connection) -> Reply {
    let body = json!({
        "plan": preview(tenant, &directory.id)["id"],
        "accept_lockout": "I accept to be locked out",
    });
    enter(tenant, &directory.id, "confirm", &body)
}

fn phase(tenant: &Organization, directory: &str) -> Value {
    let shown = tenant.operator.get(&format!("/directories/{directory}"));
    shown.expect(200).json()["phase"].clone()
}

fn import(tenant: &Tenant, accounts: &[Value]) -> Vec<Value> {
    let body = json!({ "accounts": accounts });
    let reply = tenant
        .application
        .put("/accounts/import", &body)
        .expect(200);
    reply.json()["results"].as_array().unwrap().clone()
}

/// An account to import, by a name that is the beginning of its email, too.
fn person(name: &str, role: &str) -> Value {
    json!({
        "external_id": format!("app-{name}"), "email": format!("{name}@acme.test"),
        "label": name, "role": role, "seats": ["viewer"],
    })
}

fn verify(tenant: &Tenant, domain: &str) {
    let _ = tenant
        .operator
        .put(&format!("/domains/{domain}"), &json!({}))
        .expect(200);
    let path = format!("/domains/{domain}/verify");
    let _ = tenant
        .operator
        .post(&path, &json!({ "by": "operator" }))
        .expect(200);
}

fn waiting(tenant: &Tenant) -> Vec<Value> {
    // What was to be linked is linked.
    let _ = tenant.accounts();
    let links = tenant.operator.get("/links").expect(200).json();
    links["links"].as_array().unwrap().clone()
}

/// The account with this external id, once everything is decided.
fn account(tenant: &Tenant, external_id: &str) -> Value {
    let mut accounts = tenant.accounts().into_iter();
    accounts
        .find(|account| account["external_id"] == external_id)
        .unwrap_or_else(|| panic!("no account {external_id}"))
}

fn path_of(account: &Value) -> String {
    format!("/accounts/{}", account["id"].as_str().unwrap())
}

/// What accounts have, without who their users are.
fn had(accounts: &[Value]) -> Vec<Value> {
    let fields = ["id", "label", "status", "role", "custom_roles", "seats"];
    let of = |account: &Value| fields.iter().map(|field| account[*field].clone()).collect();
    accounts.iter().map(of).collect()
}

fn names(grants: &Value) -> Vec<&str> {
    let grants = grants.as_array().unwrap().iter();
    grants
        .map(|grant| grant["name"].as_str().unwrap())
        .collect()
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
