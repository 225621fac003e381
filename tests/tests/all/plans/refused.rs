//! What is said of plans that are confirmed too late, or by the wrong person. Between these something
//! happens each time, so that they are no part of the bodies of one moment.

use super::{mapping, planned};
use gatewright_tests::{Organization, Reply, Server, Start};
use serde_json::{Value, json};

const OWNER: (&str, &str, &str) = ("Owners", "base-role", "Owner");

fn noted(what: &str, reply: Reply, names: &[(&Value, &str)]) -> Value {
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{what}"
    );
    let mut text = reply.text;
    for (id, name) in names {
        text = text.replace(id.as_str().unwrap(), name);
    }
    let body: Value = serde_json::from_str(&text).unwrap();
    json!({ "request": what, "status": reply.status, "body": body })
}

#[test]
fn a_plan_that_is_over_says_why() {
    let server = Server::start(Start {
        clock: true,
        ..Start::default()
    });
    let tenant = Organization::create(&server.api(), "Plans that are over");
    let post = |path: &str, body: &Value| tenant.operator.post(path, body);
    let confirm = |plan: &Value, body: &Value| {
        post(
            &format!("/plans/{}/confirm", plan["id"].as_str().unwrap()),
            body,
        )
    };
    tenant.map(&[OWNER, ("Engineering", "base-role", "Admin")]);
    let [ada, bob] = ["ada", "bob"].map(|name| tenant.user(&format!("{name}@acme.test")).id());
    let _ = tenant.group("Owners", &[&ada]);
    let engineering = tenant.group("Engineering", &[&bob]).id();
    let ids = [
        &tenant.account("ada@acme.test"),
        &tenant.account("bob@acme.test"),
    ]
    .map(|account| account["id"].clone());
    let names = [(&ids[0], "ADA"), (&ids[1], "BOB")];
    let proposal =
        |role: &str| json!({ "mapping": mapping(&[OWNER, ("Engineering", "base-role", role)]) });
    let mut all = Vec::new();

    let others = json!({ "mapping": mapping(&[("Engineering", "base-role", "Owner")]) });
    let acting = json!({ "acting": "ada@acme.test" });
    let plan = planned(&tenant, &others);
    all.push(noted(
        "who acts would be locked out",
        confirm(&plan, &acting),
        &names,
    ));

    let plan = planned(&tenant, &proposal("Viewer"));
    let leave = json!({ "Operations": [{ "op": "remove", "path": "members" }] });
    let _ = tenant.scim.patch(&format!("/Groups/{engineering}"), &leave);
    let _ = tenant.accounts();
    all.push(noted("facts moved", confirm(&plan, &json!({})), &names));
    all.push(noted("once more", confirm(&plan, &json!({})), &names));

    let plan = planned(&tenant, &proposal("Viewer"));
    let _ = confirm(&plan, &json!({})).expect(200);
    all.push(noted(
        "it is confirmed already",
        confirm(&plan, &json!({})),
        &names,
    ));

    let mut body = proposal("Admin");
    body["expires_hours"] = json!(2);
    let plan = planned(&tenant, &body);
    server.move_on("3h");
    let names = [names[0], names[1], (&plan["expires"], "EXPIRES")];
    all.push(noted(
        "its time is over",
        confirm(&plan, &json!({})),
        &names,
    ));

    let path = format!("/plans/{}", plan["id"].as_str().unwrap());
    let _ = tenant.operator.delete(&path).expect(200);
    let too_many = (0..20)
        .map(|_| post("/plans", &proposal("Admin")))
        .find(|reply| reply.status != 201);
    all.push(noted("too many are open", too_many.unwrap(), &names));
    insta::assert_json_snapshot!("over", all);
}
