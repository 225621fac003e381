//! Each limit of a request: at it, and one past it.

use crate::shared::Tenant;
use gatewright_tests::Reply;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// A JSON object made as long as wanted by spaces before its end.
fn padded(object: &Value, length: usize) -> Vec<u8> {
    let text = object.to_string();
    let open = text.strip_suffix('}').unwrap();
    format!("{open}{}}}", " ".repeat(length - text.len())).into_bytes()
}

fn send(tenant: &Tenant, method: &str, path: &str, body: &[u8]) -> Reply {
    let headers = [("Content-Type", "application/scim+json")];
    tenant.scim.send(method, path, &headers, Some(body))
}

/// That the answer says which limit was passed, in SCIM's shape.
fn refused(reply: Reply, status: u16, limit: &str) {
    let body = reply.expect(status).json();
    assert_eq!(body["status"], status.to_string());
    assert!(body["detail"].as_str().unwrap().contains(limit), "{body}");
}

#[test]
fn a_body_has_one_mebibyte() {
    let tenant = Tenant::new("Body limit");
    let user = |name: &str| json!({ "userName": name });
    let _ = send(
        &tenant,
        "POST",
        "/Users",
        &padded(&user("at@limit.test"), MIB),
    )
    .expect(201);
    let past = send(
        &tenant,
        "POST",
        "/Users",
        &padded(&user("past@limit.test"), MIB + 1),
    );
    refused(past, 413, "1048576");
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn a_group_has_sixteen() {
    let tenant = Tenant::new("Group body limit");
    let group = |name: &str| json!({ "displayName": name });
    let _ = send(&tenant, "POST", "/Groups", &padded(&group("At"), 16 * MIB)).expect(201);
    refused(
        send(
            &tenant,
            "POST",
            "/Groups",
            &padded(&group("Past"), 16 * MIB + 1),
        ),
        413,
        "16777216",
    );
    assert_eq!(tenant.scim.get("/Groups").json()["totalResults"], 1);
}

#[test]
fn json_nests_64_deep() {
    let tenant = Tenant::new("JSON depth");
    let nested = |name: &str, depth: usize| {
        let lists = depth - 1;
        format!(
            "{{\"userName\":\"{name}\",\"x\":{}{}}}",
            "[".repeat(lists),
            "]".repeat(lists)
        )
    };
    let _ = send(
        &tenant,
        "POST",
        "/Users",
        nested("at@limit.test", 64).as_bytes(),
    )
    .expect(201);
    refused(
        send(
            &tenant,
            "POST",
            "/Users",
            nested("past@limit.test", 65).as_bytes(),
        ),
        400,
        "64 deep",
    );
    // Far past it, so that a recursion would end the process.
    let far = nested("far@limit.test", 400_000);
    refused(
        send(&tenant, "POST", "/Users", far.as_bytes()),
        400,
        "64 deep",
    );
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn filters_nest_32_deep() {
    let tenant = Tenant::new("Filter depth");
    let _ = tenant.user("ada@acme.test");
    let list = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        tenant
            .scim
            .get(&format!("/Users?filter={open}active%20eq%20true{close}"))
    };
    assert_eq!(list(32).expect(200).json()["totalResults"], 1);
    refused(list(33), 400, "more than 32 levels");
    refused(list(10_000), 400, "32");
    let path = format!("/Users/{}", tenant.user("bob@acme.test").id());
    let patch = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        let path = format!("emails[{open}type eq \"work\"{close}].display");
        json!({ "Operations": [{ "op": "replace", "path": path, "value": "x" }] })
    };
    // The brackets of a path nest too.
    let _ = tenant.scim.patch(&path, &patch(31)).expect(200);
    refused(tenant.scim.patch(&path, &patch(32)), 400, "32");
}

#[test]
fn a_filter_has_a_hundred_comparisons() {
    let tenant = Tenant::new("Filter terms");
    let _ = tenant.user("ada@acme.test");
    let filter = |terms: usize| vec!["active eq true"; terms].join(" and ");
    let list = |terms: usize| {
        let query = filter(terms).replace(' ', "%20");
        tenant.scim.get(&format!("/Users?filter={query}"))
    };
    assert_eq!(list(100).expect(200).json()["totalResults"], 1);
    refused(list(101), 400, "more than 100 comparisons");
    let search = |terms: usize| {
        let body = json!({ "filter": filter(terms) });
        tenant.scim.post("/Users/.search", &body)
    };
    assert_eq!(search(100).expect(200).json()["totalResults"], 1);
    refused(search(101), 400, "more than 100 comparisons");
}

#[test]
fn a_patch_has_ten_thousand_operations() {
    let tenant = Tenant::new("Operations");
    let path = format!("/Users/{}", tenant.user("ada@acme.test").id());
    let patch = |count: usize| {
        let operation = |n: usize| json!({ "op": "add", "path": "title", "value": n.to_string() });
        json!({ "Operations": (1..=count).map(operation).collect::<Vec<_>>() })
    };
    let at = tenant.scim.patch(&path, &patch(10_000)).expect(200).json();
    assert_eq!(at["title"], "10000");
    let past = tenant.scim.patch(&path, &patch(10_001));
    assert!(matches!(past.status, 400 | 413), "{}", past.text);
    let status = past.status;
    refused(past, status, "10000");
    assert_eq!(tenant.scim.get(&path).json()["title"], "10000");
}

#[test]
fn a_page_has_a_thousand() {
    let tenant = Tenant::new("Page");
    for name in ["ada@acme.test", "bob@acme.test", "cleo@acme.test"] {
        let _ = tenant.user(name);
    }
    let list = |query: &str| {
        tenant
            .scim
            .get(&format!("/Users?{query}"))
            .expect(200)
            .json()
    };
    assert_eq!(list("count=1000000")["itemsPerPage"], 3);
    assert_eq!(list("count=0")["itemsPerPage"], 0);
    assert_eq!(list("count=0")["totalResults"], 3);
    assert_eq!(list("count=-5")["itemsPerPage"], 0);
    assert_eq!(list("startIndex=-3&count=2")["startIndex"], 1);
    assert_eq!(list("startIndex=99999999999999999999")["itemsPerPage"], 0);
}
