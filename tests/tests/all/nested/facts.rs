//! What is stored and shown.

use super::{add, adding, found, groups_of, named, path, remove, removing};
use crate::shared::Tenant;
use serde_json::{Value, json};

#[test]
fn members_are_users_and_groups_and_come_back_as_they_were_sent() {
    let tenant = Tenant::new("Nested members");
    let ada = tenant.user("ada@acme.test").id();
    let platform = tenant.group("Platform", &[&ada]).id();
    let storage = tenant.group("Storage", &[]).id();
    let body = json!({ "displayName": "Engineering", "members": [
        { "value": ada, "type": "User" },
        { "value": platform, "type": "Group", "$ref": format!("../Groups/{platform}") },
        { "value": storage },
    ] });
    let created = tenant.scim.post("/Groups", &body).expect(201).json();
    let engineering = created["id"].as_str().unwrap().to_owned();
    let url = &tenant.base_url;
    let member = |id: &str, kind: &str| json!({ "value": id, "$ref": format!("{url}/{kind}s/{id}"), "type": kind });
    let wanted = json!([
        member(&ada, "User"),
        member(&platform, "Group"),
        member(&storage, "Group"),
    ]);
    assert_eq!(created["members"], wanted);
    let shown = tenant.scim.get(&path(&engineering)).expect(200).json();
    assert_eq!(shown, created);
    // What was answered, sent back, changes nothing.
    let put = tenant.scim.put(&path(&engineering), &shown).expect(200);
    assert_eq!(put.json(), created);
    let _ = tenant
        .scim
        .patch(&path(&engineering), &adding(&platform))
        .expect(204);
    assert_eq!(tenant.scim.get(&path(&engineering)).json(), created);

    // A full list counts for both kinds, with and without an order that was prepared.
    let replace = |members: &Value| json!({ "Operations": [{ "op": "replace", "path": "members", "value": members }] });
    let members = json!([{ "value": storage }]);
    let _ = tenant
        .scim
        .patch(&path(&engineering), &replace(&members))
        .expect(204);
    let now = tenant.scim.get(&path(&engineering)).json();
    assert_eq!(now["members"], json!([member(&storage, "Group")]));
    let put = json!({ "displayName": "Engineering", "members": [{ "value": platform }, { "value": ada }] });
    let now = tenant
        .scim
        .put(&path(&engineering), &put)
        .expect(200)
        .json();
    assert_eq!(
        now["members"],
        json!([member(&ada, "User"), member(&platform, "Group")])
    );
    let _ = tenant
        .scim
        .patch(&path(&engineering), &removing(&platform))
        .expect(204);
    let now = tenant.scim.get(&path(&engineering)).json();
    assert_eq!(now["members"], json!([member(&ada, "User")]));

    let schema = tenant
        .scim
        .get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group");
    let schema = schema.expect(200).json();
    let attributes = |of: &Value, list: &str, name: &str| {
        let all = of[list].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    let members = attributes(&schema, "attributes", "members");
    assert_eq!(
        attributes(&members, "subAttributes", "$ref")["referenceTypes"],
        json!(["User", "Group"])
    );
    assert_eq!(
        attributes(&members, "subAttributes", "type")["canonicalValues"],
        json!(["User", "Group"])
    );
}

#[test]
fn a_user_shows_what_it_is_in_and_what_that_is_in() {
    let tenant = Tenant::new("Nested groups of users");
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let storage = tenant.group("Storage", &[&ada]).id();
    let platform = tenant.group("Platform", &[&storage]).id();
    let all = tenant.group("All", &[&platform, &bob]).id();
    let (direct, indirect) = ("direct", "indirect");
    assert_eq!(
        groups_of(&tenant, &ada),
        named(&[
            ("All", indirect),
            ("Platform", indirect),
            ("Storage", direct)
        ])
    );
    assert_eq!(groups_of(&tenant, &bob), named(&[("All", direct)]));
    let version = || {
        let shown = tenant.scim.get(&format!("/Users/{ada}")).expect(200);
        let version = shown.json()["meta"]["version"].clone();
        assert_eq!(shown.header("etag"), version.as_str());
        version
    };
    let mut versions = vec![version()];
    // What is in a group in two ways, and one of them directly, is in it directly.
    add(&tenant.scim, &all, &ada);
    assert_eq!(
        groups_of(&tenant, &ada),
        named(&[("All", direct), ("Platform", indirect), ("Storage", direct)])
    );
    versions.push(version());
    remove(&tenant.scim, &all, &ada);
    assert_eq!(version(), versions[0]);
    let rename =
        json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Everybody" }] });
    let _ = tenant.scim.patch(&path(&all), &rename).expect(204);
    versions.push(version());
    remove(&tenant.scim, &all, &platform);
    assert_eq!(
        groups_of(&tenant, &ada),
        named(&[("Platform", indirect), ("Storage", direct)])
    );
    versions.push(version());
    for (at, one) in versions.iter().enumerate() {
        assert!(!versions[..at].contains(one), "{versions:?}");
    }
}

#[test]
fn filters_find_groups_by_the_groups_in_them_and_users_by_all_their_groups() {
    let tenant = Tenant::new("Nested filters");
    let ada = tenant.user("ada@acme.test").id();
    let bob = tenant.user("bob@acme.test").id();
    let cleo = tenant.user("cleo@acme.test").id();
    let storage = tenant.group("Storage", &[&cleo, &ada]).id();
    let network = tenant.group("Network", &[&ada]).id();
    let platform = tenant.group("Platform", &[&storage, &network, &bob]).id();
    let all = tenant.group("All", &[&platform, &storage]).id();
    let by_member = |id: &str| found(&tenant, "/Groups", &format!("members.value eq \"{id}\""));
    assert_eq!(by_member(&storage), [platform.clone(), all.clone()]);
    assert_eq!(by_member(&platform), std::slice::from_ref(&all));
    assert_eq!(by_member(&bob), std::slice::from_ref(&platform));
    assert!(by_member(&all).is_empty());
    let typed = format!("members[value eq \"{storage}\" and type eq \"Group\"]");
    assert_eq!(found(&tenant, "/Groups", &typed).len(), 2);
    let in_group = |id: &str| found(&tenant, "/Users", &format!("groups.value eq \"{id}\""));
    assert_eq!(in_group(&storage), [ada.clone(), cleo.clone()]);
    assert_eq!(
        in_group(&platform),
        [ada.clone(), bob.clone(), cleo.clone()]
    );
    assert_eq!(in_group(&all), [ada.clone(), bob, cleo]);
    let indirectly = format!("groups[value eq \"{all}\" and type eq \"direct\"]");
    assert!(found(&tenant, "/Users", &indirectly).is_empty());
    // Page by page.
    let filter = format!("groups.value%20eq%20%22{all}%22&count=2");
    let first = tenant.scim.get(&format!("/Users?filter={filter}")).json();
    let next = tenant
        .scim
        .get(&format!("/Users?filter={filter}&startIndex=3"));
    let page = |list: &Value| list["Resources"].as_array().unwrap().len();
    assert_eq!((page(&first), page(&next.json())), (2, 1));
}

#[test]
fn a_deleted_group_is_in_nothing_and_nothing_is_in_it() {
    let tenant = Tenant::new("Nested deletion");
    let ada = tenant.user("ada@acme.test").id();
    let storage = tenant.group("Storage", &[&ada]).id();
    let platform = tenant.group("Platform", &[&storage]).id();
    let all = tenant.group("All", &[&platform]).id();
    let version = || tenant.scim.get(&path(&all)).json()["meta"]["version"].clone();
    let before = version();
    let _ = tenant.scim.delete(&path(&platform)).expect(204);
    assert_ne!(version(), before, "its members are others now");
    let members = tenant.scim.get(&path(&all)).json()["members"].clone();
    assert!(members.as_array().is_none_or(Vec::is_empty), "{members}");
    assert_eq!(groups_of(&tenant, &ada), named(&[("Storage", "direct")]));
    assert!(
        found(
            &tenant,
            "/Groups",
            &format!("members.value eq \"{storage}\"")
        )
        .is_empty()
    );
    assert!(
        found(
            &tenant,
            "/Groups",
            &format!("members.value eq \"{platform}\"")
        )
        .is_empty()
    );
    // Nothing of it is left that a group of the same name could take over.
    let again = tenant.group("Platform", &[]).id();
    add(&tenant.scim, &all, &again);
    assert_eq!(groups_of(&tenant, &ada), named(&[("Storage", "direct")]));
}

#[test]
fn the_api_and_the_events_tell_groups_from_users() {
    let tenant = Tenant::new("Nested API");
    let ada = tenant.user("ada@acme.test").id();
    let storage = tenant.group("Storage", &[]).id();
    let platform = tenant.group("Platform", &[&ada, &storage]).id();
    let read = |query: &str| {
        let path = format!("/groups/{platform}/members{query}");
        tenant.application.get(&path).expect(200).json()
    };
    let page = read("");
    assert_eq!(page["members"].as_array().unwrap().len(), 1);
    assert_eq!(page["members"][0]["user"], *ada);
    let group = &page["groups"][0];
    assert_eq!(
        (&group["group"], &group["name"]),
        (&json!(storage), &json!("Storage"))
    );
    assert!(group["since"].is_string(), "{page}");
    let later = read(&format!("?after={ada}"));
    assert_eq!(
        (&later["members"], &later["groups"]),
        (&json!([]), &Value::Null)
    );
    remove(&tenant.scim, &platform, &storage);
    assert_eq!(read("")["groups"], json!([]));
    add(&tenant.scim, &platform, &storage);
    let _ = tenant.scim.delete(&path(&storage)).expect(204);
    let events = tenant.events(100);
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["data"]["group"] == *platform)
        .map(|event| {
            let data = &event["data"];
            let kind = event["type"].as_str().or(event["kind"].as_str()).unwrap();
            (kind, data["users"].clone(), data["groups"].clone())
        })
        .collect();
    let (nobody, one) = (json!([]), json!([storage]));
    assert_eq!(
        told,
        [
            ("group.created", Value::Null, Value::Null),
            ("group.members_added", json!([ada]), nobody.clone()),
            ("group.members_added", nobody.clone(), one.clone()),
            ("group.members_removed", nobody.clone(), one.clone()),
            ("group.members_added", nobody.clone(), one.clone()),
            ("group.members_removed", nobody, one),
        ]
    );
}
