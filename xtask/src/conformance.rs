//! The public SCIM conformance tester (scim2-cli and scim2-tester, from PyPI) against a running
//! gateway: once as it is, then once with each shipped provider plugin and declared schemas.

use crate::cargo::program;
use crate::debian;
use crate::workspace::{Outcome, output, root, say};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The releases that the results speak of.
const PACKAGES: [&str; 2] = ["scim2-cli==0.6.0", "scim2-tester==0.5.2"];

/// The provider plugins that come with the gateway.
const PROVIDERS: [&str; 8] = [
    "generic",
    "okta",
    "entra",
    "google",
    "onelogin",
    "jumpcloud",
    "ping",
    "cyberark",
];

/// What the directories declare. No dateTime, for which the tester makes up words that it does not take
/// itself, and no list, to which it adds and then expects what it added alone (against RFC 7644 section
/// 3.5.2.1): the gateway's own tests have both.
const SCHEMAS: &str = "tests/conformance/schemas.json";

/// Runs the tester; answers how many of its checks passed. One that fails is an error.
pub(crate) fn check() -> Outcome<usize> {
    let tester = tester()?;
    let mut passed = against(&tester, "generic", false)?;
    for provider in PROVIDERS {
        passed += against(&tester, provider, true)?;
    }
    Ok(passed)
}

fn against(tester: &Path, provider: &str, declares: bool) -> Outcome<usize> {
    let mut options = vec!["--provider", provider];
    if declares {
        options.extend(["--schemas", SCHEMAS]);
    }
    say(&format!(
        "== scim2-tester against `gatewright dev {}`",
        options.join(" ")
    ));
    let gateway = Gateway::start(provider, &options)?;
    let found = Command::new(tester)
        .args(["--url", &gateway.url, "test"])
        .env(
            "SCIM_CLI_HEADERS",
            format!("Authorization: Bearer {}", gateway.token),
        )
        .output()
        .map_err(|error| format!("cannot run the tester: {error}"))?;
    let text = String::from_utf8_lossy(&found.stdout);
    let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
    let (passed, failed) = (count("SUCCESS"), count("ERROR") + count("CRITICAL"));
    say(&format!(
        "   {passed} checks passed, {failed} failed, {} skipped",
        count("SKIPPED")
    ));
    if failed > 0 || passed == 0 || !found.status.success() {
        let errors = String::from_utf8_lossy(&found.stderr);
        return Err(format!(
            "the conformance tester is not content:\n{text}{errors}"
        ));
    }
    Ok(passed)
}

/// The tester's program, in an environment of its own below `target`.
fn tester() -> Outcome<PathBuf> {
    let folder = root().join("target/conformance");
    let program = folder.join("bin/scim2");
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == PACKAGES.join(" ")) {
        return Ok(program);
    }
    say(&format!(
        "== installing {} below target/conformance",
        PACKAGES.join(", ")
    ));
    if !environment(&folder) {
        let packages = ["python3", "python3-venv"];
        let missing =
            "python3 with venv is missing: `apt-get install python3 python3-venv` (as root)";
        if !debian::is_root() || !debian::install(&packages) || !environment(&folder) {
            return Err(missing.to_owned());
        }
    }
    let pip = folder.join("bin/pip");
    let installed = Command::new(&pip)
        .args(["install", "--quiet"])
        .args(PACKAGES)
        .status();
    if !installed.is_ok_and(|status| status.success()) {
        return Err(format!("pip could not install {}", PACKAGES.join(", ")));
    }
    std::fs::write(&stamp, PACKAGES.join(" ")).map_err(|error| error.to_string())?;
    Ok(program)
}

/// A new Python environment in a folder; false where there is no Python that can make one.
pub(crate) fn environment(folder: &Path) -> bool {
    output(
        "python3",
        &["-m", "venv", "--clear", &folder.display().to_string()],
    )
    .is_some()
}

/// A `gatewright dev` for as long as the tester needs it.
struct Gateway {
    child: Child,
    data: PathBuf,
    url: String,
    token: String,
}

impl Gateway {
    fn start(provider: &str, options: &[&str]) -> Outcome<Self> {
        let data = root()
            .join("target/conformance")
            .join(format!("data-{provider}"));
        // Of an earlier run that was cut off.
        let _ = std::fs::remove_dir_all(&data);
        let mut child = Command::new(program("debug", "gatewright"))
            .args(["dev", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args(options)
            .current_dir(root())
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run the gateway: {error}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        let field = |name: &str| -> Option<String> {
            let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        match (field("scim_base_url"), field("token")) {
            (Some(url), Some(token)) => Ok(Self {
                child,
                data,
                url,
                token,
            }),
            _ => {
                let _ = child.kill();
                Err(format!("`gatewright dev` did not start: {line}"))
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
