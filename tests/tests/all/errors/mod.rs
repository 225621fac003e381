//! What is wrong with a request is said in the interface's own shape, names the field and the
//! remedy, and changes nothing.

mod api;
mod directory;
mod plans;
mod scim;

use crate::shared::Tenant;
use gatewright_tests::{Client, Reply};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/scim+json");
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The answers to wrong requests, for a snapshot; and that none of them changed anything.
struct Answers<'a> {
    tenant: &'a Tenant,
    names: Vec<(String, &'static str)>,
    before: (u64, String),
    all: Vec<Value>,
}

impl<'a> Answers<'a> {
    fn of(tenant: &'a Tenant, names: &[(&str, &'static str)]) -> Self {
        let mut names: Vec<_> = names
            .iter()
            .map(|(id, name)| ((*id).to_owned(), *name))
            .collect();
        names.push((tenant.directory.clone(), "DIRECTORY"));
        names.push((tenant.id.clone(), "ORGANIZATION"));
        // The decisions about what the test began with are made, so that nothing moves by itself.
        let _ = tenant.accounts();
        Self {
            tenant,
            names,
            before: (tenant.revision(), state(tenant)),
            all: Vec::new(),
        }
    }

    fn note(&mut self, what: &str, reply: Reply) {
        let Reply {
            status,
            headers,
            text: mut body,
        } = reply;
        for (id, name) in &self.names {
            body = body.replace(id, name);
        }
        let mut body: Value =
            serde_json::from_str(&body).unwrap_or_else(|_| panic!("{what}: {body}"));
        // Which plugins there are depends on the tests that share the gateway.
        if let Some((detail, _)) = body["detail"]
            .as_str()
            .and_then(|d| d.split_once("; there are:"))
        {
            body["detail"] = format!("{detail}; there are: PLUGINS").into();
        }
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let mut noted = json!({ "request": what, "status": status, "body": body });
        for name in ["allow", "retry-after", "www-authenticate"] {
            if let Some(value) = header(name) {
                noted[name] = value.into();
            }
        }
        assert!(
            header("gatewright-request-id").is_some(),
            "{what}: no request id"
        );
        self.all.push(noted);
    }

    fn scim(&mut self, what: &str, reply: Reply) {
        let body = reply.json();
        let media_type = reply.header("content-type").unwrap_or_default();
        assert!(
            media_type.starts_with("application/scim+json"),
            "{what}: {media_type}"
        );
        assert_eq!(
            body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(
            body["status"],
            reply.status.to_string(),
            "{what}: status is a string"
        );
        self.note(what, reply);
    }

    fn api(&mut self, what: &str, reply: Reply) {
        let media_type = reply.header("content-type").unwrap_or_default();
        assert!(
            media_type.starts_with("application/problem+json"),
            "{what}: {media_type}"
        );
        assert_eq!(
            reply.json()["status"],
            reply.status,
            "{what}: {}",
            reply.text
        );
        self.note(what, reply);
    }

    fn finish(self) -> Vec<Value> {
        assert_eq!(
            self.tenant.revision(),
            self.before.0,
            "something was written"
        );
        assert_eq!(state(self.tenant), self.before.1);
        self.all
    }
}

fn state(tenant: &Tenant) -> String {
    let scim = ["/Users", "/Groups"].map(|path| tenant.scim.get(path).expect(200).text);
    let api = [
        "/mapping",
        "/catalogue",
        "/bindings",
        "/directories",
        "/tokens",
    ]
    .map(|path| tenant.operator.get(path).expect(200).text);
    scim.concat() + &api.concat()
}

fn raw(client: &Client, method: &str, path: &str, body: &str) -> Reply {
    client.send(method, path, &[JSON], Some(body.as_bytes()))
}

fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}
