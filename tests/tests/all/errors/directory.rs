//! Errors that follow from what a directory is set to: declared schemas, unknown attributes, strict
//! mode; and from groups in groups.

use super::{Answers, PATCH, operations};
use crate::shared::Tenant;
use serde_json::{Value, json};

const URN: &str = "urn:acme:params:scim:schemas:extension:acme:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn set(tenant: &Tenant, change: &Value) {
    let path = format!("/directories/{}", tenant.directory);
    let _ = tenant.operator.patch(&path, change).expect(200);
}

fn declare(tenant: &Tenant, schemas: &Value) -> gatewright_tests::Reply {
    let path = format!("/directories/{}/schemas", tenant.directory);
    tenant.operator.put(&path, &json!({ "schemas": schemas }))
}

fn schema(attributes: &Value) -> Value {
    json!({ "id": URN, "name": "Acme", "attributes": attributes })
}

#[test]
fn declared_schemas() {
    let tenant = Tenant::new("Declared");
    let good = schema(&json!([
        { "name": "badge", "uniqueness": "server" },
        { "name": "level", "type": "integer" },
        { "name": "hired", "type": "dateTime", "mutability": "immutable" },
        { "name": "pin", "returned": "never" },
        { "name": "must", "required": true },
        { "name": "desk", "type": "complex", "subAttributes": [{ "name": "floor", "required": true }, { "name": "room" }] },
    ]));
    let _ = declare(&tenant, &json!([good])).expect(200);
    let body = |name: &str, extension: Value| {
        let mut body = json!({ "userName": name, URN: extension });
        body[URN]["must"] = body[URN].get("must").cloned().unwrap_or("m".into());
        body
    };
    let hired = json!({ "badge": "A7", "hired": "2020-01-02T03:04:05Z" });
    let ada = tenant
        .scim
        .post("/Users", &body("ada", hired))
        .expect(201)
        .id();
    let path = format!("/Users/{ada}");
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    for (what, extension) in [
        ("a value of the wrong type", json!({ "level": "high" })),
        (
            "a required value that is empty",
            json!({ "must": "", "level": 1 }),
        ),
        (
            "a required part that is missing",
            json!({ "desk": { "room": "1" } }),
        ),
        ("a value that is taken", json!({ "badge": "a7" })),
    ] {
        let reply = tenant.scim.post("/Users", &body("bob", extension));
        answers.scim(&format!("POST with {what}"), reply);
    }
    let other = body(
        "ada",
        json!({ "badge": "A7", "hired": "2021-01-01T00:00:00Z" }),
    );
    answers.scim("PUT of what is set once", tenant.scim.put(&path, &other));
    let gone = operations(&json!([{ "op": "remove", "path": format!("{URN}:hired") }]));
    answers.scim("PATCH of what is set once", tenant.scim.patch(&path, &gone));
    for (what, query) in [
        (
            "filter by what is never returned",
            format!("filter={URN}:pin%20pr"),
        ),
        (
            "filter by what no schema has",
            format!("filter={URN}:hat%20pr"),
        ),
        (
            "order by what is never returned",
            format!("sortBy={URN}:pin"),
        ),
    ] {
        answers.scim(what, tenant.scim.get(&format!("/Users?{query}")));
    }
    for (what, schemas) in [
        (
            "a URN of the RFC's",
            json!([{ "id": CORE, "name": "X", "attributes": [{ "name": "x" }] }]),
        ),
        ("no attribute", json!([schema(&json!([]))])),
        (
            "a type that there is not",
            json!([schema(&json!([{ "name": "x", "type": "date" }]))]),
        ),
        (
            "a name that is none",
            json!([schema(&json!([{ "name": "a b" }]))]),
        ),
        (
            "an index for a boolean",
            json!([schema(
                &json!([{ "name": "x", "type": "boolean", "indexed": true }])
            )]),
        ),
        (
            "a unique list",
            json!([schema(
                &json!([{ "name": "x", "multiValued": true, "uniqueness": "server" }])
            )]),
        ),
        (
            "another type than before",
            json!([schema(&json!([{ "name": "level" }]))]),
        ),
        (
            "another spelling than before",
            json!([schema(&json!([{ "name": "PIN", "returned": "never" }]))]),
        ),
    ] {
        answers.api(
            &format!("PUT schemas with {what}"),
            declare(&tenant, &schemas),
        );
    }
    insta::assert_json_snapshot!("declared", answers.finish());
}

