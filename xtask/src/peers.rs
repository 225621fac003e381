//! Installs the servers that `cargo xtask bench --peers` measures the gateway beside, each below
//! `target/peers`. What cannot be installed is said, and the others go on.

use crate::conformance::environment;
use crate::workspace::{Outcome, output, root, say};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of `tests/bench/peers`, and what is installed for each.
const PEERS: [(&str, &str, Install); 3] = [
    ("jackson", "SAML Jackson 26.2", node),
    ("scim2", "scim2-server 0.8.3", python),
    ("django", "django-scim2 0.23", python),
];

type Install = fn(&Path) -> Outcome;

/// Installs what is not there yet; answers where.
pub(crate) fn install() -> Outcome<PathBuf> {
    let peers = root().join("target/peers");
    for (folder, name, install) in PEERS {
        let (from, to) = (
            root().join("tests/bench/peers").join(folder),
            peers.join(folder),
        );
        let wanted = copy(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        let stamp = to.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
            continue;
        }
        // What is half installed must not be measured.
        let _ = std::fs::remove_file(&stamp);
        say(&format!("== installing {name} below target/peers/{folder}"));
        match install(&to) {
            Ok(()) => std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?,
            Err(why) => say(&format!("{name} is left out: {why}")),
        }
    }
    Ok(peers)
}

fn node(folder: &Path) -> Outcome {
    if output("node", &["--version"]).is_none() {
        return Err("there is no node: install Node.js 20 or later with npm".to_owned());
    }
    // Its driver of SQLite is compiled where there is no built one, which takes a minute or two.
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]);
    done(npm.current_dir(folder), "npm install")
}

fn python(folder: &Path) -> Outcome {
    let venv = folder.join("venv");
    if !environment(&venv) {
        return Err("there is no python3 with venv".to_owned());
    }
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--requirement", "requirements.txt"]);
    done(pip.current_dir(folder), "pip install")
}

fn done(command: &mut Command, what: &str) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{what}` failed: {status}")),
        Err(error) => Err(format!("`{what}` cannot be run: {error}")),
    }
}

/// Copies a folder; answers the text of the file that says what is to be installed.
fn copy(from: &Path, to: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(to)?;
    let mut wanted = String::new();
    for entry in std::fs::read_dir(from)? {
        let (from, name) = {
            let entry = entry?;
            (entry.path(), entry.file_name())
        };
        let to = to.join(&name);
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            std::fs::copy(&from, &to)?;
        }
        if name == "package.json" || name == "requirements.txt" {
            wanted = std::fs::read_to_string(&from)?;
        }
    }
    Ok(wanted)
}
