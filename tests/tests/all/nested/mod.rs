//! Groups in groups (RFC 7643 section 4.2): how they look, what is refused, and what follows for the
//! users in them.

mod decisions;
mod facts;
mod model;
mod refusals;

use gatewright_tests::{Client, Organization};
use serde_json::{Value, json};

fn path(group: &str) -> String {
    format!("/Groups/{group}")
}

fn adding(member: &str) -> Value {
    json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": member }] }] })
}

fn removing(member: &str) -> Value {
    let path = format!("members[value eq \"{member}\"]");
    json!({ "Operations": [{ "op": "remove", "path": path }] })
}

fn add(scim: &Client, group: &str, member: &str) {
    let _ = scim.patch(&path(group), &adding(member)).expect(204);
}

fn remove(scim: &Client, group: &str, member: &str) {
    let _ = scim.patch(&path(group), &removing(member)).expect(204);
}

/// The groups of a user as it shows them: name and type, sorted.
fn groups_of(organization: &Organization, user: &str) -> Vec<(String, String)> {
    let shown = organization.scim.get(&format!("/Users/{user}")).expect(200);
    let shown = shown.json();
    let text = |group: &Value, name: &str| group[name].as_str().unwrap().to_owned();
    let groups = shown["groups"].as_array().into_iter().flatten();
    let mut groups: Vec<_> = groups
        .map(|group| (text(group, "display"), text(group, "type")))
        .collect();
    groups.sort();
    groups
}

fn named(groups: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, kind): &(&str, &str)| ((*name).to_owned(), (*kind).to_owned());
    groups.iter().map(owned).collect()
}

/// The ids of what a filter finds, in the order of the answer.
fn found(organization: &Organization, endpoint: &str, filter: &str) -> Vec<String> {
    let filter = filter.replace(' ', "%20").replace('"', "%22");
    let list = organization
        .scim
        .get(&format!("{endpoint}?filter={filter}"));
    let list = list.expect(200).json();
    let resources = list["Resources"].as_array().unwrap();
    assert_eq!(list["totalResults"], resources.len());
    let id = |resource: &Value| resource["id"].as_str().unwrap().to_owned();
    resources.iter().map(id).collect()
}
