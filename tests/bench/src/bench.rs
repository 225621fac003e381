//! What the parts share: the gateway, the floor, the scale and the report.

use crate::client::{Load, Run, drive};
use crate::floor::Floor;
use crate::report::Report;
use gatewright_tests::{Client, Server, Start};
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// How long one turn of one side takes.
    pub(crate) turn: Duration,
    /// How often the sides take turns.
    pub(crate) rounds: usize,
    /// Members of the large group.
    pub(crate) members: usize,
    /// Accounts that the part `redecide` decides anew.
    pub(crate) accounts: usize,
    /// Users of the large directory of the part `scale`.
    pub(crate) users: usize,
    /// Only a smoke run.
    pub(crate) quick: bool,
}

impl Scale {
    pub(crate) fn full() -> Self {
        Self {
            turn: Duration::from_secs(2),
            rounds: 5,
            members: 100_000,
            accounts: 100_000,
            users: 1_000_000,
            quick: false,
        }
    }

    pub(crate) fn quick() -> Self {
        Self {
            turn: Duration::from_millis(200),
            rounds: 1,
            members: 1_000,
            accounts: 2_000,
            users: 20_000,
            quick: true,
        }
    }
}

/// A run of the benchmark.
pub(crate) struct Bench {
    pub(crate) scale: Scale,
    pub(crate) report: Report,
    /// Where the part `scale` keeps its large directory.
    pub(crate) data: Option<PathBuf>,
    /// Ids of users that were created, in the order of their numbers.
    pub(crate) users: Vec<String>,
    began: Instant,
    gateway: OnceCell<Gateway>,
    floor: OnceCell<Floor>,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    pub(crate) fn new(scale: Scale, data: Option<PathBuf>) -> Self {
        // One thread: the other core is the server's.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            scale,
            report: Report::default(),
            data,
            users: Vec::new(),
            began: Instant::now(),
            gateway: OnceCell::new(),
            floor: OnceCell::new(),
            runtime,
        }
    }

    /// The gateway, started when it is first needed.
    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.get_or_init(|| {
            let gateway = Gateway::start();
            // Plugins are compiled when they are first needed.
            gateway.warm_up();
            gateway
        })
    }

    /// The floor, likewise.
    pub(crate) fn floor(&self) -> &Floor {
        self.floor.get_or_init(Floor::start)
    }

    /// Sends requests and waits for all answers.
    pub(crate) fn drive(&self, load: Load) -> Run {
        self.runtime.block_on(drive(load))
    }

    /// The same request of several sides, in turns: for each the median of milliseconds by request.
    pub(crate) fn turns(&self, sides: &[&dyn Fn() -> Load]) -> Vec<f64> {
        let mut costs = vec![Vec::new(); sides.len()];
        for _ in 0..self.scale.rounds {
            for (side, costs) in sides.iter().zip(&mut costs) {
                let run = self.drive(side().during(self.scale.turn / 2));
                costs.push(1_000.0 / run.rate());
            }
        }
        costs.into_iter().map(median).collect()
    }

    /// Tells the person at the terminal how far things are.
    pub(crate) fn say(&self, what: &str) {
        eprintln!("[{:>4} s] {what}", self.began.elapsed().as_secs());
    }

    /// Sees to it that there are so many users.
    pub(crate) fn populate(&mut self, users: usize) {
        const STEP: usize = 5_000;
        while self.users.len() < users {
            let count = STEP.min(users - self.users.len());
            let run = self.drive(self.gateway().creates(self.users.len(), 64).of(count));
            self.users.extend(run.ids);
            self.say(&format!("{} of {users} users", self.users.len()));
        }
    }
}

