//! The author's tools, as an author uses them: real commands, real compilers, the real sandbox.

mod mistakes;

use crate::process::Ended;
use gatewright_tests::{Server, binary};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A project in a folder that goes with it.
pub(crate) struct Project {
    _folder: tempfile::TempDir,
    pub(crate) folder: PathBuf,
    times: Vec<(String, f64)>,
}

impl Project {
    /// Makes one with `gatewright plugin new`.
    pub(crate) fn new(name: &str, kind: &str, language: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let made = at(
            folder.path(),
            &[
                "plugin",
                "new",
                name,
                "--kind",
                kind,
                "--language",
                language,
            ],
        );
        let said = made.well();
        assert!(said.contains("gatewright plugin build"), "{said}");
        Self {
            folder: folder.path().join(name),
            _folder: folder,
            times: vec![("new".to_owned(), began.elapsed().as_secs_f64())],
        }
    }

    /// Runs a command in it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        at(&self.folder, arguments)
    }

    /// Runs one that has to go well, and takes its time down.
    fn step(&mut self, name: &str, server: Option<&Server>, arguments: &[&str]) -> String {
        let began = Instant::now();
        let mut command = command(&self.folder, arguments);
        if let Some(server) = server {
            let url = server.field("api_url").replace("/api/v1", "");
            command.env("GATEWRIGHT_URL", url);
            command.env("GATEWRIGHT_KEY", server.field("api_key"));
        }
        let said = ended(&mut command).well();
        self.times
            .push((name.to_owned(), began.elapsed().as_secs_f64()));
        said
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    /// Changes a file that has this text.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from}");
        self.write(file, &text.replacen(from, to, 1));
    }
}

fn at(folder: &Path, arguments: &[&str]) -> Ended {
    ended(&mut command(folder, arguments))
}

/// What all projects are built from is built once, beside what the tests themselves are built into.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let target = binary().parent().unwrap().join("../author");
    let mut command = Command::new(binary());
    command.current_dir(folder).args(arguments);
    command.env("CARGO_TARGET_DIR", target);
    // What an outer cargo says to its compilers is not for these.
    for name in [
        "CARGO",
        "RUSTC",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
    ] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// From nothing to a policy in force, with the time of each step.
#[expect(
    clippy::print_stdout,
    reason = "a figure for who runs it with --nocapture"
)]
fn from_nothing_to_active(language: &str) {
    let server = Server::with(
        "generic",
        json!({ "entries": [
            { "group": { "name": "Engineering" }, "kind": "base-role", "target": "Admin" },
        ] }),
    );
    let ada = server.user("ada@acme.test").id();
    let _ = server.group("Engineering", &[&ada]);
    assert_eq!(server.account("ada@acme.test")["role"]["name"], "Admin");

    let mut project = Project::new("new-hires", "role", language);
    let gateway = Some(&server);
    let built = project.step("build", None, &["plugin", "build"]);
    assert!(built.contains("built ") && built.contains("KiB"), "{built}");
    let tested = project.step("test", None, &["plugin", "test"]);
    assert!(
        tested.contains("first-days") && tested.contains("us"),
        "{tested}"
    );
    let checked = project.step("check", None, &["plugin", "check"]);
    for good in ["determinism: 5 answers", "settings: 2, all described"] {
        assert!(checked.contains(good), "no {good:?} in {checked}");
    }
    let inspected = project.step(
        "inspect",
        None,
        &["plugin", "inspect", "dist/new-hires.wasm", "--json"],
    );
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["world"], "role-policy-plugin");

    let installed = project.step(
        "install",
        gateway,
        &["plugin", "install", "dist/new-hires.wasm", "--json"],
    );
    let installed: Value = serde_json::from_str(&installed).unwrap();
    assert_eq!(installed["name"], "new-hires");
    assert_eq!(installed["digest"], inspected["digest"]);
    // In shadow, by the command that also builds and installs.
    let tried = project.step("shadow", gateway, &["plugin", "try"]);
    assert!(
        tried.contains("something else is wanted for 1, no decision for 0"),
        "{tried}"
    );
    assert!(tried.contains("ada@acme.test"), "{tried}");
    let settings = r#"{"days":30,"role":"Viewer"}"#;
    let bound = format!("roles=new-hires:{settings}");
    let plan = project.step("plan", gateway, &["plan", "--bind", &bound]);
    assert!(
        plan.contains("ada@acme.test") && plan.contains("Viewer"),
        "{plan}"
    );
    let activated = [
        "bindings", "shadow", "activate", "roles", "--by", "ada", "--why", "tried",
    ];
    let active = project.step("activate", gateway, &activated);
    assert!(active.contains("new-hires"), "{active}");
    let role = server.account("ada@acme.test")["role"].clone();
    assert_eq!(role["name"], "Viewer", "{role}");
    assert_eq!(role["reason"], "came less than 30 days ago");

    let shown = project.times.iter();
    let shown: Vec<String> = shown
        .map(|(step, time)| format!("{step} {time:.1} s"))
        .collect();
    let total: f64 = project.times.iter().map(|(_, time)| time).sum();
    println!("{language}: {}; together {total:.1} s", shown.join(", "));
}