#[test]
fn unknown_attributes_and_strict_mode() {
    let tenant = Tenant::new("Refuses");
    let ada = tenant.user("ada@acme.test").id();
    let path = format!("/Users/{ada}");
    set(&tenant, &json!({ "unknown_attributes": "refuse" }));
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    let body = json!({ "userName": "bob", "shoeSize": 43 });
    answers.scim(
        "POST with an unknown attribute",
        tenant.scim.post("/Users", &body),
    );
    let patch = operations(&json!([{ "op": "add", "value": { "name": { "nom": "B" } } }]));
    answers.scim(
        "PATCH with an unknown part",
        tenant.scim.patch(&path, &patch),
    );
    let mut all = answers.finish();

    set(&tenant, &json!({ "unknown_attributes": "keep" }));
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    let large = operations(&json!([{ "op": "add", "path": "note", "value": "x".repeat(70_000) }]));
    answers.scim(
        "PATCH with too much to keep",
        tenant.scim.patch(&path, &large),
    );
    all.extend(answers.finish());

    set(
        &tenant,
        &json!({ "unknown_attributes": "ignore", "strict": true }),
    );
    let mut answers = Answers::of(&tenant, &[(&ada, "ADA")]);
    let body = json!({ "userName": "bob" });
    answers.scim(
        "strict: POST without schemas",
        tenant.scim.post("/Users", &body),
    );
    let body = json!({ "schemas": [CORE], "userName": "bob", "active": "True" });
    answers.scim(
        "strict: POST with a boolean as text",
        tenant.scim.post("/Users", &body),
    );
    let body = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Dr" }] });
    answers.scim(
        "strict: PATCH without schemas",
        tenant.scim.patch(&path, &body),
    );
    for operation in [
        json!({ "op": "Replace", "path": "title", "value": "Dr" }),
        json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x" }),
        json!({ "op": "remove", "path": "emails", "value": [{ "value": "x" }] }),
    ] {
        let what = format!("strict: PATCH of {operation}");
        answers.scim(
            &what,
            tenant.scim.patch(&path, &operations(&json!([operation]))),
        );
    }
    for filter in [
        "userName eq ada",
        "emails[type eq \"work\"].value eq \"x\"",
        "manager eq \"7\"",
    ] {
        let query = filter.replace(' ', "%20").replace('"', "%22");
        let reply = tenant.scim.get(&format!("/Users?filter={query}"));
        answers.scim(&format!("strict: filter {filter}"), reply);
    }
    all.extend(answers.finish());
    insta::assert_json_snapshot!("settings", all);
}

#[test]
fn groups_in_groups() {
    let tenant = Tenant::new("Circles");
    let ada = tenant.user("ada@acme.test").id();
    let inner = tenant.group("Inner", &[&ada]).id();
    let outer = tenant.group("Outer", &[&inner]).id();
    let names = [(&*ada, "ADA"), (&*inner, "INNER"), (&*outer, "OUTER")];
    let mut answers = Answers::of(&tenant, &names);
    let add = |group: &str, member: Value| {
        let body = json!({ "schemas": [PATCH], "Operations": [
            { "op": "add", "path": "members", "value": [member] },
        ] });
        tenant.scim.patch(&format!("/Groups/{group}"), &body)
    };
    answers.scim("a group in itself", add(&inner, json!({ "value": inner })));
    answers.scim("a circle", add(&inner, json!({ "value": outer })));
    let user = json!({ "value": ada, "type": "Group" });
    answers.scim("a user as a group", add(&outer, user));
    let group = json!({ "value": inner, "type": "User" });
    answers.scim("a group as a user", add(&outer, group));
    insta::assert_json_snapshot!("groups_in_groups", answers.finish());
}