/// The gateway under test.
pub(crate) struct Gateway {
    server: Server,
    api: Client,
    pub(crate) requests: Requests,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        Self::start_in(None)
    }

    /// With its data in this folder, which is left there.
    pub(crate) fn start_in(folder: Option<&Path>) -> Self {
        // Rows for groups that nobody is in, and some for the benchmark's own.
        let entries: Vec<Value> = (0..50)
            .map(|number| {
                let name = match number {
                    0 => "small".to_owned(),
                    1 => "large".to_owned(),
                    _ => format!("Team {number}"),
                };
                let (kind, target) = match number % 2 {
                    0 => ("base-role", "Standard"),
                    _ => ("seat", "responder"),
                };
                json!({ "group": { "name": name }, "kind": kind, "target": target })
            })
            .collect();
        let server = Server::start(Start {
            provider: Some("okta".to_owned()),
            mapping: Some(json!({ "entries": entries })),
            folder: folder.map(Path::to_owned),
            ..Start::default()
        });
        Self {
            api: server.api(),
            requests: Requests::new(&server.field("scim_base_url"), &server.field("token")),
            server,
        }
    }

    /// A client for single requests.
    pub(crate) fn scim(&self) -> Client {
        self.server.scim()
    }

    /// Ends the process properly and starts it again on the same data and the same port.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.server.restart();
    }

    /// Ends the process properly.
    pub(crate) fn stop(&mut self) {
        let ended = self.server.stop();
        assert!(ended.success(), "{ended}");
    }

    /// The id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.server.process()
    }

    /// The application's view.
    pub(crate) fn api(&self) -> &Client {
        &self.api
    }

    /// Bytes of its database's file.
    pub(crate) fn disk(&self) -> u64 {
        std::fs::metadata(self.file()).unwrap().len()
    }

    /// Has the system read the database's file, so that what is measured is not the disk.
    pub(crate) fn read_file(&self) {
        let mut file = std::fs::File::open(self.file()).unwrap();
        std::io::copy(&mut file, &mut std::io::sink()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.server.data().join("gatewright.redb")
    }

    /// Has every plugin loaded and called once.
    pub(crate) fn warm_up(&self) {
        let user: Value = serde_json::from_str(&user(usize::MAX)).unwrap();
        let id = self.scim().post("/Users", &user).expect(201).id();
        self.settle();
        let _ = self.scim().delete(&format!("/Users/{id}")).expect(204);
        self.settle();
    }

    /// Creates of users with numbers from `first` on.
    pub(crate) fn creates(&self, first: usize, concurrency: usize) -> Load {
        let requests = self.requests.clone();
        Load::new(&self.requests.address, concurrency, 201, move |number| {
            requests.bytes("POST", "/Users", &user(first + number))
        })
    }

    /// Waits until everything up to a revision is decided.
    pub(crate) fn decided(&self, revision: u64) {
        let path = format!("/accounts?limit=1&at_least={revision}");
        while self.api.get(&path).status != 200 {}
    }

    /// Waits until nothing is left to decide.
    pub(crate) fn settle(&self) {
        self.decided(self.revision());
    }

    /// Its organization's newest revision.
    pub(crate) fn revision(&self) -> u64 {
        let page = self.api.get("/accounts?limit=1").expect(200).json();
        page["revision"].as_u64().unwrap()
    }
}

/// Makes requests to the gateway, or to another server of SCIM.
#[derive(Clone)]
pub(crate) struct Requests {
    /// `host:port`.
    pub(crate) address: String,
    /// The path of its SCIM base URL.
    base: String,
    token: String,
}

impl Requests {
    /// For a SCIM base URL and a token.
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let (address, base) = url.trim_start_matches("http://").split_once('/').unwrap();
        Self {
            address: address.to_owned(),
            base: format!("/{base}"),
            token: token.to_owned(),
        }
    }

    /// A request as it goes over the wire.
    pub(crate) fn bytes(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let Self {
            address,
            base,
            token,
        } = self;
        let length = body.len();
        format!(
            "{method} {base}{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             accept: application/scim+json\r\ncontent-type: application/scim+json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// The body with which Okta creates a user.
pub(crate) fn user(number: usize) -> String {
    let name = name(number);
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "name": { "givenName": "Ada", "familyName": format!("Lovelace {number}") },
        "emails": [{ "primary": true, "value": name, "type": "work" }],
        "displayName": format!("Ada Lovelace {number}"),
        "locale": "en-US",
        "externalId": format!("00u{number:017}"),
        "groups": [],
        "password": format!("1mz050nq{number}"),
        "active": true,
    })
    .to_string()
}

/// The user name of a numbered user.
pub(crate) fn name(number: usize) -> String {
    format!("ada.lovelace.{number}@example.com")
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
