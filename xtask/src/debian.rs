//! Debian's packages: installed where the machine is a Debian and we may.

use crate::workspace::{output, say};
use std::process::{Command, Stdio};

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    output("id", &["-u"]).as_deref() == Some("0")
}

/// Installs packages, saying so. False where that did not succeed.
pub(crate) fn install(packages: &[&str]) -> bool {
    apt(&["update"], &[]) && apt(&["install", "--yes", "--no-install-recommends"], packages)
}

fn apt(step: &[&str], packages: &[&str]) -> bool {
    say(&format!(
        "running: apt-get {} {}",
        step.join(" "),
        packages.join(" ")
    ));
    let mut apt = Command::new("apt-get");
    apt.args(step)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let done = apt.status().is_ok_and(|status| status.success());
    if !done {
        say("  this did not succeed");
    }
    done
}