#[test]
fn from_nothing_to_active_in_rust() {
    from_nothing_to_active("rust");
}

#[test]
fn every_kind_builds_and_passes_as_it_comes() {
    for kind in ["lifecycle", "seat", "provider"] {
        let project = Project::new(&format!("my-{kind}"), kind, "rust");
        let format = ended(
            Command::new("cargo")
                .args(["fmt", "--check"])
                .current_dir(&project.folder),
        );
        assert_eq!(format.code, Some(0), "{}{}", format.output, format.errors);
        let _ = project.run(&["plugin", "build"]).well();
        let tested = project.run(&["plugin", "test", "--json"]).well();
        let tested: Value = serde_json::from_str(&tested).unwrap();
        for fixture in tested["fixtures"].as_array().unwrap() {
            assert_eq!(fixture["outcome"], "ok", "{fixture}");
            let fuel = fixture["cost"]["fuel"].as_u64();
            assert!(fixture["items"] == 0 || fuel > Some(100), "{fixture}");
        }
        let checked = project.run(&["plugin", "check", "--json"]).well();
        let checked: Value = serde_json::from_str(&checked).unwrap();
        for finding in checked["findings"].as_array().unwrap() {
            assert_eq!(finding["level"], "good", "{finding}");
        }
        // The instructions are the same each time.
        let fuel = |tested: &Value| tested["fixtures"][0]["cost"]["fuel"].clone();
        let again = project.run(&["plugin", "test", "--json"]).well();
        assert_eq!(fuel(&serde_json::from_str(&again).unwrap()), fuel(&tested));
    }
}

#[test]
fn the_contract_is_read_in_the_terminal() {
    let here = std::env::temp_dir();
    let topics = at(&here, &["plugin", "docs"]).well();
    for topic in ["types", "policies", "fixtures", "limits"] {
        assert!(topics.contains(topic), "no {topic} in {topics}");
    }
    let account = at(&here, &["plugin", "docs", "account"]).well();
    assert!(
        account.contains("record account {") && account.contains("/// "),
        "{account}"
    );
    assert!(
        account.contains("memberships: list<membership>"),
        "{account}"
    );
    let decide = at(&here, &["plugin", "docs", "decide"]).well();
    assert_eq!(decide.matches("decide: func(").count(), 3, "{decide}");
    let fixtures = at(&here, &["plugin", "docs", "fixtures"]).well();
    assert!(fixtures.contains("settings_refused"), "{fixtures}");
    at(&here, &["plugin", "docs", "nonsense"]).failed(2, &["nothing is called \"nonsense\""]);
}
