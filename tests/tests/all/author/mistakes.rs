//! What an author gets wrong is said with its place and its remedy.

use super::{Project, at, command, ended};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_project_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let new = |name: &str| {
        let options = ["--kind", "role", "--language", "rust"];
        at(folder, &[&["plugin", "new", name][..], &options].concat())
    };
    new("New_Hires").failed(2, &["\"New_Hires\" is no name of a plugin", "lower-case"]);
    new("9lives").failed(2, &["a letter first"]);
    fs::create_dir(folder.join("taken")).unwrap();
    fs::write(folder.join("taken/notes"), "mine").unwrap();
    new("taken").failed(2, &["taken exists and is not empty", "--directory"]);
    assert_eq!(fs::read_dir(folder.join("taken")).unwrap().count(), 1);
    at(folder, &["plugin", "new", "x"]).failed(2, &["--kind is not given", "nobody to ask"]);
    at(folder, &["plugin", "build"]).failed(2, &["is in no plugin's project", "plugin new"]);
}

#[test]
fn a_manifest_that_is_wrong() {
    let project = Project::new("wrong", "role", "rust");
    project.replace(
        "gatewright-plugin.toml",
        "kind = \"role\"",
        "kind = \"rule\"",
    );
    let build = || project.run(&["plugin", "build"]);
    build().failed(
        2,
        &["gatewright-plugin.toml", "unknown variant `rule`", "line 3"],
    );
    project.replace(
        "gatewright-plugin.toml",
        "kind = \"rule\"",
        "kind = \"role\"\ncolour = 1",
    );
    build().failed(2, &["unknown field `colour`"]);
    project.replace("gatewright-plugin.toml", "colour = 1\n", "");
    project
        .run(&["plugin", "test"])
        .failed(2, &["run `gatewright plugin build` first"]);
}

/// Without a compiler, or without its target, is said what to install.
#[test]
fn tools_that_are_missing() {
    let project = Project::new("no-tools", "role", "rust");
    let tools = tempfile::tempdir().unwrap();
    let build = || {
        let mut command = command(&project.folder, &["plugin", "build"]);
        ended(command.env("PATH", tools.path()))
    };
    build().failed(1, &["cargo was not found", "rustup.rs"]);
    for (name, says) in [("cargo", "cargo 1.95.0"), ("rustc", "/nowhere")] {
        let tool = tools.path().join(name);
        fs::write(&tool, format!("#!/bin/sh\necho {says}\n")).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    }
    build().failed(
        1,
        &[
            "has no target wasm32-wasip2",
            "rustup target add wasm32-wasip2",
        ],
    );
}

#[test]
fn fixtures_that_are_wrong_or_no_longer_right() {
    let project = Project::new("fixtures", "role", "rust");
    let _ = project.run(&["plugin", "build"]).well();
    let test = || project.run(&["plugin", "test"]);
    let file = "tests/first-days.json";
    let right = project.read(file);

    project.replace(file, "\"about\"", "\"abuot\"");
    test().failed(2, &["first-days.json", "unknown field `abuot`", "line 2"]);
    project.write(file, &right.replace("\"Admin\" }]", "\"Emperor\" }]"));
    test().failed(2, &["gives \"Emperor\"", "the catalogue has"]);
    project.write(file, &right.replace("[\"Engineering\"]", "\"Engineering\""));
    test().failed(2, &["first-days.json", "expected a sequence"]);

    // Another decision is expected: it is shown where they differ, and accepted by one word.
    project.write(
        file,
        &right.replace("\"Viewer\", \"reason\"", "\"Owner\", \"reason\""),
    );
    let different = test();
    assert_eq!(different.code, Some(1));
    for part in [
        "DIFFERENT",
        "/0/base_role/name: expected \"Owner\", found \"Viewer\"",
    ] {
        assert!(
            different.output.contains(part),
            "no {part:?} in {}",
            different.output
        );
    }
    assert!(
        different
            .errors
            .contains("1 of 3 fixtures: not as expected")
    );
    let updated = project.run(&["plugin", "test", "--update"]).well();
    assert!(updated.contains("updated"), "{updated}");
    let accepted: serde_json::Value = serde_json::from_str(&project.read(file)).unwrap();
    assert_eq!(
        accepted,
        serde_json::from_str::<serde_json::Value>(&right).unwrap()
    );
    let again = test().well();
    assert!(!again.contains("updated"), "{again}");

    project.write(
        "tests/none.json",
        "{\"accounts\": [{\"user_name\": \"ada\"}]}",
    );
    let refused = project.run(&["plugin", "test", "none"]);
    assert!(
        refused.output.contains("EXPECTS NOTHING"),
        "{}",
        refused.output
    );
    project
        .run(&["plugin", "test", "nonsense"])
        .failed(2, &["with \"nonsense\" in its name"]);
}

/// A bug shows its text and its place, and only the account that it is about fails.
#[test]
fn a_policy_that_traps() {
    let project = Project::new("traps", "role", "rust");
    project.replace(
        "src/lib.rs",
        "let until =",
        "assert!(account.users[0].user_name != \"bob@example.com\", \"no bobs\");\n        let until =",
    );
    let _ = project.run(&["plugin", "build"]).well();
    let tested = project.run(&["plugin", "test"]);
    assert_eq!(tested.code, Some(1));
    for part in [
        "/1/base_role: expected",
        "found nothing",
        "no bobs (src/lib.rs:",
        "role-policy.decide",
    ] {
        assert!(
            tested.output.contains(part),
            "no {part:?} in {}",
            tested.output
        );
    }
    assert!(!tested.output.contains("/0/"), "{}", tested.output);
}

/// There is no clock, no randomness and no memory: what is left is to look at who else is asked about.
#[test]
fn a_policy_that_looks_at_its_neighbours() {
    let project = Project::new("neighbours", "role", "rust");
    project.replace(
        "src/lib.rs",
        "    /// The answer is the whole",
        "    fn decide_all(
        &self,
        context: &Context,
        accounts: &[Account],
    ) -> Vec<Result<RoleDecision, Refusal>> {
        let about = |first| accounts.iter().map(|_| self.decide(context, first)).collect();
        accounts.first().map(about).unwrap_or_default()
    }

    /// The answer is the whole",
    );
    let _ = project.run(&["plugin", "build"]).well();
    let checked = project.run(&["plugin", "check"]);
    assert_eq!(checked.code, Some(1));
    for part in [
        "ERROR    determinism: first-days: another answer with the accounts in another order",
        "the gateway chooses the batches",
    ] {
        assert!(
            checked.output.contains(part),
            "no {part:?} in {}",
            checked.output
        );
    }
}

/// What works, and could be better.
#[test]
fn a_component_that_will_trouble_its_users() {
    let project = Project::new("careless", "role", "rust");
    project.replace("src/lib.rs", "#[serde(deny_unknown_fields)]\n", "");
    project.replace("src/lib.rs", "    /// The base role of new accounts.\n", "");
    project.replace("Cargo.toml", "strip = \"debuginfo\"", "strip = true");
    let _ = project.run(&["plugin", "build"]).well();
    let checked = project.run(&["plugin", "check"]).well();
    for part in [
        "warning  names: the functions have no names",
        "warning  settings: role without a description",
        "warning  settings: a misspelt setting is taken without a word",
        "deny_unknown_fields",
    ] {
        assert!(checked.contains(part), "no {part:?} in {checked}");
    }
    // No component at all.
    project.write("dist/careless.wasm", "a text");
    let refused = project.run(&["plugin", "check"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.output.contains("this is not a WebAssembly file"),
        "{}",
        refused.output
    );
}
