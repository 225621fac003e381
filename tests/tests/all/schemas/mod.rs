//! Schemas that a directory declares: advertised, kept to, found by, told to policies.

mod whole;

use crate::shared::Tenant;
use gatewright_tests::{Reply, plugin};
use serde_json::{Value, json};

const URN: &str = "urn:acme:params:scim:schemas:extension:acme:2.0:User";
const TEAM: &str = "urn:acme:params:scim:schemas:extension:team:2.0:Group";

fn acme() -> Value {
    json!({
        "id": URN,
        "name": "Acme",
        "description": "What Acme knows of a person",
        "attributes": [
            { "name": "badge", "type": "string", "uniqueness": "server", "caseExact": true },
            { "name": "costCenter", "type": "string", "indexed": true },
            { "name": "level", "type": "integer", "indexed": true },
            { "name": "skills", "type": "string", "multiValued": true, "indexed": true },
            { "name": "remote", "type": "boolean" },
            { "name": "hired", "type": "dateTime", "mutability": "immutable" },
            { "name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never" },
            { "name": "notes", "type": "string", "returned": "request" },
            { "name": "desk", "type": "complex", "subAttributes": [
                { "name": "floor", "type": "integer", "required": true },
                { "name": "room", "type": "string" },
            ] },
        ],
    })
}

fn team() -> Value {
    json!({
        "id": TEAM, "name": "Team", "resourceType": "Group",
        "attributes": [{ "name": "code", "required": true, "uniqueness": "server" }],
    })
}

fn declare(tenant: &Tenant, schemas: &[Value]) -> Reply {
    let path = format!("/directories/{}/schemas", tenant.directory);
    tenant.operator.put(&path, &json!({ "schemas": schemas }))
}

fn with_acme(name: &str) -> Tenant {
    let tenant = Tenant::new(name);
    let _ = declare(&tenant, &[acme(), team()]).expect(200);
    tenant
}

fn user(tenant: &Tenant, name: &str, extension: &Value) -> Reply {
    let body = json!({ "schemas": [URN], "userName": name, URN: extension });
    tenant.scim.post("/Users", &body)
}

fn patch(tenant: &Tenant, path: &str, operation: &Value) -> Reply {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    });
    tenant.scim.patch(path, &body)
}

