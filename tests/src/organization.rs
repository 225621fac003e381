//! An organization with a directory: many of them fit into one gateway without disturbing each
//! other, so that tests can share it.

use crate::http::{Client, Reply};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One organization, one directory, and a client for each side of it.
#[derive(Clone)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// The id of its directory.
    pub directory: String,
    /// The SCIM base URL of the directory.
    pub base_url: String,
    /// The directory's token.
    pub token: String,
    /// What the identity provider uses.
    pub scim: Client,
    /// What the operator uses: paths are those of this organization.
    pub operator: Client,
    /// What the application uses, with its key.
    pub application: Client,
}

impl Organization {
    /// Creates one in a running gateway, whose provider plugin is `generic`. `operator` has paths
    /// below `/api/v1`.
    #[must_use]
    pub fn create(operator: &Client, name: &str) -> Self {
        Self::of(operator, name, "generic")
    }

    /// Creates one whose directory has this provider plugin.
    #[must_use]
    pub fn of(operator: &Client, name: &str, provider: &str) -> Self {
        let created = operator
            .post("/organizations", &json!({ "name": name }))
            .expect(201)
            .json();
        let text = |body: &Value, field: &str| body[field].as_str().unwrap().to_owned();
        let id = text(&created, "id");
        let application = operator.with_token(Some(&text(&created, "api_key")));
        let operator = operator.below(&format!("/organizations/{id}"));
        let body = operator
            .post(
                "/directories",
                &json!({ "name": name, "provider": provider, "phase": "enforcing" }),
            )
            .expect(201)
            .json();
        let token = text(&body, "token");
        let base_url = text(&body, "scim_base_url");
        let scim = Client::new(&base_url, Some(&token));
        Self {
            id,
            directory: text(&body, "id"),
            base_url,
            token,
            scim,
            operator,
            application,
        }
    }

    /// Lets mass removals through: nothing is held but the last owner.
    pub fn without_brake(&self) {
        let everything = json!({ "share_percent": 100 });
        let _ = self.operator.put("/guards", &everything).expect(200);
    }

    /// Replaces the mapping: group name, kind, what it gives.
    pub fn map(&self, entries: &[(&str, &str, &str)]) {
        let entries: Vec<Value> = entries
            .iter()
            .map(|(group, kind, target)| {
                json!({ "group": { "name": group }, "kind": kind, "target": target })
            })
            .collect();
        let _ = self
            .operator
            .put("/mapping", &json!({ "entries": entries }))
            .expect(200);
    }

    /// Creates a user.
    #[must_use]
    pub fn user(&self, name: &str) -> Reply {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "emails": [{ "value": name, "type": "work", "primary": true }],
            "active": true,
        });
        self.scim.post("/Users", &body).expect(201)
    }

    /// Creates a group with members.
    #[must_use]
    pub fn group(&self, name: &str, members: &[&str]) -> Reply {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": members,
        });
        self.scim.post("/Groups", &body).expect(201)
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.operator.get("").expect(200).json()["revision"]
            .as_u64()
            .unwrap()
    }

    /// All accounts, once everything up to now is decided, by label.
    #[must_use]
    pub fn accounts(&self) -> Vec<Value> {
        accounts(&self.operator)
    }

    /// One account, once everything up to now is decided.
    #[must_use]
    pub fn account(&self, label: &str) -> Value {
        let found = self
            .accounts()
            .into_iter()
            .find(|account| account["label"] == label);
        found.unwrap_or_else(|| panic!("no account {label}"))
    }

    /// GET of what the application sees, once it is decided.
    #[must_use]
    pub fn decided(&self, path: &str) -> Reply {
        patiently(&self.application, path)
    }

    /// All events so far, page by page.
    #[must_use]
    pub fn events(&self, page: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let mut after = String::new();
        loop {
            let answer = self
                .application
                .get(&format!("/events?limit={page}{after}"));
            let answer = answer.expect(200).json();
            events.extend(answer["events"].as_array().unwrap().iter().cloned());
            if answer["more"] != true {
                return events;
            }
            after = format!("&after={}", answer["next"].as_str().unwrap());
        }
    }
}

/// All accounts of the organization that `api` is about, once everything up to now is decided, by
/// label.
pub(crate) fn accounts(api: &Client) -> Vec<Value> {
    let revision = api.get("").expect(200).json()["revision"].as_u64().unwrap();
    let mut accounts = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/accounts?limit=1000&at_least={revision}{after}");
        let page = patiently(api, &path).expect(200).json();
        accounts.extend(page["accounts"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    accounts.sort_by_key(|account| account["label"].as_str().unwrap().to_owned());
    accounts
}

/// GET of what may not be decided yet. Deciding yields to answering, so on a busy machine it can
/// take longer than one read waits.
fn patiently(api: &Client, path: &str) -> Reply {
    let began = Instant::now();
    loop {
        let reply = api.get(path);
        if reply.status != 503 || began.elapsed() > Duration::from_secs(60) {
            return reply;
        }
    }
}
