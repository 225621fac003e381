//! `gatewright plugin install`: a component, or all of a folder.

use super::report;
use crate::cli::client::Connection;
use crate::cli::output::{self, CliError};
use crate::telemetry::chain;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Install components: a file, or every .wasm file of a folder.
///
/// A component is stored under the SHA-256 of its bytes. Installing the same bytes again changes
/// nothing, and installing binds nothing: `gatewright bindings set` does. What is printed says what
/// the component is and what it may call. Of a folder each file is reported; if one of them fails,
/// the others are installed all the same, and the exit code is 1.
#[derive(Args)]
pub(super) struct Install {
    #[command(flatten)]
    connection: Connection,
    /// Look at it and print the report; install nothing
    #[arg(long)]
    check: bool,
    /// A .wasm file, or a folder of them
    #[arg(value_name = "FILE|DIRECTORY")]
    from: PathBuf,
}

impl Install {
    pub(super) fn run(self) -> Result<(), CliError> {
        if !self.from.is_dir() {
            let answer = self.one(&self.from)?;
            match self.connection.json {
                true => output::json(&answer),
                false => report::print(&answer),
            }
            return Ok(());
        }
        let files = components(&self.from)?;
        if files.is_empty() {
            let folder = self.from.display();
            return Err(CliError::Usage(format!("{folder} has no .wasm file")));
        }
        let (mut reports, mut failed) = (Vec::new(), 0);
        for file in &files {
            let done = self.one(file);
            failed += usize::from(done.is_err());
            if self.connection.json {
                reports.push(match done {
                    Ok(report) => json!({ "file": file.display().to_string(), "report": report }),
                    Err(error) => {
                        json!({ "file": file.display().to_string(), "error": chain(&error) })
                    }
                });
                continue;
            }
            output::line(&format!("== {}", file.display()));
            match done {
                Ok(answer) => report::print(&answer),
                Err(error) => output::line(&format!("not installed: {}", chain(&error))),
            }
        }
        if self.connection.json {
            output::json(&json!({ "files": reports }));
        }
        match failed {
            0 => Ok(()),
            _ => Err(CliError::Failed(format!(
                "{failed} of {} files were not taken; the others were",
                files.len()
            ))),
        }
    }

    fn one(&self, file: &Path) -> Result<Value, CliError> {
        let bytes = std::fs::read(file)
            .map_err(|error| CliError::file("read the component", file, error))?;
        let path = match self.check {
            true => "/plugins?check=true",
            false => "/plugins",
        };
        self.connection.upload(path, &bytes)
    }
}

/// The .wasm files of a folder, by name.
fn components(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unreadable = |error| CliError::file("read the folder", folder, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
