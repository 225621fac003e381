//! Domains: shown to be the organization's by DNS, or by the operator's word.

use gatewright_tests::{Client, Server, Start};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a resolver makes of questions for a name.
#[derive(Clone)]
enum Zone {
    Texts(Vec<String>),
    /// Over UDP only a part is said, over TCP all of it.
    Long(Vec<String>),
    Fails,
    Silent,
}

/// A resolver on loopback, over UDP and TCP, that ends with the test.
struct Resolver {
    address: SocketAddr,
    zones: Arc<Mutex<HashMap<String, Zone>>>,
}

impl Resolver {
    fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let zones: Arc<Mutex<HashMap<String, Zone>>> = Arc::default();
        let known = Arc::clone(&zones);
        thread::spawn(move || {
            let mut bytes = [0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut bytes) {
                // Somebody else's answer first: with another id it is none.
                let mut forged = bytes[..length].to_vec();
                forged[0] ^= 0xFF;
                let _ = udp.send_to(&answer(&forged, &known, true).unwrap_or(forged), from);
                if let Some(answer) = answer(&bytes[..length], &known, false) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        let known = Arc::clone(&zones);
        thread::spawn(move || {
            while let Ok((mut stream, _)) = tcp.accept() {
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut bytes).unwrap();
                let answer = answer(&bytes, &known, true).unwrap();
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length[..], &answer].concat()).unwrap();
            }
        });
        Self { address, zones }
    }

    fn set(&self, name: &str, zone: Zone) {
        self.zones.lock().unwrap().insert(name.to_owned(), zone);
    }
}

