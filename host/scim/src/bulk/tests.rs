use super::*;
use crate::ScimType;

const BASE: &str = "https://scim.example/v2";

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn request(operations: Value) -> BulkRequest {
    BulkRequest::parse(json!({ "Operations": operations }), BASE, 100).unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn create(bulk_id: &str, data: Value) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn task(operation: Value) -> Result<BulkTask, Error> {
    request(json!([operation])).operations.remove(0).parsed
}

#[test]
fn what_is_wrong_with_an_operation_is_its_own_error() {
    let check = |operation: Value, part: &str| {
        let error = task(operation.clone()).unwrap_err();
        assert_eq!(error.status, 400);
        assert!(error.detail.contains(part), "{operation}: {error}");
    };
    check(json!(7), "object");
    check(
        json!({ "method": "POST", "bulkId": "a", "data": {} }),
        "path",
    );
    check(
        json!({ "method": "POST", "path": "/Users", "data": {} }),
        "bulkId",
    );
    check(json!({ "method": "PUT", "path": "/Users/1" }), "data");
    check(
        json!({ "method": "PUT", "path": "/Users", "data": {} }),
        "PUT",
    );
    check(
        json!({ "method": "POST", "path": "/Users/1", "bulkId": "a", "data": {} }),
        "POST",
    );
    check(json!({ "method": "GET", "path": "/Users/1" }), "method");
    for path in ["/Schemas", "/Users/1/2", "/Users/1?x=y", "Printers", ""] {
        check(json!({ "method": "DELETE", "path": path }), "path");
    }
    check(
        json!({ "method": "DELETE", "path": "/Users/bulkId:x" }),
        "bulkId:x",
    );
    check(create("a", json!({ "manager": "bulkId:x" })), "bulkId:x");
    let twice = request(json!([create("a", json!({})), create("a", json!({}))]));
    assert!(twice.operations[0].parsed.is_ok());
    let error = twice.operations[1].parsed.as_ref().unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn paths_and_methods_are_read_leniently() {
    for path in [
        "/Users/1",
        "Users/1",
        "https://scim.example/v2/Users/1",
        "/Users/1/",
    ] {
        let parsed = task(json!({ "METHOD": "delete", "Path": path, "version": "W/\"1\"" }));
        let parsed = parsed.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(parsed.target, Some(BulkTarget::Id("1".into())));
        assert_eq!(parsed.version.as_deref(), Some("W/\"1\""));
    }
}

#[test]
fn the_envelope_is_checked() {
    let refused = |body: Value, status: u16| {
        let error = BulkRequest::parse(body, BASE, 1).unwrap_err();
        assert_eq!(error.status, status, "{error}");
    };
    refused(json!([]), 400);
    refused(json!({}), 400);
    refused(json!({ "Operations": [], "failOnErrors": 0 }), 400);
    refused(json!({ "Operations": [], "failOnErrors": "1" }), 400);
    refused(json!({ "Operations": [1, 2] }), 413);
    let read = BulkRequest::parse(json!({ "operations": [], "failOnErrors": 2 }), BASE, 1);
    assert_eq!(read.unwrap().fail_on_errors, Some(2));
}

#[test]
fn references_become_ids_wherever_they_may_stand() {
    let data = json!({
        "displayName": "bulkId:a",
        "members": [{ "value": "bulkId:a", "$ref": "/Users/bulkId:a" }, "bulkId:b"],
        "urn:x:2.0:User": { "manager": { "value": "bulkId:b", "$ref": "../Users/bulkId:b" } },
        "urn:x:2.0:User:manager": "bulkId:a",
        "Operations": [
            { "path": "members[value eq \"bulkId:a\" or value eq \"bulkId:b\"]" },
            { "path": "title", "value": "bulkId:a" },
            { "path": "Manager", "value": "bulkId:a" },
        ],
    });
    let all = request(json!([
        create("a", json!({})), create("b", json!({})),
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": data },
    ]));
    let group = all.operations[2].parsed.as_ref().unwrap();
    assert_eq!(group.dependencies().collect::<Vec<_>>(), ["a", "b"]);
    let body = group.body(&|id| (id == "a").then_some("1"));
    assert_eq!(
        body,
        Some(json!({
            "displayName": "bulkId:a",
            "members": [{ "value": "1", "$ref": "/Users/1" }],
            "urn:x:2.0:User": { "manager": {} },
            "urn:x:2.0:User:manager": "1",
            "Operations": [
                { "path": "members[value eq \"1\" or value eq \"bulkId:b\"]" },
                { "path": "title", "value": "bulkId:a" },
                { "path": "Manager", "value": "1" },
            ],
        }))
    );
}

#[test]
fn what_is_referred_to_comes_first() {
    use BulkStep::{Complete, Run};
    let refer =
        |bulk_id: &str, to: &str| create(bulk_id, json!({ "manager": format!("bulkId:{to}") }));
    let plain = |bulk_id: &str| create(bulk_id, json!({}));
    let steps = |operations: Value| request(operations).steps();
    assert_eq!(steps(json!([plain("a"), plain("b")])), [Run(0), Run(1)]);
    assert_eq!(
        steps(json!([refer("a", "c"), plain("b"), plain("c")])),
        [Run(2), Run(0), Run(1)]
    );
    assert_eq!(
        steps(json!([refer("a", "b"), refer("b", "a"), plain("c")])),
        [Run(1), Run(0), Complete(1), Run(2)]
    );
    assert_eq!(steps(json!([refer("a", "a")])), [Run(0), Complete(0)]);
    assert_eq!(
        steps(json!([{ "method": "DELETE", "path": "/Users/bulkId:a" }, plain("a")])),
        [Run(1), Run(0)]
    );
    let long: Vec<Value> = (0..100)
        .map(|n| refer(&n.to_string(), &((n + 1) % 100).to_string()))
        .collect();
    let long = steps(json!(long));
    assert_eq!(
        (long[0], long[99], long[100], long.len()),
        (Run(99), Run(0), Complete(99), 101)
    );
}

#[test]
fn results_say_what_they_know() {
    let operation = request(json!([create("a", json!({}))]))
        .operations
        .remove(0);
    let done = operation.result(201, Some("l"), Some("v"), None);
    assert_eq!(
        done,
        json!({ "method": "POST", "bulkId": "a", "version": "v", "location": "l", "status": "201" })
    );
    let failed = operation.result(409, None, None, Some(json!({})));
    assert_eq!(
        failed,
        json!({ "method": "POST", "bulkId": "a", "status": "409", "response": {} })
    );
}
