//! Installing components: what is reported, what is refused, and what stays.

mod folder;

use crate::process::manage;
use gatewright_tests::{Organization, Server, plugin};
use serde_json::{Value, json};
use std::fs;

/// The component with other bytes that mean the same: one more custom section at its end.
fn variant(wasm: &[u8], mark: u8) -> Vec<u8> {
    let mut other = wasm.to_vec();
    other.extend([0, 3, 1, b'x', mark]);
    other
}

/// The component as if it had been stripped: its large section of names has another name.
fn without_names(wasm: &[u8]) -> Vec<u8> {
    let mut other = wasm.to_vec();
    // A custom section: 0, its size in several bytes, then its name with its length.
    let begins_section = |place: usize| {
        let continued = wasm[..place - 1]
            .iter()
            .rev()
            .take_while(|byte| **byte >= 0x80);
        let size = continued.count();
        size > 0 && wasm[place - 2 - size] == 0
    };
    let places: Vec<usize> = (10..wasm.len() - 5)
        .filter(|place| &wasm[*place..place + 5] == b"\x04name" && begins_section(*place))
        .collect();
    assert!(!places.is_empty(), "the component has names");
    for place in places {
        other[place + 1..place + 5].copy_from_slice(b"nope");
    }
    other
}

fn digest(report: &Value) -> String {
    report["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_component_is_reported_and_installed_once() {
    let server = Server::generic();
    let api = server.api();
    let headers = [("Content-Type", "application/wasm")];
    let wasm = plugin("hostile");
    let count = || {
        let all = api.get("/plugins").expect(200).json();
        all["plugins"].as_array().unwrap().len()
    };
    let before = count();

    let checked = api.send("POST", "/plugins?check=true", &headers, Some(&wasm));
    let checked = checked.expect(200).json();
    assert_eq!((&checked["outcome"], count()), (&json!("checked"), before));
    let wrong = api.send("POST", "/plugins?check=maybe", &headers, Some(&wasm));
    assert!(wrong.expect(400).text.contains("check"));

    let first = api.send("POST", "/plugins", &headers, Some(&wasm));
    let first = first.expect(201).json();
    assert_eq!(first["outcome"], "installed");
    assert_eq!(first["name"], "hostile");
    assert_eq!(first["world"], "role-policy-plugin");
    assert_eq!(first["contract"], "0.1.0");
    assert_eq!(first["size"], wasm.len());
    assert_eq!(first["has_names"], true);
    assert_eq!(first["warnings"], json!([]));
    assert!(first["compile_ms"].as_u64().unwrap() > 0);
    assert!(first["settings_schema"]["properties"].is_object());
    let import = |prefix: &str| {
        let imports = first["imports"].as_array().unwrap();
        let found = imports
            .iter()
            .find(|import| import["name"].as_str().unwrap().starts_with(prefix));
        found
            .unwrap_or_else(|| panic!("{prefix}: {imports:?}"))
            .clone()
    };
    assert_eq!(import("wasi:io/streams@")["access"], "granted");
    let environment = import("wasi:cli/environment@");
    assert_eq!(environment["access"], "answered-with-nothing");
    let exit = import("wasi:cli/exit@");
    assert_eq!(exit["access"], "denied");
    assert_eq!(exit["denied"][0], "exit");

    let again = api.send("POST", "/plugins", &headers, Some(&wasm));
    let again = again.expect(200).json();
    assert_eq!(again["outcome"], "already-installed");
    assert_eq!(again["installed"], first["installed"]);
    assert_eq!(count(), before + 1);
    for name in ["hostile", &digest(&first)] {
        let shown = api.get(&format!("/plugins/{name}")).expect(200).json();
        assert_eq!(shown["imports"], first["imports"]);
        assert_eq!(shown["used_by"], json!([]));
    }

    let stripped = api.install(&without_names(&wasm));
    assert_eq!(stripped["has_names"], false);
    let warning = stripped["warnings"][0].as_str().unwrap();
    assert!(warning.contains("strip = \"debuginfo\""), "{warning}");
}

#[test]
fn what_is_in_use_is_not_removed() {
    let server = Server::generic();
    let api = server.api();
    let acme = Organization::create(&api, "Acme");
    let one = digest(&api.install(&plugin("hostile")));
    let two = digest(&api.install(&variant(&plugin("hostile"), 1)));
    assert_ne!(one, two);
    let settings = json!({ "behaviour": "tell-custom" });
    let bind = |digest: &str| json!({ "plugin": digest, "settings": settings });
    let _ = acme
        .operator
        .put("/bindings/roles", &bind(&one))
        .expect(200);

    let several = api.delete("/plugins/hostile").expect(409);
    assert!(several.text.contains("by its digest"), "{}", several.text);
    let built_in = api.delete("/plugins/okta").expect(409);
    assert!(built_in.text.contains("came with the gateway"));
    assert!(
        api.delete("/plugins/nobody")
            .expect(404)
            .text
            .contains("nobody")
    );

    let used = |by: &str| {
        let refused = api.delete(&format!("/plugins/{one}")).expect(409).json();
        let uses = refused["used_by"].as_array().unwrap();
        let mine: Vec<_> = uses
            .iter()
            .filter(|one| one["organization"] == *acme.id)
            .collect();
        assert_eq!((mine.len(), &mine[0]["by"]), (1, &json!(by)), "{refused}");
        assert!(
            refused["detail"].as_str().unwrap().contains("Acme"),
            "{refused}"
        );
    };
    used("binding");
    let shown = api.get(&format!("/plugins/{one}")).expect(200).json();
    assert_eq!(shown["used_by"][0]["slot"], "roles");

    let _ = acme
        .operator
        .put("/bindings/roles", &bind(&two))
        .expect(200);
    let shadow = "/bindings/roles/shadow";
    let _ = acme.operator.put(shadow, &bind(&one)).expect(200);
    used("shadow");
    let stop = format!("{shadow}/stop");
    let _ = acme.operator.post(&stop, &json!({})).expect(200);
    let plan = json!({ "bindings": { "roles": bind(&one) } });
    let plan = acme.operator.post("/plans", &plan).expect(201).id();
    used("plan");
    let _ = acme.operator.delete(&format!("/plans/{plan}")).expect(200);

    // A version that can be returned to does not hold it, and is named.
    let removed = api.delete(&format!("/plugins/{one}")).expect(200).json();
    assert_eq!(
        removed["returned_to_by"][0]["by"], "kept-version",
        "{removed}"
    );
    let _ = api.get(&format!("/plugins/{one}")).expect(404);
    let refused = acme.operator.post("/bindings/roles/rollback", &json!({}));
    let refused = refused.expect(409);
    assert!(refused.text.contains(&one) && refused.text.contains("install it again"));
    let bound = acme.operator.get("/bindings/roles").expect(200).json();
    assert_eq!(bound["digest"], *two);
    // The same bytes are the same digest, so installing them mends it.
    let _ = api.install(&plugin("hostile"));
    let _ = acme
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    assert_eq!(
        acme.operator.get("/bindings/roles").expect(200).json()["digest"],
        *one
    );
}

#[test]
fn the_command_line_installs_files_and_folders() {
    let server = Server::generic();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let good = path("a.wasm");
    fs::write(&good, plugin("hostile")).unwrap();
    let install = |arguments: &[&str]| {
        let mut all = vec!["plugin", "install"];
        all.extend(arguments);
        manage(&server, &all)
    };
    let good = good.to_str().unwrap();
    let checked = install(&["--check", good]).well();
    assert!(checked.contains("nothing was"), "{checked}");
    manage(&server, &["plugin", "show", "hostile"]).failed(1, &["404", "hostile"]);
    let installed = install(&[good]).well();
    for part in [
        "hostile",
        "role-policy-plugin",
        "behaviour",
        "wasi:cli/exit@",
        "denied",
    ] {
        assert!(installed.contains(part), "no {part} in:\n{installed}");
    }
    assert!(install(&[good]).well().contains("nothing changed"));
    let json: Value = serde_json::from_str(&install(&[good, "--json"]).well()).unwrap();
    assert_eq!(json["outcome"], "already-installed");
    assert!(
        manage(&server, &["plugin", "show", "hostile"])
            .well()
            .contains("hostile")
    );

    // One file that fails does not hide the others.
    fs::write(path("b.wasm"), "no component").unwrap();
    fs::write(path("c.wasm"), variant(&plugin("hostile"), 7)).unwrap();
    fs::write(path("d.txt"), "not looked at").unwrap();
    let ended = install(&[folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(ended.errors.contains("1 of 3 files"), "{}", ended.errors);
    for part in [
        "a.wasm",
        "nothing changed",
        "not a WebAssembly file",
        "c.wasm",
        ": installed",
    ] {
        assert!(
            ended.output.contains(part),
            "no {part} in:\n{}",
            ended.output
        );
    }
    let ended = install(&["--json", folder.path().to_str().unwrap()]);
    let json: Value = serde_json::from_str(&ended.output).unwrap();
    let files = json["files"].as_array().unwrap();
    assert!(
        files[1]["error"]
            .as_str()
            .unwrap()
            .contains("not a WebAssembly file")
    );
    assert_eq!(files[2]["report"]["outcome"], "already-installed");
    let empty = tempfile::tempdir().unwrap();
    install(&[empty.path().to_str().unwrap()]).failed(2, &["has no .wasm file"]);

    let third = digest(&files[2]["report"]);
    let removed = manage(&server, &["plugin", "remove", &third]).well();
    assert!(removed.contains(&third), "{removed}");
    manage(&server, &["plugin", "remove", "okta"]).failed(1, &["409", "came with the gateway"]);
}
