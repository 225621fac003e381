//! Peers: how each is started and stopped, and what is known of it.

use crate::bench::{Bench, Gateway, Requests};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a peer may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server of SCIM.
pub(super) struct Peer {
    /// Its name, with what it stores in.
    pub(super) name: &'static str,
    /// Whether a write is on the disk when it is answered.
    pub(super) durable: bool,
    pub(super) requests: Requests,
    /// The status with which it answers a PATCH.
    pub(super) patched: u16,
    /// How a member is taken out so that it understands.
    pub(super) remove: fn(&str) -> Value,
    /// Ids of its users.
    pub(super) users: Vec<String>,
    running: Running,
}

enum Running {
    Gateway(Box<Gateway>),
    Other { child: Child, _data: TempDir },
}

impl Peer {
    /// The gateway, and whichever others are installed.
    pub(super) fn all(bench: &mut Bench) -> Vec<Self> {
        let gateway = Gateway::start();
        gateway.warm_up();
        let mut peers = vec![Self {
            name: "gatewright",
            durable: true,
            requests: gateway.requests.clone(),
            patched: 204,
            remove: by_filter,
            users: Vec::new(),
            running: Running::Gateway(Box::new(gateway)),
        }];
        type Start = fn(&Path) -> Peer;
        let others: [(&str, &str, Start); 5] = [
            (
                "jackson",
                "SAML Jackson 26.2 with SQLite as its documentation has it",
                |home| jackson(home, "jackson, SQLite", Some("delete")),
            ),
            (
                "jackson",
                "SAML Jackson 26.2 with SQLite and WAL, which it does not sync",
                |home| jackson(home, "jackson, SQLite WAL", Some("wal")),
            ),
            ("jackson", "SAML Jackson 26.2 in memory", |home| {
                jackson(home, "jackson, memory", None)
            }),
            ("scim2", "scim2-server 0.8.3 in memory", scim2),
            (
                "django",
                "django-scim2 0.23 with SQLite, WAL and synchronous FULL",
                django,
            ),
        ];
        for (folder, what, start) in others {
            let home = installed().join(folder);
            if home.join("installed").exists() {
                bench.say(&format!("{what} starts"));
                let peer = start(&home);
                let kept = if peer.durable {
                    "durable"
                } else {
                    "not durable"
                };
                bench.report.note(format!("{}: {what}, {kept}", peer.name));
                peers.push(peer);
            } else {
                bench
                    .report
                    .note(format!("{what}: left out, it is not installed"));
            }
        }
        peers
    }

    /// Waits until what it does behind its answers is done, so that it burdens nobody else's turn.
    pub(super) fn settle(&self) {
        if let Running::Gateway(gateway) = &self.running {
            gateway.settle();
        }
    }

    fn other(
        name: &'static str,
        durable: bool,
        (mut command, data): (Command, TempDir),
        requests: impl FnOnce(&mut Child) -> Requests,
    ) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let requests = requests(&mut child);
        let began = Instant::now();
        while TcpStream::connect(&requests.address).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < PATIENCE,
                "{name} did not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            name,
            durable,
            requests,
            patched: 200,
            remove: by_filter,
            users: Vec::new(),
            running: Running::Other { child, _data: data },
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self::Other { child, .. } = self else {
            return;
        };
        // Gunicorn ends its workers itself, if it is asked.
        let id = child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn jackson(home: &Path, name: &'static str, journal: Option<&str>) -> Peer {
    let (port, data) = (free_port(), tempfile::tempdir().unwrap());
    let mut command = Command::new("node");
    command
        .current_dir(home)
        .arg("server.js")
        .arg(port.to_string());
    match journal {
        Some(journal) => command.arg(data.path()).arg(journal),
        None => command.arg("memory"),
    };
    let durable = journal == Some("delete");
    command.stdout(Stdio::piped());
    Peer::other(name, durable, (command, data), |child| {
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://127.0.0.1:{port}{}", line["base"].as_str().unwrap());
        Requests::new(&url, line["token"].as_str().unwrap())
    })
}

fn scim2(home: &Path) -> Peer {
    let (port, data) = (free_port(), tempfile::tempdir().unwrap());
    // What it stores is in the process: more than one would not see each other's.
    let command = gunicorn(
        home,
        port,
        [
            "--workers",
            "1",
            "--threads",
            "8",
            "application:application",
        ],
    );
    let peer = Peer::other("scim2-server, memory", false, (command, data), |_| {
        Requests::new(&format!("http://127.0.0.1:{port}/v2"), "bench")
    });
    Peer {
        patched: 204,
        ..peer
    }
}

fn django(home: &Path) -> Peer {
    let (port, data) = (free_port(), tempfile::tempdir().unwrap());
    let migrated = Command::new(home.join("venv/bin/python"))
        .current_dir(home)
        .env("BENCH_DATA", data.path())
        .arg("manage.py")
        .args(["migrate", "--run-syncdb", "--verbosity", "0"])
        .status();
    assert!(migrated.unwrap().success());
    // A process for each core of the usual machine, and a thread for each connection.
    let mut command = gunicorn(
        home,
        port,
        ["--workers", "2", "--threads", "4", "wsgi:application"],
    );
    command.env("BENCH_DATA", data.path());
    let peer = Peer::other("django-scim2, SQLite", true, (command, data), |_| {
        Requests::new(&format!("http://127.0.0.1:{port}/scim/v2"), "bench")
    });
    Peer {
        remove: by_value,
        ..peer
    }
}

fn gunicorn<const N: usize>(home: &Path, port: u16, args: [&str; N]) -> Command {
    let mut command = Command::new(home.join("venv/bin/gunicorn"));
    command
        .current_dir(home)
        .args([
            "--bind",
            &format!("127.0.0.1:{port}"),
            "--worker-class",
            "gthread",
        ])
        .args([
            "--keep-alive",
            "75",
            "--timeout",
            "600",
            "--log-level",
            "warning",
        ])
        .args(args);
    command
}

/// As the RFC has it (RFC 7644 section 3.5.2.2).
fn by_filter(user: &str) -> Value {
    json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") })
}

/// As some providers send it.
fn by_value(user: &str) -> Value {
    json!({ "op": "remove", "path": "members", "value": [{ "value": user }] })
}

/// Where `cargo xtask bench --peers` installs them.
fn installed() -> PathBuf {
    std::env::var_os("GATEWRIGHT_PEERS").map_or_else(|| "target/peers".into(), PathBuf::from)
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
