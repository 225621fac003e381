//! A client that shows everything of an answer.

use serde_json::Value;
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Sends requests with one bearer token below one base URL.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub text: String,
}

impl Client {
    /// A client for paths below `base`.
    #[must_use]
    pub fn new(base: &str, token: Option<&str>) -> Self {
        Self::over(base, token, TlsConfig::default())
    }

    /// A client that trusts one certificate and no other.
    #[must_use]
    pub fn trusting(base: &str, token: Option<&str>, pem: &str) -> Self {
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        let roots = RootCerts::new_with_certs(&[certificate]);
        let tls = TlsConfig::builder().root_certs(roots).build();
        Self::over(base, token, tls)
    }

    fn over(base: &str, token: Option<&str>, tls: TlsConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            .tls_config(tls)
            .build()
            .into();
        Self {
            agent,
            base: base.to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same for paths below `path`.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        Self {
            base: format!("{}{path}", self.base),
            ..self.clone()
        }
    }

    /// Sends a request; the error of one that got no answer.
    ///
    /// # Errors
    /// Where the connection fails.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let limit = 256 << 20;
        let text = answer
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_string()?;
        Ok(Reply {
            status: answer.status().as_u16(),
            headers,
            text,
        })
    }

    /// Sends a request that must be answered.
    #[must_use]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Reply {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None)
    }

    /// DELETE.
    #[must_use]
    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None)
    }

    /// POST of JSON, with SCIM's media type.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.json("POST", path, body)
    }

    /// PUT of JSON.
    #[must_use]
    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.json("PUT", path, body)
    }

    /// PATCH of JSON.
    #[must_use]
    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.json("PATCH", path, body)
    }

    /// Installs a component, which another test may have done before. Answers its report.
    #[must_use]
    pub fn install(&self, wasm: &[u8]) -> Value {
        let headers = [("Content-Type", "application/wasm")];
        let reply = self.send("POST", "/plugins", &headers, Some(wasm));
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
        reply.json()
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [("Content-Type", "application/scim+json")];
        self.send(method, path, &headers, Some(body.to_string().as_bytes()))
    }
}

impl Reply {
    /// The body as JSON; null where there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON: {error}: {}", self.text))
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The revision that the write got.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.header("gatewright-revision").unwrap().parse().unwrap()
    }

    /// The same answer, which must have this status.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The `id` of the resource.
    #[must_use]
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }
}
