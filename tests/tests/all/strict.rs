//! The strict mode: each tolerance that it takes away, beside the same request in a lenient directory.

use crate::shared::Tenant;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A strict directory and a lenient one, with a user and a group in each.
struct Pair(Vec<(bool, Tenant, String, String)>);

impl Pair {
    fn new(name: &str) -> Self {
        let one = |strict: bool| {
            let tenant = Tenant::new(name);
            let path = format!("/directories/{}", tenant.directory);
            let change = json!({ "strict": strict });
            let _ = tenant.operator.patch(&path, &change).expect(200);
            let user = json!({
                "schemas": [USER], "userName": "ada",
                "emails": [{ "value": "ada@acme.test", "type": "work" }],
            });
            let user = tenant.scim.post("/Users", &user).expect(201).id();
            let group =
                json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": user }] });
            let group = tenant.scim.post("/Groups", &group).expect(201).id();
            (strict, tenant, user, group)
        };
        Self(vec![one(false), one(true)])
    }

    /// Lenient, it is done; strict, it is refused with that keyword.
    fn check(&self, method: &str, path: &str, body: Option<&Value>, scim_type: &str) {
        for (strict, tenant, user, group) in &self.0 {
            let path = path.replace("{user}", user).replace("{group}", group);
            let text = body.map(|body| body.to_string().replace("{user}", user));
            let headers = [("Content-Type", "application/scim+json")];
            let bytes = text.as_ref().map(String::as_bytes);
            let reply = tenant.scim.send(method, &path, &headers, bytes);
            if *strict {
                let error = reply.expect(400).json();
                assert_eq!(
                    error["scimType"], scim_type,
                    "{method} {path} {text:?}: {error}"
                );
            } else {
                assert!(
                    reply.status < 300,
                    "{method} {path} {text:?}: {}",
                    reply.text
                );
            }
        }
    }

    fn patch(&self, path: &str, operation: &Value, scim_type: &str) {
        let body = json!({ "schemas": [PATCH], "Operations": [operation] });
        self.check("PATCH", path, Some(&body), scim_type);
    }
}

#[test]
fn bodies() {
    let pair = Pair::new("Strict bodies");
    for (body, scim_type) in [
        (json!({ "userName": "b1" }), "invalidValue"),
        (
            json!({ "schemas": [USER], "userName": "b2", "active": "True" }),
            "invalidValue",
        ),
        (
            json!({ "schemas": [USER], "userName": "b3", "emails": { "value": "x" } }),
            "invalidValue",
        ),
        (
            json!({ "schemas": [USER], "userName": "b4", "emails": ["x"] }),
            "invalidValue",
        ),
        (
            json!({ "schemas": [USER], "userName": ["b5"] }),
            "invalidValue",
        ),
        (
            json!({ "schemas": [USER], "userName": "b6", ENTERPRISE: { "manager": "7" } }),
            "invalidValue",
        ),
    ] {
        pair.check("POST", "/Users", Some(&body), scim_type);
    }
    let group = json!({ "schemas": [GROUP], "displayName": "H", "members": ["{user}"] });
    pair.check("POST", "/Groups", Some(&group), "invalidValue");
    // Keys that are paths are names like others there, and no schema has them.
    for (strict, tenant, _, _) in &pair.0 {
        let body =
            json!({ "schemas": [USER], "userName": "c", "name.givenName": "C", "manager": "7" });
        let made = tenant.scim.post("/Users", &body).expect(201).json();
        assert_eq!(made.get("name").is_none(), *strict, "{made}");
        assert_eq!(made.get(ENTERPRISE).is_none(), *strict, "{made}");
    }
}

#[test]
fn patches() {
    let pair = Pair::new("Strict patches");
    let user = "/Users/{user}";
    let replace = json!({ "op": "Replace", "path": "title", "value": "Dr" });
    pair.patch(user, &replace, "invalidSyntax");
    let without_schema =
        json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Dr" }] });
    pair.check("PATCH", user, Some(&without_schema), "invalidValue");
    let active = json!({ "op": "replace", "path": "active", "value": "False" });
    pair.patch(user, &active, "invalidValue");
    let home = json!({ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x" });
    pair.patch(user, &home, "noTarget");
    let unquoted = json!({ "op": "replace", "path": "emails[type eq work].value", "value": "x" });
    pair.patch(user, &unquoted, "invalidFilter");
    let manager = json!({ "op": "replace", "path": "manager", "value": { "value": "7" } });
    pair.patch(user, &manager, "invalidPath");
    let leave = json!({ "op": "remove", "path": "members", "value": [{ "value": "{user}" }] });
    pair.patch("/Groups/{group}", &leave, "invalidValue");
}

#[test]
fn filters() {
    let pair = Pair::new("Strict filters");
    for filter in [
        "userName eq ada",
        "active eq \"true\"",
        "emails[type eq \"work\"].value eq \"x\"",
        "manager.value eq \"7\"",
    ] {
        let filter = filter.replace(' ', "%20").replace('"', "%22");
        pair.check(
            "GET",
            &format!("/Users?filter={filter}"),
            None,
            "invalidFilter",
        );
    }
}

#[test]
fn what_the_rfcs_allow_works() {
    let pair = Pair::new("Strict and right");
    for (_, tenant, user, group) in &pair.0 {
        let path = format!("/Users/{user}");
        let patch = json!({ "schemas": [PATCH], "Operations": [
            { "op": "add", "value": { "title": "Dr", ENTERPRISE: { "department": "R&D" } } },
            { "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "Sales" },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@acme.test" },
            { "op": "replace", "path": "active", "value": false },
            { "op": "remove", "path": "title" },
        ] });
        let after = tenant.scim.patch(&path, &patch).expect(200).json();
        assert_eq!(after["emails"][0]["value"], "a@acme.test");
        assert_eq!(after[ENTERPRISE]["department"], "Sales");
        assert_eq!(
            (after.get("title"), &after["active"]),
            (None, &json!(false))
        );
        for filter in [
            "USERNAME EQ \"ADA\"",
            "emails[type eq \"work\" and value co \"acme\"]",
            "emails co \"acme\" and active eq false and not (title pr)",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"a\"",
        ] {
            let filter = filter.replace(' ', "%20").replace('"', "%22");
            let list = tenant
                .scim
                .get(&format!("/Users?filter={filter}"))
                .expect(200)
                .json();
            assert_eq!(list["totalResults"], 1, "{filter}");
        }
        let leave = json!({ "schemas": [PATCH], "Operations": [
            { "op": "remove", "path": format!("members[value eq \"{user}\"]") },
        ] });
        let _ = tenant
            .scim
            .patch(&format!("/Groups/{group}"), &leave)
            .expect(204);
    }
}
