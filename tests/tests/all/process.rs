//! Runs the binary as a shell would.

use gatewright_tests::{Server, binary};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    /// That it ended with this code, and said all of this on standard error.
    pub(crate) fn failed(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.errors);
        for part in says {
            assert!(
                self.errors.contains(part),
                "no {part:?} in: {}",
                self.errors
            );
        }
        assert_eq!(
            self.output, "",
            "nothing that a pipe would take for an answer"
        );
    }

    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.errors);
        self.output
    }
}

pub(crate) fn run(arguments: &[&str]) -> Ended {
    end(Command::new(binary()).args(arguments))
}

/// Runs a command that manages the server's gateway.
pub(crate) fn manage(server: &Server, arguments: &[&str]) -> Ended {
    end(&mut managing(server, arguments))
}

/// The same, for one that asks.
pub(crate) fn manage_with(server: &Server, arguments: &[&str], answer: &str) -> Ended {
    let mut command = managing(server, arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(answer.as_bytes()).unwrap();
    drop(input);
    ended(child.wait_with_output().unwrap())
}

fn managing(server: &Server, arguments: &[&str]) -> Command {
    let url = server.field("api_url").replace("/api/v1", "");
    let mut command = Command::new(binary());
    command.args(arguments).env("GATEWRIGHT_URL", url);
    command.env("GATEWRIGHT_KEY", server.field("api_key"));
    command
}

fn end(command: &mut Command) -> Ended {
    ended(command.stdin(Stdio::null()).output().unwrap())
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `gatewright serve` with a configuration of its own, ended when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    /// Starts it, and waits until it says where it serves.
    pub(crate) fn start(config: &Path) -> Self {
        let mut command = Command::new(binary());
        command
            .args(["serve", "--config"])
            .arg(config)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut url = None;
        let mut rest = log.lines();
        for line in rest.by_ref() {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            if let Some(found) = line.pointer("/fields/url") {
                url = Some(found.as_str().unwrap().to_owned());
                break;
            }
        }
        // What is not read would stop the process when the pipe is full.
        std::thread::spawn(move || rest.count());
        let url = url.unwrap_or_else(|| panic!("serve ended: {:?}", child.wait()));
        Self { child, url }
    }

    pub(crate) fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The exit code, within a time.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < within, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a connection to its end.
pub(crate) fn rest(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
