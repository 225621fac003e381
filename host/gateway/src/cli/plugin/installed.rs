//! Plugins of a running gateway: list and install.

use crate::cli::client::Connection;
use crate::cli::manage::{created, show};
use crate::cli::output::CliError;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.get("/plugins")?;
        let columns = ["name", "version", "kind", "digest", "summary"];
        show(to, &answer, "plugins", &columns);
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Install {
    #[command(flatten)]
    connection: Connection,
    /// The .wasm file
    file: PathBuf,
}

impl Install {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let bytes = std::fs::read(&self.file)
            .map_err(|error| CliError::file("read the component", &self.file, error))?;
        let answer = to.upload("/plugins", &bytes)?;
        created(to, &answer, &["name", "version", "kind", "digest"]);
        Ok(())
    }
}
