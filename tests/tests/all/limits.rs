//! Each limit of a request: at it, and one past it.

use crate::process::Serving;
use crate::shared::Tenant;
use gatewright_tests::{Client, Organization, Reply, Server, Start};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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

#[test]
fn a_token_has_its_rate_and_its_burst() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gatewright.toml");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\npath = \"data\"\n\
                [operator]\nkey_file = \"operator.key\"\n[log]\nformat = \"json\"\n\
                [limits]\nrequests_per_second = 1\nrequest_burst = 5\n";
    std::fs::write(&config, text).unwrap();
    let serving = Serving::start(&config);
    let key = std::fs::read_to_string(folder.path().join("operator.key")).unwrap();
    let api = Client::new(&format!("{}/api/v1", serving.url), Some(key.trim()));
    let acme = Organization::create(&api, "acme");
    let other = Organization::create(&api, "other");
    let user = |number: usize| json!({ "userName": format!("user-{number}@acme.test") });
    let began = Instant::now();
    let answers: Vec<Reply> = (1..=6)
        .map(|number| acme.scim.post("/Users", &user(number)))
        .collect();
    // What has passed of the next second is had again.
    let had = 5 + usize::try_from(began.elapsed().as_secs()).unwrap();
    let (let_in, refused): (Vec<Reply>, Vec<Reply>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert!(let_in.len() >= 5 && let_in.len() <= had, "{}", let_in.len());
    for answer in refused {
        assert_eq!(answer.header("retry-after"), Some("1"));
        let body = answer.expect(429).json();
        assert_eq!(body["status"], "429");
        assert_eq!(
            body["schemas"][0],
            "urn:ietf:params:scim:api:messages:2.0:Error"
        );
        assert!(
            body["detail"].as_str().unwrap().contains("too often"),
            "{body}"
        );
    }
    // Another token is not concerned, and after the time that was told the first is let in again.
    let _ = other.user("bob@other.test");
    std::thread::sleep(Duration::from_millis(1_100));
    let listed = acme.scim.get("/Users").expect(200).json();
    assert_eq!(
        listed["totalResults"],
        let_in.len(),
        "nothing of a refused one is kept"
    );
}

#[test]
fn requests_of_one_directory_take_turns_in_its_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gatewright.toml");
    // A quarter of four workers is one: all others wait for it, and none is refused.
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\npath = \"data\"\n\
                [operator]\nkey_file = \"operator.key\"\n[log]\nformat = \"json\"\n\
                [workers]\nrequests = 4\n";
    std::fs::write(&config, text).unwrap();
    let serving = Serving::start(&config);
    let key = std::fs::read_to_string(folder.path().join("operator.key")).unwrap();
    let api = Client::new(&format!("{}/api/v1", serving.url), Some(key.trim()));
    let acme = Organization::create(&api, "acme");
    let okta = json!({ "provider": "okta" });
    let _ = acme
        .operator
        .patch(&format!("/directories/{}", acme.directory), &okta)
        .expect(200);
    std::thread::scope(|scope| {
        for client in 0..8 {
            let acme = &acme;
            scope.spawn(move || {
                for number in 0..5 {
                    let _ = acme.user(&format!("{client}-{number}@acme.test"));
                }
            });
        }
    });
    assert_eq!(acme.scim.get("/Users").json()["totalResults"], 40);
}

#[test]
fn dev_has_a_rate_only_where_it_is_told() {
    let server = Server::start(Start {
        rate: Some(1),
        ..Start::default()
    });
    let answers = (0..400).map(|_| server.scim().get("/Users?count=0").status);
    assert!(answers.into_iter().any(|status| status == 429));
    let free = Server::generic();
    assert!((0..400).all(|_| free.scim().get("/Users?count=0").status == 200));
}

#[test]
fn an_answer_to_a_body_that_was_not_read_says_that_the_connection_ends() {
    let server = Server::generic();
    let url = server.field("api_url");
    let (address, base) = url.trim_start_matches("http://").split_once('/').unwrap();
    let body = json!({ "share_percent": 100 }).to_string();
    let ask = |token: &str, body: &str, length: usize| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "PUT /{base}/guards HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = [0; 4_096];
        let read = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).to_ascii_lowercase()
    };
    // A refused credential is answered before the body is there.
    let refused = ask("gwo_nobody", "", body.len());
    assert!(refused.starts_with("http/1.1 401"), "{refused}");
    assert!(refused.contains("connection: close"), "{refused}");
    let taken = ask(&server.field("api_key"), &body, body.len());
    assert!(taken.starts_with("http/1.1 200"), "{taken}");
    assert!(!taken.contains("connection: close"), "{taken}");
}
