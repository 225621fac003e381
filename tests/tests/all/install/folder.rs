//! The watched folder: what is dropped into it is installed whole or not at all, and what runs does
//! not notice.

use super::{digest, variant};
use crate::process::manage;
use gatewright_tests::{Server, Start, plugin};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

fn watching(folder: &Path) -> Server {
    Server::start(Start {
        plugins: Some(folder.to_owned()),
        ..Start::default()
    })
}

fn row(server: &Server, file: &str) -> Value {
    let shown = server.api().get("/plugins/folder").expect(200).json();
    let files = shown["files"].as_array().unwrap();
    let found = files.iter().find(|row| row["file"] == file);
    found.cloned().unwrap_or(Value::Null)
}

fn wait(server: &Server, file: &str, state: &str) -> Value {
    server.until(&format!("{file} {state}"), |server| {
        row(server, file)["state"] == state
    });
    row(server, file)
}

#[test]
fn what_is_dropped_is_installed_and_the_rest_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let wasm = plugin("hostile");
    let server = watching(folder.path());

    fs::write(path("good.wasm"), &wasm).unwrap();
    fs::write(path("text.wasm"), "no component").unwrap();
    fs::write(path("half.wasm"), &wasm[..wasm.len() / 2]).unwrap();
    fs::write(path(".hidden.wasm"), &wasm).unwrap();
    fs::write(path("notes.txt"), "not looked at").unwrap();
    fs::create_dir(path("folder.wasm")).unwrap();
    fs::write(path("elsewhere"), variant(&wasm, 1)).unwrap();
    std::os::unix::fs::symlink(path("elsewhere"), path("link.wasm")).unwrap();
    std::os::unix::fs::symlink(path("nowhere"), path("dangling.wasm")).unwrap();

    let good = wait(&server, "good.wasm", "installed");
    assert_eq!(good["name"], "hostile");
    let shown = server.api().get("/plugins/hostile").expect(200).json();
    assert_eq!(shown["used_by"], json!([]), "nothing is bound by it");
    let linked = wait(&server, "link.wasm", "installed");
    assert_ne!(linked["digest"], good["digest"]);
    for (file, why) in [
        ("text.wasm", "not a WebAssembly file"),
        ("half.wasm", "cannot be compiled"),
        ("folder.wasm", "it is a folder"),
        ("dangling.wasm", "cannot be read"),
    ] {
        let row = wait(&server, file, "refused");
        let error = row["error"].as_str().unwrap();
        assert!(error.contains(why), "{file}: {error}");
        assert_eq!(row["digest"], Value::Null);
    }
    assert_eq!(row(&server, ".hidden.wasm"), Value::Null);
    assert_eq!(row(&server, "notes.txt"), Value::Null);
    let printed = manage(&server, &["plugin", "folder"]).well();
    assert!(
        printed.contains("good.wasm") && printed.contains("not a WebAssembly"),
        "{printed}"
    );

    // What is mended is taken, and what is taken away stays installed.
    fs::write(path("text.wasm"), variant(&wasm, 2)).unwrap();
    let _ = wait(&server, "text.wasm", "installed");
    fs::remove_file(path("good.wasm")).unwrap();
    server.until("good.wasm forgotten", |server| {
        row(server, "good.wasm") == Value::Null
    });
    let kept = format!("/plugins/{}", digest(&good));
    let _ = server.api().get(&kept).expect(200);
}

#[test]
fn a_slow_copy_is_taken_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = watching(folder.path());
    let before = server.api().get("/plugins").expect(200).json();
    let wasm = plugin("hostile");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.path().join("slow.wasm"))
        .unwrap();
    let (all, last) = wasm.split_at(wasm.len() - 10);
    for piece in all.chunks(all.len() / 6 + 1) {
        file.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_ne!(row(&server, "slow.wasm")["state"], "installed");
    }
    let during = server.api().get("/plugins").expect(200).json();
    assert_eq!(during, before);
    file.write_all(last).unwrap();
    let row = wait(&server, "slow.wasm", "installed");
    let whole = server.api().install(&wasm);
    assert_eq!(whole["outcome"], "already-installed");
    assert_eq!(row["digest"], whole["digest"]);
}

#[test]
fn a_file_that_is_rewritten_in_place_does_not_disturb_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.wasm");
    let wasm = plugin("hostile");
    fs::write(&file, &wasm).unwrap();
    let mut server = watching(folder.path());
    let old = wait(&server, "policy.wasm", "installed")["digest"].clone();
    let binding = json!({ "plugin": old, "settings": { "behaviour": "tell-custom" } });
    let _ = server.api().put("/bindings/roles", &binding).expect(200);
    let decided = |server: &Server, name: &str| {
        let account = server.account(name);
        // What this policy says of somebody without custom attributes, and no other one does.
        assert_eq!(account["role"]["reason"], "", "{account}");
    };
    let _ = server.user("first@acme.test");
    decided(&server, "first@acme.test");

    // Garbage over it, half of another one, then another one, each while people are pushed.
    let newer = variant(&wasm, 9);
    for (round, bytes) in [b"garbage".as_slice(), &newer[..newer.len() / 2], &newer]
        .into_iter()
        .enumerate()
    {
        fs::write(&file, bytes).unwrap();
        for number in 0..8 {
            let _ = server.user(&format!("u{round}-{number}@acme.test"));
        }
        let (field, says) = [
            ("error", "not a WebAssembly file"),
            ("error", "cannot be compiled"),
            ("state", "installed"),
        ][round];
        server.until(says, |server| {
            let row = row(server, "policy.wasm");
            row[field].as_str().is_some_and(|text| text.contains(says))
        });
        for number in 0..8 {
            decided(&server, &format!("u{round}-{number}@acme.test"));
        }
    }
    assert_ne!(row(&server, "policy.wasm")["digest"], old);
    let bound = server.api().get("/bindings/roles").expect(200).json();
    assert_eq!(bound["digest"], old, "what is bound is another matter");

    // It needs the file no more than that.
    fs::remove_file(&file).unwrap();
    server.restart();
    let _ = server.user("last@acme.test");
    decided(&server, "last@acme.test");
    let alerts = server.api().get("/alerts").expect(200).json();
    assert_eq!(alerts["alerts"], json!([]));
}

#[test]
fn a_folder_that_is_not_there_is_told_and_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late");
    let server = watching(&late);
    server.until("a problem", |server| {
        let shown = server.api().get("/plugins/folder").expect(200).json();
        shown["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("plugins.folder"))
    });
    fs::create_dir(&late).unwrap();
    fs::write(late.join("good.wasm"), plugin("hostile")).unwrap();
    let _ = wait(&server, "good.wasm", "installed");
    let none = Server::generic().api().get("/plugins/folder").expect(200);
    assert!(none.text.contains("no folder is watched"));
}
