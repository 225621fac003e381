//! What Okta sends, in both of its dialects: the shapes, headers and order that its documents and
//! recorded traffic show. A custom app (made by the administrator) only ever sends whole resources
//! by PUT; an app of Okta's catalogue sends PATCH without a path.

use super::super::output::{CliError, line};
use super::talk::Talk;
use super::text;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The custom app: PUT.
pub(super) fn custom_app(okta: &Talk) -> Result<(), CliError> {
    step("the administrator presses \"Test API Credentials\"");
    okta.get("/Users?startIndex=1&count=2")?;
    step("three people are assigned");
    let mut ada = assign(okta, "Ada", "Lovelace", None)?;
    let alan = assign(okta, "Alan", "Turing", Some("Contractor"))?;
    let grace = assign(okta, "Grace", "Hopper", None)?;
    step("Ada marries: Okta reads her, and sends all of it back with the new name");
    ada = okta.get(&format!("/Users/{}", text(&ada, "id")))?;
    ada["name"]["familyName"] = "King".into();
    okta.put(&format!("/Users/{}", text(&ada, "id")), &ada)?;
    step("groups are pushed: created empty, then PUT with their members");
    push_group(okta, "Engineering", &[&ada, &alan])?;
    push_group(okta, "Support", &[&grace])?;
    push_group(okta, "On-call", &[&ada])?;
    Ok(())
}

/// The catalogue app: PATCH.
pub(super) fn catalogue_app(okta: &Talk) -> Result<(), CliError> {
    step("three people are assigned");
    let dennis = assign(okta, "Dennis", "Ritchie", None)?;
    let kath = assign(okta, "Katherine", "Johnson", None)?;
    let margaret = assign(okta, "Margaret", "Hamilton", None)?;
    step("a group is pushed by PATCH");
    let body = json!({ "schemas": [GROUP], "displayName": "Engineering", "members": [] });
    let group = text(&okta.post("/Groups", &body)?, "id");
    let add = json!({
        "op": "add", "path": "members",
        "value": [member(&dennis), member(&kath), member(&margaret)],
    });
    patch_group(okta, &group, &[rename(&group), add])?;
    step("Katherine leaves the group: only she does");
    let left = format!("members[value eq \"{}\"]", text(&kath, "id"));
    let remove = json!({ "op": "remove", "path": left });
    patch_group(okta, &group, &[rename(&group), remove])?;
    step("Dennis leaves the company");
    let body = json!({
        "schemas": [PATCH],
        "Operations": [{ "op": "replace", "value": { "active": false } }],
    });
    okta.patch(&format!("/Users/{}", text(&dennis, "id")), &body)?;
    Ok(())
}

/// Looks a person up, and creates them: with a random password, always.
fn assign(okta: &Talk, given: &str, family: &str, kind: Option<&str>) -> Result<Value, CliError> {
    let name = format!("{}@acme.example", given.to_lowercase());
    okta.get(&format!(
        "/Users?filter=userName%20eq%20%22{name}%22&startIndex=1&count=100"
    ))?;
    let mut body = json!({
        "schemas": [USER],
        "userName": name,
        "name": { "givenName": given, "familyName": family, "formatted": format!("{given} {family}") },
        "emails": [{ "primary": true, "value": name, "type": "work" }],
        "displayName": format!("{given} {family}"),
        "locale": "en-US",
        "externalId": format!("00u{}{}", given.to_lowercase(), family.to_lowercase()),
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    });
    if let Some(kind) = kind {
        body["userType"] = kind.into();
    }
    okta.post("/Users", &body)
}

fn push_group(okta: &Talk, name: &str, members: &[&Value]) -> Result<(), CliError> {
    let body = json!({ "schemas": [GROUP], "displayName": name, "members": [] });
    let id = text(&okta.post("/Groups", &body)?, "id");
    let members: Vec<Value> = members.iter().map(|user| member(user)).collect();
    let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
    okta.put(&format!("/Groups/{id}"), &body)?;
    Ok(())
}

fn patch_group(okta: &Talk, id: &str, operations: &[Value]) -> Result<(), CliError> {
    let body = json!({ "schemas": [PATCH], "Operations": operations });
    okta.patch(&format!("/Groups/{id}"), &body)?;
    Ok(())
}

/// Okta sends this with every change of a group, with the read-only id among what is to change.
fn rename(id: &str) -> Value {
    json!({ "op": "replace", "value": { "id": id, "displayName": "Engineering" } })
}

fn member(user: &Value) -> Value {
    json!({ "value": user["id"], "display": user["userName"] })
}

fn step(text: &str) {
    line("");
    line(&format!("  # {text}"));
}
