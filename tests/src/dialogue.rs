//! Recorded-style dialogues: what a provider sends, step by step, and what it must get back, as
//! data. A dialogue is documentation too: each step says what it is.
//!
//! ```json
//! {
//!   "provider": "okta",
//!   "needs_plugin": true,
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
//! `{{user}}` stands for what an earlier step saved. A body is expected to have what is named, a header
//! to contain the text; a header that is null must not be there.
//!
//! `needs_plugin` says that the dialogue fails without its provider's plugin, and is checked: it is
//! played under `generic` as well, and must fail there. One that does not need its plugin must pass
//! there: a directory that was told the wrong provider still works.

use crate::subset::contains;
use crate::{Client, Organization};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The header that names repairs. It is expected of the dialogue's own provider alone: under another
/// one that it is missing is no failure that a provider would see.
const REPAIRED: &str = "gatewright-repaired";

/// The plugin that changes nothing.
const GENERIC: &str = "generic";

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialogue {
    provider: String,
    #[serde(default)]
    needs_plugin: bool,
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

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: String,
    request: Vec<Value>,
    expect: Expected,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
}

/// Plays a file of `tests/dialogues` under its provider's plugin, and under `generic`, where it must
/// fail if it needs its plugin and pass if it does not. Each time it is an organization of its own in
/// the gateway that `operator` leads to.
///
/// # Panics
/// At the first answer that is not as expected, and where the dialogue passes under `generic` though
/// it says that it needs its plugin.
pub fn play(operator: &Client, name: &str) {
    let dialogue = read(name);
    if let Err(difference) = dialogue.under(operator, &dialogue.provider) {
        panic!("{name}: {difference}");
    }
    if dialogue.provider == GENERIC {
        return;
    }
    match (dialogue.under(operator, GENERIC), dialogue.needs_plugin) {
        (Ok(()), false) | (Err(_), true) => {}
        (Ok(()), true) => panic!("{name} needs no plugin: it passes under {GENERIC} as well"),
        (Err(difference), false) => panic!("{name}, under {GENERIC}: {difference}"),
    }
}

/// Plays a file of `tests/dialogues` under another provider's plugin than it names.
///
/// # Panics
/// At the first answer that is not as expected.
pub fn play_under(operator: &Client, name: &str, provider: &str) {
    if let Err(difference) = read(name).under(operator, provider) {
        panic!("{name}, under {provider}: {difference}");
    }
}

fn read(name: &str) -> Dialogue {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("dialogues")
        .join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

impl Dialogue {
    /// Plays it with a directory that has this provider's plugin. The error is the first answer that
    /// is not as expected.
    fn under(&self, operator: &Client, provider: &str) -> Result<(), String> {
        let organization = Organization::of(operator, provider, provider);
        if let Some(mapping) = &self.mapping {
            let _ = organization.operator.put("/mapping", mapping).expect(200);
        }
        let mut saved = BTreeMap::from([("base".to_owned(), organization.base_url.clone())]);
        for step in &self.steps {
            self.play(step, provider, &organization.scim, &mut saved)
                .map_err(|difference| format!("{}: {difference}", step.step))?;
        }
        if let Some(wanted) = &self.accounts {
            let found = Value::Array(organization.accounts());
            contains(&found, &Value::Array(wanted.clone()))
                .map_err(|difference| format!("accounts: {difference}\n{found:#}"))?;
        }
        Ok(())
    }

    fn play(
        &self,
        step: &Step,
        provider: &str,
        scim: &Client,
        saved: &mut BTreeMap<String, String>,
    ) -> Result<(), String> {
        let [method, path, body @ ..] = step.request.as_slice() else {
            panic!("a request is [method, path] or [method, path, body]");
        };
        let path = fill(path.as_str().unwrap(), saved);
        let body = body.first().map(|body| fill(&body.to_string(), saved));
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .filter(|(name, _)| body.is_some() || !name.eq_ignore_ascii_case("content-type"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let method = method.as_str().unwrap();
        let body = body.as_deref().map(str::as_bytes);
        let reply = scim.send(method, &path, &headers, body);
        let expect = &step.expect;
        if reply.status != expect.status {
            let (found, wanted) = (reply.status, expect.status);
            return Err(format!("{found}, expected {wanted}: {}", reply.text));
        }
        for (header, wanted) in &expect.headers {
            if header == REPAIRED && wanted.is_some() && provider != self.provider {
                continue;
            }
            let found = reply.header(header);
            let wanted = wanted.as_deref().map(|wanted| fill(wanted, saved));
            let agrees = match (found, &wanted) {
                (Some(found), Some(wanted)) => found.contains(wanted),
                (found, wanted) => found.is_none() && wanted.is_none(),
            };
            if !agrees {
                return Err(format!("{header} is {found:?}, expected {wanted:?}"));
            }
        }
        if let Some(wanted) = &expect.body {
            let wanted: Value = serde_json::from_str(&fill(&wanted.to_string(), saved)).unwrap();
            contains(&reply.json(), &wanted)
                .map_err(|difference| format!("{difference}\n{}", reply.text))?;
        }
        for (variable, pointer) in &step.save {
            let json = reply.json();
            let value = json.pointer(pointer).and_then(Value::as_str);
            let value = value.ok_or_else(|| format!("no text at {pointer}\n{}", reply.text))?;
            saved.insert(variable.clone(), value.to_owned());
        }
        Ok(())
    }
}

fn fill(text: &str, saved: &BTreeMap<String, String>) -> String {
    saved.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}