fn found(tenant: &Tenant, resource: &str, filter: &str) -> Vec<String> {
    let filter = filter.replace(' ', "%20").replace('"', "%22");
    let list = tenant
        .scim
        .get(&format!("/{resource}?filter={filter}"))
        .expect(200)
        .json();
    let name = |one: &Value| {
        let name = one.get("userName").or(one.get("displayName")).unwrap();
        name.as_str().unwrap().to_owned()
    };
    list["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

fn detail(reply: Reply, status: u16, scim_type: &str) -> String {
    let error = reply.expect(status).json();
    assert_eq!(error["scimType"], scim_type, "{error}");
    error["detail"].as_str().unwrap().to_owned()
}

#[test]
fn they_are_advertised_and_can_be_declared_as_they_are_advertised() {
    let tenant = with_acme("Advertise");
    let shown = tenant
        .scim
        .get(&format!("/Schemas/{URN}"))
        .expect(200)
        .json();
    assert_eq!(shown["attributes"][0]["name"], "badge");
    assert_eq!(shown["attributes"][0]["uniqueness"], "server");
    assert_eq!(shown["attributes"][6]["mutability"], "writeOnly");
    assert_eq!(shown["attributes"][6]["returned"], "never");
    assert_eq!(
        shown["attributes"][8]["subAttributes"][0]["type"],
        "integer"
    );
    let types = tenant.scim.get("/ResourceTypes").expect(200).json();
    let extensions = |at: usize| -> Vec<Value> {
        let all = types["Resources"][at]["schemaExtensions"]
            .as_array()
            .unwrap();
        all.iter().map(|one| one["schema"].clone()).collect()
    };
    assert_eq!(extensions(0)[1], URN);
    assert_eq!(extensions(1), [TEAM]);
    // Another directory knows nothing of it.
    let other = tenant.another("Plain");
    let _ = other.scim.get(&format!("/Schemas/{URN}")).expect(404);
    // What `/Schemas` says, declared elsewhere.
    let path = format!("/directories/{}/schemas", other.directory);
    let body = json!({ "schemas": [shown] });
    let _ = other.operator.put(&path, &body).expect(200);
    let again = other
        .scim
        .get(&format!("/Schemas/{URN}"))
        .expect(200)
        .json();
    assert_eq!(again["attributes"], shown["attributes"]);
}

#[test]
fn values_are_read_kept_patched_and_answered_as_the_schema_says() {
    let tenant = with_acme("Values");
    let made = user(
        &tenant,
        "ada",
        &json!({
            "badge": "A7", "COSTCENTER": "R&D", "level": "7", "skills": ["Rust", "SCIM"],
            "remote": "True", "hired": "2020-01-02T03:04:05Z", "pin": "1234", "notes": "a note",
            "desk": { "floor": 3, "room": "3.14" },
        }),
    )
    .expect(201)
    .json();
    assert_eq!(made["schemas"][1], URN);
    assert_eq!(
        made[URN],
        json!({
            "badge": "A7", "costCenter": "R&D", "level": 7, "skills": ["Rust", "SCIM"],
            "remote": true, "hired": "2020-01-02T03:04:05Z",
            "desk": { "floor": 3, "room": "3.14" },
        })
    );
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let only = tenant
        .scim
        .get(&format!(
            "{path}?attributes={URN}:notes,{URN}:pin,{URN}:desk.floor"
        ))
        .expect(200)
        .json();
    assert_eq!(
        only[URN],
        json!({ "notes": "a note", "desk": { "floor": 3 } })
    );

    for operation in [
        json!({ "op": "replace", "path": format!("{URN}:level"), "value": 8 }),
        json!({ "op": "add", "path": format!("{URN}:skills"), "value": ["Wasm"] }),
        json!({ "op": "remove", "path": format!("{URN}:desk.room") }),
        json!({ "op": "replace", "value": { URN: { "remote": false } } }),
    ] {
        let _ = patch(&tenant, &path, &operation).expect(200);
    }
    let after = tenant.scim.get(&path).expect(200).json();
    assert_eq!(after[URN]["level"], 8);
    assert_eq!(after[URN]["skills"], json!(["Rust", "SCIM", "Wasm"]));
    assert_eq!(after[URN]["desk"], json!({ "floor": 3 }));
    assert_eq!(after[URN]["remote"], false);
    let gone = json!({ "op": "remove", "path": URN, });
    let said = detail(patch(&tenant, &path, &gone), 400, "mutability");
    assert!(
        said.contains(&format!("`{URN}:hired` is immutable")),
        "{said}"
    );
}

#[test]
fn wrong_values_are_refused_by_name() {
    let tenant = with_acme("Wrong");
    let said = detail(
        user(&tenant, "a", &json!({ "level": "high" })),
        400,
        "invalidValue",
    );
    assert!(
        said.contains(&format!("`{URN}:level` must be a whole number")),
        "{said}"
    );
    let said = detail(
        user(&tenant, "a", &json!({ "desk": { "room": "1" } })),
        400,
        "invalidValue",
    );
    assert!(
        said.contains(&format!("`{URN}:desk.floor` is required")),
        "{said}"
    );

    let id = user(&tenant, "ada", &json!({ "hired": "2020-01-02T03:04:05Z" }))
        .expect(201)
        .id();
    let path = format!("/Users/{id}");
    let later =
        json!({ "op": "replace", "path": format!("{URN}:hired"), "value": "2021-01-01T00:00:00Z" });
    let said = detail(patch(&tenant, &path, &later), 400, "mutability");
    assert!(said.contains("is immutable"), "{said}");
    let body = json!({ "userName": "ada", URN: { "hired": "2021-01-01T00:00:00Z" } });
    let _ = detail(tenant.scim.put(&path, &body), 400, "mutability");
    // A replacement that does not name it leaves it.
    let put = tenant
        .scim
        .put(&path, &json!({ "userName": "ada.king" }))
        .expect(200)
        .json();
    assert_eq!(put[URN]["hired"], "2020-01-02T03:04:05Z");

    let filter = format!("{URN}:pin eq \"1\"")
        .replace(' ', "%20")
        .replace('"', "%22");
    let said = detail(
        tenant.scim.get(&format!("/Users?filter={filter}")),
        400,
        "invalidFilter",
    );
    assert!(said.contains("never returned"), "{said}");
}

#[test]
fn unique_values_are_unique_and_free_again_with_their_user() {
    let tenant = with_acme("Unique");
    let ada = user(&tenant, "ada", &json!({ "badge": "A7" }))
        .expect(201)
        .id();
    let said = detail(
        user(&tenant, "bob", &json!({ "badge": "A7" })),
        409,
        "uniqueness",
    );
    assert!(said.contains(&format!("{URN}:badge \"A7\"")), "{said}");
    assert!(found(&tenant, "Users", "userName eq \"bob\"").is_empty());
    // Case counts here.
    let bob = user(&tenant, "bob", &json!({ "badge": "a7" }))
        .expect(201)
        .id();
    let take = json!({ "op": "replace", "path": format!("{URN}:badge"), "value": "A7" });
    let _ = detail(
        patch(&tenant, &format!("/Users/{bob}"), &take),
        409,
        "uniqueness",
    );
    let _ = tenant.scim.delete(&format!("/Users/{ada}")).expect(204);
    let _ = patch(&tenant, &format!("/Users/{bob}"), &take).expect(200);

    let group = |name: &str, code: &str| {
        tenant.scim.post(
            "/Groups",
            &json!({ "displayName": name, TEAM: { "code": code } }),
        )
    };
    let _ = group("One", "x").expect(201);
    let said = detail(group("Two", "X"), 409, "uniqueness");
    assert!(said.contains(&format!("{TEAM}:code")), "{said}");
    assert_eq!(
        found(&tenant, "Groups", &format!("{TEAM}:code eq \"X\"")),
        ["One"]
    );
}

#[test]
fn filters_and_orders_know_them() {
    let tenant = with_acme("Filter");
    for (name, cost_center, level, skills) in [
        ("ada", "Research", 7, json!(["Rust", "SCIM"])),
        ("bob", "research", 5, json!(["scim"])),
        ("eve", "Sales", 9, json!([])),
    ] {
        let extension = json!({ "costCenter": cost_center, "level": level, "skills": skills });
        let _ = user(&tenant, name, &extension).expect(201);
    }
    let users = |filter: &str| found(&tenant, "Users", &filter.replace('~', URN));
    assert_eq!(users("~:costCenter eq \"RESEARCH\""), ["ada", "bob"]);
    assert_eq!(users("~:level eq 9"), ["eve"]);
    assert_eq!(users("~:level gt 5 and ~:level lt 9"), ["ada"]);
    assert_eq!(users("~:skills eq \"Scim\" and ~:level eq 5"), ["bob"]);
    assert_eq!(users("not (~:skills pr)"), ["eve"]);
    assert_eq!(
        users("~:costCenter sw \"s\" or ~:skills co \"us\""),
        ["ada", "eve"]
    );
    let sorted = tenant
        .scim
        .get(&format!("/Users?sortBy={URN}:level&sortOrder=descending"))
        .expect(200)
        .json();
    assert_eq!(sorted["Resources"][0]["userName"], "eve");
    let _ = detail(
        tenant.scim.get(&format!("/Users?filter={URN}:nobody%20pr")),
        400,
        "invalidFilter",
    );
}

#[test]
fn policies_are_told_of_them() {
    let tenant = with_acme("Told");
    let wasm = plugin("hostile");
    let installed = tenant.api().install(&wasm);
    let digest = installed["digest"].clone();
    let binding = json!({ "plugin": digest, "settings": { "behaviour": "tell-custom" } });
    let _ = tenant.operator.put("/bindings/roles", &binding).expect(200);
    let _ = user(
        &tenant,
        "ada",
        &json!({
            "level": 7, "skills": ["Rust", "SCIM"], "desk": { "floor": 3 },
        }),
    )
    .expect(201);
    let reason = tenant.account("ada")["role"]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        reason,
        format!(
            "{URN}:desk.floor = AttributeValue::Integer(3); {URN}:level = AttributeValue::Integer(7); \
             {URN}:skills = AttributeValue::Json(\"[\\\"Rust\\\",\\\"SCIM\\\"]\")"
        )
    );
    // Declared no longer, nobody sees them; declared again, they are there.
    let _ = declare(&tenant, &[]).expect(200);
    assert_eq!(tenant.account("ada")["role"]["reason"], "");
    assert_eq!(
        tenant.scim.get("/Users").expect(200).json()["Resources"][0][URN],
        Value::Null
    );
    let _ = declare(&tenant, &[acme()]).expect(200);
    assert_eq!(tenant.account("ada")["role"]["reason"], reason.as_str());
    assert_eq!(
        found(&tenant, "Users", &format!("{URN}:level eq 7")),
        ["ada"]
    );
}

#[test]
fn a_wrong_declaration_is_refused_by_field_and_changes_nothing() {
    let tenant = with_acme("Declare");
    let one = |change: &dyn Fn(&mut Value)| {
        let mut schema = acme();
        change(&mut schema);
        schema
    };
    for (schema, status, says) in [
        (
            one(&|s| s["id"] = json!("acme")),
            400,
            "schemas[0].id: must be a URN",
        ),
        (
            one(&|s| s["id"] = json!("urn:ietf:params:scim:schemas:core:2.0:User")),
            400,
            "schemas[0].id: is the RFC's own",
        ),
        (
            one(&|s| s["attributes"] = json!([])),
            400,
            "schemas[0].attributes: must be from 1 to 100",
        ),
        (
            one(&|s| s["attributes"][1]["name"] = json!("BADGE")),
            400,
            "schemas[0].attributes[1].name: is there twice",
        ),
        (
            one(&|s| s["attributes"][1]["name"] = json!("cost center")),
            400,
            "schemas[0].attributes[1].name: must be a letter",
        ),
        (
            one(&|s| s["attributes"][4]["indexed"] = json!(true)),
            400,
            "schemas[0].attributes[4].indexed",
        ),
        (
            one(&|s| s["attributes"][3]["uniqueness"] = json!("server")),
            400,
            "schemas[0].attributes[3].uniqueness",
        ),
        (
            one(&|s| s["attributes"][0]["mutability"] = json!("readOnly")),
            400,
            "schemas[0].attributes[0].mutability",
        ),
        (
            one(&|s| s["attributes"][8]["subAttributes"][1]["mutability"] = json!("immutable")),
            400,
            "schemas[0].attributes[8].subAttributes[1].mutability",
        ),
        (
            one(&|s| s["attributes"][8]["subAttributes"][1]["multiValued"] = json!(true)),
            400,
            "schemas[0].attributes[8].subAttributes[1].multiValued",
        ),
        (
            one(&|s| s["attributes"][0]["returned"] = json!("never")),
            400,
            "schemas[0].attributes[0].returned",
        ),
        (
            one(&|s| s["attributes"][0]["typ"] = json!("string")),
            400,
            "schemas[0].attributes[0].typ",
        ),
        (
            one(&|s| s["attributes"][2]["type"] = json!("string")),
            409,
            "schemas[0].attributes[2]",
        ),
        (
            one(&|s| s["attributes"][8]["subAttributes"][0]["type"] = json!("string")),
            409,
            "schemas[0].attributes[8].subAttributes[0]",
        ),
    ] {
        let problem = declare(&tenant, &[schema]).expect(status).json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{detail} should say {says}");
    }
    let path = format!("/directories/{}/schemas", tenant.directory);
    let kept = tenant.operator.get(&path).expect(200).json();
    assert_eq!(kept["schemas"].as_array().unwrap().len(), 2);
    assert_eq!(kept["schemas"][0]["attributes"][0]["name"], "badge");
}
