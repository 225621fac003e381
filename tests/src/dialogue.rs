//! Recorded-style dialogues: what a provider sends, step by step, and what it must get back, as
//! data. A dialogue is documentation too: each step says what it is.
//!
//! ```json
//! {
//!   "provider": "okta",
//!   "about": "...", "source": "...",
//!   "mapping": { "entries": [] },
//!   "headers": { "User-Agent": "..." },
//!   "steps": [
//!     { "step": "create", "request": ["POST", "/Users", { }],
//!       "expect": { "status": 201, "body": { }, "headers": { } }, "save": { "user": "/id" } }
//!   ],
//!   "accounts": [ { "label": "..." } ]
//! }
//! ```
//!
//! `{{user}}` stands for what an earlier step saved.

use crate::subset::contains;
use crate::{Server, Start};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialogue {
    provider: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    source: String,
    mapping: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    steps: Vec<Step>,
    accounts: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: String,
    request: Vec<Value>,
    expect: Expected,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Plays a file of `tests/dialogues` against a gateway of its own.
///
/// # Panics
/// At the first answer that is not as expected.
pub fn play(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("dialogues")
        .join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let dialogue: Dialogue =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let server = Server::start(Start {
        provider: Some(dialogue.provider),
        mapping: dialogue.mapping,
        ..Start::default()
    });
    let client = server.scim();
    let headers: Vec<(&str, &str)> = dialogue
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut saved = BTreeMap::from([("base".to_owned(), server.field("scim_base_url"))]);
    for step in dialogue.steps {
        let at = format!("{name}: {}", step.step);
        let [method, path, body @ ..] = step.request.as_slice() else {
            panic!("{at}: a request is [method, path] or [method, path, body]");
        };
        let path = fill(path.as_str().unwrap(), &saved);
        let body = body.first().map(|body| fill(&body.to_string(), &saved));
        let mut headers = headers.clone();
        if body.is_none() {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        }
        let method = method.as_str().unwrap();
        let reply = client.send(method, &path, &headers, body.as_deref().map(str::as_bytes));
        assert_eq!(reply.status, step.expect.status, "{at}: {}", reply.text);
        for (header, wanted) in &step.expect.headers {
            let (found, wanted) = (
                reply.header(header).unwrap_or_default(),
                fill(wanted, &saved),
            );
            assert!(
                found.contains(wanted.as_str()),
                "{at}: {header} is {found:?}"
            );
        }
        if let Some(wanted) = step.expect.body {
            let wanted: Value = serde_json::from_str(&fill(&wanted.to_string(), &saved)).unwrap();
            if let Err(difference) = contains(&reply.json(), &wanted) {
                panic!("{at}: {difference}\n{}", reply.text);
            }
        }
        for (variable, pointer) in step.save {
            let json = reply.json();
            let value = json.pointer(&pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{at}: no text at {pointer}"));
            saved.insert(variable, value.to_owned());
        }
    }
    if let Some(wanted) = dialogue.accounts {
        let found = Value::Array(server.accounts());
        if let Err(difference) = contains(&found, &Value::Array(wanted)) {
            panic!("{name}: accounts: {difference}\n{found:#}");
        }
    }
}

fn fill(text: &str, saved: &BTreeMap<String, String>) -> String {
    saved.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}
