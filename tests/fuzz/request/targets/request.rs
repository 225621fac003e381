//! The whole request, without a socket: whatever is sent, the answer is SCIM JSON and no fault of the
//! server but 501.
//!
//! The input is lines: method, path below the base URL, then the body. A request meets what those
//! before it left in a directory, which is a new one after some hundreds.
#![no_main]

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use gatewright::clock::{Clock, Random};
use gatewright::directory::organizations::{self, NewDirectory};
use gatewright::gateway::{Gateway, Options};
use gatewright::http::{Shared, router};
use gatewright::model::tenancy::{Behaviour, Phase};
use gatewright::plugins::bindings;
use gatewright_store::OrganizationId;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::process::exit;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// Requests of one directory.
const REQUESTS: u32 = 500;

struct Running {
    runtime: Runtime,
    shared: Shared,
    organization: OrganizationId,
    directory: Mutex<Directory>,
    _folder: tempfile::TempDir,
}

struct Directory {
    base: String,
    token: String,
    left: u32,
}

static RUNNING: OnceLock<Running> = OnceLock::new();

fn start() -> Running {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = Options::new(folder.path().to_owned());
    options.workers = 2;
    options.reconcilers = 1;
    options.rate.per_second = 0;
    let gateway = Gateway::start(options, Clock::system(), Random::system()).expect("a gateway");
    let now = gateway.clock.now();
    let bound = bindings::shipped(&gateway.plugins, now).expect("policies");
    let organization =
        organizations::create(&gateway.store, &gateway.random, now, "Fuzzed", bound).expect("one");
    let organization = organization.value;
    let directory = Mutex::new(directory(&gateway, organization));
    Running {
        runtime: Runtime::new().expect("a runtime"),
        shared: Shared {
            gateway: Arc::new(gateway),
            public_url: "http://localhost".into(),
        },
        organization,
        directory,
        _folder: folder,
    }
}

fn directory(gateway: &Gateway, organization: OrganizationId) -> Directory {
    let new = NewDirectory {
        name: "Fuzzed".into(),
        provider: gateway.plugins.built_in("okta").expect("a plugin"),
        behaviour: Behaviour::default(),
    };
    let now = gateway.clock.now();
    let made = organizations::create_directory(
        &gateway.store,
        organization,
        &gateway.random,
        now,
        new,
        Phase::Enforcing,
    );
    let made = made.expect("a directory");
    Directory {
        base: format!("/scim/v2/{}", made.value.0),
        token: made.secret.reveal().to_owned(),
        left: REQUESTS,
    }
}

impl Running {
    /// The base URL and token of the directory that is in use.
    fn directory(&self) -> (String, String) {
        let mut present = self.directory.lock().expect("no panic before");
        if present.left == 0 {
            *present = directory(&self.shared.gateway, self.organization);
        }
        present.left -= 1;
        (present.base.clone(), present.token.clone())
    }
}

fuzz_target!(
    init: {
        // The gateway starts its own program to compile plugins, and that is this one.
        if std::env::args().nth(1).as_deref() == Some("compile-plugin") {
            let _ = gatewright_sandbox::compile_child();
            exit(0);
        }
    },
    |bytes: &[u8]| {
        let running = RUNNING.get_or_init(start);
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let (Some(method), Some(path)) = (parts.next(), parts.next()) else {
            return;
        };
        let body = parts.next().unwrap_or_default();
        let (Ok(method), Ok(path)) = (Method::from_bytes(method), std::str::from_utf8(path)) else {
            return;
        };
        let (base, token) = running.directory();
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{base}{path}"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/scim+json")
            .body(Body::from(body.to_vec()));
        // What is no URI does not come through the parser of HTTP either.
        let Ok(request) = request else {
            return;
        };
        running.runtime.block_on(async {
            let answer = router(running.shared.clone()).oneshot(request).await;
            let answer = answer.expect("an answer");
            let status = answer.status().as_u16();
            assert!(status < 500 || status == 501, "{method} {path}: {status}");
            let text = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
            if !text.is_empty() {
                let json: Value = serde_json::from_slice(&text).expect("JSON");
                assert!(json["schemas"].is_array(), "{method} {path}: {json}");
                assert_ne!(json["status"], json!("500"));
            }
        });
    }
);
