//! Speaks to a running gateway through its API.

use super::output::CliError;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// Which gateway, and how to show its answers.
#[derive(Args)]
pub(super) struct Connection {
    /// The gateway's address
    #[arg(
        long,
        env = "GATEWRIGHT_URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    url: String,
    /// An operator's key, or the application's for commands that only read
    #[arg(
        long,
        env = "GATEWRIGHT_KEY",
        hide_env_values = true,
        default_value = "",
        global = true
    )]
    key: String,
    /// The organization's id; not needed where the key is bound to one
    #[arg(long, env = "GATEWRIGHT_ORGANIZATION", global = true)]
    organization: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Connection {
    /// A path of the organization.
    pub(super) fn path(&self, below: &str) -> String {
        match &self.organization {
            Some(id) => format!("/organizations/{id}{below}"),
            None => below.to_owned(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, CliError> {
        self.finish(
            self.agent()
                .get(self.address(path))
                .header("Authorization", self.bearer())
                .call(),
        )
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value, CliError> {
        self.finish(
            self.agent()
                .delete(self.address(path))
                .header("Authorization", self.bearer())
                .call(),
        )
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.agent().post(self.address(path));
        self.finish(
            request
                .header("Authorization", self.bearer())
                .send_json(body),
        )
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.agent().put(self.address(path));
        self.finish(
            request
                .header("Authorization", self.bearer())
                .send_json(body),
        )
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.agent().patch(self.address(path));
        self.finish(
            request
                .header("Authorization", self.bearer())
                .send_json(body),
        )
    }

    /// Sends bytes, such as a component.
    pub(super) fn upload(&self, path: &str, bytes: &[u8]) -> Result<Value, CliError> {
        let request = self.agent().post(self.address(path));
        let request = request.header("Content-Type", "application/wasm");
        self.finish(request.header("Authorization", self.bearer()).send(bytes))
    }

    fn agent(&self) -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .into()
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url.trim_end_matches('/'))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    fn finish(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, CliError> {
        let unreachable = |source| CliError::Unreachable {
            url: self.url.clone(),
            source: Box::new(source),
        };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        let detail = body["detail"].as_str().unwrap_or(&text);
        let hint = match status.as_u16() {
            401 if self.key.is_empty() => " (give --key or set GATEWRIGHT_KEY)",
            _ => "",
        };
        Err(CliError::Refused(format!("{status}: {detail}{hint}")))
    }
}
