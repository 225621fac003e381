//! What every command needs: where things are, and how to say what is going on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command comes to: nothing, or a sentence for the developer.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Says a line to the developer.
#[expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks on standard output"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // The folder above this crate's, as it was when the tool was compiled: cargo compiles it again
    // when the checkout moves.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// A path as the developer would write it, standing in the workspace.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The trimmed standard output of a program that succeeded.
pub(crate) fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