/// The answer to a question; none where nothing is said.
fn answer(question: &[u8], zones: &Mutex<HashMap<String, Zone>>, whole: bool) -> Option<Vec<u8>> {
    let (mut labels, mut at) = (Vec::new(), 12);
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    assert_eq!(question[at + 1..at + 5], [0, 16, 0, 1], "TXT, IN");
    let zone = zones.lock().unwrap().get(&labels.join(".")).cloned();
    let (flags, texts): ([u8; 2], Vec<String>) = match zone {
        None => ([0x81, 0x83], Vec::new()),
        Some(Zone::Fails) => ([0x81, 0x82], Vec::new()),
        Some(Zone::Silent) => return None,
        Some(Zone::Long(_)) if !whole => ([0x83, 0x80], Vec::new()),
        Some(Zone::Texts(texts) | Zone::Long(texts)) => ([0x81, 0x80], texts),
    };
    let mut bytes = question[..at + 5].to_vec();
    bytes[2..4].copy_from_slice(&flags);
    bytes[7] = u8::try_from(texts.len()).unwrap();
    for text in texts {
        bytes.extend_from_slice(&[192, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        bytes.extend_from_slice(&u16::try_from(text.len() + 1).unwrap().to_be_bytes());
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend_from_slice(text.as_bytes());
    }
    Some(bytes)
}

fn verify(api: &Client, domain: &str, body: &Value) -> gatewright_tests::Reply {
    api.post(&format!("/domains/{domain}/verify"), body)
}

#[test]
fn a_domain_is_verified_by_the_txt_record_that_its_organization_was_told() {
    let resolver = Resolver::start();
    let server = Server::start(Start {
        resolver: Some(resolver.address),
        ..Start::default()
    });
    let api = server.api();
    let _ = verify(&api, "acme.test", &json!({})).expect(404);
    let named = api.put("/domains/ACME.test", &json!({})).expect(200).json();
    assert_eq!(
        (&named["domain"], &named["verified"]),
        (&json!("acme.test"), &json!(false))
    );
    assert_eq!(named["record"]["name"], "_gatewright.acme.test");
    let value = named["record"]["value"].as_str().unwrap().to_owned();
    assert!(
        value.starts_with("gatewright-verification=") && value.len() > 50,
        "{value}"
    );
    let again = api.put("/domains/acme.test", &json!({})).expect(200).json();
    assert_eq!(again, named, "named again it has the same record");
    let name = "_gatewright.acme.test";
    let refused = verify(&api, "acme.test", &json!({})).expect(409).json();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(&value) && detail.contains(name), "{detail}");
    let others = vec![
        "v=spf1 -all".to_owned(),
        format!("{value}x"),
        value[1..].to_owned(),
    ];
    resolver.set(name, Zone::Texts(others.clone()));
    let _ = verify(&api, "acme.test", &json!({})).expect(409);
    assert_eq!(
        api.get("/domains").expect(200).json()["domains"][0]["verified"],
        false
    );
    let all: Vec<String> = others.into_iter().chain([value]).collect();
    resolver.set(name, Zone::Texts(all));
    let verified = verify(&api, "acme.test", &json!({})).expect(200).json();
    assert_eq!(
        (&verified["verified"], &verified["verified_by"]),
        (&json!(true), &json!("dns"))
    );
    let events = server.events();
    let kinds: Vec<&Value> = events
        .iter()
        .map(|event| &event["type"])
        .filter(|kind| kind.as_str().unwrap().starts_with("domain."))
        .collect();
    assert_eq!(kinds, ["domain.added", "domain.verified"]);
    let _ = api.delete("/domains/acme.test").expect(200);
    let _ = api.delete("/domains/acme.test").expect(404);
    assert_eq!(api.get("/domains").expect(200).json()["domains"], json!([]));
    // Named anew it has another token: the old record shows nothing.
    let _ = api.put("/domains/acme.test", &json!({})).expect(200);
    let _ = verify(&api, "acme.test", &json!({ "by": "dns" })).expect(409);
}

#[test]
fn an_answer_that_was_cut_is_asked_for_again_over_tcp_and_a_failing_resolver_is_said() {
    let resolver = Resolver::start();
    let server = Server::start(Start {
        resolver: Some(resolver.address),
        ..Start::default()
    });
    let api = server.api();
    let named = api.put("/domains/acme.test", &json!({})).expect(200).json();
    let value = named["record"]["value"].as_str().unwrap().to_owned();
    let name = "_gatewright.acme.test";
    resolver.set(name, Zone::Fails);
    let failed = verify(&api, "acme.test", &json!({})).expect(503);
    assert!(
        failed.text.contains("failed with code 2"),
        "{}",
        failed.text
    );
    resolver.set(name, Zone::Silent);
    let (waited, silent) = {
        let began = std::time::Instant::now();
        (began, verify(&api, "acme.test", &json!({})).expect(503))
    };
    assert!(silent.text.contains("did not answer"), "{}", silent.text);
    assert!(waited.elapsed() < Duration::from_secs(60));
    resolver.set(name, Zone::Long(vec![value]));
    let _ = verify(&api, "acme.test", &json!({})).expect(200);
}

#[test]
fn the_operator_s_word_verifies_a_domain_and_what_is_no_domain_is_refused() {
    let tenant = crate::shared::Tenant::new("Domains");
    let api = &tenant.operator;
    let _ = api.put("/domains/acme.test", &json!({})).expect(200);
    let verified = verify(api, "acme.test", &json!({ "by": "operator" }))
        .expect(200)
        .json();
    assert_eq!(verified["verified_by"], "operator");
    assert!(verified["verified_at"].is_string());
    for wrong in ["localhost", "-a.test", "a%20b.test", "m%C3%BCnchen.test"] {
        let refused = api
            .put(&format!("/domains/{wrong}"), &json!({}))
            .expect(400);
        assert!(refused.text.contains("xn--"), "{}", refused.text);
    }
    let _ = verify(api, "acme.test", &json!({ "by": "magic" })).expect(400);
    let shown = tenant.application.get("/domains").expect(200).json();
    assert_eq!(shown["domains"].as_array().unwrap().len(), 1);
}
