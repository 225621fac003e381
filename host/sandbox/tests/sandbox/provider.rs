//! Provider plugins.

use crate::harness::provider;
use gatewright_sandbox::Wants;
use gatewright_sandbox::types::Request;
use std::time::Duration;

fn request(method: &str, resource: &str, body: String) -> Request {
    Request {
        method: method.to_owned(),
        resource: resource.to_owned(),
        id: None,
        query: vec![],
        headers: vec![],
        body: Some(body),
        extra: vec![],
    }
}

#[test]
fn the_generic_one_wants_nothing() {
    let generic = provider("generic");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(generic.wants(method, "Users"), Wants::default());
    }
}

#[test]
fn okta_loses_its_password() {
    let okta = provider("okta");
    assert!(okta.wants("POST", "Users").normalize);
    assert_eq!(okta.wants("GET", "Users"), Wants::default());
    let body = r#"{"userName":"ada@example.com","password":"Rx8!","active":true}"#;
    let called = okta
        .normalize(&request("POST", "Users", body.to_owned()))
        .unwrap();
    let normalized = called.value.unwrap().unwrap();
    assert!(!normalized.body.unwrap().contains("password"));
    assert!(!normalized.repairs.is_empty());
}

/// 100,000 members in one request: about 10 MiB, in a tenth of the time that it may take.
#[test]
fn a_group_of_100_000_passes() {
    let members: Vec<String> = (0..100_000)
        .map(|i| {
            format!(
                r#"{{"value":"2819c223-7f76-453a-919d-{i:012}","display":"member-{i}@example.com"}}"#
            )
        })
        .collect();
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"replace","value":{{"id":"x","displayName":"All","members":[{}]}}}}]}}"#,
        members.join(",")
    );
    assert!(body.len() > 8 << 20);
    let called = provider("okta")
        .normalize(&request("PATCH", "Groups", body))
        .unwrap();
    let repaired = called.value.unwrap().and_then(|normalized| normalized.body);
    assert!(!repaired.unwrap().contains(r#""id":"x""#));
    assert!(called.elapsed < Duration::from_secs(2));
}
