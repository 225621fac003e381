//! Every operator on every kind of attribute, through the port (RFC 7644 section 3.4.2.2).

use crate::shared::Tenant;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        encoded.push_str(&format!("%{byte:02X}"));
    }
    encoded
}

/// The names of whom a filter finds.
fn found(tenant: &Tenant, path: &str, filter: &str) -> Vec<String> {
    let reply = tenant
        .scim
        .get(&format!("{path}?filter={}", encoded(filter)));
    assert_eq!(reply.status, 200, "{filter}: {}", reply.text);
    let list = reply.json();
    let resources = list["Resources"].as_array().unwrap();
    assert_eq!(list["totalResults"], resources.len(), "{filter}");
    let name = |resource: &Value| {
        let name = resource.get("userName").unwrap_or(&resource["displayName"]);
        name.as_str().unwrap().to_owned()
    };
    resources.iter().map(name).collect()
}

fn people(tenant: &Tenant) -> (String, String) {
    let create = |body: &Value| tenant.scim.post("/Users", body).expect(201);
    let boss = create(&json!({ "userName": "boss", "displayName": "The Boss" })).id();
    let ada = create(&json!({
        "userName": "ada", "externalId": "A-1", "active": true, "title": "Engineer",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "profileUrl": "https://acme.test/ada",
        "emails": [
            { "value": "ada@acme.test", "type": "work", "primary": true },
            { "value": "ada@home.test", "type": "home" },
        ],
        "phoneNumbers": [{ "value": "+44 1", "type": "mobile" }],
        "addresses": [{ "country": "GB", "locality": "London", "type": "work" }],
        "roles": [{ "value": "reader", "display": "Reader" }],
        "x509Certificates": [{ "value": "QUJD" }],
        ENTERPRISE: { "department": "Engines", "employeeNumber": "0042", "manager": { "value": boss } },
    }))
    .id();
    let _ = create(&json!({ "userName": "bob", "active": false, "externalId": "a-1" }));
    (ada, boss)
}

#[test]
fn each_operator_finds_whom_it_should() {
    let tenant = Tenant::new("Filters");
    let (ada, boss) = people(&tenant);
    let group = tenant.group("Engineering", &[&ada]).id();
    let version = tenant.scim.get(&format!("/Users/{ada}")).json()["meta"]["version"]
        .as_str()
        .unwrap()
        .replace('"', "\\\"");
    let only_ada = [
        "userName eq \"ADA\"".to_owned(),
        "userName sw \"A\"".into(),
        "externalId eq \"A-1\"".into(),
        format!("id eq \"{ada}\""),
        "name.givenName eq \"ada\"".into(),
        "name.familyName co \"love\"".into(),
        "name pr".into(),
        "title ew \"NEER\"".into(),
        "title gt \"a\"".into(),
        "title le \"engineer\"".into(),
        "profileUrl sw \"https://acme\"".into(),
        "emails.value co \"home.test\"".into(),
        "emails co \"home.test\"".into(),
        "emails[type eq \"work\" and value ew \"acme.test\"]".into(),
        "emails[primary eq true]".into(),
        "emails.type eq \"home\"".into(),
        "emails[not (type eq \"work\")]".into(),
        "phoneNumbers.value sw \"+44\"".into(),
        "addresses[country eq \"gb\" and locality pr]".into(),
        "roles.display eq \"reader\"".into(),
        "x509Certificates.value eq \"QUJD\"".into(),
        format!("{ENTERPRISE}:department eq \"engines\""),
        format!("{ENTERPRISE}:employeeNumber lt \"0043\""),
        format!("{ENTERPRISE}:manager.value eq \"{boss}\""),
        format!("{ENTERPRISE}:manager.displayName sw \"the\""),
        "department ne \"x\" and employeeNumber pr".into(),
        format!("manager eq {boss}"),
        format!("schemas eq \"{ENTERPRISE}\""),
        format!("groups.value eq \"{group}\""),
        format!("groups[value eq \"{group}\" and type eq \"direct\"]"),
        format!("groups.$ref ew \"/Groups/{group}\""),
        "groups.display co \"engine\"".into(),
        "groups pr".into(),
        format!("meta.version eq \"{version}\""),
        format!("meta.location ew \"/Users/{ada}\""),
        "active eq \"True\" and title pr".into(),
    ];
    for filter in &only_ada {
        assert_eq!(found(&tenant, "/Users", filter), ["ada"], "{filter}");
        let not = format!("not ({filter})");
        assert!(
            !found(&tenant, "/Users", &not).contains(&"ada".into()),
            "{not}"
        );
    }
    for (filter, expected) in [
        ("active eq false", &["bob"][..]),
        ("externalId co \"-1\"", &["ada", "bob"]),
        ("externalId ne \"A-1\"", &["boss", "bob"]),
        ("title eq null", &["boss", "bob"]),
        ("meta.resourceType eq \"User\"", &["boss", "ada", "bob"]),
        (
            "meta.created gt \"2020-01-01T00:00:00Z\"",
            &["boss", "ada", "bob"],
        ),
        ("meta.lastModified lt \"2020-01-01T00:00:00+01:00\"", &[]),
        ("userName eq \"nobody\"", &[]),
        ("userName sw \"bo\" and active eq true", &["boss"]),
        (
            "userName eq \"ada\" or userName eq \"bob\" and active eq true",
            &["ada"],
        ),
    ] {
        assert_eq!(found(&tenant, "/Users", filter), expected, "{filter}");
    }
    for filter in [
        "displayName eq \"ENGINEERING\"".to_owned(),
        format!("members eq \"{ada}\""),
        format!("members[value eq \"{ada}\" and type eq \"user\"]"),
        format!("members.$ref ew \"/Users/{ada}\""),
        "members pr".into(),
        "meta.resourceType ne \"User\"".into(),
        "meta.created pr".into(),
        "externalId eq null".into(),
    ] {
        assert_eq!(
            found(&tenant, "/Groups", &filter),
            ["Engineering"],
            "{filter}"
        );
    }
}

#[test]
fn what_does_not_exist_is_an_error_and_never_an_empty_list() {
    let tenant = Tenant::new("Bad filters of each kind");
    let _ = people(&tenant);
    for (path, filter) in [
        ("/Users", "shoeSize eq 9"),
        ("/Users", "userName like \"ada\""),
        ("/Users", "name.nickName eq \"x\""),
        ("/Users", "emails[kind eq \"x\"]"),
        ("/Users", "urn:example:other:User:department eq \"x\""),
        ("/Users", "members eq \"x\""),
        ("/Users", "meta.shoeSize pr"),
        ("/Users", "password eq \"x\""),
        ("/Users", "active gt true"),
        ("/Users", "x509Certificates.value lt \"a\""),
        ("/Users", "meta.created gt \"yesterday\""),
        ("/Users", "title pr pr"),
        ("/Groups", "userName eq \"ada\""),
        ("/Groups", "groups.value eq \"x\""),
        ("/Groups", "department eq \"x\""),
    ] {
        let reply = tenant
            .scim
            .get(&format!("{path}?filter={}", encoded(filter)));
        assert_eq!(reply.status, 400, "{filter}: {}", reply.text);
        assert_eq!(reply.json()["scimType"], "invalidFilter", "{filter}");
    }
}
