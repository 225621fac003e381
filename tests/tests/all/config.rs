//! `gatewright serve`: its configuration, TLS, limits and shutdown.

use crate::process::{Serving, rest, run};
use gatewright_tests::Client;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const LEAST: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\npath = \"data\"\n\
                     [operator]\nkey_file = \"operator.key\"\n[log]\nformat = \"json\"\n";

fn write(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("gatewright.toml");
    fs::write(&path, text).unwrap();
    path
}

fn check(text: &str) -> crate::process::Ended {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, text);
    let ended = run(&["serve", "--config", path.to_str().unwrap(), "--check"]);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "checking makes no file: {left:?}");
    ended
}

#[test]
fn all_mistakes_are_told_at_once() {
    let wrong = check(
        "[server]\nlisten = 80\npublic_url = \"gateway.acme.test\"\nlistn = \"x\"\n\
         [server.tls]\nkey = \"k.pem\"\n\
         [storage]\ncache_mib = \"much\"\n[limits]\njson_depth = 1\nbody_bytes = -1\n\
         [plugins.policy]\ntime_ms = 0\n[plugins]\nslot = 1\n[colour]\nred = 1\n\
         [log]\nformat = \"xml\"\nlevel = \"a=b=c\"\n",
    );
    wrong.failed(
        2,
        &[
            "server.listen: is an integer, must be a text",
            "server.public_url: must begin with https://",
            "server.listn: is not known; known here: ",
            "server.tls: needs both",
            "storage.cache_mib: is a text, must be a whole number",
            "storage.path: is missing",
            "operator.key_file: is missing",
            "limits.json_depth: must be from 4 to 512",
            "limits.body_bytes: must be from",
            "plugins.policy.time_ms: must be from 5",
            "plugins.slot: is not known",
            "colour: is not known",
            "log.format: must be",
            "log.level: ",
        ],
    );
    assert!(check(LEAST).well().contains("fine"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    check("[server\n").failed(2, &["is not TOML", "line 1"]);
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let missing = missing.to_str().unwrap();
    run(&["serve", "--config", missing]).failed(2, &["cannot read the configuration", missing]);
    let key = write(&folder, LEAST);
    fs::write(folder.path().join("operator.key"), "short\n").unwrap();
    let key = key.to_str().unwrap();
    run(&["serve", "--config", key]).failed(2, &["operator.key", "holds no operator key"]);
    let tls = "\n[server.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
    fs::remove_file(folder.path().join("operator.key")).unwrap();
    let tls = write(&folder, &format!("{LEAST}{tls}"));
    run(&["serve", "--config", tls.to_str().unwrap()]).failed(1, &["c.pem", "certificate"]);
}

#[test]
fn plain_http_is_for_loopback() {
    let open = LEAST.replace("127.0.0.1", "0.0.0.0");
    check(&open).failed(
        2,
        &[
            "server.listen: is not a loopback address",
            "allow_plain_http",
        ],
    );
    let said = open.replace("[storage]", "allow_plain_http = true\n[storage]");
    let _ = check(&said).well();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ended = run(&[
        "dev",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "0.0.0.0:0",
    ]);
    ended.failed(2, &["--listen", "loopback"]);
    assert!(!data.exists());
}

/// A self-signed certificate for 127.0.0.1, in the folder; its PEM.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

#[test]
fn tls_limits_and_a_shutdown_that_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let pem = certificate(folder.path());
    let tls = "[server.tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n\
               [limits]\nbody_bytes = 2048\njson_depth = 8\nfilter_depth = 2\npatch_operations = 3\n";
    let config = write(&folder, &format!("{LEAST}{tls}"));
    let mut serving = Serving::start(&config);
    assert!(
        serving.url.starts_with("https://127.0.0.1:"),
        "{}",
        serving.url
    );
    let key_file = folder.path().join("operator.key");
    let mode = fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner reads the key");
    let key = fs::read_to_string(&key_file).unwrap();
    let operator = Client::trusting(&format!("{}/api/v1", serving.url), Some(key.trim()), &pem);

    // Plain HTTP and strangers' trust get nothing.
    let plain = Client::new(&serving.url.replace("https", "http"), None);
    assert!(plain.try_send("GET", "/health", &[], None).is_err());
    let strange = Client::new(&serving.url, None);
    assert!(strange.try_send("GET", "/health", &[], None).is_err());

    let created = operator
        .post("/organizations", &json!({ "name": "Acme" }))
        .expect(201)
        .json();
    let directories = format!(
        "/organizations/{}/directories",
        created["id"].as_str().unwrap()
    );
    let directory = operator
        .post(&directories, &json!({ "name": "Okta" }))
        .expect(201)
        .json();
    let base = directory["scim_base_url"].as_str().unwrap();
    assert!(base.starts_with(&serving.url));
    let scim = Client::trusting(base, directory["token"].as_str(), &pem);
    let user = scim
        .post("/Users", &json!({ "userName": "ada@acme.test" }))
        .expect(201)
        .id();

    // The limits are as set.
    let large = json!({ "userName": "bob@acme.test", "title": "x".repeat(2048) });
    assert!(
        scim.post("/Users", &large)
            .expect(413)
            .text
            .contains("2048")
    );
    let deep = json!({ "userName": "bob@acme.test", "x": [[[[[[[[1]]]]]]]] });
    assert!(
        scim.post("/Users", &deep)
            .expect(400)
            .text
            .contains("8 deep")
    );
    let nested = "/Users?filter=(((active%20eq%20true)))";
    assert!(
        scim.get(nested)
            .expect(400)
            .text
            .contains("more than 2 levels")
    );
    let operation = json!({ "op": "replace", "path": "title", "value": "x" });
    let many = json!({ "Operations": [operation, operation, operation, operation] });
    let refused = scim.patch(&format!("/Users/{user}"), &many);
    assert!(
        refused.status >= 400 && refused.text.contains('3'),
        "{}",
        refused.text
    );

    serving.signal();
    assert_eq!(serving.ended(Duration::from_secs(20)), Some(0));
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&write(&folder, LEAST));
    let key = fs::read_to_string(folder.path().join("operator.key")).unwrap();
    let body = json!({ "name": "Acme" }).to_string();
    let (first, last) = body.split_at(5);
    let address = serving.url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /api/v1/organizations HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        key.trim(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // That it asks for the body shows that the request is being worked on.
    let mut asked = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    stream.write_all(first.as_bytes()).unwrap();
    serving.signal();
    // New connections are refused from some moment on; the old one is not cut.
    let refused = || TcpStream::connect(&address).is_err();
    let began = std::time::Instant::now();
    while !refused() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it still listens"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(last.as_bytes()).unwrap();
    let answer = rest(&stream);
    assert!(answer.contains("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(serving.ended(Duration::from_secs(20)), Some(0));
}

#[test]
fn an_operators_key_that_was_replaced_is_valid_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder, LEAST);
    let file = folder.path().join("operator.key");
    let first = {
        let _serving = Serving::start(&config);
        fs::read_to_string(&file).unwrap()
    };
    fs::remove_file(&file).unwrap();
    let serving = Serving::start(&config);
    let second = fs::read_to_string(&file).unwrap();
    let status = |key: &str| {
        let api = Client::new(&format!("{}/api/v1", serving.url), Some(key.trim()));
        api.get("/organizations").status
    };
    assert_eq!((status(&first), status(&second)), (401, 200));
}
