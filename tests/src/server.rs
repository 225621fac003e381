//! A running gateway.

use crate::http::{Client, Reply};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How to start a gateway.
#[derive(Clone, Default)]
pub struct Start {
    /// The provider plugin of its directory.
    pub provider: Option<String>,
    /// The mapping to begin with.
    pub mapping: Option<Value>,
    /// What is logged.
    pub log: Option<String>,
    /// Requests in a second for each token; none: no limit.
    pub rate: Option<u32>,
    /// The DNS resolver that it asks.
    pub resolver: Option<SocketAddr>,
    /// The folder that it watches for plugins.
    pub plugins: Option<PathBuf>,
    /// Whether its clock is moved on by [`Server::move_on`].
    pub clock: bool,
    /// Where its data is and stays; none: a folder that goes with it.
    pub folder: Option<PathBuf>,
}

/// A `gatewright dev` of its own, killed at the end.
pub struct Server {
    child: Option<Child>,
    folder: PathBuf,
    _temporary: Option<TempDir>,
    start: Start,
    line: Value,
}

impl Server {
    /// Starts one.
    #[must_use]
    pub fn start(start: Start) -> Self {
        let temporary = match &start.folder {
            None => Some(tempfile::tempdir().unwrap()),
            Some(_) => None,
        };
        let mut server = Self {
            child: None,
            folder: match (&start.folder, &temporary) {
                (Some(folder), _) => folder.clone(),
                (None, temporary) => temporary.as_ref().unwrap().path().to_owned(),
            },
            _temporary: temporary,
            start,
            line: Value::Null,
        };
        server.launch("127.0.0.1:0");
        server
    }

    /// Starts one with the generic provider and the shipped policies.
    #[must_use]
    pub fn generic() -> Self {
        Self::start(Start::default())
    }

    /// Starts one with Okta's plugin and a mapping.
    #[must_use]
    pub fn with(provider: &str, mapping: Value) -> Self {
        let provider = Some(provider.to_owned());
        Self::start(Start {
            provider,
            mapping: Some(mapping),
            ..Start::default()
        })
    }

    /// Ends the process at once, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks the process to end, and waits for it.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        child.wait().unwrap()
    }

    /// The id of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Starts it again on the same port with the same data.
    pub fn restart(&mut self) {
        self.kill();
        let url = self.field("api_url");
        let address = url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        self.launch(&address);
    }

    fn launch(&mut self, listen: &str) {
        let mut command = Command::new(binary());
        command
            .arg("dev")
            .arg("--data")
            .arg(self.data())
            .args(["--listen", listen]);
        command.args(["--log", self.start.log.as_deref().unwrap_or("warn")]);
        if let Some(provider) = &self.start.provider {
            command.args(["--provider", provider]);
        }
        if let Some(rate) = self.start.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        if let Some(resolver) = self.start.resolver {
            command.args(["--resolver", &resolver.to_string()]);
        }
        if let Some(folder) = &self.start.plugins {
            command.arg("--plugins").arg(folder);
        }
        if self.start.clock {
            let file = self.clock();
            if !file.exists() {
                std::fs::write(&file, "0s").unwrap();
            }
            command.arg("--clock").arg(file);
        }
        if let Some(mapping) = &self.start.mapping {
            let file = self.folder.join("mapping.json");
            std::fs::write(&file, mapping.to_string()).unwrap();
            command.arg("--mapping").arg(file);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("gatewright dev ended: {}", child.wait().unwrap());
        }
        self.line = serde_json::from_str(&line).unwrap();
        self.child = Some(child);
    }

    /// Moves its clock on by a span such as `31d`, counted from the machine's time.
    pub fn move_on(&self, span: &str) {
        assert!(self.start.clock, "its clock is the machine's");
        std::fs::write(self.clock(), span).unwrap();
    }

    fn clock(&self) -> PathBuf {
        self.folder.join("clock")
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The line that `gatewright dev` printed.
    #[must_use]
    pub fn line(&self) -> &Value {
        &self.line
    }

    /// A field of that line.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        self.line[name].as_str().unwrap().to_owned()
    }

    /// What the identity provider uses.
    #[must_use]
    pub fn scim(&self) -> Client {
        Client::new(&self.field("scim_base_url"), Some(&self.field("token")))
    }

    /// What the application and the operator use.
    #[must_use]
    pub fn api(&self) -> Client {
        Client::new(&self.field("api_url"), Some(&self.field("api_key")))
    }

    /// Creates a user.
    #[must_use]
    pub fn user(&self, name: &str) -> Reply {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
            "emails": [{ "value": name, "type": "work", "primary": true }],
            "active": true,
        });
        self.scim().post("/Users", &body).expect(201)
    }

    /// Creates a group with members.
    #[must_use]
    pub fn group(&self, name: &str, members: &[&str]) -> Reply {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": members,
        });
        self.scim().post("/Groups", &body).expect(201)
    }

    /// All accounts, once everything up to now is decided, by label.
    #[must_use]
    pub fn accounts(&self) -> Vec<Value> {
        crate::organization::accounts(&self.api())
    }

    /// One account, once everything up to now is decided.
    #[must_use]
    pub fn account(&self, label: &str) -> Value {
        let found = self
            .accounts()
            .into_iter()
            .find(|account| account["label"] == label);
        found.unwrap_or_else(|| panic!("no account {label}"))
    }

    /// All events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let api = self.api();
        let mut events = Vec::new();
        let mut after = String::new();
        loop {
            let page = api
                .get(&format!("/events?limit=1000{after}"))
                .expect(200)
                .json();
            events.extend(page["events"].as_array().unwrap().iter().cloned());
            if page["more"] != true {
                return events;
            }
            after = format!("&after={}", page["next"].as_str().unwrap());
        }
    }

    /// Waits until something holds.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary to test: `GATEWRIGHT_BIN`, else the one beside this test.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("GATEWRIGHT_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("gatewright");
    assert!(
        path.exists(),
        "{} is not there: run `cargo build` first",
        path.display()
    );
    path
}

/// A component that `cargo xtask setup` built.
#[must_use]
pub fn plugin(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("GATEWRIGHT_PLUGINS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins"),
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo xtask setup` first", path.display())
    })
}
