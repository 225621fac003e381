//! Runs cargo for the other commands.

use crate::workspace::{Outcome, root, say};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// A cargo of the workspace's own, not of the `cargo run` that this process came from.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(args);
    for name in [
        "CARGO",
        "CARGO_MANIFEST_DIR",
        "CARGO_PKG_NAME",
        "RUSTC",
        "RUSTUP_TOOLCHAIN",
    ] {
        command.env_remove(name);
    }
    command
}

/// Says what runs, runs it, and says how long it took.
pub(crate) fn run(what: &str, mut command: Command) -> Outcome {
    say(&format!("== {what}"));
    let began = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    if status.success() {
        say(&format!(
            "   done in {:.0} s",
            began.elapsed().as_secs_f32()
        ));
        Ok(())
    } else {
        Err(format!("{what}: failed; its output is above"))
    }
}

/// A program that cargo built.
pub(crate) fn program(profile: &str, name: &str) -> PathBuf {
    root().join("target").join(profile).join(name)
}
