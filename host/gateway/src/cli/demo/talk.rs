//! Requests of the demo, told as they happen.

use super::super::output::{CliError, line};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Speaks to one base URL with one token.
pub(super) struct Talk {
    agent: ureq::Agent,
    base: String,
    token: String,
    aloud: bool,
}

/// Begins a chapter of the show.
pub(super) fn chapter(title: &str) {
    line("");
    line(title);
}

impl Talk {
    pub(super) fn new(base: &str, token: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .user_agent("Okta SCIM Client 1.0.0")
            .build()
            .into();
        Self {
            agent,
            base: base.to_owned(),
            token: token.to_owned(),
            aloud: false,
        }
    }

    /// The same, telling each request and its answer.
    pub(super) fn aloud(self) -> Self {
        Self {
            aloud: true,
            ..self
        }
    }

    /// The same, for paths below.
    pub(super) fn below(&self, path: &str) -> Self {
        Self {
            agent: self.agent.clone(),
            base: format!("{}{path}", self.base),
            token: self.token.clone(),
            aloud: self.aloud,
        }
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, CliError> {
        self.send("GET", path, "application/json", None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.json("POST", path, body)
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.json("PUT", path, body)
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.json("PATCH", path, body)
    }

    pub(super) fn upload(&self, path: &str, bytes: &[u8]) -> Result<Value, CliError> {
        self.send("POST", path, "application/wasm", Some(bytes))
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Result<Value, CliError> {
        let text = body.to_string();
        if self.aloud {
            line(&format!("  > {method:5} {}", shortened(path)));
            line(&format!("          {}", cut(&told(body), 150)));
        }
        self.send(
            method,
            path,
            "application/scim+json; charset=utf-8",
            Some(text.as_bytes()),
        )
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: Option<&[u8]>,
    ) -> Result<Value, CliError> {
        if self.aloud && body.is_none() {
            line(&format!("  > {method:5} {}", shortened(path)));
        }
        let began = Instant::now();
        let unreachable = |source| CliError::Unreachable {
            url: self.base.clone(),
            source: Box::new(source),
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", media_type);
        let malformed = |error: ureq::http::Error| CliError::Failed(error.to_string());
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body).map_err(malformed)?),
            None => self.agent.run(request.body(()).map_err(malformed)?),
        }
        .map_err(unreachable)?;
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        let status = answer.status();
        if self.aloud {
            let ms = began.elapsed().as_secs_f64() * 1_000.0;
            line(&format!("  < {}  {ms:.1} ms", status.as_u16()));
            let repaired = answer.headers().get("gatewright-repaired");
            for repair in repaired
                .and_then(|text| text.to_str().ok())
                .iter()
                .flat_map(|t| t.split("; "))
            {
                line(&format!("    repaired by the okta plugin: {repair}"));
            }
        }
        let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            Ok(json)
        } else {
            let detail = json["detail"].as_str().unwrap_or(&text).to_owned();
            Err(CliError::Refused(format!(
                "{method} {path}: {status}: {detail}"
            )))
        }
    }
}

/// The body without what says nothing to a reader.
fn told(body: &Value) -> String {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.shift_remove("schemas");
    }
    body.to_string()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// A path without the greater part of its ids.
fn shortened(path: &str) -> String {
    let shorten = |part: &str| match part.len() {
        36 if part.matches('-').count() == 4 => format!("...{}", &part[30..]),
        _ => part.to_owned(),
    };
    path.split('/').map(shorten).collect::<Vec<_>>().join("/")
}
